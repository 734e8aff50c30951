/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Regions: making them, taking ranges of them away, changing their rights. A range that begins or ends inside a region cuts it in two
 * first, and the piece that lies there, too. Frames can't be cut. */

#include <string.h>

#include "libos/address_space/address_space.h"
#include "libos/address_space/others.h"
#include "libos/address_space/piece.h"
#include "libos/address_space/place.h"
#include "libos/address_space/remote.h"
#include "libos/address_space/view.h"
#include "libos/memory/memory.h"
#include "libos/span/span.h"
#include "libos/upcall/dispatcher.h"

#define AREA_BREAK   (256 * MIB)
#define AREA_MAPS    (1 * GIB)
#define AREA_END     (128 * GIB)
#define AREA_WINDOWS (128 * GIB)

#define SHIFT_PAGE   12
#define SHIFT_MIDDLE 16
#define SHIFT_LARGE  21

/* Regions that are larger get more pages than one at a touch. */
#define SMALL_MOST  (16 * MIB)
#define MIDDLE_MOST (256 * MIB)

struct region_set regions;

static uint64_t area;
static uint64_t own_next; /* own_memory_map goes on here */

void address_space_start(uint64_t base)
{
	area = base;
	frame_clear_start(base);
	page_view_start(base + CLEAR_WINDOW_BYTES);
	own_next = base + CLEAR_WINDOW_BYTES + VIEWS * VIEW_BYTES;
	supply_start(base + AREA_WINDOWS);
}

void address_space_span(void)
{
	others_start();
	change_start();
	place_start();
}

uint64_t address_space_area(void)
{
	return area;
}

bool address_space_is_regions(uint64_t base, uint64_t bytes)
{
	return base >= area + AREA_MAPS && bytes <= AREA_END && base <= area + AREA_END - bytes;
}

uint64_t address_space_break(void)
{
	return area + AREA_BREAK;
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
	e = memory_object_vital(CAP_Frame, bytes, PAGE_BYTES, frame, &paddr);
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
	e = base + whole > area + AREA_BREAK || whole > PAGE_BYTES_LARGE ? ERR(NO_MEMORY) : OK;
	if (is_ok(e)) {
		own_next = base + whole; /* first: to map it may take more of the same, for nodes and tables */
		e = map_own(base, whole);
	}
	if (is_ok(e))
		*out = (void *)base;
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
err_t region_new(const struct vm_region *plan, struct vm_region **out)
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

void pieces_drop(uint64_t base, uint64_t end)
{
	struct piece p;

	for (; piece_from(base, end, &p); base = p.end)
		piece_drop(&p);
}

void region_end(struct vm_region *r)
{
	if (r->use == REGION_ANONYMOUS)
		pieces_drop(r->base, r->end);
	else
		frame_region_drop(r);
	regions_remove(&regions, r);
	free_region(r);
}

/* What a region is aligned to, so that it may have large pages. */
uint64_t alignment_for(uint64_t bytes)
{
	return bytes >= PAGE_BYTES_HUGE ? PAGE_BYTES_HUGE : bytes >= PAGE_BYTES_LARGE ? PAGE_BYTES_LARGE : PAGE_BYTES;
}

static uint8_t shift_for(uint64_t bytes)
{
	return bytes <= SMALL_MOST ? SHIFT_PAGE : bytes <= MIDDLE_MOST ? SHIFT_MIDDLE : SHIFT_LARGE;
}

static err_t create(struct vm_region *plan, enum placement placement)
{
	struct vm_region *r;
	err_t e;

	plan->use = REGION_ANONYMOUS;
	plan->shift = shift_for(plan->end - plan->base);
	plan->touch = placement == PLACE_TOUCH;
	plan->slab = SLAB_NONE;
	plan->first = plan->base;
	e = region_new(plan, &r);
	if (is_err(e) || placement == PLACE_TOUCH)
		return e;
	e = region_fill_all(r);
	if (is_err(e))
		region_end(r);
	return e;
}

err_t memory_map_at(uint64_t base, uint64_t bytes, rights_t rights, enum placement placement)
{
	struct vm_region plan = {.base = base, .end = base + pages_of(bytes), .rights = rights.bits};
	unsigned home;
	bool inside;
	err_t e;

	if (base % PAGE_BYTES != 0 || bytes == 0 || bytes > USER_TOP || base > USER_TOP - pages_of(bytes))
		return ERR(ARGUMENT);
	if (is_elsewhere(base, &home))
		return remote_range(home, RANGE_MAP, base, bytes, rights.bits | (uint64_t)placement << 8, NULL);
	inside = dispatcher_enter();
	store_prepare();
	e = create(&plan, placement);
	dispatcher_leave(inside);
	return e;
}

/* The region's length and rights are in the plan. */
static err_t map_somewhere(struct vm_region *plan, uint64_t bytes, enum placement placement, void **out)
{
	bool inside = dispatcher_enter();
	err_t e;

	store_prepare();
	if (!region_gap(pages_of(bytes), alignment_for(bytes), 0, &plan->base)) {
		e = ERR(NO_MEMORY);
	} else {
		plan->end = plan->base + pages_of(bytes);
		e = create(plan, placement);
	}
	if (is_ok(e))
		*out = (void *)plan->base;
	dispatcher_leave(inside);
	return e;
}

static bool are_arguments(uint64_t bytes, rights_t rights)
{
	return bytes != 0 && bytes <= AREA_END && (rights.bits & ~(RIGHT_READ | RIGHT_WRITE | RIGHT_EXECUTE)) == 0;
}

err_t memory_map(uint64_t bytes, rights_t rights, enum placement placement, void **out)
{
	struct vm_region plan = {.rights = rights.bits};

	return are_arguments(bytes, rights) ? map_somewhere(&plan, bytes, placement, out) : ERR(ARGUMENT);
}

err_t memory_map_paged(uint64_t bytes, rights_t rights, struct pager *pager, void **out)
{
	struct vm_region plan = {.rights = rights.bits, .policy = POLICY_PAGED, .pager = pager};

	return are_arguments(bytes, rights) ? map_somewhere(&plan, bytes, PLACE_TOUCH, out) : ERR(ARGUMENT);
}

static err_t map_on(unsigned member, uint64_t bytes, rights_t rights, enum placement placement, void **out)
{
	struct link_ranged answer;
	err_t e;

	if (member == span_member())
		return memory_map(bytes, rights, placement, out);
	e = remote_range(member, RANGE_MAP_ANYWHERE, 0, bytes, rights.bits | (uint64_t)placement << 8, &answer);
	if (is_ok(e))
		*out = (void *)answer.paddr;
	return e;
}

err_t memory_map_with(uint64_t bytes, rights_t rights, enum placement placement, struct memory_policy policy, void **out)
{
	static const uint8_t policies[] = {
	    [MEMORY_LOCAL] = POLICY_LOCAL,
	    [MEMORY_INTERLEAVE] = POLICY_INTERLEAVE,
	    [MEMORY_FIRST_TOUCH] = POLICY_FIRST_TOUCH,
	    [MEMORY_REPLICATE] = POLICY_REPLICATE,
	};
	struct vm_region plan = {.rights = rights.bits, .members = policy.members == 0 ? UINT64_MAX : policy.members};

	if (!are_arguments(bytes, rights) || policy.kind > MEMORY_REPLICATE)
		return ERR(ARGUMENT);
	if (policy.kind == MEMORY_BIND) {
		if (__builtin_popcountll(policy.members) != 1)
			return ERR(ARGUMENT);
		return map_on((unsigned)__builtin_ctzll(policy.members), bytes, rights, placement, out);
	}
	plan.policy = policies[policy.kind];
	return map_somewhere(&plan, bytes, placement, out);
}

bool region_gap(uint64_t bytes, uint64_t alignment, uint64_t remainder, uint64_t *base)
{
	return regions_gap(&regions, bytes, alignment, remainder, area + AREA_MAPS, area + AREA_END, base);
}
