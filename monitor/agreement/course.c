/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* The way that copy, retype and revoke have in common: whoever is asked for one of them asks the object's owner, or is the owner and joins
 * the object's line.
 *
 *              the owner is another           its answer
 *   BEGIN ─────────────────────────▶ ASKED ────────────────▶ done, or BEGIN: it was NOT_OWNER
 *     │ this core owns it
 *     ▼            line
 *   LINE ─────────────────▶ TURN ─── the operation's own ───▶ END ──▶ done, or an answer
 *
 * What is special about each is in its own file, and named in a struct course (internal.h). */

#include "monitor/agreement/internal.h"

/* ---- The asker ---- */

/* The object may have had two new owners meanwhile, and be the same one's again; but some day a peer that says so is wrong. */
#define TRIES 100

bool asker_tries_again(struct agreement *a, struct operation *op, uint32_t error)
{
	(void)a;
	if (error != ERR_NUMBER_NOT_OWNER || op->tries == TRIES)
		return false;
	op->tries++;
	op->phase = PHASE_BEGIN;
	operation_due(a, op);
	return true;
}

/* ---- The owner's part of another core's operation ---- */

bool owner_asker_holds(struct agreement *a, struct operation *op)
{
	const struct shared *s = shared_find(a, &op->object);

	if (op->kind != OPERATION_OWNER)
		return is_ok(operation_look(a, op));
	return s != NULL && s->owner == a->core && (set_has(&s->holders, op->core) || MUTANT(asker_not_checked));
}

void owner_answer(struct agreement *a, struct operation *op)
{
	union agreement_message m = message_blank();

	op->answered = true;
	op->messages++;
	switch (op->serving) {
	case OPERATION_COPY:
		m.copied.error = op->error;
		m.copied.messages = op->messages;
		say(a, op, op->core, AGREEMENT_copied, op->number, &m);
		break;
	case OPERATION_RETYPE:
		m.retype_answer.error = op->error;
		m.retype_answer.messages = op->messages;
		say(a, op, op->core, AGREEMENT_retype_answer, op->number, &m);
		break;
	default:
		m.revoked.error = op->error;
		m.revoked.owner = op->owner;
		m.revoked.messages = op->messages;
		say(a, op, op->core, AGREEMENT_revoked, op->number, &m);
		break;
	}
}

/* Answers without having begun. */
static struct operation *owner_declines(struct agreement *a, struct operation *op, err_t e)
{
	op->kind = OPERATION_OWNER;
	op->error = (uint8_t)e.number;
	owner_answer(a, op);
	return NULL;
}

/* A holder that has just got its first copy, or is about to, had none when it sent this. */
static bool asks_too_early(struct agreement *a, const struct shared *s, uint32_t from)
{
	const struct operation *busy = s->busy != 0 ? operation_at(a, s->busy) : NULL;

	return busy != NULL && busy->phase == PHASE_INSTALL && set_has(&busy->left, from);
}

struct operation *owner_serve(struct agreement *a, uint32_t from, const struct subject *s, enum operation_kind what)
{
	const struct shared *shared = shared_find(a, &s->object);
	struct operation early = {.serving = what, .object = s->object, .owner = a->core, .core = from, .number = s->number};
	struct operation *op;

	if (shared == NULL || shared->owner != a->core)
		return owner_declines(a, &early, ERR(NOT_OWNER));
	if (!MUTANT(asker_not_checked) && (!set_has(&shared->holders, from) || asks_too_early(a, shared, from)))
		return owner_declines(a, &early, ERR(CAP_EMPTY));
	op = operation_new(a, OPERATION_OWNER, &s->object);
	if (op == NULL)
		return owner_declines(a, &early, ERR(LIMIT));
	op->serving = what;
	op->core = from;
	op->number = s->number;
	if (is_err(line_enter(a, op))) /* there is an entry: it can't fail */
		operation_free(a, op);
	return op;
}

/* ---- The way ---- */

static void turn(struct agreement *a, struct operation *op, const struct course *c)
{
	struct shared *s = line_turn(a, op);

	if (s == NULL || op->error != ERR_NUMBER_OK)
		owner_end(a, op);
	else
		c->turn(a, op, s);
}

static void begin(struct agreement *a, struct operation *op, const struct course *c)
{
	err_t e = op->error != ERR_NUMBER_OK ? (err_t){op->error} : c->look(a, op);

	if (is_err(e)) {
		operation_fail(a, op, e);
		return;
	}
	op->core = op->owner;
	if (op->owner != a->core)
		c->ask(a, op);
	else if (is_err(e = line_enter(a, op)))
		operation_fail(a, op, e);
	else if (op->phase == PHASE_TURN)
		turn(a, op, c);
}

void course_run(struct agreement *a, struct operation *op, const struct course *c)
{
	if (op->phase == PHASE_BEGIN)
		begin(a, op, c);
	else if (op->phase == PHASE_TURN)
		turn(a, op, c);
	else if (op->phase == PHASE_END)
		owner_end(a, op);
}
