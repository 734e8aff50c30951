/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Which physical memory of the domain's RAM blocks is free: for each block a list of extents, by address. Pure.
 *
 * A block is one RAM capability; an object never spans two blocks, so extents of different blocks are never joined. Taking memory is
 * two steps, because only the CPU driver knows whether something that was derived from a range is still alive somewhere:
 *
 *   blocks_find   proposes a place; the caller tries to retype it
 *   blocks_take   it worked: the range is taken          (it didn't: blocks_find again, behind it)
 *
 * Extents come from a store that the caller fills (blocks_store): a free list can only be cut in more pieces by taking or giving an object,
 * and each of these needs at most one. */

#include "cpudriver/abi/capabilities.h"
#include "cpudriver/abi/errors.h"

#define BLOCKS_MAX 64

struct extent {
	struct extent *next;
	uint64_t base, bytes;
};

struct ram_block {
	cap_t cap;
	uint64_t base, bytes; /* 0 bytes: this place is free */
	struct extent *free;
	bool closed; /* nothing is made of it, for it is about to be given back */
	bool vital;  /* it has something that the library OS can't live without */
};

struct block_list {
	struct ram_block block[BLOCKS_MAX];
	unsigned count;
	unsigned stored;
	struct extent *store;
	uint64_t free_bytes;
};

/* Adds unused extents. */
void blocks_store(struct block_list *l, struct extent *extents, unsigned count);

/* A further block, of which the first `used` bytes are not to be given out. LIMIT: too many blocks, or the store is empty. */
MUST_USE err_t blocks_add(struct block_list *l, cap_t cap, uint64_t base, uint64_t bytes, uint64_t used);

/* All of a block lies elsewhere now. */
void blocks_move(struct block_list *l, unsigned block, uint64_t base);

struct block_place {
	unsigned block;
	uint64_t base;
};

/* The first place for `bytes` (a multiple of the page) that is not before *place: start with {0, 0}. Closed blocks have none. */
bool blocks_find(const struct block_list *l, uint64_t bytes, uint64_t alignment, struct block_place *place);
/* Takes a range that lies in one free extent. LIMIT: the store is empty. */
MUST_USE err_t blocks_take(struct block_list *l, struct block_place place, uint64_t bytes);
/* Gives a range back. RANGE: it lies in no block, or part of it is free already. LIMIT: the store is empty. */
MUST_USE err_t blocks_give(struct block_list *l, uint64_t base, uint64_t bytes);

/* All of the block's memory has gone: its place is free. */
void blocks_remove(struct block_list *l, unsigned block);
/* Of one block. */
uint64_t blocks_free_in(const struct ram_block *b);

/* The block that the range lies in, else NULL. */
const struct ram_block *blocks_of(const struct block_list *l, uint64_t base, uint64_t bytes);
