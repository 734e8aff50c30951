/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Deletion of a capability.
 *
 *   holder ── gone ──▶ owner          if nothing of the object is left on the holder's core. There is no answer: nobody waits.
 *
 * What happens depends on what else there is:
 *
 *   another copy on this core, or nobody else knows the object    the CPU driver deletes it, and that is all
 *   the last one, and this core owns things made of it            it becomes the anchor
 *   the last one, another core owns it                            it is surrendered, `gone` says so
 *   the owner's last one, others hold it                          it becomes the anchor if it lies in another object or anything lies in
 *                                                                 it, or if it is a page table or a doorbell; else the
 *                                                                 object is given to a holder (transfer.c)
 *
 *            deleted, surrendered, anchor
 *   BEGIN ─────────────────────────────────────────────▶ END ──▶ done
 *     │ the owner's last one       nobody holds it         ▲
 *     ▼                     ┌──────────────────────────────┤
 *   LINE ─────────────▶ TURN ──▶ TAKE_OVER ──▶ NEW_OWNER ──┘
 *
 * The agreement's own capabilities end here too. Then nobody is told, and memory that comes back goes to agreement_return_memory.
 *
 * No peer is waited for but in transfer.c. If the owner of what is gone is dead, nobody needs to know. */

#include "monitor/agreement/internal.h"

void delete_finish(struct agreement *a, struct operation *op, err_t e)
{
	if (op->internal && is_err(e)) {
		op->phase = PHASE_PARKED;
		a->parked++;
		return;
	}
	op->error = (uint8_t)e.number;
	op->phase = PHASE_END;
	if (op->internal && op->cap.value != CAP_NULL.value) {
		cap_slot_free(op->cap);
		op->cap = CAP_NULL;
	}
	if (sweep_finish(a, op) == PROGRESS_DONE)
		owner_end(a, op);
}

/* ---- What stays ---- */

/* The slot holds memory that nobody else has. Who asked for a deletion gets it with the slot; who moved the capability elsewhere, where it
 * was deleted meanwhile, does not want it back. */
static err_t memory_back(struct agreement *a, struct operation *op)
{
	cap_t ram = op->cap;

	if (op->kind == OPERATION_DELETE && !op->internal)
		return OK;
	if (op->kind == OPERATION_MOVE) {
		err_t e = cap_slot_alloc(&ram);

		if (is_ok(e) && is_err(e = platform_move(op->cap, ram)))
			cap_slot_free(ram);
		if (is_err(e))
			return e;
	} else {
		op->cap = CAP_NULL;
	}
	agreement_return_memory(a, ram);
	return OK;
}

/* The last capability to what may not be thrown away. */
static void last_memory(struct agreement *a, struct operation *op)
{
	struct platform_relations around;

	platform_relate(op->cap, &around);
	if (op->object.type == CAP_RAM && !around.contents)
		delete_finish(a, op, memory_back(a, op));
	else if (op->kind == OPERATION_DELETE && !op->internal)
		delete_finish(a, op, ERR(LAST_COPY));
	else
		delete_finish(a, op, anchor_keep(a, op));
}

/* ---- The last one on this core ---- */

static void last_foreign(struct agreement *a, struct operation *op)
{
	union agreement_message m = message_blank();
	err_t e = platform_surrender(op->cap);

	if (err_is(e, ERR_NUMBER_OVERLAP)) {
		if (MUTANT(no_anchor))
			delete_finish(a, op, OK);
		else
			delete_finish(a, op, anchor_keep(a, op));
	} else if (err_is(e, ERR_NUMBER_STATE)) {
		operation_due(a, op); /* there is another one by now */
	} else if (is_err(e)) {
		delete_finish(a, op, e);
	} else {
		m.gone.core = a->core;
		op->messages++;
		if (set_has(&a->alive, op->owner) && !MUTANT(gone_not_sent))
			say(a, op, op->owner, AGREEMENT_gone, 0, &m);
		delete_finish(a, op, OK);
	}
}

static void last_owned(struct agreement *a, struct operation *op)
{
	struct shared *s = line_turn(a, op);
	struct platform_relations around;
	err_t e;

	if (s == NULL) {
		e = line_enter(a, op);
		if (is_err(e))
			delete_finish(a, op, e);
		else if (op->phase == PHASE_TURN)
			operation_due(a, op);
		return;
	}
	s->marked = true;
	if (set_is_empty(&s->holders)) {
		s->marked = is_err(platform_mark(op->cap, false, a->core));
		operation_due(a, op);
		return;
	}
	platform_relate(op->cap, &around);
	if (around.covered || around.contents || keeps_owner(&op->object))
		delete_finish(a, op, anchor_keep(a, op));
	else
		transfer_begin(a, op);
}

static void last_here(struct agreement *a, struct operation *op, err_t e)
{
	if (err_is(e, ERR_NUMBER_LAST_COPY))
		last_memory(a, op);
	else if (op->owner != a->core)
		last_foreign(a, op);
	else
		last_owned(a, op);
}

/* ---- Its way ---- */

static bool is_self(const struct operation *op, const struct platform_obstacle *o)
{
	return o->type == op->object.type && o->base == op->object.base && o->size == op->object.size;
}

static void go_round(struct agreement *a, struct operation *op, const struct platform_obstacle *o, err_t e)
{
	switch (sweep_obstacle(a, op, o)) {
	case PROGRESS_FAILED:
		delete_finish(a, op, e);
		break;
	case PROGRESS_WAITS:
		break;
	default:
		operation_due(a, op);
		break;
	}
}

/* What is mapped in a table that other cores use stays flagged as shared until they have flushed: so long nobody can make anything new of
 * it, nor revoke it without waiting here. False: it takes longer, or the operation has ended. */
static bool stays_flagged(struct agreement *a, struct operation *op)
{
	struct shared *s = line_turn(a, op);
	err_t e = OK;

	if (op->owner != a->core || !agreement_crosses(op->object.type))
		return true;
	if (s == NULL) {
		e = line_enter(a, op);
		s = is_ok(e) && op->phase == PHASE_TURN ? line_turn(a, op) : NULL;
	}
	if (s != NULL && !s->marked)
		e = platform_mark(op->cap, true, a->core);
	if (err_is(e, ERR_NUMBER_AGAIN))
		operation_due(a, op);
	else if (is_err(e))
		delete_finish(a, op, e);
	else if (s != NULL)
		s->marked = true;
	return s != NULL && is_ok(e);
}

/* Whether no other core still uses a mapping that this operation has ended. */
static bool flushed(struct agreement *a, struct operation *op)
{
	if (op->tables && sweep_finish(a, op) != PROGRESS_DONE)
		return false;
	op->tables = op->swept = false;
	return true;
}

static void slice(struct agreement *a, struct operation *op)
{
	struct platform_obstacle o;
	bool ram = false;
	err_t e = operation_look(a, op);

	if (is_err(e)) {
		delete_finish(a, op, OK); /* somebody swept it: so it is gone */
		return;
	}
	if (op->tables && !stays_flagged(a, op))
		return;
	e = op->tables ? platform_delete_mapped(op->cap, &ram, &o) : platform_delete(op->cap, &ram, &o);
	if (is_ok(e))
		delete_finish(a, op, ram ? memory_back(a, op) : OK);
	else if (err_is(e, ERR_NUMBER_AGAIN))
		operation_due(a, op);
	else if (!err_is(e, ERR_NUMBER_LAST_COPY) && !err_is(e, ERR_NUMBER_NEEDS_AGREEMENT))
		delete_finish(a, op, e);
	else if (!is_self(op, &o))
		go_round(a, op, &o, e);
	else if (flushed(a, op))
		last_here(a, op, e);
}

void delete_run(struct agreement *a, struct operation *op)
{
	if (!sweep_resumes(op))
		return;
	if (op->phase == PHASE_BEGIN || op->phase == PHASE_TURN)
		slice(a, op);
	else if (op->phase == PHASE_END && sweep_finish(a, op) == PROGRESS_DONE)
		owner_end(a, op);
}

/* ---- The owner ---- */

/* Whether the sender may say so: it is its own loss, or it was the owner until now, and passes on what it hears. */
static bool may_tell(struct agreement *a, const struct shared *s, uint32_t from, uint32_t core)
{
	const struct operation *busy = s->busy != 0 ? operation_at(a, s->busy) : NULL;

	return from == core || MUTANT(gone_from_anybody) || (busy != NULL && busy->kind == OPERATION_TRANSFER && busy->core == from);
}

bool receive_gone(struct agreement *a, uint32_t from, const struct subject *s, const struct agreement_gone *m)
{
	struct shared *shared = shared_find(a, &s->object);
	const struct operation *busy;

	if (shared == NULL || !may_tell(a, shared, from, m->core))
		return from == m->core; /* on its way while a revoke, which went along a tree, overtook it: the owner may have changed */
	if (transfer_gone(a, shared, m->core) || shared->owner != a->core)
		return true;
	busy = shared->busy != 0 ? operation_at(a, shared->busy) : NULL;
	if (busy != NULL && busy->phase == PHASE_INSTALL && busy->to == m->core && !MUTANT(gone_believed_during_copy))
		return true; /* that was an older copy */
	if (busy != NULL && busy->phase == PHASE_FIND && set_has(&busy->left, m->core))
		return true; /* looking may leave an anchor: it will tell */
	if (busy != NULL && busy->phase == PHASE_SWEEP)
		return true; /* whoever is swept is a holder until the revoke ends */
	set_remove(&shared->holders, m->core);
	if (set_is_empty(&shared->holders))
		nobody_left(a, shared);
	return true;
}
