/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* The address space inside the library OS. From its `base` on everything is the library OS's to place:
 *
 *   base             .. +256 MiB  its own memory (own_memory_map), and windows in which frames are cleared and copied
 *   base + 256 MiB   .. +512 MiB  the program break, if the starter's tables are not known
 *   base + 1 GiB     .. +128 GiB  memory_map, frame_map, mmap
 *   base + 128 GiB   .. +256 GiB  the windows on slabs (supply.h)
 *
 * Functions return errors for what a program asked for, and are sections of their own (libos/upcall/dispatcher.h). */

#include <atoll/address_space.h>

#include "libos/address_space/regions.h"

struct queue;

void address_space_start(uint64_t base);
/* The beginning of this member's area. */
uint64_t address_space_area(void);
/* Whether all that is mapped there is a region's: neither the library OS's own nor the program's. */
bool address_space_is_regions(uint64_t base, uint64_t bytes);
/* Where the program break may begin when nothing else is known. */
uint64_t address_space_break(void);

/* Zeroed, mapped memory for the library OS itself, in no region; never freed. */
MUST_USE err_t own_memory_map(uint64_t bytes, void **out);

/* memory_map at a given place; OVERLAP if something is there. */
MUST_USE err_t memory_map_at(uint64_t base, uint64_t bytes, rights_t rights, enum placement placement);
/* Unmaps whatever there is of [base, base + bytes); holes are no error. */
MUST_USE err_t memory_unmap_range(uint64_t base, uint64_t bytes);
/* Changes rights; NOT_MAPPED if part of the range is in no region. */
MUST_USE err_t memory_protect_range(uint64_t base, uint64_t bytes, rights_t rights);
/* Gives the frames of a range back; the next touch finds zeroes. */
MUST_USE err_t memory_forget_range(uint64_t base, uint64_t bytes);

/* memory_map with a pager of the program's. */
struct pager;
MUST_USE err_t memory_map_paged(uint64_t bytes, rights_t rights, struct pager *pager, void **out);
/* Replaces anonymous memory by new. ARGUMENT: something else is there. */
MUST_USE err_t memory_map_over(uint64_t base, uint64_t bytes, rights_t rights);

/* The pager. WOULD_BLOCK: it takes a while; the thread waits in *queue, and touches again. NOT_FOUND: in no region; CAP_RIGHTS: the
 * region's rights forbid the access (`code`: Intel SDM vol. 3, 4.7); NO_MEMORY; PEER_GONE. Disabled. */
MUST_USE err_t page_touch(uint64_t address, uint64_t code, struct queue **queue);

/* Whether the library OS may read there now, inside a section; a page that was never touched is made. */
bool page_is_readable(uint64_t address);

/* Whether nobody may touch the page in any way, as far as is known here. */
bool page_is_guard(uint64_t address);

/* What a domain that may span several cores begins with: a piece of what its members have in common. */
struct start_piece;
MUST_USE err_t frame_common(const struct start_piece *piece);
/* It may hear of other members. */
void address_space_span(void);

/* The domain has moved: where the frames are now. */
void frames_moved(void);
/* Another frame in the place of one that frame_map has mapped by one capability: the address stays, and so does whoever uses it. Inside a
 * section. After an error the old one is there still. */
MUST_USE err_t frame_exchange(void *address, cap_t frame);

/* ---- Between the files of this directory ---- */

extern struct region_set regions;

static inline uint64_t pages_of(uint64_t bytes)
{
	return (bytes + PAGE_BYTES - 1) & ~(PAGE_BYTES - 1);
}

/* A copy of `plan` in the set; a frame's has room for its pieces. */
MUST_USE err_t region_new(const struct vm_region *plan, struct vm_region **out);
/* With all that is mapped there. */
void region_end(struct vm_region *r);
/* Free addresses in this member's area; what a region of that size is best aligned to. */
bool region_gap(uint64_t bytes, uint64_t alignment, uint64_t remainder, uint64_t *base);
uint64_t alignment_for(uint64_t bytes);
void pieces_drop(uint64_t base, uint64_t end);

/* Maps [offset, offset + bytes) of a frame, whose physical address is `paddr`, at `base` by this very capability, in one table of the
 * highest level that fits; all of it lies in one table of level 1, or is a multiple of what a table of a higher level maps. Answers the
 * level. */
MUST_USE err_t frame_map_at(cap_t frame, uint64_t base, uint64_t paddr, uint64_t offset, uint64_t bytes, uint64_t rights, unsigned *level);
/* Unmaps a frame's region. */
void frame_region_drop(struct vm_region *r);
/* A frame's region gets a number under which other members know its frame. */
MUST_USE err_t region_as_slab(struct vm_region *r);
/* Parting with a block of the domain's memory (parting.c). Gives it back: false, if something is in it that can't be moved elsewhere. */
bool block_vacate(unsigned block);
/* It is about to be taken: what is in it is lost. False: the library OS can't live without it. */
bool block_lose(unsigned block);
/* Zeroes a frame that is mapped nowhere, through the window at this address, CLEAR_WINDOW_BYTES. */
MUST_USE err_t frame_clear(cap_t frame, uint64_t bytes);
void frame_clear_start(uint64_t window);
#define CLEAR_WINDOW_BYTES PAGE_BYTES_LARGE
