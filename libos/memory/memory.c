/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Objects out of the domain's RAM blocks.
 *
 * The CPU driver has the last word on what is free: memory that was given back here may still be held by a peer that got a copy of the
 * frame. Retyping such memory answers OVERLAP, and the search goes on behind it; it is found again when the peer has let go. */

#include <atoll/address_space.h>

#include "libos/address_space/supply.h"
#include "libos/memory/memory.h"
#include "libos/upcall/dispatcher.h"

#define EXTENTS_AT_START 64
#define EXTENTS_LOW      16 /* fewer in the store: get more */
#define EXTENTS_MORE     128

static struct block_list blocks;
static struct extent first_extents[EXTENTS_AT_START];
static memory_source_fn *source;

err_t memory_add(cap_t ram, uint64_t base, uint64_t bytes, uint64_t used)
{
	bool inside = dispatcher_enter();
	err_t e;

	if (blocks.count == 0)
		blocks_store(&blocks, first_extents, EXTENTS_AT_START);
	e = blocks_add(&blocks, ram, base, bytes, used);
	dispatcher_leave(inside);
	return e;
}

void memory_moved(void)
{
	struct cap_identity ram;

	for (unsigned i = 0; i < blocks.count; i++)
		if (is_ok(cap_identify(blocks.block[i].cap, &ram)))
			blocks_move(&blocks, i, ram.base);
}

void memory_set_source(memory_source_fn *new_source)
{
	source = new_source;
}

/* Every object that is taken or given may cut a list once more. */
static void keep_extents(void)
{
	static bool busy;
	struct extent *more;

	if (busy || blocks.stored >= EXTENTS_LOW)
		return;
	busy = true;
	more = store_alloc(EXTENTS_MORE * sizeof *more);
	if (more != NULL)
		blocks_store(&blocks, more, EXTENTS_MORE);
	busy = false;
}

/* Tries one place after the other until the CPU driver agrees. */
static err_t make(enum cap_type type, uint64_t bytes, uint64_t alignment, cap_t slot, paddr_t *base)
{
	struct block_place place = {0, 0};

	while (blocks_find(&blocks, bytes, alignment, &place)) {
		const struct ram_block *b = &blocks.block[place.block];
		err_t e = cap_retype(b->cap, type, place.base - b->base, bytes, 1, slot);

		if (is_ok(e)) {
			if (base != NULL)
				*base = PADDR(place.base);
			return blocks_take(&blocks, place, bytes);
		}
		if (!err_is(e, ERR_NUMBER_OVERLAP))
			return e;
		place.base += PAGE_BYTES;
	}
	return ERR(NO_MEMORY);
}

err_t memory_object_at_hand(enum cap_type type, uint64_t bytes, uint64_t alignment, cap_t slot, paddr_t *base)
{
	bool inside = dispatcher_enter();
	err_t e;

	keep_extents();
	e = make(type, bytes, alignment, slot, base);
	dispatcher_leave(inside);
	return e;
}

err_t memory_object(enum cap_type type, uint64_t bytes, uint64_t alignment, cap_t slot, paddr_t *base)
{
	uint64_t whole = (bytes + PAGE_BYTES - 1) & ~(PAGE_BYTES - 1);
	bool inside;
	err_t e;

	if (bytes == 0 || whole < bytes || (alignment & (alignment - 1)) != 0)
		return ERR(ARGUMENT);
	if (alignment < PAGE_BYTES)
		alignment = PAGE_BYTES;
	inside = dispatcher_enter();
	e = memory_object_at_hand(type, whole, alignment, slot, base);
	if (err_is(e, ERR_NUMBER_NO_MEMORY)) {
		supply_shrink();
		e = memory_object_at_hand(type, whole, alignment, slot, base);
	}
	/* Whatever the source's reason is, to the caller there is no more. */
	if (err_is(e, ERR_NUMBER_NO_MEMORY) && source != NULL && is_ok(source(whole + alignment)))
		e = memory_object_at_hand(type, whole, alignment, slot, base);
	dispatcher_leave(inside);
	return e;
}

void memory_usage(struct memory_usage *out)
{
	bool inside = dispatcher_enter();

	*out = (struct memory_usage){.free = blocks.free_bytes};
	for (unsigned i = 0; i < blocks.count; i++)
		out->granted += blocks.block[i].bytes;
	dispatcher_leave(inside);
}

uint64_t memory_free_bytes(void)
{
	return blocks.free_bytes;
}

const struct ram_block *memory_block_of(uint64_t base, uint64_t bytes, unsigned *index)
{
	const struct ram_block *b = blocks_of(&blocks, base, bytes);

	if (b != NULL)
		*index = (unsigned)(b - blocks.block);
	return b;
}

void memory_object_delete(cap_t slot)
{
	bool inside = dispatcher_enter();
	struct cap_identity object;

	if (is_ok(cap_identify(slot, &object)) && is_ok(cap_delete(slot))) {
		keep_extents();
		/* Not of our blocks, or no extent left to note it in: then it stays taken until the domain ends. */
		(void)!is_ok(blocks_give(&blocks, object.base, object.size));
	}
	dispatcher_leave(inside);
}

void memory_object_free(cap_t slot)
{
	memory_object_delete(slot);
	cap_slot_free(slot);
}
