/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Four cores' agreement over a capability table that is as simple as possible: an array of slots on each core. What the real one does is
 * explored elsewhere (tests/explore); here a test can refuse room, let slices be repeated, look at each message and forge some. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "monitor/agreement/agreement.h"

#define CORES    4
#define SLOTS    64
#define USERS    32 /* the slots from here on are users' */
#define MESSAGES 256
#define PAGE     PAGE_BYTES

enum { RECIPIENT_USER = 1, RECIPIENT_FULL = 2 };

struct capability {
	struct platform_remote what;
	unsigned flags;
	uint64_t table; /* base of the shared page table that it is mapped in, 0: none */
};

struct core {
	struct agreement agreement;
	struct capability slot[SLOTS];
	bool taken[SLOTS];
	unsigned refuse_slots;   /* so many cap_slot_alloc fail */
	unsigned again;          /* so many slices of deleting or marking are to be repeated */
	uint64_t mapped_content; /* base of the shared page table that content of every container is mapped in, 0: none is */
	unsigned flushes, returned;
};

struct sent {
	uint32_t from, to;
	unsigned type;
	union agreement_message message;
};

struct result {
	uint64_t token;
	enum operation_kind kind;
	uint32_t error, messages;
	cap_t cap;
};

static struct core core[CORES];
static struct core *here;
static struct sent sent[MESSAGES], logged[MESSAGES];
static unsigned in_flight, log_length;
static struct result results[16];
static unsigned result_count;
static cap_t put_off;
static uint64_t private_base; /* of an object that the monitors have for themselves, 0: none */
static struct {
	enum cap_type type;
	cap_t slot;
} to_retype; /* what a granted retype makes */

/* ---- The table of capabilities ---- */

static struct capability *at(cap_t cap)
{
	assert_int_equal(cap.value >> 8, 1);
	assert_true((cap.value & 0xff) < SLOTS);
	return &here->slot[cap.value & 0xff];
}

static bool same(const struct capability *c, const struct capability *d)
{
	return c->what.type == d->what.type && c->what.base == d->what.base && c->what.bytes == d->what.bytes;
}

static bool comes_inside(const struct capability *outer, const struct capability *c)
{
	const struct platform_remote *o = &outer->what, *i = &c->what;

	if (i->type == CAP_Null || i->base < o->base || i->base + i->bytes > o->base + o->bytes)
		return false;
	return i->bytes < o->bytes || i->type > o->type;
}

static struct capability *another(const struct capability *c)
{
	for (unsigned k = 0; k < SLOTS; k++)
		if (&here->slot[k] != c && same(&here->slot[k], c))
			return &here->slot[k];
	return NULL;
}

static struct capability *inside(const struct capability *c)
{
	for (unsigned k = 0; k < SLOTS; k++)
		if (comes_inside(c, &here->slot[k]))
			return &here->slot[k];
	return NULL;
}

static bool is_covered(const struct capability *c)
{
	for (unsigned k = 0; k < SLOTS; k++)
		if (here->slot[k].what.type != CAP_Null && comes_inside(&here->slot[k], c))
			return true;
	return false;
}

static void clear(struct capability *c)
{
	memset(c, 0, sizeof(*c));
}

static err_t stopped(const struct capability *c, struct platform_obstacle *o)
{
	*o = (struct platform_obstacle){c->what.type, c->what.base, c->what.bytes};
	return ERR(NEEDS_AGREEMENT);
}

/* Its mapping ends if it may, but it stays for that once. */
static bool content_is_mapped(bool shared_tables, struct platform_obstacle *o)
{
	if (here->mapped_content == 0)
		return false;
	*o = (struct platform_obstacle){CAP_PageTable1, here->mapped_content, PAGE_TABLE_BYTES};
	if (shared_tables)
		here->mapped_content = 0;
	return true;
}

static bool repeats(void)
{
	return here->again > 0 && here->again-- > 0;
}

/* ---- Slots ---- */

err_t cap_slot_alloc(cap_t *out)
{
	if (here->refuse_slots > 0) {
		here->refuse_slots--;
		return ERR(NO_SLOT);
	}
	for (unsigned k = 1; k < USERS; k++)
		if (!here->taken[k]) {
			here->taken[k] = true;
			*out = CAP(1, k);
			return OK;
		}
	return ERR(NO_SLOT);
}

void cap_slot_free(cap_t slot)
{
	assert_int_equal(at(slot)->what.type, CAP_Null);
	assert_true(here->taken[slot.value & 0xff]);
	here->taken[slot.value & 0xff] = false;
}

/* ---- The platform ---- */

err_t platform_install(cap_t slot, const struct platform_remote *what)
{
	struct capability *c = at(slot), *other;

	assert_int_equal(c->what.type, CAP_Null);
	c->what = *what;
	other = another(c);
	if (other != NULL ? what->owner != OWNER_OF_COPIES && what->owner != other->what.owner : what->owner == OWNER_OF_COPIES) {
		clear(c);
		return ERR(STATE);
	}
	c->what.owner = other != NULL ? other->what.owner : what->owner;
	c->flags = other != NULL ? other->flags : what->owner == here->agreement.core ? 0 : CAP_FLAG_FOREIGN;
	return OK;
}

err_t platform_identify(cap_t cap, struct platform_remote *what, unsigned *flags)
{
	*what = at(cap)->what;
	*flags = at(cap)->flags;
	return what->type == CAP_Null ? ERR(CAP_EMPTY) : OK;
}

err_t platform_move(cap_t cap, cap_t slot)
{
	*at(slot) = *at(cap);
	clear(at(cap));
	return OK;
}

err_t platform_surrender(cap_t cap)
{
	struct capability *c = at(cap);

	if (c->flags == 0 || another(c) != NULL)
		return ERR(STATE);
	for (unsigned k = 0; k < SLOTS; k++)
		if (comes_inside(c, &here->slot[k]) && here->slot[k].what.owner == here->agreement.core)
			return ERR(OVERLAP);
	clear(c);
	return OK;
}

err_t platform_mark(cap_t cap, bool remote, uint32_t owner)
{
	struct capability *c = at(cap);

	if (c->what.type == CAP_Null)
		return ERR(CAP_EMPTY);
	if (repeats())
		return ERR(AGAIN);
	for (unsigned k = 0; k < SLOTS; k++)
		if (same(&here->slot[k], c)) {
			here->slot[k].flags = remote ? CAP_FLAG_REMOTE : owner == here->agreement.core ? 0 : CAP_FLAG_FOREIGN;
			here->slot[k].what.owner = owner;
		}
	return OK;
}

static err_t delete (cap_t cap, bool shared_tables, bool *ram, struct platform_obstacle *o)
{
	struct capability *c = at(cap), *d;

	*ram = false;
	if (c->what.type == CAP_Null)
		return ERR(CAP_EMPTY);
	if (repeats())
		return ERR(AGAIN);
	if (c->table != 0 && !shared_tables) {
		*o = (struct platform_obstacle){CAP_PageTable1, c->table, PAGE_TABLE_BYTES};
		return ERR(NEEDS_AGREEMENT);
	}
	c->table = 0;
	if (c->what.type == CAP_CNode && content_is_mapped(shared_tables, o))
		return ERR(NEEDS_AGREEMENT);
	if (another(c) != NULL) {
		clear(c);
		return OK;
	}
	if (c->flags != 0)
		return stopped(c, o);
	if (!is_covered(c) && c->what.type == CAP_RAM) {
		(void)!is_ok(stopped(c, o));
		return ERR(LAST_COPY);
	}
	while (!is_covered(c) && (d = inside(c)) != NULL) {
		if (d->flags != 0)
			return stopped(d, o);
		clear(d);
	}
	if (is_covered(c)) {
		clear(c);
		return OK;
	}
	c->what.type = CAP_RAM;
	*ram = true;
	return OK;
}

err_t platform_delete(cap_t cap, bool *ram, struct platform_obstacle *o)
{
	return delete (cap, false, ram, o);
}

err_t platform_delete_mapped(cap_t cap, bool *ram, struct platform_obstacle *o)
{
	return delete (cap, true, ram, o);
}

err_t platform_sweep(cap_t cap, unsigned flags, struct platform_obstacle *o)
{
	struct capability *c = at(cap);

	if (c->what.type == CAP_Null)
		return ERR(CAP_EMPTY);
	if (repeats())
		return ERR(AGAIN);
	for (unsigned k = 0; k < SLOTS; k++) {
		struct capability *d = &here->slot[k];

		if (d == c || d->what.type == CAP_Null || !(same(d, c) || comes_inside(c, d)))
			continue;
		if (d->table != 0 && flags != SWEEP_SHARED_TABLES) {
			*o = (struct platform_obstacle){CAP_PageTable1, d->table, PAGE_TABLE_BYTES};
			return ERR(NEEDS_AGREEMENT);
		}
		if (d->what.type == CAP_CNode && content_is_mapped(flags == SWEEP_SHARED_TABLES, o))
			return ERR(NEEDS_AGREEMENT);
		if (d->flags & CAP_FLAG_REMOTE && !same(d, c) && another(d) == NULL)
			return stopped(d, o);
		clear(d);
	}
	return OK;
}

err_t platform_rescue(const struct platform_obstacle *o, cap_t slot)
{
	return platform_install(slot, &(struct platform_remote){o->type, RIGHTS_ALL, OWNER_OF_COPIES, o->base, o->size, 0});
}

void platform_relate(cap_t cap, struct platform_relations *r)
{
	const struct capability *c = at(cap);

	*r = (struct platform_relations){.contents = inside(c) != NULL, .copies = another(c) != NULL, .covered = is_covered(c)};
}

bool platform_find(cap_t within, uint64_t base, uint64_t bytes)
{
	for (unsigned k = 0; k < SLOTS; k++) {
		const struct capability *d = &here->slot[k];

		if (comes_inside(at(within), d) && d->what.base < base + bytes && base < d->what.base + d->what.bytes)
			return true;
	}
	return false;
}

/* In the order of the slots, which is as good as any. */
bool platform_next_foreign(struct platform_remote *after)
{
	bool found = after->type == CAP_Null;

	for (unsigned k = 0; k < SLOTS; k++) {
		const struct capability *c = &here->slot[k], before = {.what = *after};

		if (found && c->flags & CAP_FLAG_FOREIGN && !same(c, &before)) {
			*after = c->what;
			return true;
		}
		found |= same(c, &before) && c->what.type != CAP_Null;
	}
	return false;
}

void platform_flush(void)
{
	here->flushes++;
}

/* ---- What the agreement tells ---- */

void agreement_send(struct agreement *a, uint32_t to, unsigned type, const union agreement_message *message)
{
	assert_true(to < CORES && to != a->core);
	assert_true(is_ok(agreement_check(type, agreement_bytes(type), message, CORES)));
	assert_true(in_flight < MESSAGES && log_length < MESSAGES);
	sent[in_flight] = (struct sent){.from = a->core, .to = to, .type = type, .message = *message};
	logged[log_length++] = sent[in_flight++];
}

static void make_what_was_granted(cap_t cap)
{
	struct capability *made = at(to_retype.slot);

	*made = *at(cap);
	made->what.type = to_retype.type;
	made->what.bytes = PAGE;
	made->what.owner = here->agreement.core;
	made->flags = 0;
}

void agreement_done(struct agreement *a, uint64_t token, enum operation_kind kind, err_t error, cap_t cap, uint32_t messages)
{
	assert_ptr_equal(a, &here->agreement);
	assert_true(result_count < 16);
	results[result_count++] = (struct result){token, kind, error.number, messages, cap};
	if (kind == OPERATION_RETYPE && is_ok(error) && to_retype.type != CAP_Null)
		make_what_was_granted(cap);
}

err_t agreement_deliver(struct agreement *a, uint64_t recipient, cap_t cap, uint32_t from)
{
	(void)a, (void)from;
	if (recipient == RECIPIENT_FULL)
		return ERR(SLOT_IN_USE);
	for (unsigned k = USERS; k < SLOTS; k++)
		if (here->slot[k].what.type == CAP_Null)
			return platform_move(cap, CAP(1, k));
	return ERR(NO_SLOT);
}

bool agreement_is_private(struct agreement *a, const struct object *object)
{
	(void)a;
	return object->base == private_base;
}

void agreement_put_off(struct agreement *a, cap_t cap)
{
	(void)a;
	put_off = cap;
}

void agreement_return_memory(struct agreement *a, cap_t ram)
{
	(void)a;
	assert_int_equal(at(ram)->what.type, CAP_RAM);
	here->returned++;
	clear(at(ram));
	cap_slot_free(ram);
}

/* ---- Driving it ---- */

static void world_begin(void)
{
	memset(core, 0, sizeof(core));
	in_flight = log_length = result_count = 0;
	private_base = 0;
	put_off = CAP_NULL;
	to_retype.type = CAP_Null;
	for (uint32_t i = 0; i < CORES; i++)
		agreement_start(&core[i].agreement, i, CORES);
}

static struct core *on(uint32_t number)
{
	here = &core[number];
	return here;
}

static void step_all(void)
{
	for (uint32_t i = 0; i < CORES; i++)
		for (unsigned n = 0; agreement_step(&on(i)->agreement); n++)
			assert_true(n < 1000);
}

/* The oldest message. */
static struct sent take(void)
{
	const struct sent s = sent[0];

	assert_true(in_flight > 0);
	memmove(sent, sent + 1, --in_flight * sizeof(*sent));
	return s;
}

static void deliver(const struct sent *s)
{
	agreement_receive(&on(s->to)->agreement, s->from, s->type, s->message.words);
}

/* Until nothing happens any more. */
static void run(void)
{
	for (step_all(); in_flight > 0; step_all()) {
		const struct sent s = take();

		deliver(&s);
	}
}

/* Until a message of that type is the next one. */
static inline struct sent run_until(unsigned type)
{
	for (step_all(); in_flight > 0; step_all()) {
		const struct sent s = take();

		if (s.type == type)
			return s;
		deliver(&s);
	}
	fail_msg("no %s was sent", agreement_name(type));
	abort();
}

static inline unsigned sent_of(unsigned type)
{
	unsigned n = 0;

	for (unsigned k = 0; k < log_length; k++)
		n += logged[k].type == type;
	return n;
}

/* A capability to [page, page + pages) in a user's slot. */
static cap_t user(uint32_t number, unsigned slot, enum cap_type type, unsigned page, unsigned pages, uint32_t owner)
{
	struct capability *c = &core[number].slot[USERS + slot];

	c->what = (struct platform_remote){type, RIGHTS_ALL, owner, page * PAGE, pages * PAGE, 0};
	c->flags = owner == number ? 0 : CAP_FLAG_FOREIGN;
	return CAP(1, USERS + slot);
}

/* Takes a user's capability, or a copy, into a slot of the monitor's. */
static cap_t fetch(uint32_t number, cap_t from, bool move)
{
	cap_t cap;

	on(number);
	assert_true(is_ok(cap_slot_alloc(&cap)));
	*at(cap) = *at(from);
	at(cap)->table = move ? at(from)->table : 0;
	if (move)
		clear(at(from));
	return cap;
}

/* What the caller does with the slot that it gets back. */
static inline void give_back(uint32_t number, cap_t cap)
{
	on(number);
	clear(at(cap));
	cap_slot_free(cap);
}

static const struct result *only_result(void)
{
	assert_int_equal(result_count, 1);
	result_count = 0;
	return &results[0];
}

static inline unsigned held(uint32_t number, enum cap_type type, unsigned page, unsigned pages)
{
	unsigned n = 0;

	for (unsigned k = 0; k < SLOTS; k++) {
		const struct platform_remote *w = &core[number].slot[k].what;

		n += w->type == type && w->base == page * PAGE && w->bytes == pages * PAGE;
	}
	return n;
}

/* A user's frame of two pages on core 0, with a copy on each of the cores in the list. */
static inline cap_t shared_frame(unsigned slot, unsigned page, const uint32_t *cores, unsigned count)
{
	const cap_t frame = user(0, slot, CAP_Frame, page, 2, 0);

	for (unsigned k = 0; k < count; k++) {
		const cap_t cap = fetch(0, frame, false);

		assert_true(is_ok(agreement_copy(&on(0)->agreement, 1, cap, RIGHTS_ALL, cores[k], RECIPIENT_USER, false)));
		run();
		assert_int_equal(only_result()->error, ERR_NUMBER_OK);
		give_back(0, cap);
	}
	log_length = 0;
	return frame;
}

/* The user's capability to the object on that core. */
static inline cap_t users_of(uint32_t number, enum cap_type type, unsigned page)
{
	for (unsigned k = USERS; k < SLOTS; k++)
		if (core[number].slot[k].what.type == type && core[number].slot[k].what.base == page * PAGE)
			return CAP(1, k);
	fail_msg("core %u has no such capability", number);
	abort();
}

static inline void assert_quiet(void)
{
	assert_int_equal(in_flight, 0);
	for (uint32_t i = 0; i < CORES; i++)
		assert_true(agreement_is_quiet(&core[i].agreement));
}

static inline const struct shared *entry(uint32_t number, enum cap_type type, unsigned page)
{
	for (unsigned k = 0; k < SHARED_MAX; k++) {
		const struct shared *s = &core[number].agreement.shared[k];

		if (s->object.type == type && s->object.base == page * PAGE)
			return s;
	}
	return NULL;
}
