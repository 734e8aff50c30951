/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Regions: making them, taking ranges of them away, changing their rights. A range that begins or ends inside a region cuts it in two
 * first, and the piece that lies there, too. Frames can't be cut. */

#include <string.h>

#include "libos/address_space/address_space.h"
#include "libos/address_space/piece.h"
#include "libos/memory/memory.h"
#include "libos/upcall/dispatcher.h"

#define AREA_BREAK   (256 * MIB)
#define AREA_MAPS    (1 * GIB)
#define AREA_END     (128 * GIB)
#define AREA_WINDOWS (128 * GIB)

#define SHIFT_PAGE   12
#define SHIFT_MIDDLE 16
#define SHIFT_LARGE  21
#define SHIFT_HUGE   30

/* Regions that are larger get more pages than one at a touch. */
#define SMALL_MOST  (16 * MIB)
#define MIDDLE_MOST (256 * MIB)

/* A list of a frame's pieces may be this long, so that it fits the store. */
#define PIECES_MAX (STORE_LARGEST / 4 / sizeof(cap_t))

struct region_set regions;

static uint64_t area;
static uint64_t own_next; /* own_memory_map goes on here */

void address_space_start(uint64_t base)
{
	area = base;
	frame_clear_start(base);
	own_next = base + CLEAR_WINDOW_BYTES;
	supply_start(base + AREA_WINDOWS);
}

uint64_t address_space_break(void)
{
	return area + AREA_BREAK;
}

static uint64_t pages_of(uint64_t bytes)
{
	return (bytes + PAGE_BYTES - 1) & ~(PAGE_BYTES - 1);
}

/* Memory of its own at an address: a frame that lies in one table of level 1. */
static err_t map_own(uint64_t base, uint64_t bytes)
{
	cap_t frame;
	paddr_t paddr;
	unsigned level;
	err_t e = cap_slot_alloc(&frame);

	if (is_err(e))
		return e;
	e = memory_object(CAP_Frame, bytes, PAGE_BYTES, frame, &paddr);
	if (is_err(e)) {
		cap_slot_free(frame);
		return e;
	}
	e = frame_map_at(frame, base, paddr.value, 0, bytes, RIGHT_READ | RIGHT_WRITE, &level);
	if (is_err(e))
		memory_object_free(frame);
	else
		memset((void *)base, 0, bytes);
	return e;
}

err_t own_memory_map(uint64_t bytes, void **out)
{
	bool inside = dispatcher_enter();
	uint64_t whole = pages_of(bytes), base = own_next;
	err_t e;

	if (base / PAGE_BYTES_LARGE != (base + whole - 1) / PAGE_BYTES_LARGE)
		base += PAGE_BYTES_LARGE - base % PAGE_BYTES_LARGE;
	e = base + whole > area + AREA_BREAK || whole > PAGE_BYTES_LARGE ? ERR(NO_MEMORY) : map_own(base, whole);
	if (is_ok(e)) {
		*out = (void *)base;
		own_next = base + whole;
	}
	dispatcher_leave(inside);
	return e;
}

/* ---- Regions ---- */

static size_t list_bytes(const struct vm_region *r)
{
	return r->use == REGION_FRAME ? region_piece_count(r) * sizeof(cap_t) : 0;
}

/* Room for one more region in the set. */
static err_t make_room(void)
{
	unsigned capacity = regions.capacity == 0 ? 64 : regions.capacity * 2;
	struct vm_region **larger;

	if (!regions_full(&regions))
		return OK;
	if (capacity * sizeof *larger > STORE_LARGEST)
		return ERR(LIMIT);
	larger = store_alloc(capacity * sizeof *larger);
	if (larger == NULL)
		return ERR(NO_MEMORY);
	memcpy(larger, regions.at, regions.count * sizeof *larger);
	store_free(regions.at, regions.capacity * sizeof *larger);
	regions.at = larger;
	regions.capacity = capacity;
	return OK;
}

static void free_region(struct vm_region *r)
{
	if (r->piece != NULL)
		store_free(r->piece, list_bytes(r));
	store_free(r, sizeof *r);
}

/* A copy of `plan` in the store and in the set, without pieces. */
static err_t new_region(const struct vm_region *plan, struct vm_region **out)
{
	struct vm_region *r;
	err_t e = make_room();

	if (is_err(e))
		return e;
	r = store_alloc(sizeof *r);
	if (r == NULL)
		return ERR(NO_MEMORY);
	*r = *plan;
	r->piece = list_bytes(r) == 0 ? NULL : store_alloc(list_bytes(r));
	e = list_bytes(r) != 0 && r->piece == NULL ? ERR(NO_MEMORY) : regions_insert(&regions, r);
	if (is_err(e)) {
		free_region(r);
		return e;
	}
	*out = r;
	return OK;
}

static void drop_pieces(uint64_t base, uint64_t end)
{
	struct piece p;

	for (; piece_from(base, end, &p); base = p.end)
		piece_drop(&p);
}

static void end_region(struct vm_region *r)
{
	if (r->use == REGION_ANONYMOUS)
		drop_pieces(r->base, r->end);
	else
		for (uint64_t i = 0; i < region_piece_count(r); i++)
			if (r->piece[i].value != CAP_NULL.value)
				frame_piece_drop(r, i);
	regions_remove(&regions, r);
	free_region(r);
}

/* What a region is aligned to, so that it may have large pages. */
static uint64_t alignment_for(uint64_t bytes)
{
	return bytes >= PAGE_BYTES_HUGE ? PAGE_BYTES_HUGE : bytes >= PAGE_BYTES_LARGE ? PAGE_BYTES_LARGE : PAGE_BYTES;
}

static uint8_t shift_for(uint64_t bytes)
{
	return bytes <= SMALL_MOST ? SHIFT_PAGE : bytes <= MIDDLE_MOST ? SHIFT_MIDDLE : SHIFT_LARGE;
}

static err_t create(uint64_t base, uint64_t bytes, rights_t rights, enum placement placement)
{
	struct vm_region plan = {
	    .base = base,
	    .end = base + bytes,
	    .rights = rights.bits,
	    .use = REGION_ANONYMOUS,
	    .shift = shift_for(bytes),
	    .touch = placement == PLACE_TOUCH,
	};
	struct vm_region *r;
	err_t e = new_region(&plan, &r);

	if (is_err(e) || placement == PLACE_TOUCH)
		return e;
	e = pieces_make(r, r->base, r->end);
	if (is_err(e))
		end_region(r);
	return e;
}

err_t memory_map_at(uint64_t base, uint64_t bytes, rights_t rights, enum placement placement)
{
	bool inside;
	err_t e;

	if (base % PAGE_BYTES != 0 || bytes == 0 || bytes > USER_TOP || base > USER_TOP - pages_of(bytes))
		return ERR(ARGUMENT);
	inside = dispatcher_enter();
	store_prepare();
	e = create(base, pages_of(bytes), rights, placement);
	dispatcher_leave(inside);
	return e;
}

err_t memory_map(uint64_t bytes, rights_t rights, enum placement placement, void **out)
{
	uint64_t whole = pages_of(bytes), alignment, base;
	bool inside;
	err_t e;

	if (bytes == 0 || bytes > AREA_END || (rights.bits & ~(RIGHT_READ | RIGHT_WRITE | RIGHT_EXECUTE)) != 0)
		return ERR(ARGUMENT);
	inside = dispatcher_enter();
	store_prepare();
	alignment = alignment_for(whole);
	if (!regions_gap(&regions, whole, alignment, 0, area + AREA_MAPS, area + AREA_END, &base))
		e = ERR(NO_MEMORY);
	else
		e = create(base, whole, rights, placement);
	if (is_ok(e))
		*out = (void *)base;
	dispatcher_leave(inside);
	return e;
}

/* ---- Ranges ---- */

/* Cuts the region that contains `at`, if there is one, in two at that address. ALIGNMENT: it is a frame. */
static err_t cut(uint64_t at)
{
	struct vm_region *low = regions_find(&regions, at), *high, plan;
	err_t e;

	if (low == NULL || low->base == at)
		return OK;
	if (low->use != REGION_ANONYMOUS)
		return ERR(ALIGNMENT);
	e = piece_cut(at, low->rights);
	if (is_err(e))
		return e;
	plan = *low;
	plan.base = at;
	low->end = at;
	e = new_region(&plan, &high);
	if (is_err(e))
		low->end = plan.end;
	return e;
}

/* Does something to all regions of a range, which is cut out of its regions before. */
static err_t for_range(uint64_t base, uint64_t bytes, err_t (*action)(struct vm_region *, uint64_t argument), uint64_t argument)
{
	uint64_t end = base + pages_of(bytes);
	struct vm_region *r, *next;
	bool inside;
	err_t e;

	if (base % PAGE_BYTES != 0 || bytes == 0 || bytes > USER_TOP || end > USER_TOP)
		return ERR(ARGUMENT);
	inside = dispatcher_enter();
	store_prepare();
	e = cut(base);
	if (is_ok(e))
		e = cut(end);
	for (r = is_ok(e) ? regions_from(&regions, base) : NULL; r != NULL && r->base < end && is_ok(e); r = next) {
		next = regions_next(&regions, r);
		e = action(r, argument);
	}
	dispatcher_leave(inside);
	return e;
}

static err_t unmap_region(struct vm_region *r, uint64_t argument)
{
	(void)argument;
	end_region(r);
	return OK;
}

static err_t protect_region(struct vm_region *r, uint64_t rights)
{
	uint64_t before = r->rights, at;
	struct piece p;
	err_t e = OK;

	if (r->use != REGION_ANONYMOUS)
		return ERR(NOT_SUPPORTED);
	if (before == rights)
		return OK;
	r->rights = (uint8_t)rights;
	for (at = r->base; is_ok(e) && piece_from(at, r->end, &p); at = p.end) {
		if (before != 0)
			piece_unmap(&p);
		e = piece_map(&p, rights);
	}
	return e;
}

static err_t forget_region(struct vm_region *r, uint64_t argument)
{
	(void)argument;
	if (r->use != REGION_ANONYMOUS)
		return ERR(NOT_SUPPORTED);
	drop_pieces(r->base, r->end);
	r->touch = true;
	return OK;
}

err_t memory_unmap_range(uint64_t base, uint64_t bytes)
{
	return for_range(base, bytes, unmap_region, 0);
}
err_t memory_forget_range(uint64_t base, uint64_t bytes)
{
	return for_range(base, bytes, forget_region, 0);
}

/* Whether regions cover all of the range. */
static bool is_covered(uint64_t base, uint64_t end)
{
	while (base < end) {
		const struct vm_region *r = regions_find(&regions, base);

		if (r == NULL)
			return false;
		base = r->end;
	}
	return true;
}

err_t memory_protect_range(uint64_t base, uint64_t bytes, rights_t rights)
{
	bool inside = dispatcher_enter();
	err_t e = bytes > USER_TOP || !is_covered(base, base + pages_of(bytes)) ? ERR(NOT_MAPPED)
	                                                                        : for_range(base, bytes, protect_region, rights.bits);

	dispatcher_leave(inside);
	return e;
}

err_t memory_unmap(void *address, uint64_t bytes)
{
	bool inside = dispatcher_enter();
	uint64_t base = (uint64_t)address;
	err_t e = bytes > USER_TOP || !is_covered(base, base + pages_of(bytes)) ? ERR(NOT_MAPPED) : memory_unmap_range(base, bytes);

	dispatcher_leave(inside);
	return e;
}

err_t memory_protect(void *address, uint64_t bytes, rights_t rights)
{
	if ((rights.bits & ~(RIGHT_READ | RIGHT_WRITE | RIGHT_EXECUTE)) != 0)
		return ERR(ARGUMENT);
	return memory_protect_range((uint64_t)address, bytes, rights);
}

/* ---- Frames ---- */

err_t frame_map(cap_t frame, uint64_t offset, uint64_t bytes, rights_t rights, void **out)
{
	struct cap_identity object;
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
	e = frame_region_make(frame, &object, offset, pages_of(bytes), rights, out);
	dispatcher_leave(inside);
	return e;
}

/* Where frame_map may put `bytes` of a frame whose first byte has this physical address. */
err_t frame_region_place(uint64_t paddr, uint64_t bytes, rights_t rights, struct vm_region **out)
{
	bool huge = bytes >= PAGE_BYTES_HUGE && (bytes | paddr) % PAGE_BYTES_LARGE == 0;
	uint64_t alignment = alignment_for(bytes);
	struct vm_region plan = {.rights = rights.bits, .use = REGION_FRAME, .shift = huge ? SHIFT_HUGE : SHIFT_LARGE};

	if (!regions_gap(&regions, bytes, alignment, paddr & (alignment - 1), area + AREA_MAPS, area + AREA_END, &plan.base))
		return ERR(NO_MEMORY);
	plan.end = plan.base + bytes;
	if (region_piece_count(&plan) > PIECES_MAX)
		return ERR(NO_MEMORY);
	return new_region(&plan, out);
}

void frame_region_end(struct vm_region *r)
{
	end_region(r);
}
