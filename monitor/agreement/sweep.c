/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Taking apart what is on this core, in slices, and what to do about obstacles.
 *
 *   initiator ── flush ──▶ each core that uses a page table of this core's
 *   initiator ◀─ flushed ─ each
 *
 * An obstacle is one of three:
 *
 *   a shared object of this core's that lies inside    is revoked everywhere, nothing of it is kept; the sweep waits, then goes on
 *   a page table that other cores use                  the mapping may go all the same, and at the end those cores forget what they
 *                                                      have of it; or at once, if a dying container holds what is mapped. It may also be
 *                                                      the table itself that the container holds: so that is copied as well, see below
 *   anything outside, which a dying container holds    is copied into a slot of the agreement's own. So it no longer is the last one, and
 * the container can go. When that is past, the copy is deleted like any other (delete.c). If that does not help, it is inside something
 * that the container holds
 *
 * A core that never answers `flush` is waited for until it is declared dead: a dead core translates nothing. */

#include "monitor/agreement/internal.h"

/* ---- Obstacles ---- */

/* A revoke of an object inside that keeps nothing; the operation waits for it. */
static enum progress revoke_inner(struct agreement *a, struct operation *op, const struct object *inner)
{
	struct operation *child;
	cap_t cap;
	err_t e = handle_own(a, inner, RIGHTS_ALL, &cap);

	if (err_is(e, ERR_NUMBER_STATE))
		return operation_role(op) == OPERATION_DELETE ? PROGRESS_FAILED : PROGRESS_MORE; /* it is gone, or another core's */
	if (is_err(e))
		return PROGRESS_MORE;
	child = operation_new_internal(a, OPERATION_REVOKE, inner);
	if (child == NULL) {
		handle_drop(a, cap);
		return PROGRESS_MORE;
	}
	child->cap = cap;
	operation_due(a, child);
	if (MUTANT(inner_not_awaited))
		return PROGRESS_FAILED;
	child->parent = operation_index(a, op);
	op->children++;
	return PROGRESS_WAITS;
}

static enum progress rescue(struct agreement *a, struct operation *op, const struct platform_obstacle *o)
{
	const struct object object = {.base = o->base, .size = o->size, .type = o->type};
	cap_t cap;

	if (op->rescued.value != CAP_NULL.value && object_is(&op->obstacle, &object))
		return revoke_inner(a, op, &object); /* it lies in something of the container's that takes its contents along */
	if (op->rescued.value != CAP_NULL.value)
		dispose(a, op->rescued);
	op->rescued = CAP_NULL;
	if (is_err(cap_slot_alloc(&cap)))
		return PROGRESS_MORE;
	if (is_err(platform_rescue(o, cap))) {
		cap_slot_free(cap);
		return PROGRESS_FAILED;
	}
	op->rescued = cap;
	op->obstacle = object;
	return PROGRESS_MORE;
}

bool sweep_resumes(struct operation *op)
{
	if (!op->pausing)
		return true;
	if (!set_is_empty(&op->flush))
		return false;
	op->pausing = op->swept = op->tables = false;
	return true;
}

/* The mapping of something outside has ended, and now other cores forget it. Then the thing itself can go; or the table, if that was it. */
static enum progress pause(struct agreement *a, struct operation *op, const struct platform_obstacle *table)
{
	op->pausing = true;
	(void)sweep_finish(a, op);
	if (!MUTANT(table_not_rescued) && rescue(a, op, table) == PROGRESS_FAILED)
		return PROGRESS_FAILED;
	return sweep_resumes(op) ? PROGRESS_MORE : PROGRESS_WAITS;
}

enum progress sweep_obstacle(struct agreement *a, struct operation *op, const struct platform_obstacle *o)
{
	const struct object object = {.base = o->base, .size = o->size, .type = o->type};
	const struct shared *s = shared_find(a, &object);
	const bool inside = object_contains(&op->object, o->base, o->size) && object_before(&op->object, &object);

	if (inside)
		return revoke_inner(a, op, &object);
	if (is_table(&object) && s != NULL && s->owner == a->core) {
		if (op->tables)
			return pause(a, op, o);
		op->tables = true;
		return PROGRESS_MORE;
	}
	return rescue(a, op, o);
}

/* ---- Slices ---- */

enum progress sweep_slice(struct agreement *a, struct operation *op)
{
	struct platform_obstacle o;
	err_t e = platform_sweep(op->cap, op->tables ? SWEEP_SHARED_TABLES : SWEEP_PLAIN, &o);

	if (err_is(e, ERR_NUMBER_AGAIN))
		return PROGRESS_MORE;
	if (err_is(e, ERR_NUMBER_NEEDS_AGREEMENT) || err_is(e, ERR_NUMBER_LAST_COPY))
		return sweep_obstacle(a, op, &o);
	anchors_forget(a, &op->object);
	return is_ok(e) ? PROGRESS_DONE : PROGRESS_FAILED;
}

static void add_all(struct core_set *to, const struct core_set *from)
{
	for (unsigned k = 0; k < SET_WORDS; k++)
		to->word[k] |= from->word[k];
}

/* Every core that uses a table of this core's. */
static void users_of_tables(struct agreement *a, struct core_set *out)
{
	for (uint32_t i = 0; i < a->shared_count; i++)
		if (a->shared[i].owner == a->core && is_table(&a->shared[i].object))
			add_all(out, &a->shared[i].holders);
}

/* Cores that have not yet forgotten what another operation took out of the tables: perhaps that was a part of this one's object. */
static void being_flushed(struct agreement *a, struct core_set *out)
{
	for (unsigned i = 0; a->flushing > 0 && i < OPERATIONS_MAX; i++)
		if (a->operation[i].swept)
			add_all(out, &a->operation[i].flush);
}

static void send_flushes(struct agreement *a, struct operation *op)
{
	const struct subject about = {.number = operation_number(a, op)}; /* it may be of a type that doesn't cross */
	union agreement_message m = message_blank();
	struct core_set cores = {0};

	if (op->tables)
		users_of_tables(a, &cores);
	being_flushed(a, &cores);
	op->flush = others_of(a, &cores);
	a->flushing += !set_is_empty(&op->flush);
	SET_FOR_EACH (core, &op->flush) {
		op->messages += 2;
		say_about(a, &about, core, AGREEMENT_flush, &m);
	}
}

enum progress sweep_finish(struct agreement *a, struct operation *op)
{
	if (!op->swept) {
		op->swept = true;
		if (op->rescued.value != CAP_NULL.value)
			dispose(a, op->rescued);
		op->rescued = CAP_NULL;
		if (!MUTANT(flush_left_out))
			send_flushes(a, op);
	}
	return set_is_empty(&op->flush) || MUTANT(flush_not_awaited) ? PROGRESS_DONE : PROGRESS_WAITS;
}

void sweep_mend(struct agreement *a, struct operation *op)
{
	if (set_is_empty(&op->flush))
		return;
	keep_alive(a, &op->flush);
	if (!set_is_empty(&op->flush) || MUTANT(dead_holder_awaited))
		return;
	a->flushing--;
	operation_due(a, op);
}

/* ---- Messages ---- */

bool receive_flush(struct agreement *a, uint32_t from, const struct subject *s, const struct agreement_flush *m)
{
	union agreement_message answer = message_blank();

	(void)m;
	platform_flush();
	say_about(a, s, from, AGREEMENT_flushed, &answer);
	return true;
}

bool receive_flushed(struct agreement *a, uint32_t from, const struct subject *s, const struct agreement_flushed *m)
{
	struct operation *op = operation_numbered(a, s->number);

	(void)m;
	if (op == NULL || !op->swept || !set_has(&op->flush, from))
		return false;
	set_remove(&op->flush, from);
	if (set_is_empty(&op->flush)) {
		a->flushing--;
		operation_due(a, op);
	}
	return true;
}
