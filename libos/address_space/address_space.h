/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* The address space inside the library OS. From its `base` on everything is the library OS's to place:
 *
 *   base             .. +256 MiB  its own memory (own_memory_map), and the window in which frames are cleared
 *   base + 256 MiB   .. +512 MiB  the program break, if the starter's tables are not known
 *   base + 1 GiB     .. +128 GiB  memory_map, frame_map, mmap
 *   base + 128 GiB   .. +256 GiB  the windows on slabs (supply.h)
 *
 * Functions return errors for what a program asked for, and are sections of their own (libos/upcall/dispatcher.h). */

#include <atoll/address_space.h>

#include "libos/address_space/regions.h"

void address_space_start(uint64_t base);
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

/* The pager: makes and maps the piece that contains the address. NOT_FOUND: in no region; CAP_RIGHTS: the region's rights forbid the access
 * (`code`: Intel SDM vol. 3, 4.7) or the piece is there already; NO_MEMORY. Disabled. */
MUST_USE err_t page_touch(uint64_t address, uint64_t code);

/* ---- Between the files of this directory ---- */

extern struct region_set regions;

/* Maps [offset, offset + bytes) of a frame, whose physical address is `paddr`, at `base` by this very capability, in one table of the
 * highest level that fits; all of it lies in one table of level 1, or is a multiple of what a table of a higher level maps. Answers the
 * level. */
MUST_USE err_t frame_map_at(cap_t frame, uint64_t base, uint64_t paddr, uint64_t offset, uint64_t bytes, uint64_t rights, unsigned *level);

/* Frames: a region at a place that fits the physical address, and the pieces in it. */
struct cap_identity;
MUST_USE err_t frame_region_place(uint64_t paddr, uint64_t bytes, rights_t rights, struct vm_region **out);
MUST_USE err_t frame_region_make(cap_t frame, const struct cap_identity *object, uint64_t offset, uint64_t bytes, rights_t rights,
                                 void **out);
void frame_region_end(struct vm_region *r);
/* Gives up the copy of a frame that a piece is mapped by. */
void frame_piece_drop(struct vm_region *r, uint64_t index);
/* Zeroes a frame that is mapped nowhere, through the window at this address, CLEAR_WINDOW_BYTES. */
MUST_USE err_t frame_clear(cap_t frame, uint64_t bytes);
void frame_clear_start(uint64_t window);
#define CLEAR_WINDOW_BYTES PAGE_BYTES_LARGE
