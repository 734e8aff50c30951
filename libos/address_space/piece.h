/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Pieces: what anonymous memory is mapped by. A piece is a run of pages of one slab, behind neighbouring entries of one page table, mapped
 * by one copy of the slab's capability; the tables' records (tables.h) say which. With rights 0 it is there, but not mapped. Inside
 * sections. */

#include "libos/address_space/regions.h"
#include "libos/address_space/supply.h"

struct piece {
	uint64_t base, end;
	unsigned level;
	struct page *page; /* of the first entry */
};

/* The piece that contains the address. */
bool piece_find(uint64_t address, struct piece *out);
/* The first piece that has a page in [address, end). */
bool piece_from(uint64_t address, uint64_t end, struct piece *out);

/* Makes pieces for all of [base, end), where there are none. After an error some may be there. */
MUST_USE err_t pieces_make(const struct vm_region *r, uint64_t base, uint64_t end);
/* Makes a piece that contains the address, of as many pages as the region's grain says and as there are free around it. */
MUST_USE err_t piece_touch(const struct vm_region *r, uint64_t address);
/* If the address lies inside a piece, makes two of it. `rights`: with which they are mapped. NO_MEMORY, NO_SLOT: then nothing has changed.
 */
MUST_USE err_t piece_cut(uint64_t address, uint64_t rights);
/* Maps a piece that is not mapped, or the other way around. */
MUST_USE err_t piece_map(const struct piece *p, uint64_t rights);
void piece_unmap(const struct piece *p);
/* Unmaps it and gives its memory back. */
void piece_drop(const struct piece *p);
