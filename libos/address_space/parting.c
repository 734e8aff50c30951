/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Parting with a block of the domain's memory, because the system wants it back (libos/revocation/revocation.h).
 *
 * If there is time, and memory elsewhere, the block is *vacated*: it is closed, so that nothing more is made of it, and page after page
 * that is in it moves to other memory of this member's, as memory_migrate would. Only pages can move. A block of which a table, a frame of
 * the program's or something of the library OS's own is made stays; so does one of which pages are lent to other members.
 *
 * If not, it is *lost*. Its pages keep their addresses, which are marked: whoever touches one ends with REVOKED, and so the program, unless
 * a system call has touched or it is a guarded copy. Addresses that are unmapped and mapped anew are good again. Other members hear of the
 * slabs in it (`parted`), and mark what is at home there and was made of them.
 *
 * Both for threads, inside sections; both tell the monitor nothing. */

#include "libos/address_space/address_space.h"
#include "libos/address_space/piece.h"
#include "libos/address_space/place.h"
#include "libos/address_space/remote.h"
#include "libos/address_space/supply.h"
#include "libos/memory/memory.h"
#include "libos/span/span.h"
#include "libos/thread/thread.h"

#define AT_A_STRETCH (512 * KIB)

/* From one region to the next by addresses: others run meanwhile. */
static err_t move_all(uint64_t low, uint64_t high)
{
	const struct vm_region *r;
	struct piece p;
	uint64_t moved = 0;
	err_t e = OK;

	for (uint64_t at = 0; is_ok(e) && (r = regions_from(&regions, at)) != NULL;) {
		uint64_t from = r->base > at ? r->base : at, end = r->end;

		if (r->use != REGION_ANONYMOUS || !piece_from(from, end, &p)) {
			at = end;
			continue;
		}
		at = p.end;
		if (!supply_is_in(*p.page, low, high))
			continue;
		store_prepare();
		from = p.base > from ? p.base : from;
		end = p.end < end ? p.end : end;
		change_begin(from, end, true);
		memory_is_short = true; /* what is left then is needed to go on with */
		e = place_move_out(from, end, low, high);
		memory_is_short = false;
		change_end(from, end);
		moved += end - from;
		if (moved < AT_A_STRETCH)
			continue;
		moved = 0;
		thread_yield(); /* nobody else runs meanwhile */
	}
	return e;
}

/* Whether all that is made of it is slabs, and there is room for what is in them. */
static bool can_be_vacated(const struct ram_block *b)
{
	uint64_t slabs, taken;

	supply_count(b->base, b->base + b->bytes, &slabs, &taken);
	return slabs + blocks_free_in(b) == b->bytes;
}

bool block_vacate(unsigned block)
{
	const struct ram_block *b = memory_block(block);
	const uint64_t low = b->base, high = b->base + b->bytes;
	uint64_t slabs, taken;
	bool moved;

	if (b->closed || !can_be_vacated(b))
		return false;
	memory_block_close(block, true);
	supply_close(low, high, true);
	moved = is_ok(move_all(low, high));
	b = memory_block(block); /* others have run meanwhile, and may have lost it */
	if (b == NULL || b->base != low)
		return true;
	supply_count(low, high, &slabs, &taken);
	if (moved && taken == 0 && can_be_vacated(b)) {
		supply_part(low, high);
		memory_block_end(block);
		return true;
	}
	supply_close(low, high, false);
	memory_block_close(block, false);
	return false;
}

static bool is_inside(const struct vm_region *r, uint64_t low, uint64_t high)
{
	return r->use == REGION_FRAME && r->paddr >= low && r->paddr < high;
}

static void lose_frame(struct vm_region *r)
{
	r->lost = true;
	if (r->slab != SLAB_NONE)
		supply_frame_lost(r->slab);
}

bool block_lose(unsigned block)
{
	const struct ram_block *b = memory_block(block);
	const uint64_t low = b->base, high = b->base + b->bytes;
	struct piece p;

	if (b->vital)
		return false;
	for (uint64_t at = 0; piece_from(at, USER_TOP, &p); at = p.end)
		if (supply_is_in(*p.page, low, high))
			piece_lose(&p);
	for (unsigned i = 0; i < regions.count; i++)
		if (is_inside(regions.at[i], low, high))
			lose_frame(regions.at[i]);
	supply_part(low, high);
	memory_block_end(block);
	return true;
}
