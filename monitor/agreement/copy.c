/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Copy of a capability to another core; move.
 *
 *   asker ── copy ──▶ owner ── install ──▶ receiver         first the owner notes the receiver as a holder, then it sends
 *   asker ◀─ copied ─ owner ◀─ installed ── receiver
 *
 * The asker may be the owner, or the owner the receiver: then the hops between them are left out. The first copy makes an object shared:
 * before anything is sent its capabilities on the owner's core are flagged, so from then on nothing happens to it without agreement.
 *
 *              the owner is another                          copied
 *   BEGIN ─────────────────────────▶ ASKED ─────────────────────────▶ done (move: then as a deletion, delete.c)
 *     │                                │ NOT_OWNER, and meanwhile the capability names another owner
 *     │ this core owns it              └────────▶ BEGIN
 *     ▼            line                            installed
 *   LINE ─────────────────▶ TURN ───▶ INSTALL ─────────────▶ END ──▶ done, or `copied`
 *
 * `installed` says whether the receiver has any capability to the object now; the owner's set follows it. A `gone` of the receiver's that
 * comes before it was sent before the receiver saw the copy, and is about an older one.
 *
 * If the receiver never answers, the object's line waits until the members decide that it is dead: the asker gets CORE_DEAD. If the owner
 * never answers, likewise. If the asker dies, the owner finishes and tells nobody. */

#include "monitor/agreement/internal.h"

/* ---- The asker ---- */

static void ask(struct agreement *a, struct operation *op)
{
	union agreement_message m = message_blank();

	m.copy.rights = op->rights;
	m.copy.extra = op->object.extra;
	m.copy.to = op->to;
	m.copy.recipient = op->recipient;
	op->phase = PHASE_ASKED;
	op->messages++;
	say(a, op, op->core, AGREEMENT_copy, operation_number(a, op), &m);
}

bool receive_copied(struct agreement *a, uint32_t from, const struct subject *s, const struct agreement_copied *m)
{
	struct operation *op = operation_named(a, s);

	if (op == NULL || op->phase != PHASE_ASKED || operation_role(op) != OPERATION_COPY || op->core != from)
		return false;
	op->messages += m->messages;
	if (asker_tries_again(a, op, m->error))
		return true;
	op->error = (uint8_t)m->error;
	operation_end(a, op, CAP_NULL);
	return true;
}

/* ---- Arrival ---- */

/* Puts a copy where it shall be on this core. */
static err_t arrive(struct agreement *a, const struct operation *op, uint32_t asker)
{
	cap_t cap;
	err_t e = handle_own(a, &op->object, (uint8_t)op->rights, &cap);

	if (is_err(e))
		return e;
	e = agreement_deliver(a, op->recipient, cap, asker);
	if (is_ok(e))
		cap_slot_free(cap);
	else
		dispose(a, cap);
	return e;
}

/* The same at a receiver that does not own it: whether it has anything of it afterwards is told with the error. */
static err_t arrive_foreign(struct agreement *a, const struct operation *op, uint32_t asker, bool *holds)
{
	cap_t cap;
	err_t e = handle_take(&op->object, op->owner, (uint8_t)op->rights, &cap);

	*holds = false;
	if (is_err(e))
		return e;
	e = agreement_deliver(a, op->recipient, cap, asker);
	*holds = is_ok(e) || handle_drop(a, cap);
	if (is_ok(e))
		cap_slot_free(cap);
	return e;
}

bool receive_install(struct agreement *a, uint32_t from, const struct subject *s, const struct agreement_install *m)
{
	union agreement_message answer = message_blank();
	struct operation op = {.object = s->object, .owner = s->owner, .rights = m->rights, .recipient = m->recipient};
	bool holds;

	if (s->owner != from || m->rights > RIGHTS_ALL)
		return false;
	op.object.extra = m->extra;
	answer.installed.error = arrive_foreign(a, &op, m->asker, &holds).number;
	answer.installed.holds = holds;
	say_about(a, s, from, AGREEMENT_installed, &answer);
	return true;
}

/* ---- The owner ---- */

bool receive_copy(struct agreement *a, uint32_t from, const struct subject *s, const struct agreement_copy *m)
{
	struct operation *op;

	if (m->rights > RIGHTS_ALL)
		return false;
	op = owner_serve(a, from, s, OPERATION_COPY);
	if (op == NULL)
		return true;
	op->object.extra = m->extra;
	op->rights = m->rights;
	op->to = m->to;
	op->recipient = m->recipient;
	if (op->phase == PHASE_TURN)
		operation_run(a, op);
	return true;
}

/* From now on the object is shared. False: it takes longer, or it failed. */
static bool share(struct agreement *a, struct operation *op, struct shared *s)
{
	err_t e;

	if (s->marked || MUTANT(copy_not_marked))
		return true;
	e = platform_mark(op->cap, true, a->core);
	s->marked = is_ok(e);
	if (err_is(e, ERR_NUMBER_AGAIN))
		operation_due(a, op);
	else if (is_err(e))
		operation_fail(a, op, e);
	return is_ok(e);
}

static void send_install(struct agreement *a, struct operation *op, struct shared *s)
{
	union agreement_message m = message_blank();

	m.install.rights = op->rights;
	m.install.extra = op->object.extra;
	m.install.asker = op->kind == OPERATION_OWNER ? op->core : a->core;
	m.install.recipient = op->recipient;
	if (!set_has(&s->holders, op->to))
		set_add(&op->left, op->to); /* it has none yet, or lost it: what it asked for before this copy is void */
	if (!MUTANT(holder_not_added))
		set_add(&s->holders, op->to);
	op->phase = PHASE_INSTALL;
	op->messages += 2;
	say(a, op, op->to, AGREEMENT_install, operation_number(a, op), &m);
}

bool receive_installed(struct agreement *a, uint32_t from, const struct subject *s, const struct agreement_installed *m)
{
	struct operation *op = operation_named(a, s);
	struct shared *shared = op != NULL ? line_turn(a, op) : NULL;

	if (shared == NULL || op->phase != PHASE_INSTALL || op->to != from)
		return false;
	if (!m->holds && !MUTANT(holder_kept_after_failure))
		set_remove(&shared->holders, from);
	op->error = (uint8_t)m->error;
	owner_end(a, op);
	return true;
}

/* ---- Its way ---- */

static void take_turn(struct agreement *a, struct operation *op, struct shared *s)
{
	if (!owner_asker_holds(a, op))
		operation_fail(a, op, ERR(CAP_EMPTY));
	else if (!set_has(&a->alive, op->to))
		operation_fail(a, op, ERR(CORE_DEAD));
	else if (op->to == a->core)
		operation_fail(a, op, arrive(a, op, op->core));
	else if (share(a, op, s))
		send_install(a, op, s);
}

void copy_run(struct agreement *a, struct operation *op)
{
	static const struct course course = {.look = operation_look, .ask = ask, .turn = take_turn};

	course_run(a, op, &course);
}

void copy_mend(struct agreement *a, struct operation *op)
{
	if (op->phase == PHASE_INSTALL && !set_has(&a->alive, op->to))
		operation_fail(a, op, ERR(CORE_DEAD));
}
