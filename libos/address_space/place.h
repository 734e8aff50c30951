/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Whose memory the pages of a region are made of, and where they are. Inside sections. */

#include "libos/address_space/piece.h"
#include "libos/span/messages.h"

/* A region that is interleaved changes the member after so many bytes, and gets as many at a touch; so does one that is placed by its first
 * touch. */
#define PLACE_CHUNK (64 * KIB)

/* With what rights a piece of the region is mapped. */
uint64_t piece_rights(const struct vm_region *r, const struct piece *p);

/* Sees to it that the page, of an anonymous region, is there for an access by that member. WOULD_BLOCK: it takes a while; then touches are
 * gone on with (home_go_on). CAP_RIGHTS, NO_MEMORY. */
MUST_USE err_t region_fill(struct vm_region *r, uint64_t page, uint64_t code, unsigned from);
/* Pieces for all of a region. For threads. */
MUST_USE err_t region_fill_all(struct vm_region *r);

/* Pages that were behind `base`, or were to be, are not needed any more: they go back to the supply, or to the member that has lent them.
 */
void pages_return(uint64_t base, struct page page, uint32_t pages);
/* From now on this file says whether the member may leave the span. */
void place_start(void);
/* Moves what there is of a range, which nobody else touches meanwhile, to that member's memory. For threads. */
MUST_USE err_t place_migrate(uint64_t base, uint64_t end, unsigned member);

/* The same for what is made of [low, high) of this member's own physical memory: to elsewhere in it. */
MUST_USE err_t place_move_out(uint64_t base, uint64_t end, uint64_t low, uint64_t high);

/* Answers as memory_where does, for an address that is at home here. */
MUST_USE err_t where_is(uint64_t address, struct link_ranged *answer);
