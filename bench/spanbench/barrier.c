/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include "bench/common/barrier.h"

#include <atoll/domain.h>
#include <atoll/span.h>
#include <atoll/thread.h>

#include "bench/spanbench/spanbench.h"

enum { BATCHES = 40, QUICK_BATCHES = 10, WARM_UP = 4 };

static struct samples samples;

struct task {
	struct barrier barrier;
	unsigned batches;
};

static void take_part(void *argument)
{
	struct task *task = argument;

	barrier_pass(&task->barrier, task->batches);
}

/* A thread on each of so many other members, and this one. */
static bool measure(const struct plan *p, unsigned others)
{
	static struct task task;
	struct thread *threads[SPAN_MAX];
	unsigned count;
	err_t e = OK;

	task = (struct task){.barrier = {.parties = others + 1}, .batches = (p->quick ? QUICK_BATCHES : BATCHES) + WARM_UP};
	for (count = 0; count < others; count++) {
		e = thread_create_among(UINT64_C(2) << count, take_part, &task, 0, &threads[count]);
		if (is_err(e)) /* those that have begun wait for ever; the program ends anyway */
			return failed("barrier", err_sentence(e));
	}
	samples_begin(&samples);
	for (unsigned batch = 0; batch < task.batches; batch++) {
		uint64_t begin = sample_now();

		barrier_pass(&task.barrier, 1);
		if (batch >= WARM_UP)
			samples_add(&samples, sample_now() - begin, BARRIER_BATCH);
	}
	for (unsigned i = 0; i < count && is_ok(e); i++)
		e = thread_join(threads[i]);
	if (is_err(e))
		return failed("barrier", err_sentence(e));
	samples_print_shared(&samples, p->lens, "barrier", p->cores[0], p->cores[others], others, 0);
	return true;
}

bool barrier_measure(const struct plan *p)
{
	bool ok = true;

	for (unsigned others = 1; others < p->members && ok; others++)
		ok = measure(p, others);
	return ok;
}
