/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include <stdio.h>

#include <atoll/domain.h>
#include <atoll/thread.h>

#include "bench/spanbench/spanbench.h"

/* The load: pieces of 1 to PIECE_MOST units, so many that none of them is a large part of it. */
enum { PIECES = 48, PIECE_MOST = 8, UNIT_LOOPS = 400000 };
enum { ROUNDS = 11, TRIES = 5, QUIET_PERCENT = 115 };

static struct samples ratios;

static void compute(void *units)
{
	uint64_t loops = (uint64_t)units * UNIT_LOOPS;

	__asm__ volatile("1: dec %0\n\tjnz 1b" : "+r"(loops) : : "cc");
}

static uint64_t units_of(unsigned piece)
{
	return 1 + piece * 5 % PIECE_MOST;
}

static uint64_t all_units(void)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < PIECES; i++)
		sum += units_of(i);
	return sum;
}

static err_t join(struct thread *const thread[], unsigned count)
{
	err_t e = OK;

	for (unsigned i = 0; i < count; i++) {
		err_t own = thread_join(thread[i]);

		e = is_ok(e) ? own : e;
	}
	return e;
}

/* The same work on so many cores, in equal parts that stay there. */
static err_t run_balanced(unsigned cores, uint64_t units_each, uint64_t *took)
{
	const uint64_t begin = sample_now();
	struct thread *thread[2];
	unsigned count;
	err_t e = OK;

	for (count = 0; count < cores && is_ok(e); count++)
		e = thread_create_among(UINT64_C(1) << count, compute, (void *)units_each, 0, &thread[count]);
	if (is_ok(e))
		e = join(thread, count);
	*took = sample_now() - begin;
	return e;
}

/* All of it is begun here; what runs there was stolen. */
static err_t run_imbalanced(uint64_t *took)
{
	const uint64_t begin = sample_now();
	struct thread *thread[PIECES];
	unsigned count;
	err_t e = OK;

	for (count = 0; count < PIECES && is_ok(e); count++)
		e = thread_create_among(3, compute, (void *)units_of(count), 0, &thread[count]);
	if (is_ok(e))
		e = join(thread, count);
	*took = sample_now() - begin;
	return e;
}

/* One round; it counts only if two cores did the balanced work in the time that one takes for half of it, so nothing else disturbed them.
 */
static err_t round_of(void)
{
	const uint64_t half = all_units() / 2;
	uint64_t alone, before, stolen, after;
	err_t e = run_balanced(1, half, &alone);

	if (is_ok(e))
		e = run_balanced(2, half, &before);
	if (is_ok(e))
		e = run_imbalanced(&stolen);
	if (is_ok(e))
		e = run_balanced(2, half, &after);
	if (is_ok(e) && before * 100 <= alone * QUIET_PERCENT && after * 100 <= alone * QUIET_PERCENT)
		ratios.value[ratios.n++] = 2 * (double)stolen / (double)(before + after);
	return e;
}

bool steal_measure(const struct plan *p)
{
	err_t e = OK;

	/* Who counts the instructions of all cores together can't see whether two of them work at the same time. */
	if (lens_is_instructions(p->lens) || p->quick)
		return true;
	samples_begin(&ratios);
	for (unsigned tries = 0; tries < ROUNDS * TRIES && ratios.n < ROUNDS && is_ok(e); tries++)
		e = round_of();
	if (is_err(e))
		return failed("steal/balanced", err_sentence(e));
	if (ratios.n < ROUNDS) {
		printf("spanbench: steal/balanced is unstable: the machine was quiet in %zu of %u rounds only, so there is no figure\n",
		       ratios.n, ROUNDS * TRIES);
		return true;
	}
	samples_print_ratio(&ratios, p->lens, "steal/balanced", p->cores[0], p->cores[1]);
	return true;
}
