/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Transfer of ownership: the owner's last capability goes, nothing keeps the object here, and others hold it.
 *
 *   owner ── take_over ──▶ holder          with the set of the others
 *   owner ◀─ taken_over ── holder          declined if it has lost the object meanwhile, or has no room: then the next one is asked
 *   owner ── new_owner ──▶ each other holder
 *   owner ◀─ noted ─────── each
 *   owner ── complete ───▶ new owner
 *
 * If the old owner inherits something in the object from a dead core meanwhile, it stays a holder, with an anchor: `complete` says so, and
 * until then it counts as one.
 *
 * Until `complete` nothing happens to the object, on either of the two cores. A request that comes to the old owner meanwhile waits in its
 * line, and is answered NOT_OWNER then: `new_owner` went ahead of that on the same channel, so the asker knows whom to ask. A `gone`
 * that comes to the old owner is passed on; whoever sent it has sent `noted` after it, so the new owner knows it before `complete`.
 *
 *   old   TURN (delete.c) ──▶ TAKE_OVER ──▶ NEW_OWNER ──▶ END
 *                               │    ▲         accepted
 *                               └────┘ declined             nobody left: the object is deleted, or stays as an anchor
 *   new   COMPLETE ──▶ END
 *
 * If the new owner never answers, it is declared dead and the next one is asked; a dead holder need not note anything. If the old owner
 * dies, claims decide (members.c). */

#include "monitor/agreement/internal.h"

err_t mark_all(cap_t cap, bool remote, uint32_t owner)
{
	err_t e;

	do
		e = platform_mark(cap, remote, owner);
	while (err_is(e, ERR_NUMBER_AGAIN));
	return e;
}

/* ---- The old owner ---- */

void transfer_begin(struct agreement *a, struct operation *op)
{
	struct shared *s = line_turn(a, op);
	union agreement_message m = message_blank();

	op->left = others_of(a, &s->holders);
	op->core = set_next(&op->left, op->to);
	if (op->core == CORES_MAX) {
		op->to = 0;
		if (set_is_empty(&s->holders))
			operation_due(a, op);
		else
			delete_finish(a, op, anchor_keep(a, op));
		return;
	}
	set_remove(&op->left, op->core);
	m.take_over.holders0 = op->left.word[0];
	m.take_over.holders1 = op->left.word[1];
	m.take_over.holders2 = op->left.word[2];
	m.take_over.holders3 = op->left.word[3];
	s->moving_to = (uint16_t)(op->core + 1);
	op->phase = PHASE_TAKE_OVER;
	op->number = 0;
	op->messages += 2;
	say(a, op, op->core, AGREEMENT_take_over, operation_number(a, op), &m);
}
_Static_assert(SET_WORDS == 4, "as many as a message has");

static void pass_on(struct agreement *a, struct operation *op, uint32_t core)
{
	union agreement_message m = message_blank();

	m.gone.core = core;
	op->messages++;
	say(a, op, op->core, AGREEMENT_gone, 0, &m);
}

bool transfer_gone(struct agreement *a, struct shared *s, uint32_t core)
{
	struct operation *op = s->busy != 0 ? operation_at(a, s->busy) : NULL;

	if (s->moving_to == 0 || op == NULL)
		return false;
	if (op->phase == PHASE_NEW_OWNER) {
		if (!MUTANT(gone_not_passed_on))
			pass_on(a, op, core);
	} else if (core != op->core) { /* that one's answer will tell */
		set_remove(&s->holders, core);
	}
	return true;
}

/* Whether this core has the object after all: its own capability could not be surrendered, or the new owner has given it an anchor. */
static bool has_still(struct agreement *a, const struct object *object)
{
	cap_t cap;
	err_t e = handle_take(object, OWNER_OF_COPIES, RIGHTS_ALL, &cap);

	return is_ok(e) ? handle_drop(a, cap) : !err_is(e, ERR_NUMBER_STATE);
}

static void forget_or_keep_anchor(struct agreement *a, struct shared *s, uint32_t owner)
{
	if (anchor_of(s).value == CAP_NULL.value) {
		shared_remove(a, s);
		return;
	}
	s->owner = owner;
	s->marked = s->adopted = false;
	s->moving_to = 0;
	s->holders = (struct core_set){0};
}

static void all_noted(struct agreement *a, struct operation *op)
{
	union agreement_message m = message_blank();
	struct shared *s = line_turn(a, op);

	if (op->kind == OPERATION_TRANSFER) {
		owner_end(a, op);
		return;
	}
	m.complete.holds = has_still(a, &op->object);
	op->messages++;
	say(a, op, op->core, AGREEMENT_complete, operation_number(a, op), &m);
	line_break(a, s);
	forget_or_keep_anchor(a, s, op->core);
	delete_finish(a, op, slot_is_empty(op->cap) ? OK : anchor_keep(a, op));
}

static void tell_the_others(struct agreement *a, struct operation *op, const struct shared *s)
{
	union agreement_message m = message_blank();

	op->owner = m.new_owner.owner = op->core;
	op->phase = PHASE_NEW_OWNER;
	SET_FOR_EACH (core, &op->left) {
		if (set_has(&s->holders, core)) {
			op->messages += 2;
			say(a, op, core, AGREEMENT_new_owner, operation_number(a, op), &m);
		} else {
			set_remove(&op->left, core);
			pass_on(a, op, core); /* it went after `take_over` was sent */
		}
	}
	if (set_is_empty(&op->left) || MUTANT(noted_not_awaited))
		all_noted(a, op);
}

static void declined(struct agreement *a, struct operation *op, struct shared *s, bool holds)
{
	s->moving_to = 0;
	if (!holds)
		set_remove(&s->holders, op->core);
	op->to = op->core + 1;
	op->phase = PHASE_TURN;
	transfer_begin(a, op);
}

static void accepted(struct agreement *a, struct operation *op, struct shared *s)
{
	(void)!is_ok(mark_all(op->cap, false, op->core));
	(void)!is_ok(platform_surrender(op->cap)); /* the last one; nothing lay in it when the transfer began */
	tell_the_others(a, op, s);
}

/* What has come while the view changed; in `number`, which a deletion doesn't need. */
enum { ANSWER_DECLINED = 1, ANSWER_HOLDS, ANSWER_ACCEPTED };

bool receive_taken_over(struct agreement *a, uint32_t from, const struct subject *s, const struct agreement_taken_over *m)
{
	struct operation *op = operation_named(a, s);
	struct shared *shared = op != NULL ? line_turn(a, op) : NULL;

	if (shared == NULL || op->phase != PHASE_TAKE_OVER || op->core != from || op->number != 0)
		return false;
	if (a->changing) /* who counts what it has for which owner must not be mixed up */
		op->number = m->accepted ? ANSWER_ACCEPTED : m->holds ? ANSWER_HOLDS : ANSWER_DECLINED;
	else if (m->accepted)
		accepted(a, op, shared);
	else
		declined(a, op, shared, m->holds != 0);
	return true;
}

bool receive_noted(struct agreement *a, uint32_t from, const struct subject *s, const struct agreement_noted *m)
{
	struct operation *op = operation_named(a, s);
	struct shared *shared;

	if (op == NULL || op->phase != PHASE_NEW_OWNER || !set_has(&op->left, from))
		return false;
	set_remove(&op->left, from);
	if (op->kind == OPERATION_TRANSFER && !m->holds && (shared = line_turn(a, op)) != NULL)
		set_remove(&shared->holders, from);
	if (set_is_empty(&op->left))
		all_noted(a, op);
	return true;
}

/* ---- The other holders ---- */

bool receive_new_owner(struct agreement *a, uint32_t from, const struct subject *s, const struct agreement_new_owner *m)
{
	union agreement_message answer = message_blank();
	struct shared *shared = shared_find(a, &s->object);
	struct object object;
	uint32_t owner;
	unsigned flags;
	cap_t cap;

	if (s->number == 0 && m->head.view == a->view)
		return members_new_owner(a, from, s, m->owner);
	if (s->number == 0 || m->owner == a->core || (shared != NULL && shared->owner == a->core))
		return false;
	if (is_ok(handle_take(&s->object, OWNER_OF_COPIES, RIGHTS_ALL, &cap))) {
		const bool right = is_ok(object_of(cap, &object, &owner, &flags)) && owner == from;

		if (right && !MUTANT(new_owner_not_noted))
			(void)!is_ok(mark_all(cap, false, m->owner));
		answer.noted.holds = handle_drop(a, cap);
		if (!right)
			return false; /* it was not the sender's */
	}
	if (shared != NULL)
		shared->owner = m->owner;
	say_about(a, s, from, AGREEMENT_noted, &answer);
	return true;
}

/* ---- The new owner ---- */

static void answer_take_over(struct agreement *a, uint32_t to, const struct subject *s, bool accepted, bool holds)
{
	union agreement_message m = message_blank();

	m.taken_over.accepted = accepted;
	m.taken_over.holds = holds;
	say_about(a, s, to, AGREEMENT_taken_over, &m);
}

/* Room for what an owner has to know; NULL: there is none. */
static struct operation *room_for_owner(struct agreement *a, uint32_t from, const struct subject *s)
{
	struct operation *op = operation_new(a, OPERATION_TRANSFER, &s->object);
	struct shared *shared = op != NULL ? shared_make(a, &s->object, a->core) : NULL;

	if (shared == NULL) {
		if (op != NULL)
			operation_free(a, op);
		return NULL;
	}
	op->internal = true;
	op->core = from;
	op->number = s->number;
	op->phase = PHASE_COMPLETE;
	shared->owner = a->core;
	shared->marked = true;
	shared->busy = operation_index(a, op);
	return op;
}

static void take_over(struct agreement *a, uint32_t from, const struct subject *s, cap_t cap, const struct core_set *holders)
{
	struct operation *op = room_for_owner(a, from, s);
	struct shared *shared;

	if (op == NULL) {
		answer_take_over(a, from, s, false, true);
		return;
	}
	(void)!is_ok(mark_all(cap, true, a->core));
	shared = shared_find(a, &s->object);
	shared->holders = others_of(a, holders);
	set_add(&shared->holders, from);
	answer_take_over(a, from, s, true, true);
}

bool receive_take_over(struct agreement *a, uint32_t from, const struct subject *s, const struct agreement_take_over *m)
{
	const struct core_set holders = {{m->holders0, m->holders1, m->holders2, m->holders3}};
	struct platform_relations around = {0};
	cap_t cap;
	err_t e;

	if (s->owner != from || keeps_owner(&s->object))
		return false;
	e = handle_take(&s->object, from, RIGHTS_ALL, &cap);
	if (err_is(e, ERR_NUMBER_STATE))
		return false; /* it was not the sender's */
	if (is_err(e)) {
		answer_take_over(a, from, s, false, !err_is(e, ERR_NUMBER_OVERLAP));
		return true;
	}
	platform_relate(cap, &around);
	if (around.copies || MUTANT(transfer_to_nobody)) {
		take_over(a, from, s, cap, &holders);
		handle_drop(a, cap);
	} else {
		answer_take_over(a, from, s, false, handle_drop(a, cap));
	}
	return true;
}

bool receive_complete(struct agreement *a, uint32_t from, const struct subject *s, const struct agreement_complete *m)
{
	struct shared *shared = shared_find(a, &s->object);
	struct operation *op = shared != NULL && shared->busy != 0 ? operation_at(a, shared->busy) : NULL;

	if (op == NULL || op->kind != OPERATION_TRANSFER || op->phase != PHASE_COMPLETE || op->core != from || op->number != s->number)
		return false;
	if (!m->holds)
		set_remove(&shared->holders, from);
	owner_end(a, op);
	return true;
}

/* The old owner is dead: the new one asks who still has the object, and tells those that the old one could not. */
static void go_on_alone(struct agreement *a, struct operation *op)
{
	union agreement_message m = message_blank();
	struct shared *s = line_turn(a, op);

	op->phase = PHASE_NEW_OWNER;
	op->left = others_of(a, &s->holders);
	m.new_owner.owner = a->core;
	SET_FOR_EACH (core, &op->left) {
		say(a, op, core, AGREEMENT_new_owner, operation_number(a, op), &m);
	}
	if (set_is_empty(&op->left))
		owner_end(a, op);
}

void transfer_lost(struct agreement *a, struct operation *op)
{
	if (line_turn(a, op) != NULL)
		all_noted(a, op);
}

static void take_over_mend(struct agreement *a, struct operation *op, struct shared *s)
{
	const uint32_t answer = op->number;

	op->number = 0;
	if (!set_has(&a->alive, op->core))
		declined(a, op, s, false);
	else if (answer == ANSWER_ACCEPTED)
		accepted(a, op, s);
	else if (answer != 0)
		declined(a, op, s, answer == ANSWER_HOLDS);
}

void transfer_mend(struct agreement *a, struct operation *op)
{
	struct shared *s = line_turn(a, op);

	keep_alive(a, &op->left);
	if (s == NULL)
		return;
	if (op->phase == PHASE_NEW_OWNER && set_is_empty(&op->left)) {
		all_noted(a, op);
	} else if (op->phase == PHASE_COMPLETE && !set_has(&a->alive, op->core)) {
		go_on_alone(a, op);
	} else if (op->phase == PHASE_TAKE_OVER) {
		take_over_mend(a, op, s);
	}
}

void transfer_run(struct agreement *a, struct operation *op)
{
	if (op->phase == PHASE_END)
		owner_end(a, op);
}
