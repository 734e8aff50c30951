/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Operations under way: their numbers, the queue of those that have something to do, their beginning and their end; and the way of a
 * message to the function that knows what it means. */

#include <string.h>

#include "monitor/agreement/internal.h"

/* ---- Operations ---- */

/* So many may be under way when another one begins. Those that others wait for find room when nothing new does. */
static uint32_t room_for(enum operation_kind kind)
{
	switch (kind) {
	case OPERATION_HOLDER:
	case OPERATION_TRANSFER:
		return OPERATIONS_MAX - OPERATIONS_MAX / 8;
	case OPERATION_OWNER:
		return OPERATIONS_MAX - OPERATIONS_MAX / 4;
	default:
		return OPERATIONS_MAX / 2;
	}
}

static struct operation *operation_take(struct agreement *a, enum operation_kind kind, const struct object *object, uint32_t room)
{
	struct operation *op = a->operation;
	uint16_t generation;

	if (a->operation_count >= room)
		return NULL;
	while (op->kind != OPERATION_NONE)
		op++;
	generation = (uint16_t)(op->generation + 1);
	memset(op, 0, sizeof(*op));
	op->kind = kind;
	op->generation = generation;
	op->object = *object;
	op->owner = op->core = a->core;
	a->operation_count++;
	a->statistics.begun[kind]++;
	return op;
}

struct operation *operation_new(struct agreement *a, enum operation_kind kind, const struct object *object)
{
	return operation_take(a, kind, object, room_for(kind));
}

struct operation *operation_new_internal(struct agreement *a, enum operation_kind kind, const struct object *object)
{
	struct operation *op = operation_take(a, kind, object, OPERATIONS_MAX);

	if (op != NULL)
		op->internal = true;
	return op;
}

void operation_free(struct agreement *a, struct operation *op)
{
	const uint16_t generation = op->generation, parent = op->parent;

	a->statistics.done[op->kind]++;
	a->operation_count--;
	memset(op, 0, sizeof(*op));
	op->generation = generation;
	a->eased = a->parked > 0;
	if (parent != 0) {
		operation_at(a, parent)->children--;
		operation_due(a, operation_at(a, parent));
	}
}

struct operation *operation_numbered(struct agreement *a, uint32_t number)
{
	const uint16_t index = (uint16_t)number, generation = (uint16_t)(number >> 16);
	struct operation *op;

	if (index == 0 || index > OPERATIONS_MAX)
		return NULL;
	op = operation_at(a, index);
	return op->kind != OPERATION_NONE && op->generation == generation ? op : NULL;
}

struct operation *operation_named(struct agreement *a, const struct subject *s)
{
	struct operation *op = operation_numbered(a, s->number);

	return op != NULL && object_is(&op->object, &s->object) ? op : NULL;
}

void operation_due(struct agreement *a, struct operation *op)
{
	const uint16_t index = operation_index(a, op);

	if (op->due)
		return;
	op->due = true;
	op->next = 0;
	if (a->due_last != 0)
		operation_at(a, a->due_last)->next = index;
	else
		a->due_first = index;
	a->due_last = index;
}

static void (*const runs[])(struct agreement *a, struct operation *op) = {
    [OPERATION_COPY] = copy_run,     [OPERATION_RETYPE] = retype_run, [OPERATION_DELETE] = delete_run,
    [OPERATION_REVOKE] = revoke_run, [OPERATION_HOLDER] = holder_run, [OPERATION_TRANSFER] = transfer_run,
};

void operation_run(struct agreement *a, struct operation *op)
{
	if (a->changing) {
		operation_due(a, op);
		return;
	}
	if (runs[operation_role(op)] != NULL)
		runs[operation_role(op)](a, op);
}

/* What the agreement could not delete is tried again, once something has changed. */
static bool operations_unpark(struct agreement *a)
{
	const bool any = a->parked > 0 && a->eased;

	a->eased = false;
	for (unsigned i = 0; any && a->parked > 0 && i < OPERATIONS_MAX; i++)
		if (a->operation[i].phase == PHASE_PARKED) {
			a->operation[i].phase = PHASE_BEGIN;
			a->parked--;
			operation_due(a, &a->operation[i]);
		}
	return any;
}

bool agreement_step(struct agreement *a)
{
	struct operation *op;

	if (a->changing)
		return false;
	if (a->due_first == 0)
		return operations_unpark(a) || anchors_tidy(a);
	op = operation_at(a, a->due_first);
	a->due_first = op->next;
	if (a->due_first == 0)
		a->due_last = 0;
	op->next = 0;
	op->due = false;
	operation_run(a, op);
	return a->due_first != 0 || a->shared_count != 0;
}

bool agreement_is_quiet(const struct agreement *a)
{
	return a->operation_count == 0;
}

/* ---- The end of an operation ---- */

/* Goes on as a deletion of a capability of the agreement's own. */
static void operation_dispose(struct agreement *a, struct operation *op, cap_t cap)
{
	unsigned flags;
	struct object object;
	uint32_t owner;

	if (is_err(object_of(cap, &object, &owner, &flags))) {
		cap_slot_free(cap);
		operation_free(a, op);
		return;
	}
	a->statistics.done[op->kind]++;
	a->statistics.begun[OPERATION_DELETE]++;
	op->kind = OPERATION_DELETE;
	op->serving = OPERATION_NONE;
	op->phase = PHASE_BEGIN;
	op->internal = true;
	op->answered = op->swept = op->kept = op->tables = op->pausing = false;
	op->error = 0;
	op->owner = owner;
	op->object = object;
	op->cap = cap;
	memset(&op->obstacle, 0, sizeof(op->obstacle));
	memset(&op->left, 0, sizeof(op->left));
	memset(&op->flush, 0, sizeof(op->flush));
	operation_run(a, op);
}

/* There is no room for an operation. One of several copies goes at once; the last one becomes the anchor, until anchors_tidy finds that
 * nothing needs it. If there is no room for that either, the monitor keeps it in mind. */
static void dispose_without_room(struct agreement *a, cap_t cap, const struct object *object, uint32_t owner)
{
	struct platform_obstacle o;
	struct shared *s;
	bool ram;

	if (is_ok(platform_delete(cap, &ram, &o))) {
		if (ram)
			agreement_return_memory(a, cap);
		else
			cap_slot_free(cap);
		return;
	}
	s = shared_make(a, object, owner);
	if (s != NULL && anchor_of(s).value == CAP_NULL.value)
		s->anchor = cap;
	else
		agreement_put_off(a, cap);
}

void dispose(struct agreement *a, cap_t cap)
{
	unsigned flags;
	struct object object;
	uint32_t owner;
	struct operation *op = NULL;

	if (is_err(object_of(cap, &object, &owner, &flags))) {
		cap_slot_free(cap);
		return;
	}
	op = operation_new_internal(a, OPERATION_DELETE, &object);
	if (op == NULL) {
		dispose_without_room(a, cap, &object, owner);
		return;
	}
	op->cap = cap;
	operation_due(a, op);
}

/* What the agreement has of the object beside what belongs to whoever asked. */
static cap_t left_over(const struct operation *op, cap_t anchor)
{
	struct platform_obstacle o;
	bool ram;

	if (op->cap.value == CAP_NULL.value || (op->kind != OPERATION_OWNER && !op->internal))
		return anchor;
	if (anchor.value != CAP_NULL.value && is_ok(platform_delete(anchor, &ram, &o)))
		cap_slot_free(anchor);
	return op->cap;
}

/* A move is a copy and then a deletion. */
static void go_on_with_delete(struct agreement *a, struct operation *op, cap_t anchor)
{
	if (anchor.value != CAP_NULL.value)
		dispose(a, anchor);
	op->serving = OPERATION_DELETE;
	op->phase = PHASE_BEGIN;
	operation_run(a, op);
}

void operation_end(struct agreement *a, struct operation *op, cap_t anchor)
{
	if (op->kind == OPERATION_MOVE && op->serving == OPERATION_COPY && op->error == ERR_NUMBER_OK && !MUTANT(move_keeps_the_source)) {
		go_on_with_delete(a, op, anchor);
		return;
	}
	const struct operation over = *op;
	const bool asked_here = !op->internal && op->kind != OPERATION_OWNER && !op->answered;
	cap_t cap;

	if (op->kind == OPERATION_OWNER && !op->answered)
		owner_answer(a, op);
	cap = left_over(op, anchor);
	if (cap.value != CAP_NULL.value)
		operation_dispose(a, op, cap);
	else
		operation_free(a, op);
	if (asked_here)
		agreement_done(a, over.token, over.kind, (err_t){over.error}, over.cap, over.messages);
}

void operation_fail(struct agreement *a, struct operation *op, err_t e)
{
	op->error = (uint8_t)e.number;
	owner_end(a, op);
}

err_t operation_cap(struct operation *op)
{
	struct object object;
	unsigned flags;

	if (is_err(object_of(op->cap, &object, &op->owner, &flags)) || !object_is(&object, &op->object))
		return ERR(CAP_EMPTY);
	return OK;
}

err_t operation_look(struct agreement *a, struct operation *op)
{
	err_t e;

	if (op->kind == OPERATION_OWNER)
		return op->error != ERR_NUMBER_OK ? (err_t){op->error} : ERR(NOT_OWNER);
	e = operation_cap(op);
	return is_ok(e) && !set_has(&a->alive, op->owner) && operation_role(op) != OPERATION_DELETE ? ERR(CORE_DEAD) : e;
}

/* ---- Beginning ---- */

void agreement_start(struct agreement *a, uint32_t core, uint32_t cores)
{
	memset(a, 0, sizeof(*a));
	a->core = core;
	a->cores = cores;
	for (uint32_t i = 0; i < cores; i++)
		set_add(&a->alive, i);
}

static err_t begin(struct agreement *a, enum operation_kind kind, uint64_t token, cap_t cap, struct operation **out)
{
	struct object object;
	uint32_t owner;
	unsigned flags;
	err_t e = object_of(cap, &object, &owner, &flags);

	if (is_err(e))
		return e;
	*out = operation_new(a, kind, &object);
	if (*out == NULL)
		return ERR(LIMIT);
	(*out)->owner = owner;
	(*out)->token = token;
	(*out)->cap = cap;
	operation_due(a, *out);
	return OK;
}

err_t agreement_copy(struct agreement *a, uint64_t token, cap_t cap, uint16_t rights, uint32_t to, uint64_t recipient, bool move)
{
	struct platform_remote what;
	struct operation *op = NULL;
	unsigned flags;
	err_t e = platform_identify(cap, &what, &flags);

	if (is_err(e))
		return e;
	if (!agreement_shares(what.type, what.bytes))
		return ERR(CAP_TYPE);
	if (to >= a->cores)
		return ERR(CORE_UNKNOWN);
	if (!set_has(&a->alive, to))
		return ERR(CORE_DEAD);
	e = begin(a, move ? OPERATION_MOVE : OPERATION_COPY, token, cap, &op);
	if (is_err(e))
		return e;
	op->serving = OPERATION_COPY;
	op->rights = rights & what.rights;
	op->to = to;
	op->recipient = recipient;
	return OK;
}

err_t agreement_retype(struct agreement *a, uint64_t token, cap_t cap, uint64_t base, uint64_t bytes)
{
	struct operation *op = NULL;
	err_t e = begin(a, OPERATION_RETYPE, token, cap, &op);

	if (is_err(e))
		return e;
	op->base = base;
	op->bytes = bytes;
	return OK;
}

err_t agreement_delete(struct agreement *a, uint64_t token, cap_t cap)
{
	struct operation *op = NULL;

	return begin(a, OPERATION_DELETE, token, cap, &op);
}

err_t agreement_revoke(struct agreement *a, uint64_t token, cap_t cap)
{
	struct platform_remote what;
	struct operation *op = NULL;
	unsigned flags;
	err_t e = platform_identify(cap, &what, &flags);

	if (is_err(e))
		return e;
	if (!(what.rights & RIGHT_CONTROL))
		return ERR(CAP_RIGHTS);
	return begin(a, OPERATION_REVOKE, token, cap, &op);
}

/* ---- Messages ---- */

union agreement_message message_blank(void)
{
	union agreement_message m;

	memset(&m, 0, sizeof(m));
	return m;
}

void say_about(struct agreement *a, const struct subject *about, uint32_t to, unsigned type, union agreement_message *m)
{
	if (!is_member(a, to))
		return;
	m->head.operation = about->number;
	m->head.view = a->view;
	m->head.object = about->object.base | (uint64_t)about->owner << AGREEMENT_OWNER_SHIFT | about->object.type;
	m->head.size = about->object.size;
	a->statistics.sent++;
	agreement_send(a, to, type, m);
}

void say(struct agreement *a, struct operation *op, uint32_t to, unsigned type, uint32_t number, union agreement_message *m)
{
	const struct subject about = {op->object, op->owner, number};

	say_about(a, &about, to, type, m);
}

static struct subject subject_of(const struct agreement_head *h)
{
	return (struct subject){
	    .object = {.base = h->object & AGREEMENT_BASE_MASK, .size = h->size, .type = (enum cap_type)(h->object & AGREEMENT_TYPE_MASK)},
	    .owner = (uint32_t)((h->object & ~AGREEMENT_BASE_MASK) >> AGREEMENT_OWNER_SHIFT),
	    .number = h->operation,
	};
}

static bool receive(struct agreement *a, uint32_t from, unsigned type, const union agreement_message *m)
{
	const struct subject s = subject_of(&m->head);

	switch (type) {
#define AGREEMENT(name, number, fields)                                                                                                    \
	case number:                                                                                                                       \
		return receive_##name(a, from, &s, &m->name);
#include "monitor/agreement/messages.def"
#undef AGREEMENT
	default:
		return false;
	}
}

void agreement_receive(struct agreement *a, uint32_t from, unsigned type, const uint64_t words[CHANNEL_WORDS])
{
	union agreement_message m;

	a->statistics.received++;
	memcpy(m.words, words, sizeof(m.words));
	if (from == a->core || (!is_member(a, from) && !MUTANT(dead_believed)) ||
	    is_err(agreement_check(type, agreement_bytes(type), &m, a->cores)) || !members_may_say(a, from, type, m.head.view) ||
	    !receive(a, from, type, &m))
		a->statistics.refused++;
}
