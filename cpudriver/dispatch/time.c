/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Turns, deadlines, and the one timer behind both.
 *
 * The timer is armed for the earliest of: the end of the running turn (only if somebody else wants to run), the first deadline, the next
 * beat, a look at a dispatcher that may have missed a notification. It is never armed for later than needed, but may go off too early,
 * because a switch does not take the trouble to disarm it: its handler compares times and arms it again. */

#include "cpudriver/core.h"
#include "cpudriver/dispatch/dispatch.h"

#define RECHECK_DIVISOR 50000 /* a 50,000th of a second: 20 us */

void want_timer(uint64_t tsc)
{
	if (core.timer_armed != 0 && core.timer_armed <= tsc)
		return;
	core.timer_armed = tsc;
	local_apic_timer_arm(&core.apic, tsc);
}

uint64_t cycles_run(const struct dispatcher *d)
{
	return d->cycles + (d == core.charged ? rdtsc() - core.turn_start : 0);
}

uint64_t counted_by(struct dispatcher *d, enum core_counter which)
{
	switch (which) {
	case COUNTER_BUSY:
		return cycles_run(d);
	case COUNTER_SENT:
		return dispatcher_shared(d)->sent;
	case COUNTER_RECEIVED:
		return dispatcher_shared(d)->received;
	default:
		return 0;
	}
}

/* Who runs now pays for what follows; nobody does for idling. */
void turn_begin(struct dispatcher *d)
{
	uint64_t now = rdtsc();

	if (core.charged != NULL)
		core.charged->cycles += now - core.turn_start;
	core.charged = d;
	core.turn_start = now;
	core.turn_end = 0;
	if (!schedule_is_empty(&core.schedule)) {
		core.turn_end = now + core.turn_cycles;
		want_timer(core.turn_end);
	}
}

void turn_share(void)
{
	if (core.current == NULL || core.turn_end != 0)
		return;
	core.turn_end = rdtsc() + core.turn_cycles;
	want_timer(core.turn_end);
}

void recheck_soon(void)
{
	core.recheck = rdtsc() + core.tsc_hz / RECHECK_DIVISOR;
	want_timer(core.recheck);
}

static void forget_deadline(struct dispatcher *d)
{
	struct dispatcher **link = &core.deadlines;

	while (*link != d)
		link = &(*link)->deadline_next;
	*link = d->deadline_next;
	d->deadline = 0;
}

void set_deadline(struct dispatcher *d, uint64_t tsc)
{
	if (d->deadline != 0)
		forget_deadline(d);
	if (tsc == 0)
		return;

	struct dispatcher **link = &core.deadlines;

	while (*link != NULL && (*link)->deadline <= tsc)
		link = &(*link)->deadline_next;
	d->deadline = tsc;
	d->deadline_next = *link;
	*link = d;
	want_timer(tsc);
}

bool turn_is_over(void)
{
	return core.turn_end != 0 && rdtsc() >= core.turn_end;
}

void timer_expired(void)
{
	uint64_t now = rdtsc();

	core.timer_armed = 0;
	while (core.deadlines != NULL && core.deadlines->deadline <= now) {
		struct dispatcher *d = core.deadlines;

		forget_deadline(d);
		notify(d, PENDING_TIMER);
	}
	if (core.recheck != 0 && core.recheck <= now)
		core.recheck = 0;
	if (core.beat.next != 0 && core.beat.next <= now && beat_step(&core.beat, now) && core.monitor != NULL)
		notify(core.monitor, PENDING_SILENCE);

	if (core.turn_end != 0 && core.turn_end > now)
		want_timer(core.turn_end);
	if (core.deadlines != NULL)
		want_timer(core.deadlines->deadline);
	if (core.recheck != 0)
		want_timer(core.recheck);
	if (core.beat.next != 0)
		want_timer(core.beat.next);
}
