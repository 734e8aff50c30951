/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Which thread runs is decided by a policy, so a policy around it sees every decision; without a trace there is none, and nothing costs
 * anything. */

#include "libos/thread/thread.h"
#include "libos/trace/trace.h"

static const struct policy *inner;
static struct policy around;

static struct runnable *take(struct run_queue *q)
{
	struct runnable *r = inner->take(q);

	if (r != NULL)
		trace_write(trace_word(TRACE_thread, 0, thread_of_run(r)->number), 0, 0);
	return r;
}

const struct policy *trace_within(const struct policy *policy)
{
	return policy == &around ? inner : policy;
}

const struct policy *trace_policy(const struct policy *policy)
{
	if (!trace_is_on())
		return policy;
	inner = policy;
	around = *policy;
	around.take = take;
	return &around;
}
