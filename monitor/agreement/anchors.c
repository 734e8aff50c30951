/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Anchors: last capabilities that the agreement keeps because of what lies around or in the object (agreement.h).
 *
 * An anchor is no user's. When what it was kept for is gone, or a user here has the object again, it goes too. Nobody tells the monitor
 * when that happens: whenever nothing else is to be done, it looks at a few. */

#include "monitor/agreement/internal.h"

#define TIDY_EACH 32

cap_t anchor_of(struct shared *s)
{
	if (s->anchor.value != CAP_NULL.value && slot_is_empty(s->anchor)) {
		cap_slot_free(s->anchor);
		s->anchor = CAP_NULL;
	}
	return s->anchor;
}

bool anchor_has_contents(struct shared *s)
{
	struct platform_relations around = {0};

	if (anchor_of(s).value != CAP_NULL.value)
		platform_relate(s->anchor, &around);
	return around.contents && !around.copies;
}

err_t anchor_keep(struct agreement *a, struct operation *op)
{
	struct shared *s = shared_make(a, &op->object, op->owner);
	cap_t anchor = op->cap;
	err_t e = s == NULL ? ERR(LIMIT) : OK;

	if (is_ok(e) && !op->internal) {
		e = cap_slot_alloc(&anchor);
		if (is_ok(e) && is_err(e = platform_move(op->cap, anchor)))
			cap_slot_free(anchor);
	}
	if (is_err(e))
		return e;
	(void)anchor_of(s); /* this was the last capability: an older anchor is gone */
	s->anchor = anchor;
	if (op->internal)
		op->cap = CAP_NULL;
	return OK;
}

/* Without an anchor the entry says nothing. */
static bool is_void(const struct agreement *a, const struct shared *s)
{
	return s->owner != a->core || (set_is_empty(&s->holders) && !s->marked && s->busy == 0);
}

void anchors_forget(struct agreement *a, const struct object *object)
{
	uint32_t at = shared_position(a, object);

	while (at < a->shared_count && object_contains(object, a->shared[at].object.base, a->shared[at].object.size)) {
		struct shared *s = &a->shared[at];

		if (anchor_of(s).value == CAP_NULL.value && is_void(a, s))
			shared_remove(a, s);
		else
			at++;
	}
}

/* ---- Letting go ---- */

void nobody_left(struct agreement *a, struct shared *s)
{
	struct operation *op = s->busy == 0 && !a->changing ? operation_new_internal(a, OPERATION_OWNER, &s->object) : NULL;

	if (op == NULL)
		return;
	op->serving = OPERATION_DELETE;
	op->answered = true;
	if (is_ok(line_enter(a, op)))
		owner_end(a, op);
}

static bool drop_copy(struct shared *s)
{
	struct platform_obstacle o;
	bool ram;

	if (is_err(platform_delete(s->anchor, &ram, &o)))
		return false;
	cap_slot_free(s->anchor);
	s->anchor = CAP_NULL;
	return true;
}

/* Another core owns the object: the anchor is not needed unless this core owns something in it. */
static bool tidy_foreign(struct agreement *a, struct shared *s)
{
	const struct subject about = {s->object, s->owner, 0};
	union agreement_message m = message_blank();
	err_t e = platform_surrender(s->anchor);

	if (is_err(e) && (!err_is(e, ERR_NUMBER_STATE) || !drop_copy(s)))
		return false;
	if (is_ok(e)) {
		cap_slot_free(s->anchor);
		m.gone.core = a->core;
		if (set_has(&a->alive, about.owner))
			say_about(a, &about, about.owner, AGREEMENT_gone, &m);
	}
	shared_remove(a, s);
	return true;
}

/* Device memory that only the anchor names can't be thrown away, and it is no RAM that could be given to somebody: it stays. */
static bool is_last_of_device(const struct shared *s, const struct platform_relations *around)
{
	return s->object.type == CAP_DeviceFrame && set_is_empty(&s->holders) && !around->covered;
}

static bool tidy_owned(struct agreement *a, struct shared *s)
{
	struct platform_relations around;
	const cap_t anchor = s->anchor;

	platform_relate(anchor, &around);
	if (around.copies)
		return drop_copy(s);
	if (is_last_of_device(s, &around))
		return false;
	if (around.contents || (!set_is_empty(&s->holders) && (around.covered || keeps_owner(&s->object))))
		return false;
	s->anchor = CAP_NULL;
	if (set_is_empty(&s->holders))
		shared_remove(a, s);
	dispose(a, anchor);
	return true;
}

/* Whether something was done about the entry. */
static bool tidy(struct agreement *a, struct shared *s)
{
	if (s->busy != 0)
		return false;
	if (s->owner == a->core && s->marked && set_is_empty(&s->holders)) {
		nobody_left(a, s);
		return true;
	}
	if (anchor_of(s).value != CAP_NULL.value)
		return s->owner == a->core ? tidy_owned(a, s) : tidy_foreign(a, s);
	if (!is_void(a, s))
		return false;
	shared_remove(a, s);
	return true;
}

bool anchors_tidy(struct agreement *a)
{
	uint32_t count = a->shared_count;
	bool any = false;

	if (count <= TIDY_EACH)
		a->tidy_next = 0;
	else
		count = TIDY_EACH;
	while (count-- > 0 && !any) {
		if (a->tidy_next >= a->shared_count)
			a->tidy_next = 0;
		any = tidy(a, &a->shared[a->tidy_next++]);
	}
	if (a->shared_count <= TIDY_EACH)
		a->tidy_next = 0;
	return any;
}
