/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Sorts numbers on every core: `sort [--cores N] [--count N]`. A merge sort made of tasks (<atoll/tasks.h>): pieces are sorted, then merged
 * two by two, each as soon as those that it is made of are ready. A merge is two tasks: one begins at the smallest numbers, the other one
 * at the largest, and they stop in the middle; so even the last merge of all has work for two cores.
 *
 * Where the memory lies. Any core may come to sort or merge any piece, so no place is the right one for all of it: the pages are taken from
 * all nodes in turn, and none of them has to serve everybody.
 *
 * `make trace APP=sort` shows which core did what when. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <atoll/address_space.h>
#include <atoll/domain.h>
#include <atoll/tasks.h>
#include <atoll/trace.h>

#include "apps/common/options.h"
#include "apps/common/team.h"

#define PIECES 64 /* a power of two, and several for each core, so that none has to wait for a slow one */

/* Sorted pieces at `from` and behind it become one at `to`. A piece to be sorted has only `from` and `left`. */
struct job {
	uint64_t *from, *to;
	size_t left, right; /* how many numbers the two have */
};

static int compare(const void *left, const void *right)
{
	const uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

	return (a > b) - (a < b);
}

static void sort_piece(void *argument)
{
	const struct job *j = argument;

	trace_begin("sort", j->left);
	qsort(j->from, j->left, sizeof *j->from, compare);
	trace_end("sort", j->left);
}

static void merge_smaller_half(void *argument)
{
	const struct job *j = argument;
	const uint64_t *a = j->from, *b = a + j->left, *a_end = b, *b_end = b + j->right;

	trace_begin("merge smaller", j->left + j->right);
	for (size_t i = 0; i < (j->left + j->right) / 2; i++)
		j->to[i] = b == b_end || (a != a_end && *a <= *b) ? *a++ : *b++;
	trace_end("merge smaller", j->left + j->right);
}

static void merge_larger_half(void *argument)
{
	const struct job *j = argument;
	const uint64_t *a_begin = j->from, *b_begin = a_begin + j->left, *a = b_begin, *b = b_begin + j->right;

	trace_begin("merge larger", j->left + j->right);
	for (size_t i = j->left + j->right; i > (j->left + j->right) / 2; i--)
		j->to[i - 1] = b == b_begin || (a != a_begin && a[-1] > b[-1]) ? *--a : *--b;
	trace_end("merge larger", j->left + j->right);
}

static void submit(struct tasks *t, task_fn *function, struct job *j, const struct task *after, unsigned count, struct task *out)
{
	must("a task", task_submit(t, function, j, j->left + j->right, after, count, out));
}

/* Returns where the sorted numbers are: at `numbers` or at `room`. */
static uint64_t *sort(uint64_t *numbers, uint64_t *room, size_t count, unsigned workers)
{
	static struct job jobs[2 * PIECES];
	struct task done[2 * PIECES]; /* each piece is ready when these two are done: two tasks for a merge, twice the same for a sort */
	struct job *j = jobs;
	struct tasks *t;

	must("tasks", tasks_create(workers, &t));
	for (size_t i = 0; i < PIECES; i++, j++) {
		*j = (struct job){.from = numbers + count * i / PIECES, .left = count * (i + 1) / PIECES - count * i / PIECES};
		submit(t, sort_piece, j, NULL, 0, &done[2 * i]);
		done[2 * i + 1] = done[2 * i];
	}
	for (size_t pieces = PIECES / 2; pieces > 0; pieces /= 2) {
		uint64_t *sorted = numbers;

		for (size_t i = 0; i < pieces; i++, j++) {
			const size_t begin = count * i / pieces, middle = count * (2 * i + 1) / (2 * pieces),
			             end = count * (i + 1) / pieces;
			const struct task *after = &done[4 * i];
			struct task smaller, larger;

			*j = (struct job){numbers + begin, room + begin, middle - begin, end - middle};
			submit(t, merge_smaller_half, j, after, 4, &smaller);
			submit(t, merge_larger_half, j, after, 4, &larger);
			done[2 * i] = smaller;
			done[2 * i + 1] = larger;
		}
		numbers = room;
		room = sorted;
	}
	tasks_destroy(t);
	return numbers;
}

/* The numbers' sum, once they have been scattered: the same before and after the sort if no number was lost or became another one. */
static uint64_t signature(const uint64_t *numbers, size_t count)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < count; i++) {
		uint64_t x = numbers[i] * UINT64_C(0x9e3779b97f4a7c15);

		sum += (x ^ x >> 29) * UINT64_C(0xbf58476d1ce4e5b9);
	}
	return sum;
}

static bool is_sorted(const uint64_t *numbers, size_t count)
{
	for (size_t i = 1; i < count; i++)
		if (numbers[i - 1] > numbers[i])
			return false;
	return true;
}

static void fill(uint64_t *numbers, size_t count)
{
	uint64_t x = 1;

	for (size_t i = 0; i < count; i++) {
		x = x * UINT64_C(6364136223846793005) + 1442695040888963407; /* Knuth, TAOCP vol. 2, 3.3.4 */
		numbers[i] = x >> 16;
	}
}

/* False: the result is wrong. */
static bool measure(uint64_t *numbers, uint64_t *room, size_t count, unsigned workers, uint64_t *us)
{
	const uint64_t *sorted;
	uint64_t before, begin;

	fill(numbers, count);
	before = signature(numbers, count);
	begin = time_tsc();
	sorted = sort(numbers, room, count, workers);
	*us = microseconds_since(begin);
	return is_sorted(sorted, count) && signature(sorted, count) == before;
}

int main(int argc, char **argv)
{
	uint64_t cores = 0, count = 50000, alone, together;
	const struct option options[] = {
	    {"cores", &cores, 0, SPAN_MAX, "how many of them; 0: all"},
	    {"count", &count, 0, 1 << 24, "how many numbers"},
	};
	void *numbers, *room;
	bool ok;

	(void)argc;
	options_of_main(options, 2, argv);
	cores = team_grow((unsigned)cores);

	for (unsigned i = 0; i < 2; i++)
		must("memory for the numbers",
		     memory_map_with((count + 1) * sizeof(uint64_t), RIGHTS(RIGHT_READ | RIGHT_WRITE), PLACE_TOUCH,
		                     (struct memory_policy){.kind = MEMORY_INTERLEAVE}, i == 0 ? &numbers : &room));
	ok = measure(numbers, room, count, 1, &alone);
	ok &= measure(numbers, room, count, (unsigned)cores, &together);

	printf("%llu numbers: %llu us by one worker, %llu us by %llu\n", (unsigned long long)count, (unsigned long long)alone,
	       (unsigned long long)together, (unsigned long long)cores);
	printf("@test {\"name\":\"sort\",\"ok\":%s,\"cores\":%llu,\"count\":%llu,\"us_alone\":%llu,\"us\":%llu}\n", ok ? "true" : "false",
	       (unsigned long long)cores, (unsigned long long)count, (unsigned long long)alone, (unsigned long long)together);
	return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
