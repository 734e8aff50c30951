/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* The users, who ask for operations as the library OS does: the CPU driver first, and if it answers NEEDS_AGREEMENT, the monitor. So this
 * is also the part of the monitor that takes requests: it fetches the capability into a slot of its own and gives back what
 * the agreement returns. */

#include "tests/explore/world.h"

#include "cpudriver/capability/types.h"
#include "tests/explore/diagram.h"
#include "tests/explore/invariants.h"
#include "tests/explore/objects.h"

_Static_assert((int)OP_Frame_map == (int)OP_PageTable1_map, "map is map");

#define TOKEN_CLEARING UINT64_C(0xc1ea) /* a delete of the monitor's own */

static bool has(const uint64_t *set, unsigned k)
{
	return set[k / 64] >> k % 64 & 1;
}

static void put(uint64_t *set, unsigned k)
{
	set[k / 64] |= UINT64_C(1) << k % 64;
}

static void drop(uint64_t *set, unsigned k)
{
	set[k / 64] &= ~(UINT64_C(1) << k % 64);
}

static bool is_empty(cap_t cap)
{
	return monitor_slot(here, cap)->type == CAP_Null;
}

static void done(struct task *t, err_t e)
{
	t->state = TASK_DONE;
	t->error = (uint8_t)e.number;
	t->cap = 0;
	diagram_done(t);
	check_result(t);
}

/* ---- What the monitor no longer wants ----------------------------------------------------------- */

/* A copy that an operation needed. If it has become the last one meanwhile, its end is an operation of its own. */
static void discard(cap_t cap)
{
	if (is_empty(cap))
		cap_slot_free(cap);
	else
		put(here->unwanted, cap.value & 0xff);
}

static void keep_or_free(cap_t cap)
{
	if (is_empty(cap))
		cap_slot_free(cap);
	else
		put(here->kept, cap.value & 0xff);
}

static void clear_one(cap_t cap)
{
	err_t e;

	world_repeat(cap, OP_Any_delete, &e, 0);
	if (is_ok(e) || err_is(e, ERR_NUMBER_LAST_COPY))
		keep_or_free(cap);
	else if (err_is(e, ERR_NUMBER_CAP_EMPTY))
		cap_slot_free(cap);
	else if (is_err(agreement_delete(&here->agreement, TOKEN_CLEARING, cap)))
		put(here->unwanted, cap.value & 0xff); /* tried again at the next step */
}

bool clear_unwanted(void)
{
	bool any = false;

	for (unsigned k = 0; k < MONITOR_SLOTS; k++)
		if (has(here->unwanted, k)) {
			drop(here->unwanted, k);
			clear_one(CAP(IN_MONITOR, k));
			any = true;
		}
	return any;
}

/* ---- Beginning ---------------------------------------------------------------------------------- */

/* The capability goes into a slot of the monitor's, alone or as a copy. */
static err_t fetch(struct task *t, bool move, cap_t *cap)
{
	err_t e = cap_slot_alloc(cap);

	if (is_err(e))
		return e;
	e = move ? cap_move(USER_CAP(t->request.slot), *cap) : cap_copy(USER_CAP(t->request.slot), *cap);
	if (is_err(e))
		cap_slot_free(*cap);
	return e;
}

static void give_back(struct task *t, cap_t cap)
{
	if (!is_empty(cap) && is_err(cap_move(cap, USER_CAP(t->request.slot))))
		BREAK(given_back);
	cap_slot_free(cap);
}

/* What the monitor checks before it asks the others. */
static err_t may_ask(const struct task *t)
{
	const struct request *r = &t->request;

	if ((r->kind == REQUEST_RETYPE || r->kind == REQUEST_REVOKE) && !(t->rights & RIGHT_CONTROL))
		return ERR(CAP_RIGHTS);
	if (r->kind != REQUEST_RETYPE)
		return OK;
	if (!(type_facts[r->type].sources & TYPE_BIT(t->object.type)))
		return ERR(RETYPE);
	return (r->page + r->pages) * PAGE_BYTES > t->object.size ? ERR(RANGE) : OK;
}

static err_t ask_monitor(struct task *t, uint64_t token, cap_t cap)
{
	struct agreement *a = &here->agreement;
	const struct request *r = &t->request;
	const err_t e = may_ask(t);

	if (is_err(e))
		return e;
	switch (r->kind) {
	case REQUEST_COPY:
	case REQUEST_MOVE:
		return agreement_copy(a, token, cap, r->rights, r->to_core, token, r->kind == REQUEST_MOVE);
	case REQUEST_RETYPE:
		return agreement_retype(a, token, cap, t->object.base + r->page * PAGE_BYTES, r->pages * PAGE_BYTES);
	case REQUEST_DELETE:
		return agreement_delete(a, token, cap);
	default:
		return agreement_revoke(a, token, cap);
	}
}

/* The operation takes more than the CPU driver. It may be over when this returns. */
static void begin_agreement(struct task *t)
{
	const bool move = t->request.kind != REQUEST_COPY && t->request.kind != REQUEST_RETYPE;
	cap_t cap;
	err_t e = fetch(t, move, &cap);

	if (is_err(e)) {
		done(t, e);
		return;
	}
	t->state = TASK_PENDING;
	t->cap = cap.value;
	e = ask_monitor(t, (uint64_t)(t - world.task) + 1, cap);
	if (is_ok(e))
		return;
	if (move)
		give_back(t, cap);
	else
		discard(cap);
	done(t, e);
}

static err_t ask_cpu_driver(const struct request *r)
{
	err_t e = ERR(NEEDS_AGREEMENT);

	switch (r->kind) {
	case REQUEST_RETYPE:
		return cap_retype(USER_CAP(r->slot), r->type, r->page * PAGE_BYTES, r->pages * PAGE_BYTES, 1, USER_CAP(r->to_slot));
	case REQUEST_DELETE:
		return cap_delete(USER_CAP(r->slot));
	case REQUEST_REVOKE:
		return cap_revoke(USER_CAP(r->slot));
	case REQUEST_LOCAL_COPY:
		return cap_mint(USER_CAP(r->slot), USER_CAP(r->to_slot), RIGHTS(r->rights), 0);
	case REQUEST_PUT:
		world_call(USER_CAP(r->slot), OP_Any_move, &e, USER_CAP(r->to_slot).value, r->page, 0, 0, 0);
		return e;
	case REQUEST_MAP:
		/* a table has fewer words, and the same number */
		world_call(USER_CAP(r->slot), OP_Frame_map, &e, USER_CAP(r->to_slot).value, r->page, RIGHT_READ, 0, 1);
		return e;
	default:
		return e;
	}
}

void task_start(unsigned number)
{
	struct task *t = &world.task[number];
	const struct slot *s = user_slot(t->request.core, t->request.slot);
	err_t e;

	diagram_started(t);
	if (s->type == CAP_Null) {
		done(t, ERR(CAP_EMPTY));
		return;
	}
	t->object = (struct object){.base = plain(s).base, .size = s->size, .type = s->type};
	t->rights = s->rights;
	if (t->request.direct || t->request.kind == REQUEST_COPY || t->request.kind == REQUEST_MOVE) {
		begin_agreement(t);
		return;
	}
	e = ask_cpu_driver(&t->request);
	if (err_is(e, ERR_NUMBER_NEEDS_AGREEMENT) && t->request.kind <= REQUEST_REVOKE)
		begin_agreement(t);
	else
		done(t, e);
}

/* ---- What the agreement tells ------------------------------------------------------------------- */

static struct task *task_of(uint64_t token)
{
	if (token == 0 || token > TASKS_MAX)
		return NULL;
	struct task *t = &world.task[token - 1];

	return t->state == TASK_PENDING ? t : NULL;
}

void agreement_done(struct agreement *a, uint64_t token, enum operation_kind kind, err_t error, cap_t cap, uint32_t messages)
{
	struct task *t = task_of(token);

	if (token == TOKEN_CLEARING && kind == OPERATION_DELETE) {
		if (is_err(error))
			discard(cap);
		else
			keep_or_free(cap);
		return;
	}
	if (!t || t->lost || t->request.core != a->core || t->cap != cap.value) {
		BREAK(ends_once);
		return;
	}
	t->messages = messages;
	if (kind == OPERATION_RETYPE && is_ok(error))
		error = platform_retype(cap, t->request.type, t->request.page * PAGE_BYTES, t->request.pages * PAGE_BYTES, 1,
		                        USER_CAP(t->request.to_slot));
	if (t->request.kind == REQUEST_MOVE && is_ok(error))
		check_moved(monitor_slot(here, cap));
	if (t->request.kind == REQUEST_COPY || t->request.kind == REQUEST_RETYPE || (t->request.kind == REQUEST_MOVE && is_ok(error)))
		discard(cap);
	else
		give_back(t, cap);
	done(t, error);
}

err_t agreement_deliver(struct agreement *a, uint64_t recipient, cap_t cap, uint32_t from)
{
	struct task *t = task_of(recipient);
	err_t e;

	(void)from;
	if (!t || t->request.to_core != a->core) {
		BREAK(arrives);
		return ERR(NOT_FOUND);
	}
	touched |= (cores_t)1 << t->request.core;
	check_delivery(t, monitor_slot(here, cap));
	e = cap_move(cap, USER_CAP(t->request.to_slot));
	t->delivered = is_ok(e);
	return e;
}

/* Monitors have nothing of each other's here: their channels are the network's. */
bool agreement_is_private(struct agreement *a, const struct object *object)
{
	(void)a, (void)object;
	return false;
}

void agreement_put_off(struct agreement *a, cap_t cap)
{
	(void)a;
	put(here->unwanted, cap.value & 0xff);
}

void agreement_return_memory(struct agreement *a, cap_t ram)
{
	if (monitor_slot(&world.core[a->core], ram)->type != CAP_RAM)
		BREAK(given_back);
	put(here->kept, ram.value & 0xff);
}
