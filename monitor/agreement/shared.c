/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* The table of shared objects, the lines of operations that wait for their turn, and capabilities of the agreement's own.
 *
 * The table is sorted by base, then size (the larger first), then type, as the database is. So two cores that know the same have the same
 * table, however they came to it. Entries move: nobody keeps a pointer to one across a call that may change the table.
 *
 * An operation at the owner's:   line_enter ─▶ (PHASE_LINE ─▶) PHASE_TURN ─▶ ... ─▶ owner_end ─▶ the next one's turn */

#include <string.h>

#include "monitor/agreement/internal.h"

/* ---- The table ---- */

/* The first entry that does not come before the object. */
uint32_t shared_position(const struct agreement *a, const struct object *object)
{
	uint32_t low = 0, high = a->shared_count;

	while (low < high) {
		uint32_t middle = (low + high) / 2;

		if (object_before(&a->shared[middle].object, object))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct shared *shared_find(struct agreement *a, const struct object *object)
{
	uint32_t at = shared_position(a, object);

	return at < a->shared_count && object_is(&a->shared[at].object, object) ? &a->shared[at] : NULL;
}

struct shared *shared_make(struct agreement *a, const struct object *object, uint32_t owner)
{
	uint32_t at = shared_position(a, object);
	struct shared *s = &a->shared[at];

	if (at < a->shared_count && object_is(&s->object, object))
		return s;
	if (a->shared_count == SHARED_MAX)
		return NULL;
	memmove(s + 1, s, (a->shared_count - at) * sizeof(*s));
	memset(s, 0, sizeof(*s));
	s->object = *object;
	s->owner = owner;
	a->shared_count++;
	return s;
}

void shared_remove(struct agreement *a, struct shared *s)
{
	uint32_t at = (uint32_t)(s - a->shared);

	a->shared_count--;
	memmove(s, s + 1, (a->shared_count - at) * sizeof(*s));
	memset(&a->shared[a->shared_count], 0, sizeof(*s));
}

/* ---- Lines ---- */

/* What users share leaves room for what the agreement itself must write down: claims and heritage after a death, anchors, what is being
 * taken apart. */
static bool may_share(struct agreement *a, const struct operation *op)
{
	return operation_role(op) != OPERATION_COPY || a->shared_count < SHARED_MAX - SHARED_RESERVED ||
	       shared_find(a, &op->object) != NULL;
}

err_t line_enter(struct agreement *a, struct operation *op)
{
	struct shared *s = may_share(a, op) ? shared_make(a, &op->object, a->core) : NULL;
	uint16_t index = operation_index(a, op);

	if (s == NULL)
		return ERR(LIMIT);
	s->owner = a->core;
	if (s->busy == 0 || MUTANT(line_jumped)) {
		s->busy = index;
		op->phase = PHASE_TURN;
		return OK;
	}
	if (s->last != 0)
		operation_at(a, s->last)->next = index;
	else
		s->first = index;
	s->last = index;
	op->phase = PHASE_LINE;
	return OK;
}

struct shared *line_turn(struct agreement *a, const struct operation *op)
{
	struct shared *s = shared_find(a, &op->object);

	return s != NULL && s->owner == a->core && s->busy == operation_index(a, op) ? s : NULL;
}

static struct operation *take_first(struct agreement *a, struct shared *s)
{
	struct operation *op = operation_at(a, s->first);

	s->first = op->next;
	if (s->first == 0)
		s->last = 0;
	op->next = 0;
	return op;
}

/* Ends the turn: the next one's begins. Returns the anchor if nothing needs it any more, else CAP_NULL. */
static cap_t line_leave(struct agreement *a, const struct operation *op)
{
	struct shared *s = line_turn(a, op);
	cap_t anchor = CAP_NULL;

	if (s == NULL)
		return CAP_NULL;
	s->busy = 0;
	if (s->first != 0) {
		struct operation *next = take_first(a, s);

		s->busy = operation_index(a, next);
		next->phase = PHASE_TURN;
		operation_due(a, next);
	} else if (set_is_empty(&s->holders) && !s->marked) {
		anchor = anchor_of(s);
		if (anchor_has_contents(s))
			return CAP_NULL;
		shared_remove(a, s);
	}
	return anchor;
}

void line_break(struct agreement *a, struct shared *s)
{
	while (s->first != 0) {
		struct operation *op = take_first(a, s);

		op->phase = PHASE_BEGIN;
		operation_due(a, op);
	}
	s->busy = 0;
}

void line_refuse(struct agreement *a, struct shared *s, err_t e)
{
	for (uint16_t i = s->first; i != 0; i = operation_at(a, i)->next)
		if (operation_at(a, i)->kind == OPERATION_OWNER && !MUTANT(line_survives_revoke))
			operation_at(a, i)->error = (uint8_t)e.number;
}

/* ---- The owner's part ---- */

/* Flags all capabilities to the object here. */
static err_t mark(struct agreement *a, const struct operation *op, struct shared *s, bool remote)
{
	cap_t cap = anchor_of(s);
	err_t e;

	if (cap.value == CAP_NULL.value && op->cap.value != CAP_NULL.value && !slot_is_empty(op->cap))
		cap = op->cap;
	if (cap.value != CAP_NULL.value)
		return platform_mark(cap, remote, a->core);
	e = handle_own(a, &op->object, RIGHTS_ALL, &cap);
	if (is_err(e))
		return e;
	e = platform_mark(cap, remote, a->core);
	dispose(a, cap);
	return e;
}

/* False: it takes longer. */
static bool unshare(struct agreement *a, struct operation *op, struct shared *s)
{
	const err_t e = mark(a, op, s, false);

	if (err_is(e, ERR_NUMBER_AGAIN)) {
		op->phase = PHASE_END;
		operation_due(a, op);
		return false;
	}
	s->marked = false; /* an error: nothing of it is left here */
	return true;
}

void owner_end(struct agreement *a, struct operation *op)
{
	struct shared *s = line_turn(a, op);

	if (s != NULL && s->marked && set_is_empty(&s->holders) && !a->changing && !MUTANT(mark_stays) && !unshare(a, op, s))
		return;
	operation_end(a, op, line_leave(a, op));
}

/* ---- Capabilities of the agreement's own ---- */

bool slot_is_empty(cap_t cap)
{
	struct platform_remote what;
	unsigned flags;

	return is_err(platform_identify(cap, &what, &flags)) || what.type == CAP_Null;
}

err_t object_of(cap_t cap, struct object *object, uint32_t *owner, unsigned *flags)
{
	struct platform_remote what;
	err_t e = platform_identify(cap, &what, flags);

	if (is_ok(e) && what.type == CAP_Null)
		e = ERR(CAP_EMPTY);
	if (is_err(e))
		return e;
	memset(object, 0, sizeof(*object));
	object->base = what.base;
	object->size = what.bytes;
	object->type = what.type;
	object->extra = (uint16_t)what.extra;
	*owner = what.owner;
	return OK;
}

err_t handle_take(const struct object *object, uint32_t owner, uint8_t rights, cap_t *out)
{
	const struct platform_remote what = {
	    .type = object->type,
	    .rights = rights & agreement_rights(object->type),
	    .owner = owner,
	    .base = object->base,
	    .bytes = object->size,
	    .extra = object->extra,
	};
	err_t e = cap_slot_alloc(out);

	if (is_err(e))
		return e;
	e = platform_install(*out, &what);
	if (is_err(e)) {
		cap_slot_free(*out);
		*out = CAP_NULL;
	}
	return e;
}

err_t handle_own(struct agreement *a, const struct object *object, uint8_t rights, cap_t *out)
{
	struct object found;
	uint32_t owner;
	unsigned flags;
	err_t e = handle_take(object, OWNER_OF_COPIES, rights, out);

	if (is_ok(e) && (is_err(object_of(*out, &found, &owner, &flags)) || owner != a->core)) {
		handle_drop(a, *out);
		*out = CAP_NULL;
		e = ERR(STATE);
	}
	return e;
}

bool handle_drop(struct agreement *a, cap_t cap)
{
	struct platform_relations around;
	struct platform_obstacle o;
	bool ram;

	platform_relate(cap, &around);
	if (is_err(around.copies ? platform_delete(cap, &ram, &o) : platform_surrender(cap))) {
		dispose(a, cap);
		return true;
	}
	cap_slot_free(cap);
	return around.copies;
}

void keep_alive(const struct agreement *a, struct core_set *set)
{
	for (unsigned i = 0; i < SET_WORDS; i++)
		set->word[i] &= a->alive.word[i];
}

struct core_set others_of(const struct agreement *a, const struct core_set *set)
{
	struct core_set others = *set;

	keep_alive(a, &others);
	set_remove(&others, a->core);
	return others;
}
