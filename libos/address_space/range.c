/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* What is done to ranges: taking them away, changing their rights, moving them. A range that begins or ends inside a region cuts it in two
 * first, and the piece that lies there, too. Frames can't be cut. */

#include "libos/address_space/address_space.h"
#include "libos/address_space/others.h"
#include "libos/address_space/piece.h"
#include "libos/address_space/place.h"
#include "libos/address_space/remote.h"
#include "libos/memory/memory.h"
#include "libos/span/span.h"
#include "libos/upcall/dispatcher.h"

/* Cuts the region that contains `at`, if there is one, in two at that address. ALIGNMENT: it is a frame. */
static err_t cut(uint64_t at)
{
	struct vm_region *low = regions_find(&regions, at), *high, plan;
	err_t e;

	if (low == NULL || low->base == at)
		return OK;
	if (low->use != REGION_ANONYMOUS)
		return ERR(ALIGNMENT);
	e = piece_cut(at, low);
	if (is_err(e))
		return e;
	plan = *low;
	plan.base = at;
	low->end = at;
	e = region_new(&plan, &high);
	if (is_err(e))
		low->end = plan.end;
	return e;
}

/* Does something to all regions of a range, after it was taken away from other members, and cut out of its regions. */
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
	change_begin(base, end, false);
	e = cut(base);
	if (is_ok(e))
		e = cut(end);
	for (r = is_ok(e) ? regions_from(&regions, base) : NULL; r != NULL && r->base < end && is_ok(e); r = next) {
		next = regions_next(&regions, r);
		e = r->use == REGION_COMMON ? ERR(NOT_SUPPORTED) : action(r, argument);
	}
	change_end(base, end);
	dispatcher_leave(inside);
	return e;
}

static err_t unmap_region(struct vm_region *r, uint64_t argument)
{
	(void)argument;
	region_end(r);
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
		e = piece_map(&p, piece_rights(r, &p));
	}
	return e;
}

static err_t forget_region(struct vm_region *r, uint64_t argument)
{
	(void)argument;
	if (r->use != REGION_ANONYMOUS)
		return ERR(NOT_SUPPORTED);
	pieces_drop(r->base, r->end);
	r->touch = true;
	return OK;
}

/* Whether regions cover all of the range. */
static bool is_covered(uint64_t base, uint64_t bytes)
{
	uint64_t end = base + pages_of(bytes);

	if (bytes > USER_TOP || base > USER_TOP)
		return false;
	while (base < end) {
		const struct vm_region *r = regions_find(&regions, base);

		if (r == NULL)
			return false;
		base = r->end;
	}
	return true;
}

static err_t for_covered_range(uint64_t base, uint64_t bytes, err_t (*action)(struct vm_region *, uint64_t argument), uint64_t argument)
{
	bool inside = dispatcher_enter();
	err_t e = is_covered(base, bytes) ? for_range(base, bytes, action, argument) : ERR(NOT_MAPPED);

	dispatcher_leave(inside);
	return e;
}

/* ---- Here or elsewhere ---- */

err_t memory_unmap_range(uint64_t base, uint64_t bytes)
{
	unsigned home;

	return is_elsewhere(base, &home) ? remote_range(home, RANGE_UNMAP, base, bytes, 0, NULL) : for_range(base, bytes, unmap_region, 0);
}

err_t memory_forget_range(uint64_t base, uint64_t bytes)
{
	unsigned home;

	return is_elsewhere(base, &home) ? remote_range(home, RANGE_FORGET, base, bytes, 0, NULL)
	                                 : for_range(base, bytes, forget_region, 0);
}

err_t memory_protect_range(uint64_t base, uint64_t bytes, rights_t rights)
{
	unsigned home;

	if (is_elsewhere(base, &home))
		return remote_range(home, RANGE_PROTECT, base, bytes, rights.bits, NULL);
	return for_covered_range(base, bytes, protect_region, rights.bits);
}

err_t memory_unmap(void *address, uint64_t bytes)
{
	uint64_t base = (uint64_t)address;
	unsigned home;

	if (is_elsewhere(base, &home))
		return remote_range(home, RANGE_UNMAP_COVERED, base, bytes, 0, NULL);
	return for_covered_range(base, bytes, unmap_region, 0);
}

err_t memory_protect(void *address, uint64_t bytes, rights_t rights)
{
	if ((rights.bits & ~(RIGHT_READ | RIGHT_WRITE | RIGHT_EXECUTE)) != 0)
		return ERR(ARGUMENT);
	return memory_protect_range((uint64_t)address, bytes, rights);
}

/* Only where anonymous memory is, so that nothing of the library OS's is replaced. */
err_t memory_map_over(uint64_t base, uint64_t bytes, rights_t rights)
{
	const struct vm_region *r;
	unsigned home;
	bool inside;
	err_t e;

	if (is_elsewhere(base, &home))
		return remote_range(home, RANGE_REMAP, base, bytes, rights.bits, NULL);
	inside = dispatcher_enter();
	r = regions_find(&regions, base);
	e = base % PAGE_BYTES != 0 || bytes > USER_TOP || r == NULL || r->use != REGION_ANONYMOUS ? ERR(ARGUMENT)
	                                                                                          : memory_unmap_range(base, bytes);
	if (is_ok(e))
		e = memory_map_at(base, bytes, rights, PLACE_TOUCH);
	dispatcher_leave(inside);
	return e;
}

/* ---- Where, and to where ---- */

err_t where_is(uint64_t address, struct link_ranged *answer)
{
	bool inside = dispatcher_enter();
	const struct vm_region *r = regions_find(&regions, address);
	struct page p;
	err_t e = ERR(NOT_MAPPED);

	if (r != NULL && r->use != REGION_ANONYMOUS) {
		answer->member = span_member();
		answer->paddr = r->paddr + (address - r->base);
		e = OK;
	} else if (r != NULL && page_at(address & ~(PAGE_BYTES - 1), &p) && p.lost) {
		e = ERR(REVOKED);
	} else if (r != NULL && page_at(address & ~(PAGE_BYTES - 1), &p)) {
		answer->member = p.borrowed ? p.owner : span_member();
		answer->paddr = page_paddr(p) + address % PAGE_BYTES;
		e = OK;
	}
	dispatcher_leave(inside);
	return e;
}

static unsigned node_of_member(unsigned member)
{
	struct span_place places[SPAN_MAX];
	unsigned count = span_members(places, SPAN_MAX);

	for (unsigned i = 0; i < count; i++)
		if (places[i].member == member)
			return places[i].node;
	return 0;
}

err_t memory_where(const void *address, struct memory_place *out)
{
	struct link_ranged answer = {0};
	unsigned home = span_member(), at;
	err_t e;

	if (is_elsewhere((uint64_t)address, &at)) {
		home = at;
		e = remote_range(home, RANGE_WHERE, (uint64_t)address, 1, 0, &answer);
	} else {
		e = where_is((uint64_t)address, &answer);
	}
	if (is_ok(e))
		*out = (struct memory_place){home, (unsigned)answer.member, node_of_member((unsigned)answer.member), PADDR(answer.paddr)};
	return e;
}

uint64_t memory_members_of_node(unsigned node)
{
	struct span_place places[SPAN_MAX];
	unsigned count = span_members(places, SPAN_MAX);
	uint64_t members = 0;

	for (unsigned i = 0; i < count; i++)
		if (places[i].node == node)
			members |= UINT64_C(1) << places[i].member;
	return members;
}

err_t memory_migrate(void *address, uint64_t bytes, unsigned member)
{
	uint64_t base = (uint64_t)address, end = base + pages_of(bytes);
	unsigned home;
	bool inside;
	err_t e;

	if (is_elsewhere(base, &home))
		return remote_range(home, RANGE_MIGRATE, base, bytes, member, NULL);
	if (base % PAGE_BYTES != 0 || bytes == 0 || member >= SPAN_MAX)
		return ERR(ARGUMENT);
	inside = dispatcher_enter();
	store_prepare();
	if (!is_covered(base, bytes)) {
		e = ERR(NOT_MAPPED);
	} else {
		change_begin(base, end, true);
		e = place_migrate(base, end, member);
		change_end(base, end);
	}
	dispatcher_leave(inside);
	return e;
}
