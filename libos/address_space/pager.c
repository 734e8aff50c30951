/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* The pager: what happens at a fault. The short way is a region that was found last time too, a page in stock, and a page table that is
 * there: one call to the CPU driver. */

#include "libos/address_space/pager.h"
#include "libos/address_space/address_space.h"
#include "libos/address_space/piece.h"
#include "libos/address_space/place.h"
#include "libos/address_space/remote.h"
#include "libos/memory/memory.h"
#include "libos/span/span.h"

static err_t touch_elsewhere(uint64_t address, uint64_t code, struct queue **queue)
{
	unsigned home;

	return is_elsewhere(address, &home) ? remote_touch(home, address, code, queue) : ERR(NOT_FOUND);
}

static err_t touch_simple(const struct vm_region *r, uint64_t address, uint64_t code)
{
	struct page there;

	if (!r->touch || code & FAULT_PRESENT)
		return page_at(address & ~(PAGE_BYTES - 1), &there) && there.lost ? ERR(REVOKED) : ERR(CAP_RIGHTS);
	return piece_touch(r, address, r->shift);
}

err_t page_touch(uint64_t address, uint64_t code, struct queue **queue)
{
	struct vm_region *r = regions_find(&regions, address);
	err_t e;

	store_prepare();
	if (r == NULL)
		return touch_elsewhere(address, code, queue);
	if ((needed_rights(code) & ~(uint64_t)r->rights) != 0 || r->use != REGION_ANONYMOUS)
		return r->lost ? ERR(REVOKED) : ERR(CAP_RIGHTS);
	if (change_covers(address))
		e = ERR(WOULD_BLOCK);
	else if (r->policy == POLICY_LOCAL)
		return touch_simple(r, address, code);
	else
		e = region_fill(r, address & ~(PAGE_BYTES - 1), code, span_member());
	*queue = &touches_blocked;
	return e;
}

bool page_is_readable(uint64_t address)
{
	const struct vm_region *r = regions_find(&regions, address);
	struct queue *list;
	struct piece there;

	if (r == NULL || (r->rights & RIGHT_READ) == 0)
		return false;
	return r->use != REGION_ANONYMOUS || piece_find(address, &there) || is_ok(page_touch(address, 0, &list));
}

bool page_is_guard(uint64_t address)
{
	const struct vm_region *r = regions_find(&regions, address);

	return r == NULL || r->rights == 0;
}
