/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* The pager: what happens at the first touch of a page. The short way is a region that was found last time too, a page in stock, and a
 * page table that is there: one call to the CPU driver. */

#include "libos/address_space/address_space.h"
#include "libos/address_space/piece.h"
#include "libos/memory/memory.h"

/* Intel SDM vol. 3, 4.7: bits of a page fault's error code. */
#define FAULT_PRESENT (UINT64_C(1) << 0)
#define FAULT_WRITE   (UINT64_C(1) << 1)
#define FAULT_EXECUTE (UINT64_C(1) << 4)

static uint64_t needed_rights(uint64_t code)
{
	if (code & FAULT_EXECUTE)
		return RIGHT_EXECUTE;
	return code & FAULT_WRITE ? RIGHT_WRITE : RIGHT_READ;
}

err_t page_touch(uint64_t address, uint64_t code)
{
	struct vm_region *r = regions_find(&regions, address);

	if (r == NULL)
		return ERR(NOT_FOUND);
	if (!r->touch || (needed_rights(code) & ~(uint64_t)r->rights) != 0 || code & FAULT_PRESENT)
		return ERR(CAP_RIGHTS);
	store_prepare();
	return piece_touch(r, address);
}
