/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include "bench/common/barrier.h"
#include "bench/peers/linux/party.h"
#include "bench/peers/linux/peers.h"

enum { MOST = 64 };

static struct samples samples;

struct task {
	struct barrier barrier;
	unsigned batches;
};

static bool take_part(void *argument)
{
	struct task *task = argument;

	barrier_pass(&task->barrier, task->batches);
	return true;
}

static bool measure(const struct plan *p, const char *id, unsigned others, bool polls)
{
	static struct party parties[MOST];
	static struct task task;

	task = (struct task){.barrier = {.parties = others + 1, .polls = polls}, .batches = p->rounds / BARRIER_BATCH + WARM_UP};
	for (unsigned i = 0; i < others; i++)
		if (!party_start(&parties[i], PARTY_THREAD, i + 1, take_part, &task))
			return failed_call(id, "a thread"); /* those that have begun wait for ever; the machine ends anyway */
	samples_begin(&samples);
	for (unsigned batch = 0; batch < task.batches; batch++) {
		uint64_t begin = sample_now();

		barrier_pass(&task.barrier, 1);
		if (batch >= WARM_UP)
			samples_add(&samples, sample_now() - begin, BARRIER_BATCH);
	}
	for (unsigned i = 0; i < others; i++)
		if (!party_join(&parties[i]))
			return failed(id, "a thread did not end well");
	samples_print_shared(&samples, p->lens, id, 0, others, others, 0);
	return true;
}

bool barrier_measure(const struct plan *p)
{
	bool ok = true;

	for (unsigned others = 1; others < p->cores && others <= MOST && ok; others++) {
		ok = measure(p, "barrier", others, false);
		if (others < p->polled && !lens_is_instructions(p->lens))
			ok = measure(p, "barrier.polled", others, true) && ok;
	}
	return ok;
}
