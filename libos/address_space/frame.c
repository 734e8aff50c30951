/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Frames in the address space. Every piece of a frame of the caller's is mapped by a copy of its own of the frame's capability, because a
 * copy can be mapped once; the caller's own capability stays free. Whole, aligned 2 MiB or 1 GiB become large pages. */

#include <string.h>

#include "libos/address_space/address_space.h"
#include "libos/address_space/tables.h"
#include "libos/memory/memory.h"
#include "libos/upcall/dispatcher.h"

_Static_assert((int)OP_Frame_map == (int)OP_DeviceFrame_map && (int)OP_Frame_unmap == (int)OP_DeviceFrame_unmap, "one number");

/* Whether there are tables of lower levels where entries of this one would lie. */
static bool has_tables_below(uint64_t base, uint64_t bytes, unsigned level)
{
	for (uint64_t at = base; at < base + bytes; at += tables_bytes(level))
		if (tables_known(at, level - 1).value != CAP_NULL.value)
			return true;
	return false;
}

static bool fits(uint64_t base, uint64_t paddr, uint64_t bytes, unsigned level)
{
	uint64_t page = tables_bytes(level);

	return (base | paddr | bytes) % page == 0 && base / (page * PAGE_TABLE_SLOTS) == (base + bytes - 1) / (page * PAGE_TABLE_SLOTS) &&
	       !has_tables_below(base, bytes, level);
}

static err_t map_in(cap_t frame, uint64_t base, uint64_t offset, uint64_t bytes, uint64_t rights, unsigned level)
{
	cap_t table;
	err_t e = tables_get(base, level, &table);

	if (is_err(e))
		return e;
	return invoke(frame, OP_Frame_map, table.value, tables_entry(base, level), rights, offset, bytes / tables_bytes(level)).error;
}

err_t frame_map_at(cap_t frame, uint64_t base, uint64_t paddr, uint64_t offset, uint64_t bytes, uint64_t rights, unsigned *level)
{
	err_t e = ERR(NOT_SUPPORTED); /* as not all machines have pages of 1 GiB */

	for (*level = bytes < PAGE_BYTES_LARGE ? 1 : 3; *level > 1; --*level) {
		if (fits(base, paddr, bytes, *level))
			e = map_in(frame, base, offset, bytes, rights, *level);
		if (!err_is(e, ERR_NUMBER_NOT_SUPPORTED))
			return e;
	}
	return map_in(frame, base, offset, bytes, rights, 1);
}

err_t frame_region_make(cap_t frame, const struct cap_identity *object, uint64_t offset, uint64_t bytes, rights_t rights, void **out)
{
	struct vm_region *r = NULL;
	err_t e = frame_region_place(object->base + offset, bytes, rights, &r);

	for (uint64_t i = 0; is_ok(e) && i < region_piece_count(r); i++) {
		uint64_t base = region_piece_base(r, i), at = offset + base - r->base;
		unsigned level;
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
		e = frame_map_at(copy, base, object->base + at, at, region_piece_end(r, i) - base, rights.bits, &level);
	}
	if (is_ok(e))
		*out = (void *)r->base;
	else if (r != NULL)
		frame_region_end(r);
	return e;
}

void frame_piece_drop(struct vm_region *r, uint64_t index)
{
	/* A piece that could not be mapped is dropped too. */
	(void)!is_ok(invoke(r->piece[index], OP_Frame_unmap, region_piece_base(r, index), 0, 0, 0, 0).error);
	cap_slot_drop(r->piece[index]);
	r->piece[index] = CAP_NULL;
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

/* ---- New ones ---- */

static uint64_t window;

void frame_clear_start(uint64_t window_address)
{
	window = window_address;
}

static err_t clear_some(cap_t frame, uint64_t offset, uint64_t bytes)
{
	err_t e = map_in(frame, window, offset, bytes, RIGHT_READ | RIGHT_WRITE, 1);

	if (is_err(e))
		return e;
	memset((void *)window, 0, bytes);
	return invoke(frame, OP_Frame_unmap, window, 0, 0, 0, 0).error;
}

err_t frame_clear(cap_t frame, uint64_t bytes)
{
	uint64_t whole = (bytes + PAGE_BYTES - 1) & ~(PAGE_BYTES - 1);
	bool inside = dispatcher_enter();
	err_t e = OK;

	for (uint64_t done = 0; done < whole && is_ok(e); done += CLEAR_WINDOW_BYTES)
		e = clear_some(frame, done, whole - done < CLEAR_WINDOW_BYTES ? whole - done : CLEAR_WINDOW_BYTES);
	dispatcher_leave(inside);
	return e;
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
