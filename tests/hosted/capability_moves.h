/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Random calls, some of them senseless. What they do is decided by numbers from `next_number`, so the random test and the fuzzer share
 * them. The only calls left out are those by which the test would saw off the branch it sits on: giving away its Kernel capability
 * or RAM, and revoking its root CNode. */

#include "tests/hosted/capability_world.h"

struct move {
	cap_t cap;
	unsigned op;
	uint64_t word[5];
};

#define SLOTS 48 /* of each CNode, that are used most */

static uint32_t (*next_number)(void);

static uint32_t below(uint32_t limit)
{
	return next_number() % limit;
}

/* Root slots 3 to 11 come to hold CNodes now and then. */
static cap_t any_cap(void)
{
	cap_t cap = CAP(below(3) ? 0 : below(12), below(SLOTS));

	for (unsigned tries = below(8); tries; tries--) {
		const struct slot *s = cap_slot(root_slots(), cap);

		if (s && s->type != CAP_Null)
			return cap;
		cap = CAP(below(3) ? 0 : below(12), below(SLOTS));
	}
	return below(64) ? cap : (cap_t){(uint16_t)next_number()};
}

static uint64_t odd_number(void)
{
	static const uint64_t odd[] = {0,         1,       255, 256, 4095, PAGE_BYTES, UINT64_MAX, UINT64_C(1) << 63, UINT64_C(1) << 44,
	                               RAM_BYTES, RAM_BASE};

	return odd[below(sizeof odd / sizeof odd[0])];
}

static bool is_type(cap_t cap, unsigned type)
{
	const struct slot *s = cap_slot(root_slots(), cap);

	return s && s->type == type;
}

/* Of a few tries, a capability of that type. */
static cap_t cap_of(unsigned type)
{
	cap_t cap = any_cap();

	for (unsigned tries = 0; tries < 12 && !is_type(cap, type); tries++)
		cap = any_cap();
	return cap;
}

static unsigned table_of_frame(void)
{
	return CAP_PageTable1 + (below(4) ? 0 : below(4));
}

static struct move retype_move(void)
{
	static const uint8_t useful[] = {CAP_RAM,        CAP_RAM,        CAP_Frame, CAP_Frame, CAP_PageTable1, CAP_PageTable2,
	                                 CAP_PageTable3, CAP_PageTable4, CAP_CNode, CAP_CNode, CAP_Dispatcher};
	bool whole = below(3) == 0;
	unsigned type = useful[below(sizeof useful)];
	struct move m = {whole ? ROOT_SLOT(ROOT_RAM) : cap_of(below(3) ? CAP_RAM : CAP_Frame), OP_Any_retype, {0}};

	m.word[0] = below(4) ? IN_ROOT : cap_of(CAP_CNode).value;
	m.word[1] = below(SLOTS);
	m.word[2] = type | (below(4) ? 1 : below(5)) << 8;
	m.word[3] = below(whole ? 512 : 16) * PAGE_BYTES;
	m.word[4] = type == CAP_RAM || type == CAP_Frame ? (1 + below(16)) * PAGE_BYTES : 0;
	if (below(6) == 0) {
		m.cap = cap_of(CAP_Dispatcher);
		m.word[2] = (below(3) ? CAP_Frame + below(2) * (CAP_Endpoint - CAP_Frame) : CAP_Doorbell) | (1 + below(3)) << 8;
		m.word[3] = (m.word[2] & 0xff) == CAP_Frame ? 0 : below(DOORBELLS + 2);
		m.word[4] = 0;
	}
	return m;
}

static struct move map_move(void)
{
	unsigned level = CAP_PageTable1 + below(3);

	if (below(2))
		return (struct move){
		    cap_of(CAP_Frame),
		    OP_Frame_map,
		    {cap_of(table_of_frame()).value, below(512), below(2) ? 3 : below(16), below(3) * PAGE_BYTES, 1 + below(3)}};
	return (struct move){cap_of(level), OP_PageTable1_map, {cap_of(level + 1).value, below(260)}};
}

static uint64_t install_word(void)
{
	unsigned type = CAP_RAM + below(CAP_TYPES);

	uint64_t owner = below(8) ? THIS_CORE + below(2) : OWNER_OF_COPIES;

	return below(SLOTS) | type << 8 | below(16) << 16 | owner << 32;
}

/* Kernel's operations on the database, each with words that make sense now and then. */
static struct move kernel_move(void)
{
	const cap_t kernel = ROOT_SLOT(ROOT_KERNEL);
	const uint64_t slot = below(SLOTS), pages = 1 + below(16);

	switch (below(16)) {
	case 0 ... 2:
		return (struct move){
		    kernel, OP_Kernel_install, {IN_ROOT, install_word(), MIB + below(64) * PAGE_BYTES * 4, (1 + below(4)) * PAGE_BYTES}};
	case 3:
		return (struct move){kernel, OP_Kernel_find, {below(1 << 26), below(1 << 20), below(2) ? FIND_ANY : any_cap().value}};
	case 4 ... 5:
		return (struct move){kernel, OP_Kernel_surrender, {any_cap().value}};
	case 6:
		return (struct move){kernel, OP_Kernel_sweep, {any_cap().value, below(3)}};
	case 7:
		return (struct move){
		    kernel, OP_Kernel_fetch, {cap_of(CAP_Dispatcher).value, any_cap().value, IN_ROOT, slot | below(3) << 8}};
	case 8:
		return (struct move){
		    kernel, OP_Kernel_deliver, {any_cap().value, cap_of(CAP_Dispatcher).value, CAP(below(12), slot).value}};
	case 9 ... 10:
		return (struct move){kernel,
		                     OP_Kernel_retype,
		                     {cap_of(CAP_RAM).value, IN_ROOT, slot | (CAP_RAM + below(2)) << 8 | 1 << 16, below(16) * PAGE_BYTES,
		                      pages * PAGE_BYTES}};
	case 11 ... 12:
		return (struct move){kernel, OP_Kernel_split, {cap_of(CAP_RAM).value, pages * PAGE_BYTES, IN_ROOT, slot}};
	case 13:
		return (struct move){kernel, below(4) ? OP_Kernel_delete : OP_Kernel_flush, {any_cap().value, below(3)}};
	}
	return (struct move){kernel, OP_Kernel_mark, {any_cap().value, below(4) == 0, THIS_CORE + (below(8) == 0)}};
}

static struct move random_move(void)
{
	struct move m = {any_cap(), OP_Any_copy, {below(3) ? IN_ROOT : cap_of(CAP_CNode).value, below(SLOTS), below(16), 0, 0}};

	switch (below(16)) {
	case 0 ... 3:
		m = retype_move();
		break;
	case 4 ... 5:
		m = map_move();
		break;
	case 6:
		m.op = OP_Frame_unmap;
		break;
	case 7:
		m = kernel_move();
		break;
	case 8 ... 10:
		m.op = OP_Any_delete;
		break;
	case 11:
		m.op = below(6) ? OP_Any_mint : OP_Any_revoke;
		break;
	case 12:
		m.op = OP_Any_move;
		break;
	}
	if (below(32) == 0)
		m.word[below(5)] = below(2) ? odd_number() : next_number();
	if (below(64) == 0)
		m.op = below(OPERATION_LIMIT + 8);
	return m;
}

/* Whether the test would lose what it lives on. */
static bool is_suicide(const struct move *m)
{
	const struct slot *s = cap_slot(root_slots(), m->cap);

	if (!s)
		return false;
	if (s->type == CAP_Kernel && m->op <= OP_Any_revoke)
		return true;
	if (s->type == CAP_RAM && s->size == RAM_BYTES && (m->op == OP_Any_move || m->op == OP_Any_delete))
		return s == &root_slots()[ROOT_RAM];
	if (s->type == CAP_RAM && s->size == RAM_BYTES && m->op == OP_Any_revoke)
		return s != &root_slots()[ROOT_RAM] || below(16);
	if (s->type == CAP_CNode && s->base == ROOT_BASE)
		return m->op == OP_Any_revoke;
	if (s->type == CAP_Kernel && m->op == OP_Kernel_fetch && m->word[3] >> 8 == FETCH_MOVE)
		return (m->word[1] & 0xff) == ROOT_RAM || (m->word[1] & 0xff) == ROOT_KERNEL;
	if (s->type == CAP_Kernel && (m->op == OP_Kernel_sweep || m->op == OP_Kernel_mark || m->op == OP_Kernel_surrender ||
	                              m->op == OP_Kernel_deliver || m->op == OP_Kernel_split || m->op == OP_Kernel_delete)) {
		s = m->word[0] <= UINT16_MAX ? cap_slot(root_slots(), (cap_t){(uint16_t)m->word[0]}) : NULL;
		return s && ((s->type == CAP_RAM && s->size == RAM_BYTES) || (s->type == CAP_CNode && s->base == ROOT_BASE) ||
		             s->type == CAP_Kernel);
	}
	return false;
}

static err_t make_move(const struct move *m)
{
	err_t e = call(m->cap, m->op, m->word[0], m->word[1], m->word[2], m->word[3], m->word[4]);

	if (root_slots()[ROOT_SELF].type == CAP_Null)
		slot_copy(&world.caps, &world.holder, &root_slots()[ROOT_SELF], RIGHTS(RIGHTS_ALL));
	return e;
}

/* What the CPU driver does by itself: a dispatcher takes up its address space or capability space, or lets go of it. */
static void bind_or_unbind(void)
{
	struct slot *dispatcher = cap_slot(root_slots(), cap_of(CAP_Dispatcher));
	struct slot *bound = cap_slot(root_slots(), cap_of(below(4) ? CAP_CNode : CAP_PageTable4));
	struct slot *binding;

	if (!dispatcher || dispatcher->type != CAP_Dispatcher)
		return;
	binding = (struct slot *)window(PADDR(dispatcher->base + BINDINGS_OFFSET)) + below(BINDINGS);
	if (binding->type != CAP_Null) {
		err_t e = slot_delete_internal(&world.caps, binding);

		(void)e;
	} else if (bound && (bound->type == CAP_CNode || bound->type == CAP_PageTable4)) {
		slot_copy_internal(&world.caps, bound, binding);
	}
	if (root_slots()[ROOT_SELF].type == CAP_Null)
		slot_copy(&world.caps, &world.holder, &root_slots()[ROOT_SELF], RIGHTS(RIGHTS_ALL));
}

/* Another core's doorbell is on a line of its own. */
static const struct slot *object_at(uint64_t base, uint64_t size, uint8_t type)
{
	struct slot object = {.base = base, .size = size, .type = type};
	const struct slot *s = database_not_before(&world.caps, &object);

	if (type == CAP_Doorbell && !(s && same_object(s, &object))) {
		object.base |= LINE_BELLS;
		s = database_not_before(&world.caps, &object);
	}
	return s && same_object(s, &object) ? s : NULL;
}

/* Takes all RAM back, as a monitor would: by agreement, and around obstacles. Fails loudly if it can't. */
static void take_everything_back(void)
{
	for (unsigned tries = 0; tries < 4000; tries++) {
		struct slot *root = root_slots();
		unsigned free = SLOTS;
		err_t e = call(ROOT_SLOT(ROOT_KERNEL), OP_Kernel_sweep, ROOT_SLOT(ROOT_RAM).value, 0, 0, 0, 0);

		if (is_ok(e)) {
			HOLDS_TRUE(!database_reaching(database_after(&world.caps, &root[ROOT_RAM]), RAM_BASE) ||
			               last_descendant(&world.caps, &root[ROOT_RAM]) == NULL,
			           NULL);
			HOLDS_TRUE(!another_copy(&root[ROOT_RAM]), NULL);
			return;
		}
		if (err_is(e, ERR_NUMBER_AGAIN))
			continue;
		if (!err_is(e, ERR_NUMBER_LAST_COPY) && !err_is(e, ERR_NUMBER_NEEDS_AGREEMENT))
			must(e, "taking all RAM back");
		while (root[free].type != CAP_Null)
			free++;
		const uint64_t *v = world.last.value;
		const struct slot *owner = database_first_reaching(&world.caps, v[1]);
		const struct slot *same = object_at(v[1], v[2], (uint8_t)v[0]);

		HOLDS_TRUE(owner && same, owner);
		e = call(ROOT_SLOT(ROOT_KERNEL), OP_Kernel_install, IN_ROOT, free | v[0] << 8 | (uint64_t)same->owner << 32, v[1], v[2], 0);
		must(e, "a copy of what is in the way");
		do
			e = call(ROOT_SLOT(ROOT_KERNEL), OP_Kernel_mark, ROOT_SLOT(free).value, 0, same->owner, 0, 0);
		while (err_is(e, ERR_NUMBER_AGAIN));
	}
	HOLDS_TRUE(false, NULL);
}
