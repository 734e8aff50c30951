/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* A dispatcher's beginning and end. Stopping takes it out of the scheduler, the deadlines, the queue in which it stands, and ends the
 * calls of those who wait for it. One that the CPU driver stopped stands in a list until the monitor has asked for it. */

#include "cpudriver/core.h"
#include "cpudriver/dispatch/switch.h"
#include "cpudriver/report.h"

static void report(struct dispatcher *d)
{
	if (d == core.monitor) {
		report_monitor_stopped(d);
		beat_end(&core.beat);
	}
	if (d->reported)
		return;
	d->reported = true;
	d->stopped_next = NULL;
	*(core.stopped_first != NULL ? &core.stopped_last->stopped_next : &core.stopped_first) = d;
	core.stopped_last = d;
	if (core.monitor != NULL)
		notify(core.monitor, PENDING_STOPPED);
}

static void forget_report(struct dispatcher *d)
{
	struct dispatcher *before = NULL;

	if (!d->reported)
		return;
	for (struct dispatcher *s = core.stopped_first; s != d; s = s->stopped_next)
		before = s;
	*(before != NULL ? &before->stopped_next : &core.stopped_first) = d->stopped_next;
	if (core.stopped_last == d)
		core.stopped_last = before;
	d->reported = false;
}

struct dispatcher *next_stopped(void)
{
	struct dispatcher *d = core.stopped_first;

	if (d != NULL)
		forget_report(d);
	return d;
}

/* If this happens inside an invocation, it returns to dispatch instead of the caller (entry/syscall.S). Elsewhere, nobody reads that word
 * of the stack again: whoever stops the running dispatcher there dispatches himself. */
static void leave_running(void)
{
	core.current = NULL;
	stack_first = (uintptr_t)dispatch;
}

void stop(struct dispatcher *d, enum stop_reason reason)
{
	if (d->state == DISPATCHER_STOPPED || d->state == DISPATCHER_NEW)
		return;
	leave_call(d);
	if (d->turn.queued)
		schedule_remove(&core.schedule, &d->turn);
	set_deadline(d, 0);
	TRACE_DISPATCHER(stop, reason, 0, d);
	d->state = DISPATCHER_STOPPED;
	d->stop_reason = (uint8_t)reason;
	if (core.current == d)
		leave_running();
	if (core.charged == d)
		turn_begin(NULL);
	end_callers(d);
	if (reason != STOP_REQUESTED)
		report(d);
}

/* ---- The object's life, as the capability code sees it (capability.h) ---------------------------------------------------------------- */

void dispatcher_begin(paddr_t base)
{
	struct dispatcher *d = dispatcher_at(base.value);
	struct dispatcher_shared *shared = dispatcher_shared(d);

	d->alive = true;
	d->token = base.value;
	schedule_entry_init(&d->turn, SHARE_DEFAULT);
	d->next = core.dispatchers;
	if (d->next != NULL)
		d->next->previous = d;
	core.dispatchers = d;
	core.dispatcher_count++;

	shared->core = core.id;
	shared->xstate_bytes = core.xstate_bytes;
	shared->xstate_mask = core.xcr0;
	shared->tsc_hz = core.tsc_hz;
}

void dispatcher_end(paddr_t base)
{
	struct dispatcher *d = dispatcher_at(base.value);

	if (!d->alive)
		return;
	/* One that does not run may have a deadline and callers all the same. */
	stop(d, STOP_REQUESTED);
	set_deadline(d, 0);
	end_callers(d);
	forget_report(d);
	interrupts_unbind_all(d);
	core.doorbell[d->doorbell] = NULL;
	*(d->previous != NULL ? &d->previous->next : &core.dispatchers) = d->next;
	if (d->next != NULL)
		d->next->previous = d->previous;
	core.dispatcher_count--;
	for (enum core_counter c = 0; c < CORE_COUNTERS; c++)
		core.counter[c] += counted_by(d, c);
	if (core.monitor == d)
		core.monitor = NULL;
	d->alive = false;
}

struct slot *dispatcher_slots(paddr_t base, unsigned *count)
{
	*count = DISPATCHER_SLOTS;
	return &dispatcher_at(base.value)->root_cnode;
}

/* The dispatcher begins on a page, and its embedded slots lie in its first. */
void dispatcher_binding_lost(struct slot *slot)
{
	struct dispatcher *d = (struct dispatcher *)((uintptr_t)slot & ~(PAGE_BYTES - 1));

	stop(d, STOP_ADDRESS_SPACE);
	if (slot == &d->root_cnode)
		d->root = NULL;
	else
		d->page_table4 = 0;
	if (core.page_table4 == slot->base && slot == &d->address_space)
		load_page_table(core.boot->page_table4);
}

err_t dispatcher_doorbell_index(paddr_t base, uint64_t *index)
{
	struct dispatcher *d = dispatcher_at(base.value);

	for (uint32_t i = 1; d->doorbell == 0 && i < MAILBOX_DOORBELLS; i++) {
		if (core.doorbell[i] != NULL)
			continue;
		core.doorbell[i] = d;
		d->doorbell = i;
	}
	if (d->doorbell == 0)
		return ERR(LIMIT);
	*index = d->doorbell;
	return OK;
}
