/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* The platform of a simulated monitor: monitor/platform.h and atoll/capability.h, as far as the agreement uses them, by the same calls to
 * the CPU driver of `here` that monitor/platform.c makes. */

#include "tests/explore/world.h"

#include "cpudriver/capability/types.h"

#include "tests/explore/invariants.h"

static struct invocation kernel(unsigned op, err_t *e, uint64_t w0, uint64_t w1, uint64_t w2, uint64_t w3, uint64_t w4)
{
	return world_call(CAP(0, IN_KERNEL), op, e, w0, w1, w2, w3, w4);
}

/* The address of the capability to the CNode that a slot lies in. */
static uint64_t cnode_of(cap_t cap)
{
	return ROOT_OF(cap.value >> 8).value;
}

static uint64_t slot_of(cap_t cap)
{
	return cap.value & 0xff;
}

/* ---- Slots of the monitor's own ----------------------------------------------------------------- */

err_t cap_slot_alloc(cap_t *out)
{
	for (unsigned k = MONITOR_FIRST; k < MONITOR_SLOTS; k++)
		if (!(here->taken[k / 64] >> k % 64 & 1)) {
			here->taken[k / 64] |= UINT64_C(1) << k % 64;
			*out = CAP(IN_MONITOR, k);
			return OK;
		}
	return ERR(NO_SLOT);
}

void cap_slot_free(cap_t slot)
{
	const unsigned k = slot.value & 0xff;

	if (slot.value >> 8 != IN_MONITOR || k >= MONITOR_SLOTS || !(here->taken[k / 64] >> k % 64 & 1)) {
		BREAK(slots);
		return;
	}
	if (monitor_slot(here, slot)->type != CAP_Null)
		BREAK(slots);
	here->taken[k / 64] &= ~(UINT64_C(1) << k % 64);
}

/* ---- Calls -------------------------------------------------------------------------------------- */

err_t cap_identify(cap_t cap, struct cap_identity *out)
{
	err_t e;
	const struct invocation i = world_call(cap, OP_Any_identify, &e, 0, 0, 0, 0, 0);

	*out = (struct cap_identity){
	    .type = i.value[0] & 0xff,
	    .rights = i.value[0] >> 8 & 0xff,
	    .flags = i.value[0] >> 16 & 0xffff,
	    .owner = i.value[0] >> 32 & 0xffff,
	    .base = i.value[1],
	    .size = i.value[2],
	};
	return e;
}

err_t cap_copy(cap_t source, cap_t destination)
{
	err_t e;

	world_call(source, OP_Any_copy, &e, cnode_of(destination), slot_of(destination), 0, 0, 0);
	return e;
}

err_t cap_mint(cap_t source, cap_t destination, rights_t rights, uint64_t badge)
{
	err_t e;

	world_call(source, OP_Any_mint, &e, cnode_of(destination), slot_of(destination), rights.bits, badge, 0);
	return e;
}

err_t cap_move(cap_t source, cap_t destination)
{
	err_t e;

	world_call(source, OP_Any_move, &e, cnode_of(destination), slot_of(destination), 0, 0, 0);
	return e;
}

err_t cap_retype(cap_t source, enum cap_type type, uint64_t offset, uint64_t bytes, unsigned count, cap_t first)
{
	err_t e;

	do
		world_call(source, OP_Any_retype, &e, cnode_of(first), slot_of(first), type | (uint64_t)count << 8, offset, bytes);
	while (err_is(e, ERR_NUMBER_AGAIN));
	return e;
}

err_t cap_delete(cap_t cap)
{
	err_t e;

	world_repeat(cap, OP_Any_delete, &e, 0);
	return e;
}

err_t cap_revoke(cap_t cap)
{
	err_t e;

	world_repeat(cap, OP_Any_revoke, &e, 0);
	return e;
}

/* ---- The platform ------------------------------------------------------------------------------- */

err_t platform_install(cap_t slot, const struct platform_remote *what)
{
	err_t e;

	kernel(OP_Kernel_install, &e, cnode_of(slot),
	       slot_of(slot) | (uint64_t)what->type << 8 | (uint64_t)what->rights << 16 | (uint64_t)what->owner << 32, what->base,
	       what->bytes, what->extra);
	return e;
}

err_t platform_identify(cap_t cap, struct platform_remote *what, unsigned *flags)
{
	err_t e;
	const struct invocation i = world_call(cap, OP_Any_identify, &e, 0, 0, 0, 0, 0);

	if (is_err(e))
		return e;
	*flags = i.value[0] >> 16 & 0xff;
	*what = (struct platform_remote){
	    .type = i.value[0] & 0xff,
	    .rights = i.value[0] >> 8 & 0xff,
	    .owner = i.value[0] >> 32 & 0xffff,
	    .base = i.value[1],
	    .bytes = i.value[2],
	    .extra = i.value[0] >> 48,
	};
	return OK;
}

err_t platform_move(cap_t cap, cap_t slot)
{
	return cap_move(cap, slot);
}

err_t platform_rescue(const struct platform_obstacle *o, cap_t slot)
{
	const struct platform_remote copy = {
	    .type = o->type, .rights = type_facts[o->type].rights, .owner = OWNER_OF_COPIES, .base = o->base, .bytes = o->size};

	return platform_install(slot, &copy);
}

static struct invocation find(uint64_t base, uint64_t bytes, uint64_t within, err_t *e)
{
	struct invocation i;

	do
		i = kernel(OP_Kernel_find, e, base, bytes, within, 0, 0);
	while (err_is(*e, ERR_NUMBER_AGAIN));
	return i;
}

void platform_relate(cap_t cap, struct platform_relations *r)
{
	const struct slot *s = monitor_slot(here, cap);
	err_t e;
	const struct invocation i = find(slot_number(s), s->size, cap.value, &e);

	*r = (struct platform_relations){
	    .contents = i.value[0] & FIND_FOUND,
	    .copies = i.value[0] & FIND_COPIES,
	    .covered = i.value[0] & FIND_COVERED,
	};
}

err_t platform_surrender(cap_t cap)
{
	err_t e;

	kernel(OP_Kernel_surrender, &e, cap.value, 0, 0, 0, 0);
	return e;
}

err_t platform_mark(cap_t cap, bool remote, uint32_t owner)
{
	err_t e;

	do
		kernel(OP_Kernel_mark, &e, cap.value, remote ? CAP_FLAG_REMOTE : 0, owner, 0, 0);
	while (err_is(e, ERR_NUMBER_AGAIN));
	return e;
}

static void tell_obstacle(const struct invocation *i, err_t e, struct platform_obstacle *o)
{
	*o = (struct platform_obstacle){0};
	if (err_is(e, ERR_NUMBER_LAST_COPY) || err_is(e, ERR_NUMBER_NEEDS_AGREEMENT))
		*o = (struct platform_obstacle){.type = (enum cap_type)i->value[0], .base = i->value[1], .size = i->value[2]};
}

err_t platform_delete(cap_t cap, bool *ram, struct platform_obstacle *o)
{
	err_t e;
	const struct invocation i = kernel(OP_Kernel_delete, &e, cap.value, SWEEP_PLAIN, 0, 0, 0);

	*ram = is_ok(e) && i.value[0];
	tell_obstacle(&i, e, o);
	return e;
}

err_t platform_delete_mapped(cap_t cap, bool *ram, struct platform_obstacle *o)
{
	err_t e;
	const struct invocation i = kernel(OP_Kernel_delete, &e, cap.value, SWEEP_SHARED_TABLES, 0, 0, 0);

	*ram = is_ok(e) && i.value[0];
	tell_obstacle(&i, e, o);
	return e;
}

err_t platform_sweep(cap_t cap, unsigned flags, struct platform_obstacle *o)
{
	err_t e;
	const struct invocation i = kernel(OP_Kernel_sweep, &e, cap.value, flags, 0, 0, 0);

	tell_obstacle(&i, e, o);
	return e;
}

bool platform_find(cap_t within, uint64_t base, uint64_t bytes)
{
	err_t e;
	const struct invocation i = find(base, bytes, within.value == CAP_NULL.value ? FIND_ANY : within.value, &e);

	return is_err(e) || i.value[0] & FIND_FOUND;
}

bool platform_next_foreign(struct platform_remote *at)
{
	struct invocation i;
	err_t e;

	do {
		i = kernel(OP_Kernel_next, &e, at->type | (uint64_t)at->owner << 32, at->base, at->bytes, 0, 0);
		*at = (struct platform_remote){
		    .type = i.value[0] & 0xff,
		    .owner = (uint32_t)(i.value[0] >> 32 & 0xffff),
		    .base = i.value[1],
		    .bytes = i.value[2],
		};
	} while (is_ok(e) && at->type != CAP_Null && !(i.value[0] >> 16 & CAP_FLAG_FOREIGN));
	return is_ok(e) && at->type != CAP_Null;
}

err_t platform_retype(cap_t source, enum cap_type type, uint64_t offset, uint64_t bytes, unsigned count, cap_t first)
{
	err_t e;

	do
		kernel(OP_Kernel_retype, &e, source.value, cnode_of(first), slot_of(first) | (uint64_t)type << 8 | (uint64_t)count << 16,
		       offset, bytes);
	while (err_is(e, ERR_NUMBER_AGAIN));
	return e;
}

err_t platform_split(cap_t ram, uint64_t offset, cap_t rest)
{
	err_t e;

	kernel(OP_Kernel_split, &e, ram.value, offset, cnode_of(rest), slot_of(rest), 0);
	return e;
}

void platform_flush(void)
{
	err_t e;

	kernel(OP_Kernel_flush, &e, 0, 0, 0, 0, 0);
	if (is_err(e))
		BREAK(translations);
}
