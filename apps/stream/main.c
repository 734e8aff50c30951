/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* How fast memory is, by where it lies: `stream [--kib N] [--rounds N]`. One thread does McCalpin's four operations ("Memory bandwidth and
 * machine balance", 1995) on arrays of so many KiB each, which are placed in one of these ways:
 *
 *   local        on the thread's own node
 *   bind         all on the node that is farthest away
 *   interleave   on all nodes in turn
 *   replicate    what is read has a copy on each node; what is written is local, since a write takes all other copies away
 *
 * The arrays that are read are filled by the member that is farthest away: so it is the placement alone that makes them near or far. Each
 * number that is written, and where the memory lies, is checked. */

#include <stdio.h>
#include <stdlib.h>

#include <atoll/address_space.h>
#include <atoll/domain.h>

#include "apps/common/options.h"
#include "apps/common/team.h"

#define FACTOR 3.0

enum operation { COPY, SCALE, ADD, TRIAD, OPERATIONS };
static const char *const operation_names[OPERATIONS] = {"copy", "scale", "add", "triad"};
static const unsigned arrays_used[OPERATIONS] = {2, 2, 3, 3};

struct way {
	const char *name;
	struct memory_policy read, written;
	uint64_t members; /* whose memory it may be, a bit each */
};

struct arrays {
	size_t count;
	double *a, *b, *c;
};

static double *array(size_t count, struct memory_policy policy)
{
	void *at;

	must("memory for an array", memory_map_with(count * sizeof(double), RIGHTS(RIGHT_READ | RIGHT_WRITE), PLACE_TOUCH, policy, &at));
	return at;
}

static uint64_t fill(uint64_t argument)
{
	const struct arrays *s = (const struct arrays *)argument;

	for (size_t i = 0; i < s->count; i++) {
		s->a[i] = (double)i;
		s->b[i] = (double)(2 * i);
	}
	return 0;
}

static void operate(const struct arrays *s, enum operation operation)
{
	const double *a = s->a, *b = s->b;
	double *c = s->c;

	switch (operation) {
	case COPY:
		for (size_t i = 0; i < s->count; i++)
			c[i] = a[i];
		break;
	case SCALE:
		for (size_t i = 0; i < s->count; i++)
			c[i] = FACTOR * a[i];
		break;
	case ADD:
		for (size_t i = 0; i < s->count; i++)
			c[i] = a[i] + b[i];
		break;
	default:
		for (size_t i = 0; i < s->count; i++)
			c[i] = a[i] + FACTOR * b[i];
	}
}

static bool is_right(const struct arrays *s, enum operation operation)
{
	static const double times[OPERATIONS] = {1, FACTOR, 1 + 2, 1 + 2 * FACTOR};

	for (size_t i = 0; i < s->count; i++)
		if (s->c[i] != times[operation] * (double)i)
			return false;
	return true;
}

/* Whether it is the memory of exactly those members. */
static bool lies_at(const double *at, size_t count, uint64_t members)
{
	uint64_t seen = 0;

	for (size_t i = 0; i < count; i += PAGE_BYTES / sizeof *at) {
		struct memory_place place;

		must("where the memory is", memory_where(&at[i], &place));
		seen |= UINT64_C(1) << place.member;
	}
	return seen == members;
}

/* The fastest of some rounds, in MB/s: the others were held up by something else. False: something is wrong. */
static bool measure(const struct arrays *s, enum operation operation, unsigned rounds, double *fastest)
{
	*fastest = 0;
	for (unsigned i = 0; i < rounds; i++) {
		const uint64_t begin = time_tsc();
		double mb_per_s;

		operate(s, operation);
		mb_per_s = (double)(arrays_used[operation] * s->count * sizeof(double)) / (double)(microseconds_since(begin) + 1);
		*fastest = mb_per_s > *fastest ? mb_per_s : *fastest;
	}
	return is_right(s, operation);
}

static bool try_way(const struct way *w, size_t count, unsigned rounds, unsigned far, double *triad)
{
	struct arrays s = {count, array(count, w->read), array(count, w->read), array(count, w->written)};
	bool ok = true;

	must("the member that fills the arrays", span_call(far, fill, (uint64_t)&s, &(uint64_t){0}));
	printf("%-11s", w->name);
	for (unsigned operation = 0; operation < OPERATIONS; operation++) {
		ok &= measure(&s, operation, rounds, triad);
		printf("%10.0f", *triad);
	}
	printf("\n");
	ok &= w->members == 0 || (lies_at(s.a, count, w->members) && lies_at(s.c, count, w->members));
	for (unsigned i = 0; i < 3; i++)
		must("giving memory back", memory_unmap((double *[]){s.a, s.b, s.c}[i], count * sizeof(double)));
	return ok;
}

/* The member that is farthest away. */
static unsigned farthest(unsigned members)
{
	const struct machine *machine = domain_machine();
	struct span_place place[SPAN_MAX];
	unsigned far = 0;

	(void)!span_members(place, SPAN_MAX);
	for (unsigned m = 1; m < members && machine != NULL; m++)
		if (machine_distance(machine, place[0].node, place[m].node) > machine_distance(machine, place[0].node, place[far].node))
			far = m;
	return far;
}

int main(int argc, char **argv)
{
	uint64_t kib = 512, rounds = 5;
	const struct option options[] = {
	    {"kib", &kib, 64, 1 << 20, "KiB of each of three arrays"},
	    {"rounds", &rounds, 1, 1000, "of which the fastest counts"},
	};
	unsigned members, far;
	double triad[4];
	bool ok = true;

	(void)argc;
	options_of_main(options, 2, argv);
	members = team_grow(0);
	far = farthest(members);

	const uint64_t all = members == 64 ? UINT64_MAX : (UINT64_C(1) << members) - 1, pieces = kib * KIB / MEMORY_INTERLEAVE_BYTES;
	const struct memory_policy local = {.kind = MEMORY_LOCAL}, bound = {MEMORY_BIND, UINT64_C(1) << far},
	                           interleaved = {.kind = MEMORY_INTERLEAVE}, replicated = {.kind = MEMORY_REPLICATE};
	const struct way ways[] = {
	    {"local", local, local, 1},
	    {"bind", bound, bound, UINT64_C(1) << far},
	    {"interleave", interleaved, interleaved, pieces >= members ? all : 0},
	    {"replicate", replicated, local, 0},
	};

	printf("MB/s on core %u; \"bind\" is member %u's memory\n%-11s", domain_core(), far, "");
	for (unsigned operation = 0; operation < OPERATIONS; operation++)
		printf("%10s", operation_names[operation]);
	printf("\n");
	for (unsigned i = 0; i < 4; i++)
		ok &= try_way(&ways[i], kib * KIB / sizeof(double), (unsigned)rounds, far, &triad[i]);
	printf("@test {\"name\":\"stream\",\"ok\":%s,\"kib\":%llu,\"local\":%.0f,\"bind\":%.0f,\"interleave\":%.0f,\"replicate\":%.0f}\n",
	       ok ? "true" : "false", (unsigned long long)kib, triad[0], triad[1], triad[2], triad[3]);
	return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
