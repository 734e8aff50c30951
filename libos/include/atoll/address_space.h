/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* The domain's address space: it owns its page tables and decides what lies where (self-paging). */

#include "cpudriver/abi/errors.h"
#include "cpudriver/abi/capabilities.h"

enum placement {
	PLACE_NOW,   /* frames are taken at once */
	PLACE_TOUCH, /* at the first touch, by this domain's pager, zeroed */
};

/* Reserves `bytes` (rounded up to pages) of address space backed by zeroed memory of this core's node. */
MUST_USE err_t memory_map(uint64_t bytes, rights_t rights, enum placement placement, void **out);
MUST_USE err_t memory_unmap(void *address, uint64_t bytes);
MUST_USE err_t memory_protect(void *address, uint64_t bytes, rights_t rights);

/* Maps all of a Frame or DeviceFrame, or `bytes` of it from `offset` on; the capability stays the caller's, who keeps it while mapped. */
MUST_USE err_t frame_map(cap_t frame, uint64_t offset, uint64_t bytes, rights_t rights, void **out);
MUST_USE err_t frame_unmap(void *address);

/* A Frame of this node's memory in a new slot, mapped: what a ring or a shared page is made of. */
MUST_USE err_t frame_create(uint64_t bytes, rights_t rights, cap_t *frame, void **out, paddr_t *base);
