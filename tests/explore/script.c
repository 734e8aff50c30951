/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include "tests/explore/script.h"

bool event_is_input(const struct event *e)
{
	return e->kind != EVENT_CHOICE || e->choice.kind == CHOICE_DIE || e->choice.kind == CHOICE_JOIN;
}

/* A task that was READY on a core that dies is nobody's wish any more. */
static bool apply_choice(struct choice c)
{
	if (!choice_is_possible(c))
		return false;
	choice_apply(c);
	for (unsigned k = 0; c.kind == CHOICE_DIE && k < TASKS_MAX; k++)
		if (world.task[k].request.core == c.a && world.task[k].state == TASK_READY)
			world.task[k].state = TASK_NONE;
	return true;
}

static bool apply_request(unsigned number, const struct request *r)
{
	struct task *t = &world.task[number];

	if (t->state == TASK_PENDING || t->state == TASK_READY || world.core[r->core].dead)
		return false;
	*t = (struct task){.request = *r, .state = TASK_READY};
	return true;
}

/* Perhaps it is in use: then the CPU driver says no. */
static bool apply_grant(const struct request *r)
{
	here = &world.core[r->core];
	return !here->dead && is_ok(cap_retype(CAP(IN_MONITOR, MONITOR_RAM), r->type, r->page * PAGE_BYTES, r->pages * PAGE_BYTES, 1,
	                                       USER_CAP(r->to_slot)));
}

static bool apply_return(unsigned slot, const struct request *r)
{
	here = &world.core[r->core];
	if (here->dead || !(here->kept[slot / 64] >> slot % 64 & 1) || is_err(cap_move(CAP(IN_MONITOR, slot), USER_CAP(r->to_slot))))
		return false;
	here->kept[slot / 64] &= ~(UINT64_C(1) << slot % 64);
	cap_slot_free(CAP(IN_MONITOR, slot));
	return true;
}

static bool apply_forget(void)
{
	for (unsigned c = 0; c < world.cores; c++)
		if (!world.core[c].dead && !agreement_is_quiet(&world.core[c].agreement))
			return false;
	if (!network_is_empty())
		return false;
	for (unsigned k = 0; k < TASKS_MAX; k++)
		if (world.task[k].lost)
			world.task[k] = (struct task){.state = TASK_NONE};
	return true;
}

bool event_apply(const struct event *e)
{
	switch ((enum event_kind)e->kind) {
	case EVENT_CHOICE:
		return apply_choice(e->choice);
	case EVENT_REQUEST:
		return apply_request(e->number, &e->request);
	case EVENT_GRANT:
		return apply_grant(&e->request);
	case EVENT_RETURN:
		return apply_return(e->number, &e->request);
	default:
		return apply_forget();
	}
}
