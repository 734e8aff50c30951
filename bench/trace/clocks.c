/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* How far the cores' time-stamp counters are apart: what a trace needs so that events of several cores stand in one order (make trace).
 *
 *   this core                    another core
 *   asks at t0 ───────────────▶ answers with its own time t
 *   reads the answer at t1 ◀────
 *
 * The answer was given between t0 and t1, so t belongs to (t0 + t1) / 2 of this core's clock, with an error of at most (t1 - t0) / 2
 * (Cristian, Probabilistic clock synchronization, Distributed Computing 3, 1989). Of many rounds the shortest is the best one. Both sides
 * poll a line of memory that they have in common; nothing else is in between.
 *
 * For each other core a fact: its counter is `offset_ticks` ahead of this core's, `error_ticks` more or less. */

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include <atoll/domain.h>
#include <atoll/span.h>
#include <atoll/thread.h>
#include <atoll/trace.h>

#include "bench/common/sample.h"
#include "channels/wait.h"

enum { ROUNDS = 3000, LONGEST_MS = 300, WARM_UP = 100, GOOD_NS = 500 };

/* Each word has one writer. */
static struct {
	_Alignas(64) _Atomic uint64_t asked;
	_Alignas(64) _Atomic uint64_t answered;
	uint64_t time;
} line;

#define OVER UINT64_MAX

static uint64_t wait_for_change(const _Atomic uint64_t *word, uint64_t from)
{
	struct channel_wait wait = channel_wait_begin((uintptr_t)word);
	uint64_t now;

	while ((now = atomic_load_explicit(word, memory_order_acquire)) == from)
		channel_wait(&wait);
	return now;
}

static void answer(void *argument)
{
	uint64_t number = 0;

	(void)argument;
	while ((number = wait_for_change(&line.asked, number)) != OVER) {
		line.time = sample_now();
		atomic_store_explicit(&line.answered, number, memory_order_release);
	}
}

struct difference {
	int64_t offset;
	uint64_t error;
};

static void ask(uint64_t number, struct difference *best)
{
	uint64_t begin = sample_now(), end;

	atomic_store_explicit(&line.asked, number, memory_order_release);
	wait_for_change(&line.answered, number - 1);
	end = sample_now();
	if (number <= WARM_UP || (end - begin + 1) / 2 >= best->error)
		return;
	best->error = (end - begin + 1) / 2;
	best->offset = (int64_t)(line.time - begin - (end - begin) / 2);
}

/* Where more cores run than the machine really has, most rounds are as long as somebody else's turn: then some more. */
static bool is_enough(uint64_t round, const struct difference *best, uint64_t until)
{
	const uint64_t now = time_tsc(), good = time_tsc_hz() / 1000000 * GOOD_NS / 1000;

	return round > WARM_UP + 1 && (now > until || (round > ROUNDS && best->error <= good));
}

static err_t measure(unsigned member, struct difference *best)
{
	const uint64_t until = time_tsc() + time_tsc_hz() / 1000 * LONGEST_MS;
	struct thread *other;
	err_t e;

	atomic_store(&line.asked, 0);
	atomic_store(&line.answered, 0);
	*best = (struct difference){.error = UINT64_MAX};
	e = thread_create_among(UINT64_C(1) << member, answer, NULL, 0, &other);
	if (is_err(e))
		return e;
	for (uint64_t number = 1; !is_enough(number, best, until); number++)
		ask(number, best);
	atomic_store(&line.asked, OVER);
	return thread_join(other);
}

static err_t compare(unsigned core)
{
	struct difference best;
	unsigned member;
	err_t e = span_grow(core, 0, &member);

	if (is_err(e))
		return e;
	trace_begin("compare clocks", core);
	e = measure(member, &best);
	trace_end("compare clocks", core);
	if (is_ok(e))
		printf("@clock {\"core\":%u,\"to\":%u,\"offset_ticks\":%lld,\"error_ticks\":%llu,\"ticks_per_second\":%llu}\n", core,
		       domain_core(), (long long)best.offset, (unsigned long long)best.error, (unsigned long long)time_tsc_hz());
	if (is_ok(e))
		e = span_shrink(core);
	return e;
}

int main(void)
{
	static struct core_info all[MACHINE_CORES];
	unsigned count;
	err_t e = core_list(all, MACHINE_CORES, &count);

	for (unsigned i = 0; is_ok(e) && i < count; i++)
		if (all[i].alive && all[i].core != domain_core())
			e = compare(all[i].core);
	if (is_err(e))
		printf("clocks: %s\n", err_sentence(e));
	return is_err(e) ? EXIT_FAILURE : EXIT_SUCCESS;
}
