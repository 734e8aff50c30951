/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Frames in the address space. Every piece of a frame of the caller's is mapped by a copy of its own of the frame's capability, because a
 * copy can be mapped once; the caller's own capability stays free. Whole, aligned 2 MiB or 1 GiB become large pages. */

#include <string.h>

#include "libos/address_space/address_space.h"
#include "libos/address_space/others.h"
#include "libos/address_space/remote.h"
#include "libos/address_space/supply.h"
#include "libos/address_space/tables.h"
#include "libos/memory/memory.h"
#include "libos/upcall/dispatcher.h"

/* A list of a frame's pieces may be this long, so that it fits the store. */
#define PIECES_MAX (STORE_LARGEST / 4 / sizeof(cap_t))

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

/* Where frame_map puts `bytes` of a frame whose first byte has this physical address. */
static err_t make_region(struct vm_region *plan, uint64_t bytes, struct vm_region **out)
{
	bool huge = bytes >= PAGE_BYTES_HUGE && (bytes | plan->paddr) % PAGE_BYTES_LARGE == 0;
	uint64_t alignment = alignment_for(bytes);

	plan->use = REGION_FRAME;
	plan->shift = huge ? 30 : 21;
	plan->slab = SLAB_NONE;
	if (!region_gap(bytes, alignment, plan->paddr & (alignment - 1), &plan->base))
		return ERR(NO_MEMORY);
	plan->end = plan->base + bytes;
	return region_piece_count(plan) > PIECES_MAX ? ERR(NO_MEMORY) : region_new(plan, out);
}

static err_t make_pieces(cap_t frame, struct vm_region *r)
{
	err_t e = OK;

	for (uint64_t i = 0; is_ok(e) && i < region_piece_count(r); i++) {
		uint64_t base = region_piece_base(r, i), from_base = base - r->base;
		unsigned level;
		cap_t copy;

		e = cap_slot_alloc(&copy);
		if (is_err(e))
			return e;
		e = cap_copy(frame, copy);
		if (is_err(e)) {
			cap_slot_free(copy);
			return e;
		}
		r->piece[i] = copy;
		e = frame_map_at(copy, base, r->paddr + from_base, r->offset + from_base, region_piece_end(r, i) - base, r->rights, &level);
	}
	return e;
}

err_t frame_map(cap_t frame, uint64_t offset, uint64_t bytes, rights_t rights, void **out)
{
	struct cap_identity object;
	struct vm_region plan, *r;
	bool inside;
	err_t e = cap_identify(frame, &object);

	if (is_err(e))
		return e;
	if (object.type != CAP_Frame && object.type != CAP_DeviceFrame)
		return ERR(CAP_TYPE);
	if (bytes == 0)
		bytes = object.size > offset ? object.size - offset : 0;
	if (offset % PAGE_BYTES != 0 || bytes == 0 || offset > object.size || pages_of(bytes) > object.size - offset)
		return ERR(RANGE);
	if ((rights.bits & ~(RIGHT_READ | RIGHT_WRITE | RIGHT_EXECUTE)) != 0 || rights.bits == 0)
		return ERR(ARGUMENT);
	inside = dispatcher_enter();
	store_prepare();
	plan = (struct vm_region){.rights = rights.bits, .paddr = object.base + offset, .offset = offset};
	e = make_region(&plan, pages_of(bytes), &r);
	if (is_ok(e)) {
		e = make_pieces(frame, r);
		if (is_err(e))
			region_end(r);
		else
			*out = (void *)r->base;
	}
	dispatcher_leave(inside);
	return e;
}

err_t frame_unmap(void *address)
{
	uint64_t base = (uint64_t)address;
	struct vm_region *r;
	unsigned home;
	bool inside, found;

	if (is_elsewhere(base, &home))
		return remote_range(home, RANGE_FRAME_UNMAP, base, PAGE_BYTES, 0, NULL);
	inside = dispatcher_enter();
	r = regions_find(&regions, base);
	found = r != NULL && r->use == REGION_FRAME && r->base == base;
	if (found) {
		uint64_t end = r->end;

		change_begin(base, end, false);
		r = regions_find(&regions, base);
		found = r != NULL && r->use == REGION_FRAME && r->base == base && r->end == end;
		if (found)
			region_end(r);
		change_end(base, end);
	}
	dispatcher_leave(inside);
	return found ? OK : ERR(NOT_MAPPED);
}

void frames_moved(void)
{
	struct cap_identity object;

	for (unsigned i = 0; i < regions.count; i++) {
		struct vm_region *r = regions.at[i];

		if (r->use != REGION_ANONYMOUS && is_ok(cap_identify(r->piece != NULL ? r->piece[0] : r->frame, &object)))
			r->paddr = object.base + r->offset;
	}
}

err_t frame_exchange(void *address, cap_t frame)
{
	const uint64_t base = (uint64_t)address;
	struct vm_region *r = regions_find(&regions, base);
	struct cap_identity object;
	unsigned level;
	cap_t old, copy;
	err_t e = cap_identify(frame, &object);

	if (is_err(e))
		return e;
	if (r == NULL || r->use != REGION_FRAME || r->base != base || region_piece_count(r) != 1 || r->slab != SLAB_NONE)
		return ERR(ARGUMENT);
	e = cap_slot_alloc(&copy);
	if (is_err(e))
		return e;
	old = r->piece[0];
	e = cap_copy(frame, copy);
	/* A revoke may have unmapped it already. */
	if (is_ok(e))
		(void)!is_ok(invoke(old, OP_Frame_unmap, base, 0, 0, 0, 0).error);
	if (is_ok(e))
		e = frame_map_at(copy, base, object.base, 0, r->end - base, r->rights, &level);
	if (is_err(e)) {
		(void)!is_ok(frame_map_at(old, base, r->paddr, r->offset, r->end - base, r->rights, &level));
		cap_slot_drop(copy);
		return e;
	}
	r->piece[0] = copy;
	r->paddr = object.base;
	r->offset = 0;
	cap_slot_drop(old);
	return OK;
}

/* ---- Frames that other members use ---- */

err_t region_as_slab(struct vm_region *r)
{
	err_t e;

	if (r->slab != SLAB_NONE)
		return OK;
	if (r->use == REGION_COMMON)
		return supply_register(r->frame, r->paddr - r->offset, &r->slab);
	e = cap_slot_alloc(&r->frame);
	if (is_err(e))
		return e;
	e = cap_copy(r->piece[0], r->frame);
	if (is_err(e)) {
		cap_slot_free(r->frame);
		return e;
	}
	e = supply_register(r->frame, r->paddr - r->offset, &r->slab);
	if (is_err(e))
		cap_slot_drop(r->frame);
	return e;
}

void frame_region_drop(struct vm_region *r)
{
	for (uint64_t i = 0; i < region_piece_count(r); i++) {
		if (r->piece[i].value == CAP_NULL.value)
			continue;
		/* One that could not be mapped is dropped too. */
		(void)!is_ok(invoke(r->piece[i], OP_Frame_unmap, region_piece_base(r, i), 0, 0, 0, 0).error);
		cap_slot_drop(r->piece[i]);
	}
	if (r->slab != SLAB_NONE)
		others_end(r->slab);
}

/* What the program began with: its segments that all members have in common, and the first stack. */
err_t frame_common(const struct start_piece *piece)
{
	struct cap_identity object;
	struct vm_region plan =
	                     {
	                         .base = piece->vaddr,
	                         .end = piece->vaddr + piece->pages * PAGE_BYTES,
	                         .rights = (uint8_t)piece->rights,
	                         .use = REGION_COMMON,
	                         .frame = {piece->cap},
	                         .slab = SLAB_NONE,
	                     },
	                 *r;
	err_t e = cap_identify(plan.frame, &object);

	plan.paddr = object.base;
	return is_ok(e) ? region_new(&plan, &r) : e;
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
