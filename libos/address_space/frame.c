/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Frames of the caller's in the address space. Every piece is mapped by a copy of its own of the frame's capability, because a copy can be
 * mapped once; the caller's own capability stays free. Whole, aligned 2 MiB become large pages. */

#include "libos/address_space/address_space.h"
#include "libos/address_space/tables.h"
#include "libos/memory/memory.h"
#include "libos/upcall/dispatcher.h"

static err_t map_piece(const struct vm_region *r, uint64_t index, uint64_t paddr, uint64_t offset)
{
	uint64_t base = region_piece_base(r, index), bytes = region_piece_end(r, index) - base;
	bool large = bytes == PAGE_BYTES_LARGE && paddr % PAGE_BYTES_LARGE == 0;
	unsigned level = large && tables_find(base).value == CAP_NULL.value ? 2 : 1;
	uint64_t count = level == 2 ? 1 : bytes / PAGE_BYTES;
	cap_t table;
	err_t e = tables_get(base, level, &table);

	if (is_err(e))
		return e;
	return invoke(r->piece[index], OP_Frame_map, table.value, tables_entry(base, level), r->rights, offset, count).error;
}

err_t frame_region_make(cap_t frame, const struct cap_identity *object, uint64_t offset, uint64_t bytes, rights_t rights, void **out)
{
	struct vm_region *r = NULL;
	err_t e = frame_region_place(object->base + offset, bytes, rights, &r);

	for (uint64_t i = 0; is_ok(e) && i < region_piece_count(r); i++) {
		uint64_t at = offset + region_piece_base(r, i) - r->base;
		cap_t copy;

		e = cap_slot_alloc(&copy);
		if (is_err(e))
			break;
		e = cap_copy(frame, copy);
		if (is_err(e)) {
			cap_slot_free(copy);
			break;
		}
		r->piece[i] = copy;
		e = map_piece(r, i, object->base + at, at);
	}
	if (is_ok(e))
		*out = (void *)r->base;
	else if (r != NULL)
		frame_region_end(r);
	return e;
}

err_t frame_unmap(void *address)
{
	bool inside = dispatcher_enter();
	struct vm_region *r = regions_find(&regions, (uint64_t)address);
	bool found = r != NULL && r->use == REGION_FRAME && r->base == (uint64_t)address;

	if (found)
		frame_region_end(r);
	dispatcher_leave(inside);
	return found ? OK : ERR(NOT_MAPPED);
}

err_t frame_create(uint64_t bytes, rights_t rights, cap_t *frame, void **out, paddr_t *base)
{
	err_t e = cap_slot_alloc(frame);

	if (is_err(e))
		return e;
	e = memory_object(CAP_Frame, bytes, PAGE_BYTES, *frame, base);
	if (is_err(e)) {
		cap_slot_free(*frame);
		return e;
	}
	e = frame_clear(*frame, bytes);
	if (is_ok(e))
		e = frame_map(*frame, 0, bytes, rights, out);
	if (is_err(e))
		memory_object_free(*frame);
	return e;
}
