/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* The domain's own memory: blocks of RAM, and the objects that are made of them. All functions may be called inside a section
 * (libos/upcall/dispatcher.h), and enter one themselves. */

#include <atoll/capability.h>

#include "libos/memory/blocks.h"
#include "libos/memory/slots.h"

/* The capability space begins to give out slots, of CNodes in the root CNode from `first_root` on. */
void slots_start(unsigned first_root);

/* Adds a RAM block whose first `used` bytes are taken. */
MUST_USE err_t memory_add(cap_t ram, uint64_t base, uint64_t bytes, uint64_t used);

/* Deletes the copy in a slot, if it is still there, and frees the slot. */
void cap_slot_drop(cap_t slot);

/* The domain has moved: where the blocks are now. */
void memory_moved(void);

/* While it is set ordinary objects are made only of what is free and not reserved. */
extern bool memory_is_short;

/* Where further blocks come from when the memory is used up: of so many bytes or, unless `exactly`, more, at a multiple of `alignment`. A
 * monitor has no such place. */
typedef err_t memory_source_fn(uint64_t bytes, uint64_t alignment, bool exactly);
void memory_set_source(memory_source_fn *source);

/* memory_object out of what there is, without asking anybody for more. */
MUST_USE err_t memory_object_at_hand(enum cap_type type, uint64_t bytes, uint64_t alignment, cap_t slot, paddr_t *base);
/* Asks for a further block that begins at a multiple of 1 GiB, of `bytes` or at least 1 GiB; answers whether there is one. */
bool memory_more_huge(uint64_t bytes);
uint64_t memory_free_bytes(void);
/* memory_object for what the library OS itself can't live without: tables, CNodes, its store. */
MUST_USE err_t memory_object_vital(enum cap_type type, uint64_t bytes, uint64_t alignment, cap_t slot, paddr_t *base);
/* The block that a range lies in, and its number (below BLOCKS_MAX), else NULL. */
const struct ram_block *memory_block_of(uint64_t base, uint64_t bytes, unsigned *index);
/* The block of that number; NULL: there is none. */
const struct ram_block *memory_block(unsigned index);
/* Nothing is made of it any more, or again. */
void memory_block_close(unsigned index, bool closed);
/* It is not this domain's any more. */
void memory_block_end(unsigned index);
/* Deletes what is in a slot and gives its memory back; the slot stays taken. */
void memory_object_delete(cap_t slot);

/* ---- Small things of the library OS itself: nodes, tables, lists (store.c) ---- */

/* Zeroed; `bytes` at most STORE_LARGEST. NULL: no memory. Freed with the same size. */
#define STORE_LARGEST (64 * KIB)
void *store_alloc(size_t bytes);
void store_free(void *memory, size_t bytes);
/* To be called before anything that allocates in several steps: makes sure that there is enough for one such thing. */
void store_prepare(void);
