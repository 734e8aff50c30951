/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Where anonymous memory comes from: slabs (slabs.h) made of the domain's RAM, each visible to the library OS through a window, and a stock
 * of cleared single pages. All memory is cleared before it is given out, wherever it comes from: another domain may have had it before.
 * Inside sections. */

#include "libos/address_space/slabs.h"
#include "libos/address_space/tables.h"

/* The windows lie from this address on, SUPPLY_WINDOW_BYTES. */
void supply_start(uint64_t windows);
#define SUPPLY_WINDOW_BYTES (128 * GIB)

/* At least one, at most `pages` cleared pages side by side. */
MUST_USE err_t supply_take(uint32_t pages, struct run *out);
/* 1 GiB of cleared pages that one large page can map; `ahead`: how many bytes are wanted so, with this GiB. NOT_SUPPORTED: the CPU has no
 * such pages. NO_MEMORY: the node has not as much side by side where it would have to lie. */
MUST_USE err_t supply_take_huge(uint64_t ahead, struct run *out);
/* A cleared page with a copy of its slab's capability, which is not mapped: the quick way. */
MUST_USE err_t supply_take_page(struct page *out);
void supply_give(struct run run);
/* A frame becomes a slab of which nothing is given out, so that others can ask for it, and ends being one. It keeps its capability. */
MUST_USE err_t supply_register(cap_t frame, uint64_t base, uint16_t *slab);
void supply_unregister(uint16_t slab);
/* A member gets, or has not got, a copy of the slab: it is not given back to the RAM meanwhile. */
void supply_set_given(uint16_t slab, unsigned member, bool given);
/* A member is gone with all its copies. */
void supply_taken_back(unsigned member);
/* Gives slabs that are all free back to the domain's RAM. */
void supply_shrink(void);

/* The domain has moved: where the slabs are now. */
void supply_moved(void);

/* ---- A block that is given back, or taken: [low, high) of physical memory (libos/address_space/parting.c) ---- */

/* Whether a page is of one of this member's slabs in there; not of frames that others know. */
bool supply_is_in(struct page page, uint64_t low, uint64_t high);
/* Gives nothing out of it any more, or again. */
void supply_close(uint64_t low, uint64_t high, bool closed);
/* How many bytes of it are slabs, and how many of these are given out. */
void supply_count(uint64_t low, uint64_t high, uint64_t *slabs, uint64_t *taken);
/* The slabs in there end, whatever was given out of them. */
void supply_part(uint64_t low, uint64_t high);
/* A frame that others know as that slab is lost. */
void supply_frame_lost(uint16_t slab);
/* Its windows are free for another block. */
void supply_block_ended(unsigned block);

/* A copy of the slab's capability in a new slot. */
MUST_USE err_t supply_copy(uint16_t slab, cap_t *out);
/* NULL: there is none of that number. */
struct slab *supply_slab(uint16_t slab);
/* Where the library OS sees a page. */
static inline uint8_t *supply_window(uint16_t slab, uint32_t page)
{
	return supply_slab(slab)->window + page * PAGE_BYTES;
}
static inline uint64_t supply_paddr(uint16_t slab, uint32_t page)
{
	return supply_slab(slab)->base + page * PAGE_BYTES;
}
