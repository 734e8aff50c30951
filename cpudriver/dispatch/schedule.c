/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#include "cpudriver/dispatch/schedule.h"

#include <stddef.h>

static bool is_before(uint64_t a, uint64_t b)
{
	return (int64_t)(a - b) < 0;
}
static uint64_t deadline(const struct schedule_entry *e)
{
	return e->start + e->length;
}

void schedule_entry_init(struct schedule_entry *e, uint32_t share)
{
	*e = (struct schedule_entry){.share = share, .length = SCHEDULE_UNIT / share};
}

/* Behind all that have the same deadline: first come, first served. */
static void insert(struct schedule *s, struct schedule_entry *e)
{
	struct schedule_entry *before = s->last;

	while (before != NULL && is_before(deadline(e), deadline(before)))
		before = before->previous;
	e->previous = before;
	e->next = before != NULL ? before->next : s->first;
	*(e->next != NULL ? &e->next->previous : &s->last) = e;
	*(before != NULL ? &before->next : &s->first) = e;
	s->shares += e->share;
	e->queued = true;
}

void schedule_add(struct schedule *s, struct schedule_entry *e)
{
	if (is_before(deadline(e), s->time))
		e->start = s->time;
	insert(s, e);
}

void schedule_remove(struct schedule *s, struct schedule_entry *e)
{
	*(e->previous != NULL ? &e->previous->next : &s->first) = e->next;
	*(e->next != NULL ? &e->next->previous : &s->last) = e->previous;
	s->shares -= e->share;
	e->queued = false;
}

void schedule_set_share(struct schedule *s, struct schedule_entry *e, uint32_t share)
{
	bool queued = e->queued;

	if (queued)
		schedule_remove(s, e);
	e->share = share;
	e->length = SCHEDULE_UNIT / share;
	if (queued)
		insert(s, e);
}

void schedule_take_this(struct schedule *s, struct schedule_entry *e)
{
	s->time += SCHEDULE_UNIT / s->shares;
	schedule_remove(s, e);
	e->start += e->length;
}

/* If nobody may run yet, because those who may do not want to, time jumps to the first who may. */
struct schedule_entry *schedule_take(struct schedule *s)
{
	struct schedule_entry *soonest = s->first;

	if (soonest == s->last && soonest != NULL && is_before(s->time, soonest->start))
		s->time = soonest->start; /* alone */
	for (struct schedule_entry *e = s->first; e != NULL; e = e->next) {
		if (!is_before(s->time, e->start)) {
			schedule_take_this(s, e);
			return e;
		}
		if (is_before(e->start, soonest->start))
			soonest = e;
	}
	if (soonest != NULL) {
		s->time = soonest->start;
		schedule_take_this(s, soonest);
	}
	return soonest;
}
