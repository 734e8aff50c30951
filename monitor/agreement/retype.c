/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Retype of a part of a shared object: nothing that is alive may have been made of that part, on any core.
 *
 *   asker ── retype ────────▶ owner ── find ──▶ each other holder
 *   asker ◀─ retype_answer ── owner ◀─ found ── each
 *   asker ── retyped ───────▶ owner                                     only if the answer was OK
 *
 * The asker makes the new objects between the last two messages, while the owner keeps the object's line. They are its own and nobody
 * else knows them. Whoever owns something inside the object holds the object too (agreement.h), so the holders are all there is to ask. The
 * asker's own part is looked at by its CPU driver when it retypes.
 *
 *              the owner is another            retype_answer, not OK
 *   BEGIN ─────────────────────────▶ ASKED ──────────────────────────▶ done
 *     │                                └───────────────────────────────▶ done, `retyped`
 *     │ this core owns it                      OK
 *     ▼            line             all found, nothing          retyped
 *   LINE ─────────────────▶ FIND ─────────────────────▶ GRANTED ────────▶ END
 *                             └────────────────────────────────────────▶ END
 *                               something                                                (GRANTED only for another core's)
 *
 * A holder that never answers keeps the line until it is declared dead; so does an asker that does not say `retyped`. A dead holder's
 * objects are gone with it. */

#include "monitor/agreement/internal.h"

/* ---- The asker ---- */

static void ask(struct agreement *a, struct operation *op)
{
	union agreement_message m = message_blank();

	m.retype.base = op->base;
	m.retype.bytes = op->bytes;
	op->phase = PHASE_ASKED;
	op->messages++;
	say(a, op, op->core, AGREEMENT_retype, operation_number(a, op), &m);
}

/* The caller makes its objects now. */
static void grant_here(struct agreement *a, struct operation *op)
{
	op->answered = true;
	agreement_done(a, op->token, op->kind, OK, op->cap, op->messages);
}

bool receive_retype_answer(struct agreement *a, uint32_t from, const struct subject *s, const struct agreement_retype_answer *m)
{
	struct operation *op = operation_named(a, s);
	union agreement_message done = message_blank();

	if (op == NULL || op->kind != OPERATION_RETYPE || op->phase != PHASE_ASKED || op->core != from)
		return false;
	op->messages += m->messages;
	if (asker_tries_again(a, op, m->error))
		return true;
	op->error = (uint8_t)m->error;
	if (op->error == ERR_NUMBER_OK) {
		op->messages++;
		grant_here(a, op);
		say(a, op, from, AGREEMENT_retyped, operation_number(a, op), &done);
	}
	operation_end(a, op, CAP_NULL);
	return true;
}

/* ---- The holders ---- */

static bool is_part(const struct object *o, uint64_t base, uint64_t bytes)
{
	return bytes != 0 && object_contains(o, base, bytes);
}

bool receive_find(struct agreement *a, uint32_t from, const struct subject *s, const struct agreement_find *m)
{
	union agreement_message answer = message_blank();
	cap_t handle;

	if (s->owner != from || !is_part(&s->object, m->base, m->bytes))
		return false;
	if (is_ok(handle_take(&s->object, s->owner, RIGHTS_ALL, &handle))) {
		answer.found.any = platform_find(handle, m->base, m->bytes);
		answer.found.holds = handle_drop(a, handle);
	} else {
		answer.found.any = answer.found.holds = true; /* it can't be told, so better not */
	}
	say_about(a, s, from, AGREEMENT_found, &answer);
	return true;
}

/* ---- The owner ---- */

bool receive_retype(struct agreement *a, uint32_t from, const struct subject *s, const struct agreement_retype *m)
{
	struct operation *op;

	if (!is_part(&s->object, m->base, m->bytes))
		return false;
	op = owner_serve(a, from, s, OPERATION_RETYPE);
	if (op == NULL)
		return true;
	op->base = m->base;
	op->bytes = m->bytes;
	if (op->phase == PHASE_TURN)
		operation_run(a, op);
	return true;
}

static void all_found(struct agreement *a, struct operation *op)
{
	if (op->error != ERR_NUMBER_OK) {
		owner_end(a, op);
	} else if (op->kind == OPERATION_OWNER) {
		op->phase = PHASE_GRANTED;
		owner_answer(a, op);
		if (MUTANT(retype_unlocked_early))
			owner_end(a, op);
	} else {
		grant_here(a, op);
		owner_end(a, op);
	}
}

bool receive_found(struct agreement *a, uint32_t from, const struct subject *s, const struct agreement_found *m)
{
	struct operation *op = operation_named(a, s);
	struct shared *shared = op != NULL ? line_turn(a, op) : NULL;

	if (shared == NULL || op->phase != PHASE_FIND || !set_has(&op->left, from))
		return false;
	if (!m->holds)
		set_remove(&shared->holders, from); /* what it said of that before it looked does not count */
	set_remove(&op->left, from);
	if (m->any)
		op->error = ERR_NUMBER_OVERLAP;
	if (set_is_empty(&op->left) || MUTANT(found_not_awaited))
		all_found(a, op);
	return true;
}

bool receive_retyped(struct agreement *a, uint32_t from, const struct subject *s, const struct agreement_retyped *m)
{
	const struct shared *shared = shared_find(a, &s->object);
	struct operation *op = shared != NULL && shared->busy != 0 ? operation_at(a, shared->busy) : NULL;

	(void)m;
	if (op == NULL || op->phase != PHASE_GRANTED || op->core != from || op->number != s->number)
		return false;
	owner_end(a, op);
	return true;
}

static void ask_holders(struct agreement *a, struct operation *op)
{
	union agreement_message m = message_blank();

	m.find.base = op->base;
	m.find.bytes = op->bytes;
	SET_FOR_EACH (core, &op->left) {
		op->messages += 2;
		say(a, op, core, AGREEMENT_find, operation_number(a, op), &m);
	}
}

/* Another core's new objects must not meet this core's own. */
static err_t look_here(struct agreement *a, struct operation *op)
{
	err_t e;

	if (op->kind != OPERATION_OWNER || MUTANT(own_part_not_looked_at))
		return OK;
	e = handle_own(a, &op->object, RIGHTS_ALL, &op->cap);
	if (is_err(e))
		return e;
	return platform_find(op->cap, op->base, op->bytes) ? ERR(OVERLAP) : OK;
}

static void take_turn(struct agreement *a, struct operation *op, struct shared *s)
{
	err_t e = owner_asker_holds(a, op) ? look_here(a, op) : ERR(CAP_EMPTY);

	if (is_err(e)) {
		operation_fail(a, op, e);
		return;
	}
	op->phase = PHASE_FIND;
	op->left = others_of(a, &s->holders);
	set_remove(&op->left, op->core);
	ask_holders(a, op);
	if (set_is_empty(&op->left))
		all_found(a, op);
}

static err_t look(struct agreement *a, struct operation *op)
{
	err_t e = operation_look(a, op);

	return is_ok(e) && !is_part(&op->object, op->base, op->bytes) ? ERR(RANGE) : e;
}

void retype_run(struct agreement *a, struct operation *op)
{
	static const struct course course = {.look = look, .ask = ask, .turn = take_turn};

	course_run(a, op, &course);
}

/* Somebody may own something in the range that a dead core has left, so all are asked again. */
static void find_again(struct agreement *a, struct operation *op)
{
	struct shared *s = line_turn(a, op);

	keep_alive(a, &op->left);
	if (!MUTANT(find_not_repeated)) {
		op->generation++;
		if (op->kind == OPERATION_OWNER && platform_find(op->cap, op->base, op->bytes))
			op->error = ERR_NUMBER_OVERLAP;
		op->left = others_of(a, &s->holders);
		set_remove(&op->left, op->core);
		ask_holders(a, op);
	}
	if (set_is_empty(&op->left))
		all_found(a, op);
}

void retype_mend(struct agreement *a, struct operation *op)
{
	const bool at_owner = op->phase == PHASE_FIND || op->phase == PHASE_GRANTED;

	if (at_owner && !set_has(&a->alive, op->core))
		owner_end(a, op);
	else if (op->phase == PHASE_FIND && line_turn(a, op) != NULL)
		find_again(a, op);
}
