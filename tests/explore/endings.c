/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* What must hold when an operation ends, and where nothing more can happen. */

#include "tests/explore/invariants.h"

#include "tests/explore/objects.h"

#include "cpudriver/capability/database.h"
#include "cpudriver/capability/types.h"

/* ---- When something ends ------------------------------------------------------------------------ */

#define MAY(error) (UINT64_C(1) << ERR_NUMBER_##error)

/* Besides OK; CAP_EMPTY: revoked or deleted before; SLOT_IN_USE: the receiver had no room. */
static const uint64_t allowed[REQUEST_KINDS] = {
    [REQUEST_COPY] = MAY(CAP_EMPTY) | MAY(CAP_TYPE) | MAY(SLOT_IN_USE),
    /* LAST_COPY: it arrived, but was deleted there before it was here */
    [REQUEST_MOVE] = MAY(CAP_EMPTY) | MAY(CAP_TYPE) | MAY(SLOT_IN_USE) | MAY(LAST_COPY),
    [REQUEST_RETYPE] = MAY(CAP_EMPTY) | MAY(CAP_RIGHTS) | MAY(OVERLAP) | MAY(RETYPE) | MAY(RANGE) | MAY(SLOT_IN_USE),
    [REQUEST_DELETE] = MAY(CAP_EMPTY) | MAY(LAST_COPY),
    /* LAST_COPY: what a CNode among the descendants holds */
    [REQUEST_REVOKE] = MAY(CAP_EMPTY) | MAY(CAP_RIGHTS) | MAY(LAST_COPY),
};

/* What belongs to one core goes nowhere, and everything else is not refused for its type. */
static bool is_refused_for_its_type(const struct task *t)
{
	return !agreement_shares(t->object.type, t->object.size);
}

static bool is_allowed(const struct task *t)
{
	const enum request_kind kind = t->request.kind;
	const uint8_t error = t->error;

	if ((kind == REQUEST_COPY || kind == REQUEST_MOVE) && error != ERR_NUMBER_CAP_EMPTY &&
	    is_refused_for_its_type(t) != (error == ERR_NUMBER_CAP_TYPE))
		return false;
	if (error == ERR_NUMBER_OK || kind >= REQUEST_LOCAL_COPY)
		return true;
	if (error == ERR_NUMBER_CORE_DEAD)
		return world.died > 0;
	return error < 64 && allowed[kind] >> error & 1;
}

static bool is_anchor(const struct core *c, const struct slot *s)
{
	for (unsigned k = 0; k < SHARED_MAX; k++) {
		const struct shared *e = &c->agreement.shared[k];

		if (e->object.type != CAP_Null && e->anchor.value != CAP_NULL.value && monitor_slot(c, e->anchor) == s)
			return true;
	}
	return false;
}

static bool lies_in(const struct slot *slot, const struct object *o)
{
	const struct slot outer = {.base = o->base, .size = o->size, .type = (uint8_t)o->type}, s = plain(slot);

	return s.base >= o->base && slot_end(&s) <= o->base + o->size && !object_before(&s, &outer);
}

static bool is_same(const struct slot *slot, const struct object *o)
{
	const struct slot s = plain(slot);

	return s.base == o->base && s.size == o->size && s.type == o->type;
}

/* The owner's monitor may keep a capability of its own to the object, as an anchor; but not one that somebody's operation is about. */
static bool is_monitors_own(const struct core *c, const struct slot *s)
{
	if (s->owner != core_number(c) || !is_in_monitor(c, s))
		return false;
	for (unsigned k = 0; k < TASKS_MAX; k++) {
		const struct task *t = &world.task[k];

		if (t->state == TASK_PENDING && !t->lost && t->request.core == core_number(c) && monitor_slot(c, (cap_t){t->cap}) == s)
			return false;
	}
	return true;
}

/* The object was revoked, and the caller has its capability back. */
static void check_revoked(const struct task *t)
{
	const struct slot *own = user_slot(t->request.core, t->request.slot);

	touched = EVERY_CORE;
	for (unsigned c = 0; c < world.cores; c++)
		for (const struct slot *s = world.core[c].dead ? NULL : first_slot(&world.core[c]); s; s = database_next(s))
			if (s != own && lies_in(s, &t->object) && !(is_same(s, &t->object) && is_monitors_own(&world.core[c], s)))
				BREAK(revoked);
	for (unsigned k = 0; k < TASKS_MAX; k++) {
		struct task *other = &world.task[k];
		const struct slot inner = {.base = other->object.base, .size = other->object.size, .type = (uint8_t)other->object.type};

		if (other != t && other->state == TASK_PENDING && !other->delivered && lies_in(&inner, &t->object))
			other->revoked = true;
	}
}

/* Whether a task that has not ended may still have cores to flush; `outer`: because of what lies around the object. */
static bool is_being_deleted(const struct object *o, bool outer)
{
	for (unsigned k = 0; k < TASKS_MAX; k++) {
		const struct task *t = &world.task[k];
		const bool overlaps = t->object.base < o->base + o->size && o->base < t->object.base + t->object.size;

		if (t->state == TASK_PENDING && t->request.kind != REQUEST_COPY && t->request.kind != REQUEST_RETYPE && overlaps &&
		    (!outer || t->object.size > o->size))
			return true;
	}
	return false;
}

/* A revoke answers for all mappings of the object, others only for their own. */
static void check_translations(const struct task *t)
{
	const struct object *o = &t->object;

	if (world.tables && !is_being_deleted(o, t->request.kind == REQUEST_REVOKE) && stale_anywhere(o->base, o->size))
		BREAK(translations);
}

void check_result(struct task *t)
{
	look_at(&t->object);
	const bool ok = t->error == ERR_NUMBER_OK;

	if (!is_allowed(t))
		BREAK(result);
	if (t->request.kind == REQUEST_COPY || t->request.kind == REQUEST_MOVE)
		if (t->delivered != (ok || t->error == ERR_NUMBER_LAST_COPY) && t->error != ERR_NUMBER_CORE_DEAD)
			BREAK(arrives);
	if (t->request.kind == REQUEST_REVOKE && ok)
		check_revoked(t);
	if (ok)
		check_translations(t);
}

/* If who received it has deleted it already, memory may have come back. */
void check_moved(const struct slot *s)
{
	if (s->type != CAP_Null && (s->type != CAP_RAM || s->flags & (CAP_FLAG_REMOTE | CAP_FLAG_FOREIGN) || another_copy(s)))
		BREAK(moved);
}

void check_delivery(const struct task *t, const struct slot *s)
{
	look_at(&t->object);
	if (t->delivered || !is_same(s, &t->object))
		BREAK(arrives);
	if (s->rights & ~(t->rights & t->request.rights))
		BREAK(rights);
	if (t->revoked)
		BREAK(revoked_later);
}

/* ---- At rest ------------------------------------------------------------------------------------ */

static void check_slots(const struct core *c)
{
	for (unsigned k = MONITOR_FIRST; k < MONITOR_SLOTS; k++) {
		const struct slot *s = monitor_slot(c, CAP(IN_MONITOR, k));
		const bool taken = c->taken[k / 64] >> k % 64 & 1, kept = c->kept[k / 64] >> k % 64 & 1;

		if (taken != (s->type != CAP_Null) || (taken && !kept && !is_anchor(c, s)))
			BREAK(leaked_slots);
	}
}

static bool owns_inside(const struct core *c, const struct object *o)
{
	for (const struct slot *s = first_slot(c); s; s = database_next(s))
		if (lies_in(s, o) && !is_same(s, o) && s->owner == core_number(c))
			return true;
	return false;
}

/* An anchor for an object of another core's may be there without need until the owner asks. Of one's own nobody would ask; but device
 * memory is no RAM that could be given back. */
static void check_entries(const struct core *c)
{
	for (unsigned k = 0; k < SHARED_MAX; k++) {
		const struct shared *s = &c->agreement.shared[k];

		if (s->object.type == CAP_Null)
			continue;
		look_at(&s->object);
		if (s->owner != core_number(c)
		        ? s->anchor.value == CAP_NULL.value
		        : set_is_empty(&s->holders) && s->object.type != CAP_DeviceFrame && !owns_inside(c, &s->object))
			BREAK(leaked_entries);
		if (s->busy || s->first || s->moving_to)
			BREAK(quiet);
	}
}

static void check_object_at_rest(const struct object_view *v)
{
	const cores_t others = v->holders & ~v->owners;
	const struct shared *s;
	unsigned owner;

	if (!v->owners || v->owners & (v->owners - 1)) {
		BREAK(owned);
		return;
	}
	owner = (unsigned)__builtin_ctz(v->owners);
	if (others && (v->named_differently || v->named != owner))
		BREAK(owned);
	s = entry_of(&world.core[owner], v);
	if (others != (s ? (cores_t)s->holders.word[0] : 0) || (v->remote != 0) != (others != 0))
		BREAK(holders_exact);
}

static void check_quiet(const struct agreement *a)
{
	for (unsigned k = 0; k < OPERATIONS_MAX; k++)
		if (a->operation[k].kind != OPERATION_NONE) {
			look_at(&a->operation[k].object);
			BREAK(quiet);
		}
	if (!agreement_is_quiet(a))
		BREAK(quiet);
}

void check_rest(void)
{
	struct object_view v;
	struct merge m;

	for (unsigned k = 0; k < TASKS_MAX; k++)
		if (world.task[k].state == TASK_PENDING && !world.task[k].lost)
			BREAK(ends);
	for (unsigned c = 0; c < world.cores; c++) {
		look_at(NULL);
		if (world.core[c].dead)
			continue;
		check_quiet(&world.core[c].agreement);
		check_slots(&world.core[c]);
		check_entries(&world.core[c]);
	}
	merge_begin(&m);
	while (merge_next(&m, &v))
		if (is_shareable(&v))
			check_object_at_rest(&v);
}
