/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* identify, copy, mint, move: what every capability can do without its object being touched.
 *
 *   identify                              -> V0 type | rights<<8 | CAP_FLAG_*<<16 | owner<<32 | extra<<48, V1 base, V2 size;
 *                                            extra is a doorbell's index (for Kernel.install elsewhere), else 0
 *   copy   W0 CNode, W1 slot
 *   mint   W0 CNode, W1 slot, W2 rights to keep, W3 badge (for endpoints that have none yet, else 0)
 *   move   W0 CNode, W1 slot                 the mapping, if any, goes along */

#include "cpudriver/capability/arguments.h"
#include "cpudriver/capability/database.h"
#include "cpudriver/capability/paging.h"

/* The word of a slot that begins with its type has the layout of V0; this is what user space sees of it. */
#define IDENTIFIED (UINT64_C(0xffffffff00ffffff) & ~((uint64_t)SLOT_PLACE_FLAGS << 16))
_Static_assert(offsetof(struct slot, rights) == offsetof(struct slot, type) + 1, "bits 8..15");
_Static_assert(offsetof(struct slot, flags) == offsetof(struct slot, type) + 2, "bits 16..23");
_Static_assert(offsetof(struct slot, owner) == offsetof(struct slot, type) + 4, "bits 32..47");
_Static_assert(offsetof(struct slot, cursor) == offsetof(struct slot, type) + 6, "bits 48..63");

err_t op_Any_identify(struct invocation *i)
{
	const struct slot *s = i->self;
	uint64_t facts;

	__builtin_memcpy(&facts, &s->type, sizeof(facts));
	i->value[0] = facts & IDENTIFIED;
	i->value[1] = slot_number(s);
	i->value[2] = s->size;
	return OK;
}

/* What a copy shares with its source besides the object: where a message through it goes, not where it is mapped or bound. */
static uint64_t shared_extra(const struct slot *s)
{
	return s->type == CAP_Endpoint || s->type == CAP_Doorbell ? s->extra : 0;
}

void slot_copy(struct capabilities *c, struct slot *src, struct slot *dst, rights_t rights)
{
	dst->base = src->base;
	dst->size = src->size;
	dst->type = src->type;
	dst->rights = src->rights & rights.bits;
	dst->flags = (dst->flags & SLOT_PLACE_FLAGS) | (src->flags & (CAP_FLAG_REMOTE | CAP_FLAG_FOREIGN));
	dst->owner = src->owner;
	dst->cursor = src->cursor;
	dst->extra = shared_extra(src);
	database_insert_copy(c, dst, src);
}

void slot_copy_internal(struct capabilities *c, struct slot *src, struct slot *dst)
{
	dst->flags = SLOT_EMBEDDED;
	slot_copy(c, src, dst, RIGHTS(RIGHTS_ALL));
}

err_t op_Any_copy(struct invocation *i)
{
	struct slot *dst;
	err_t e = destination(i, i->word[0], i->word[1], &dst);

	if (is_err(e))
		return e;

	slot_copy(i->caps, i->self, dst, RIGHTS(RIGHTS_ALL));
	return OK;
}

err_t op_Any_mint(struct invocation *i)
{
	const struct slot *src = i->self;
	uint64_t rights = i->word[2], badge = i->word[3];
	struct slot *dst;
	err_t e = destination(i, i->word[0], i->word[1], &dst);

	if (is_err(e))
		return e;
	if (rights & ~(uint64_t)RIGHTS_ALL)
		return ERR(ARGUMENT);
	if (badge && (src->type != CAP_Endpoint || src->extra))
		return ERR(ARGUMENT);

	slot_copy(i->caps, i->self, dst, RIGHTS(rights));
	if (badge) {
		dst->extra = badge;
		dst->cursor = (uint16_t)badge;
	}
	return OK;
}

void slot_move(struct capabilities *c, struct slot *src, struct slot *dst)
{
	database_move(c, src, dst);
	if (dst->flags & CAP_FLAG_MAPPED)
		mapping_moved(dst);
}

err_t op_Any_move(struct invocation *i)
{
	struct slot *dst;
	err_t e = destination(i, i->word[0], i->word[1], &dst);

	if (is_err(e))
		return e;

	slot_move(i->caps, i->self, dst);
	return OK;
}
