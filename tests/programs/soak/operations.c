/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* The operations, drawn at random, and the results that each may have while everybody else does the same. */

#include "tests/programs/soak/worker.h"

#define BIT(name)    (UINT64_C(1) << ERR_NUMBER_##name)
#define TYPE(name)   (1u << CAP_##name)
#define CROSSING     (TYPE(RAM) | TYPE(Frame) | TYPE(PageTable1) | TYPE(PageTable2) | TYPE(PageTable3))
#define FIRST_ROOT   200 /* of this worker's root CNode, for CNodes of its own */
#define ROOTS        8
#define MOST_PAGES   8
#define ALMOST_FULL  (HELD_MAX - 16)

/* It may have been revoked, or the CNode that it lies in; too much may be under way; a core may have died.
 *
 * LAST_COPY: somebody's core has died, and what is left of its memory lies in a CNode, or is the thing itself. */
#define ANY_TIME (BIT(OK) | BIT(CAP_EMPTY) | BIT(CAP_ADDRESS) | BIT(LIMIT) | BIT(CORE_DEAD))

static void note(const char *what, const struct cap_identity *id, err_t e, uint64_t allowed)
{
	me.operations++;
	me.refused += is_err(e);
	if (!(allowed >> e.number & 1))
		fail("%s of a %s 0x%llx+0x%llx (rights %u, flags %u, owner %u): %s", what, cap_type_name(id->type), (unsigned long long)id->base,
		     (unsigned long long)id->size, id->rights, id->flags, id->owner, err_sentence(e));
}

static void keep_or_free(cap_t cap)
{
	struct cap_identity id;
	const bool there = is_ok(cap_identify(cap, &id)) && id.type != CAP_Null;

	if (!there || !thing_add(cap, false))
		thing_discard(cap);
}

/* ---- Make ---- */

static cap_t free_root(struct random *r)
{
	const cap_t cap = CAP(ROOT_SELF, FIRST_ROOT + draw(r, ROOTS));
	struct cap_identity id;

	return thing_at(cap) || (is_ok(cap_identify(cap, &id)) && id.type != CAP_Null) ? CAP_NULL : cap;
}

static uint64_t bytes_of(struct random *r, enum cap_type type)
{
	switch (type) {
	case CAP_CNode:
		return CNODE_BYTES;
	case CAP_PageTable1:
		return PAGE_TABLE_BYTES;
	default:
		return (1 + draw(r, MOST_PAGES)) * PAGE_BYTES;
	}
}

static bool make_of(struct random *r, cap_t source, const struct cap_identity *id)
{
	static const enum cap_type types[] = {CAP_RAM, CAP_RAM, CAP_Frame, CAP_Frame, CAP_Frame, CAP_PageTable1, CAP_CNode};
	const enum cap_type type = id->type == CAP_Frame ? CAP_Frame : types[draw(r, sizeof(types) / sizeof(types[0]))];
	const uint64_t bytes = bytes_of(r, type);
	uint64_t offset;
	cap_t to;
	err_t e;

	if (bytes > id->size)
		return false;
	offset = draw(r, (id->size - bytes) / PAGE_BYTES + 1) * PAGE_BYTES;
	if (type == CAP_CNode)
		to = free_root(r);
	else if (is_err(cap_slot_alloc(&to)))
		return false;
	if (to.value == CAP_NULL.value)
		return false;
	e = cap_retype(source, type, offset, bytes, 1, to);
	/* The slots for CNodes are this worker's own to choose, and its other thread may have been faster. */
	note("retype", id, e, ANY_TIME | BIT(OVERLAP) | (type == CAP_CNode ? BIT(SLOT_IN_USE) : 0));
	if (type != CAP_CNode)
		keep_or_free(to);
	else if (is_ok(e) && !thing_add(to, true))
		thing_empty(to);
	return is_ok(e);
}

static void make(struct random *r, struct thing *t, const struct cap_identity *id)
{
	(void)make_of(r, t->cap, id);
}

static void make_of_the_arena(struct random *r)
{
	const struct cap_identity id = {.type = CAP_RAM, .base = me.arena_base, .size = ARENA_BYTES};

	/* While somebody else has most of it, there is no hurry. */
	if (!make_of(r, me.arena, &id))
		sleep_us(200);
}

/* ---- Copies ---- */

static void copy(struct random *r, struct thing *t, const struct cap_identity *id)
{
	cap_t to;
	err_t e;

	if (is_err(cap_slot_alloc(&to)))
		return;
	e = draw(r, 2) == 0 ? cap_copy(t->cap, to) : cap_mint(t->cap, to, RIGHTS((unsigned)draw(r, RIGHTS_ALL + 1)), 0);
	note("copy", id, e, ANY_TIME);
	keep_or_free(to);
}

static struct ipc_connection **any_peer(struct random *r)
{
	const unsigned first = (unsigned)draw(r, WORKERS_MAX);

	for (unsigned i = 0; i < WORKERS_MAX; i++)
		if (me.peer[(first + i) % WORKERS_MAX] != NULL)
			return &me.peer[(first + i) % WORKERS_MAX];
	return NULL;
}

static void hand_over(struct random *r, struct thing *t, const struct cap_identity *id, bool move)
{
	const unsigned rights = draw(r, 3) == 0 ? (unsigned)draw(r, RIGHTS_ALL + 1) : RIGHTS_ALL;
	struct ipc_connection **peer = any_peer(r);
	err_t e;

	if (peer == NULL)
		return;
	e = move ? ipc_move(*peer, t->cap, RIGHTS(rights), rights & id->rights) : ipc_give(*peer, t->cap, RIGHTS(rights), rights & id->rights);
	/* A move takes what it leaves behind away, and that may be the last of some memory. */
	note(move ? "move" : "give", id, e, ANY_TIME | BIT(NO_SLOT) | BIT(PEER_GONE) | (move ? BIT(LAST_COPY) : 0));
	if (err_is(e, ERR_NUMBER_PEER_GONE))
		*peer = NULL;
}

static void give(struct random *r, struct thing *t, const struct cap_identity *id)
{
	hand_over(r, t, id, false);
}

static void move(struct random *r, struct thing *t, const struct cap_identity *id)
{
	hand_over(r, t, id, true);
}

/* Into a CNode of one's own: it goes when that goes. */
static void store(struct random *r, struct thing *t, const struct cap_identity *id)
{
	struct cap_identity cnode;
	struct thing *c;
	cap_t to;
	err_t e;

	if (id->type == CAP_CNode || t->inside || t->at != NULL)
		return;
	c = thing_take(r, TYPE(CNode), RIGHT_WRITE, &cnode);
	if (c == NULL)
		return;
	to = CAP(c->cap.value & 0xff, draw(r, CNODE_SLOTS));
	if (!thing_at(to)) {
		e = cap_move(t->cap, to);
		note("a move into a CNode", id, e, ANY_TIME);
		if (is_ok(e) && !thing_add(to, true))
			thing_empty(to);
	}
	thing_put(c);
}

/* ---- Ends ---- */

static void end(struct random *r, struct thing *t, const struct cap_identity *id)
{
	(void)r;
	note("delete", id, cap_delete(t->cap), ANY_TIME | BIT(LAST_COPY));
}

/* After a revoke nobody has anything of it: all of it can be had again, and a Frame that is made of all of it is nobody else's. */
static void check_nothing_is_left(struct thing *t, const struct cap_identity *id)
{
	cap_t to;
	err_t e;

	if (is_err(cap_slot_alloc(&to)))
		return;
	e = cap_retype(t->cap, CAP_Frame, 0, id->size, 1, to);
	note("a retype of all, right after its revoke,", id, e, ANY_TIME);
	if (is_ok(e)) {
		contents_are_mine(to, id);
		note("delete of what was just made", id, cap_delete(to), ANY_TIME);
	}
	keep_or_free(to);
}

static void revoke(struct random *r, struct thing *t, const struct cap_identity *id)
{
	err_t e = cap_revoke(t->cap);

	(void)r;
	note("revoke", id, e, ANY_TIME | BIT(LAST_COPY));
	if (t->at != NULL)
		(void)!is_ok(frame_unmap(t->at));
	t->at = NULL;
	if (is_ok(e) && id->type == CAP_RAM)
		check_nothing_is_left(t, id);
}

/* Only one thread: the monitor takes a capability out of its slot while it works with it. */
static void revoke_the_arena(void)
{
	const struct cap_identity id = {.type = CAP_RAM, .base = me.arena_base, .size = ARENA_BYTES};

	note("revoke", &id, cap_revoke(me.arena), (ANY_TIME & ~BIT(CAP_EMPTY)) | BIT(LAST_COPY));
}

/* ---- Memory ---- */

static void touch(struct random *r, struct thing *t, const struct cap_identity *id)
{
	contents_map(t, id);
	for (unsigned i = 0; i < 4 && t->at != NULL; i++)
		contents_touch(r, t, id);
	me.operations++;
	if (t->at != NULL && draw(r, 4) == 0) {
		(void)!is_ok(frame_unmap(t->at));
		t->at = NULL;
	}
}

/* Into a table that others may have too. */
static void map(struct random *r, struct thing *t, const struct cap_identity *id)
{
	struct cap_identity table;
	struct thing *pt = thing_take(r, TYPE(PageTable1), RIGHT_WRITE, &table);
	err_t e;

	if (pt == NULL)
		return;
	e = invoke(t->cap, OP_Frame_map, pt->cap.value, draw(r, PAGE_TABLE_SLOTS), id->rights & (RIGHT_READ | RIGHT_WRITE), 0, 1).error;
	/* NOT_OWNER: only the core that a table belongs to writes to it. */
	note("map", id, e, ANY_TIME | BIT(MAPPED) | BIT(CAP_RIGHTS) | BIT(NOT_OWNER) | BIT(AGAIN));
	thing_put(pt);
}

/* ---- The dice ---- */

static const struct {
	const char *name;
	unsigned weight, types, rights;
	void (*run)(struct random *r, struct thing *t, const struct cap_identity *id);
} operations[] = {
    {"make", 16, TYPE(RAM) | TYPE(Frame), RIGHT_CONTROL, make},
    {"copy", 8, 0, 0, copy},
    {"give", 22, CROSSING, 0, give},
    {"move", 6, CROSSING, 0, move},
    {"store", 4, 0, 0, store},
    {"delete", 14, 0, 0, end},
    {"revoke", 8, 0, RIGHT_CONTROL, revoke},
    {"touch", 18, TYPE(Frame), RIGHT_READ, touch},
    {"map", 4, TYPE(Frame), RIGHT_READ, map},
};
#define OPERATIONS (sizeof(operations) / sizeof(operations[0]))

static unsigned choose(struct random *r)
{
	unsigned sum = 0, point, i = 0;

	for (unsigned o = 0; o < OPERATIONS; o++)
		sum += operations[o].weight;
	for (point = (unsigned)draw(r, sum); point >= operations[i].weight; i++)
		point -= operations[i].weight;
	return i;
}

void operate(struct random *r, unsigned thread)
{
	const unsigned count = thing_count(), o = choose(r);
	struct cap_identity id;
	struct thing *t;

	if (count < 4 || (count < ALMOST_FULL && draw(r, 10) == 0)) {
		me.doing[thread] = "make";
		make_of_the_arena(r);
	} else if (thread == 0 && draw(r, 200) == 0) {
		me.doing[thread] = "revoke of an arena";
		revoke_the_arena();
	} else {
		t = thing_take(r, count >= ALMOST_FULL ? 0 : operations[o].types, operations[o].rights, &id);
		if (t == NULL)
			return;
		me.doing[thread] = count >= ALMOST_FULL ? "delete" : operations[o].name;
		if (count >= ALMOST_FULL)
			end(r, t, &id);
		else
			operations[o].run(r, t, &id);
		thing_put(t);
	}
	me.doing[thread] = NULL;
}
