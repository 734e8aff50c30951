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
/* The page behind the address; its `cap` is the piece's. */
bool page_at(uint64_t address, struct page *out);
/* The first piece that has a page in [address, end). */
bool piece_from(uint64_t address, uint64_t end, struct piece *out);

/* Makes pieces for all of [base, end), where there are none. After an error some may be there. */
MUST_USE err_t pieces_make(const struct vm_region *r, uint64_t base, uint64_t end);
/* Makes a piece that contains the address, of as many pages as lie in the same (1 << shift) bytes and are free around it. */
MUST_USE err_t piece_touch(const struct vm_region *r, uint64_t address, unsigned shift);
/* Maps pages that are there, of any member's slab, at [base, end), which is free and lies in one table of level 1. If it fails, they are
 * given back to whom they belong. */
MUST_USE err_t piece_place(uint64_t base, uint64_t end, struct page page, uint64_t rights);
/* Takes a page that is a piece by itself away from an address, with its capability, and puts it at another one. If that fails, it is given
 * back. */
bool piece_lift(uint64_t base, struct page *out);
MUST_USE err_t piece_put(uint64_t base, struct page page, uint64_t rights);
/* Puts other pages in the place of a piece's, whose own are given back; if it fails, nothing has changed. */
MUST_USE err_t piece_replace(const struct piece *p, struct page page, uint64_t rights);
/* Maps copies of them, which are made of memory of this member's. */
MUST_USE err_t piece_replicate(uint64_t base, uint64_t end, struct page page, uint64_t rights);
/* If the address lies inside a piece, which is the region's, makes two of it. NO_MEMORY, NO_SLOT: then nothing has changed. */
MUST_USE err_t piece_cut(uint64_t address, const struct vm_region *r);
/* Maps a piece that is not mapped, or the other way around. */
MUST_USE err_t piece_map(const struct piece *p, uint64_t rights);
void piece_unmap(const struct piece *p);
/* Its memory is taken: it is lost, if this member is home to it, else it is touched anew. */
void piece_lose(const struct piece *p);
/* Unmaps it and gives its memory back; what is borrowed goes back to its owner, if this member is home to the piece. */
void piece_drop(const struct piece *p);
