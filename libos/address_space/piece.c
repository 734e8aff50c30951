/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Pieces: what a region is mapped by. A piece lies in one page table of level 1, or is one entry of a table of level 2 if it is a whole,
 * aligned 2 MiB page of a frame. */

#include <string.h>

#include "libos/address_space/address_space.h"
#include "libos/address_space/tables.h"
#include "libos/memory/memory.h"

#define RIGHTS_READ_WRITE (RIGHT_READ | RIGHT_WRITE)

static err_t map_as(const struct vm_region *r, uint64_t index, uint64_t rights)
{
	uint64_t base = region_piece_base(r, index);
	uint64_t pages = (region_piece_end(r, index) - base) / PAGE_BYTES;
	cap_t table;
	err_t e = tables_get(base, 1, &table);

	if (is_err(e))
		return e;
	return invoke(r->piece[index], OP_Frame_map, table.value, tables_entry(base, 1), rights, 0, pages).error;
}

_Static_assert((int)OP_Frame_map == (int)OP_DeviceFrame_map && (int)OP_Frame_unmap == (int)OP_DeviceFrame_unmap, "one number");

err_t piece_map(const struct vm_region *r, uint64_t index)
{
	return r->rights == 0 ? OK : map_as(r, index, r->rights);
}

void piece_unmap(const struct vm_region *r, uint64_t index)
{
	/* NOT_MAPPED, when the region has no rights, is as good. */
	(void)!is_ok(invoke(r->piece[index], OP_Frame_unmap, region_piece_base(r, index), 0, 0, 0, 0).error);
}

void piece_drop(struct vm_region *r, uint64_t index)
{
	cap_t piece = r->piece[index];

	piece_unmap(r, index);
	r->piece[index] = CAP_NULL;
	if (r->use == REGION_ANONYMOUS)
		memory_object_free(piece);
	else
		cap_slot_drop(piece);
}

/* Cleared through the mapping that it will have. */
static err_t make_large(struct vm_region *r, uint64_t index)
{
	uint64_t base = region_piece_base(r, index);
	uint64_t bytes = region_piece_end(r, index) - base;
	err_t e = cap_slot_alloc(&r->piece[index]);

	if (is_err(e)) {
		r->piece[index] = CAP_NULL;
		return e;
	}
	e = memory_object(CAP_Frame, bytes, PAGE_BYTES, r->piece[index], NULL);
	if (is_err(e)) {
		cap_slot_free(r->piece[index]);
		r->piece[index] = CAP_NULL;
		return e;
	}
	e = map_as(r, index, RIGHTS_READ_WRITE);
	if (is_err(e)) {
		piece_drop(r, index);
		return e;
	}
	memset((void *)base, 0, bytes);
	if (r->rights != RIGHTS_READ_WRITE) {
		piece_unmap(r, index);
		e = piece_map(r, index);
		if (is_err(e))
			piece_drop(r, index);
	}
	return e;
}

err_t piece_make(struct vm_region *r, uint64_t index)
{
	err_t e;

	if (region_piece_end(r, index) - region_piece_base(r, index) > PAGE_BYTES)
		return make_large(r, index);
	e = clean_frame_take(&r->piece[index]);
	if (is_err(e)) {
		r->piece[index] = CAP_NULL;
		return e;
	}
	e = piece_map(r, index);
	if (is_err(e))
		piece_drop(r, index);
	return e;
}
