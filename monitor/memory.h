/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Which of this core's memory is free: ranges of physical addresses, kept sorted and merged. Pure: capabilities are block.h's business.
 *
 * Blocks have any size that is a multiple of a page. The smallest range that fits is used, from its high end, so that large ranges stay
 * large and what a core keeps for itself gathers in one place. Giving back must never fail, so a taken block reserves the room that its
 * return may need: there are never more free ranges than ranges at the start plus blocks that are out. */

#include "cpudriver/abi/errors.h"

#define MEMORY_RANGES  1024
#define MEMORY_BORDERS 768

struct memory_range {
	uint64_t base, bytes;
};

struct ram {
	uint64_t free, total; /* bytes */
	unsigned ranges;      /* in use below, ascending; adjacent only at a border */
	unsigned out;         /* blocks that are taken */
	struct memory_range range[MEMORY_RANGES];
	unsigned borders; /* first addresses of what was added: no block reaches across one */
	uint64_t border[MEMORY_BORDERS];
};

/* New memory, with one capability over all of it. Errors: ALIGNMENT, OVERLAP (with what is free already), LIMIT. */
MUST_USE err_t ram_add(struct ram *m, uint64_t base, uint64_t bytes);

/* Takes `bytes` at a multiple of `alignment` (a power of two) within [low, high). Errors: ALIGNMENT, NO_MEMORY, LIMIT. */
MUST_USE err_t ram_take_within(struct ram *m, uint64_t bytes, uint64_t alignment, uint64_t low, uint64_t high, uint64_t *base);
MUST_USE err_t ram_take(struct ram *m, uint64_t bytes, uint64_t alignment, uint64_t *base);
/* The same at an address that leaves `remainder` (of pages) when divided by the alignment. */
MUST_USE err_t ram_take_at(struct ram *m, uint64_t bytes, uint64_t alignment, uint64_t remainder, uint64_t *base);

/* Gives a whole block back. */
void ram_give(struct ram *m, uint64_t base, uint64_t bytes);

/* A taken block is not coming back: another core has it now. There is nothing at its borders to be kept apart any more. */
void ram_part_with(struct ram *m, uint64_t base, uint64_t bytes);

/* One capability covers the memory on both sides of the border now: blocks may reach across. */
void ram_join(struct ram *m, uint64_t border);

/* The largest block that could be taken within [low, high). */
uint64_t ram_largest(const struct ram *m, uint64_t low, uint64_t high);
