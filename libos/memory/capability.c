/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* The operations that every capability has, as functions. A destination slot is handed over as (CNode, slot in it); the CNode itself
 * lies in the root CNode, which is reachable through its own slot ROOT_SELF. */

#include <atoll/capability.h>

#include "libos/memory/agreement.h"
#include "libos/memory/memory.h"
#include "libos/upcall/dispatcher.h"

static uint64_t cnode_of(cap_t cap)
{
	return CAP(ROOT_SELF, cap.value >> 8).value;
}
static uint64_t slot_of(cap_t cap)
{
	return cap.value & 0xff;
}

const char *cap_type_name(enum cap_type type)
{
	static const char *const names[] = {
#define CAPABILITY(name, number, bytes, align, rights, sources, crosses) [number] = #name,
#include "cpudriver/abi/capabilities.def"
#undef CAPABILITY
	};

	return (unsigned)type < sizeof names / sizeof names[0] ? names[type] : "unknown";
}

err_t cap_identify(cap_t cap, struct cap_identity *out)
{
	struct call_result r = invoke(cap, OP_Any_identify, 0, 0, 0, 0, 0);

	if (is_err(r.error))
		return r.error;
	*out = (struct cap_identity){
	    .type = (enum cap_type)(r.value[0] & 0xff),
	    .rights = (uint8_t)(r.value[0] >> 8),
	    .flags = (uint16_t)(r.value[0] >> 16),
	    .owner = (uint16_t)(r.value[0] >> 32),
	    .extra = (uint16_t)(r.value[0] >> 48),
	    .base = r.value[1],
	    .size = r.value[2],
	};
	return OK;
}

/* AGAIN: a bounded part is done. */
static err_t repeat(cap_t cap, unsigned operation, uint64_t w0, uint64_t w1, uint64_t w2, uint64_t w3, uint64_t w4)
{
	err_t e;

	do
		e = invoke(cap, operation, w0, w1, w2, w3, w4).error;
	while (err_is(e, ERR_NUMBER_AGAIN));
	return e;
}

err_t cap_copy(cap_t source, cap_t destination)
{
	return repeat(source, OP_Any_copy, cnode_of(destination), slot_of(destination), 0, 0, 0);
}

err_t cap_mint(cap_t source, cap_t destination, rights_t rights, uint64_t badge)
{
	return repeat(source, OP_Any_mint, cnode_of(destination), slot_of(destination), rights.bits, badge, 0);
}

err_t cap_move(cap_t source, cap_t destination)
{
	return repeat(source, OP_Any_move, cnode_of(destination), slot_of(destination), 0, 0, 0);
}

/* ---- What may concern other cores: the CPU driver does it, or says that the monitor has to ---- */

static bool needs_agreement(err_t e)
{
	return __builtin_expect(err_is(e, ERR_NUMBER_NEEDS_AGREEMENT), 0);
}

err_t cap_retype(cap_t source, enum cap_type type, uint64_t offset, uint64_t bytes, unsigned count, cap_t first)
{
	err_t e = repeat(source, OP_Any_retype, cnode_of(first), slot_of(first), (uint64_t)type | (uint64_t)count << 8, offset, bytes);

	if (!needs_agreement(e))
		return e;
	return agreement_ask(&(struct capability_request){
	    .cap = source.value,
	    .operation = CAPABILITY_RETYPE,
	    .type = (uint8_t)type,
	    .first = first.value,
	    .count = (uint16_t)count,
	    .offset = offset,
	    .bytes = bytes,
	});
}

err_t cap_delete(cap_t cap)
{
	err_t e = repeat(cap, OP_Any_delete, 0, 0, 0, 0, 0);

	return needs_agreement(e) ? agreement_ask(&(struct capability_request){.cap = cap.value, .operation = CAPABILITY_DELETE}) : e;
}

err_t cap_revoke(cap_t cap)
{
	err_t e = repeat(cap, OP_Any_revoke, 0, 0, 0, 0, 0);

	return needs_agreement(e) ? agreement_ask(&(struct capability_request){.cap = cap.value, .operation = CAPABILITY_REVOKE}) : e;
}

/* ---- Free slots ---- */

static struct slot_space space;

void slots_start(unsigned first_root)
{
	slot_space_init(&space, first_root);
}

static err_t add_cnode(void)
{
	unsigned root;
	err_t e = slot_space_next(&space, &root);

	if (is_err(e))
		return e;
	e = memory_object_vital(CAP_CNode, CNODE_BYTES, PAGE_BYTES, CAP(ROOT_SELF, root), NULL);
	if (is_ok(e))
		slot_space_add(&space, root);
	return e;
}

err_t cap_slots_alloc(unsigned count, cap_t *first)
{
	bool inside = dispatcher_enter();
	err_t e = slot_space_take(&space, count, first);

	if (err_is(e, ERR_NUMBER_NO_SLOT)) {
		e = add_cnode();
		if (is_ok(e))
			e = slot_space_take(&space, count, first);
	}
	dispatcher_leave(inside);
	return e;
}

err_t cap_slot_alloc(cap_t *out)
{
	return cap_slots_alloc(1, out);
}

void cap_slot_free(cap_t slot)
{
	bool inside = dispatcher_enter();

	slot_space_give(&space, slot);
	dispatcher_leave(inside);
}

void cap_slot_drop(cap_t slot)
{
	struct cap_identity left;
	err_t e = cap_delete(slot);

	/* A revoke may have emptied it already. What is the last of some memory, because a core died, stays there as RAM. */
	if (is_ok(e) && is_ok(cap_identify(slot, &left)) && left.type != CAP_Null)
		return;
	if (is_ok(e) || err_is(e, ERR_NUMBER_CAP_EMPTY))
		cap_slot_free(slot);
}
