/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#include "cpudriver/core.h"
#include "cpudriver/dispatch/dispatch.h"
#include "cpudriver/trace.h"

void make_runnable(struct dispatcher *d)
{
	TRACE_DISPATCHER(wake, 0, 0, d);
	d->state = DISPATCHER_RUNNABLE;
	core.counter[COUNTER_WAKE_UPS]++;
	schedule_add(&core.schedule, &d->turn);
	turn_share();
}

static void end_waiting(struct dispatcher *d, err_t e)
{
	d->saved.rax = e.number;
	d->saved.rdi = d->saved.rsi = d->saved.rdx = d->saved.r8 = d->saved.r9 = d->saved.r10 = 0;
	make_runnable(d);
}

/* A dispatcher that calls waits for its reply and nothing else, unless its call may be detached; but a deadline ends that too. */
void notify(struct dispatcher *d, uint64_t bits)
{
	pend(d, bits);
	if (d->state == DISPATCHER_WAITING)
		end_waiting(d, OK);
	else if (d->state == DISPATCHER_WAITING_CALL)
		end_waiting(d, ERR(NOTIFIED));
	else if ((d->state == DISPATCHER_CALLING || d->state == DISPATCHER_WAITING_REPLY) && !detach_call(d) && (bits & PENDING_TIMER) != 0)
		end_call(d, ERR(TIMEOUT));
}
