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

/* Where further blocks come from when the memory is used up; a monitor has no such place. */
typedef err_t memory_source_fn(uint64_t bytes);
void memory_set_source(memory_source_fn *source);

/* memory_object out of what there is, without asking anybody for more. */
MUST_USE err_t memory_object_at_hand(enum cap_type type, uint64_t bytes, uint64_t alignment, cap_t slot, paddr_t *base);
uint64_t memory_free_bytes(void);
/* The block that a range lies in, and its number (below BLOCKS_MAX), else NULL. */
const struct ram_block *memory_block_of(uint64_t base, uint64_t bytes, unsigned *index);
/* Deletes what is in a slot and gives its memory back; the slot stays taken. */
void memory_object_delete(cap_t slot);

/* ---- Small things of the library OS itself: nodes, tables, lists (store.c) ---- */

/* Zeroed; `bytes` at most STORE_LARGEST. NULL: no memory. Freed with the same size. */
#define STORE_LARGEST (64 * KIB)
void *store_alloc(size_t bytes);
void store_free(void *memory, size_t bytes);
/* To be called before anything that allocates in several steps: makes sure that there is enough for one such thing. */
void store_prepare(void);
