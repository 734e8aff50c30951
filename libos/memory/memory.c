/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Objects out of the domain's RAM blocks.
 *
 * The CPU driver has the last word on what is free: memory that was given back here may still be held by a peer that got a copy of the
 * frame. Retyping such memory answers OVERLAP, and the search goes on behind it; it is found again when the peer has let go.
 *
 * The first block stays the domain's as long as it lives, the others may be asked back, or taken (libos/revocation/revocation.h). So what
 * the library OS can't live without is *vital*: it is made of the first one as long as possible. A part of that, the reserve, is for
 * nothing else while there is other memory. Then such things get blocks of their own, which the monitor is asked to take last. */

#include <atoll/address_space.h>
#include <atoll/domain.h>

#include "libos/address_space/supply.h"
#include "libos/memory/memory.h"
#include "libos/upcall/dispatcher.h"

#define RESERVE_MOST  (512 * KIB)
#define RESERVE_SHARE 8 /* of the first block, at most */
#define VITAL_BLOCK   (1 * MIB)

#define EXTENTS_AT_START 64
#define EXTENTS_LOW      16 /* fewer in the store: get more */
#define EXTENTS_MORE     128

static struct block_list blocks;
static struct extent first_extents[EXTENTS_AT_START];
static memory_source_fn *source;
bool memory_is_short;

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
		if (blocks.block[i].bytes != 0 && is_ok(cap_identify(blocks.block[i].cap, &ram)))
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

/* Whether as much as that would not be missed in the first block. */
static bool spares_reserve(uint64_t bytes)
{
	const uint64_t share = blocks.block[0].bytes / RESERVE_SHARE, reserve = share < RESERVE_MOST ? share : RESERVE_MOST;

	return blocks_free_in(&blocks.block[0]) >= reserve + bytes;
}

enum use { USE_ORDINARY, USE_VITAL, USE_ANY };

/* Whether something may be made of the block. A monitor has only the one. */
static bool may_use(unsigned block, enum use use, uint64_t bytes)
{
	if (use == USE_ANY || source == NULL)
		return true;
	if (use == USE_VITAL)
		return block == 0 || blocks.block[block].vital;
	return block == 0 ? spares_reserve(bytes) : !blocks.block[block].vital;
}

/* Tries one place after the other until the CPU driver agrees. */
static err_t make(enum cap_type type, uint64_t bytes, uint64_t alignment, cap_t slot, paddr_t *base, enum use use)
{
	struct block_place place = {0, 0};

	while (blocks_find(&blocks, bytes, alignment, &place)) {
		const struct ram_block *b = &blocks.block[place.block];
		err_t e;

		if (!may_use(place.block, use, bytes)) {
			place = (struct block_place){place.block + 1, 0};
			continue;
		}
		e = cap_retype(b->cap, type, place.base - b->base, bytes, 1, slot);
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

static err_t at_hand(enum cap_type type, uint64_t bytes, uint64_t alignment, cap_t slot, paddr_t *base, enum use use)
{
	bool inside = dispatcher_enter();
	err_t e;

	keep_extents();
	e = make(type, bytes, alignment, slot, base, use);
	dispatcher_leave(inside);
	return e;
}

err_t memory_object_at_hand(enum cap_type type, uint64_t bytes, uint64_t alignment, cap_t slot, paddr_t *base)
{
	return at_hand(type, bytes, alignment, slot, base, USE_ORDINARY);
}

/* A further block with such a place in it. One that has it anywhere is easier to have than one that begins there; but not if it takes a GiB
 * more. */
static err_t add_block(uint64_t bytes, uint64_t alignment)
{
	if (source == NULL || memory_is_short)
		return ERR(NO_MEMORY);
	return alignment < PAGE_BYTES_HUGE ? source(bytes + alignment, PAGE_BYTES, false) : source(bytes, alignment, false);
}

bool memory_more_huge(uint64_t bytes)
{
	bool inside = dispatcher_enter();
	bool more = is_ok(add_block(bytes, PAGE_BYTES_HUGE)) || is_ok(add_block(PAGE_BYTES_HUGE, PAGE_BYTES_HUGE));

	dispatcher_leave(inside);
	return more;
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
	e = at_hand(type, whole, alignment, slot, base, USE_ORDINARY);
	if (err_is(e, ERR_NUMBER_NO_MEMORY)) {
		supply_shrink();
		e = at_hand(type, whole, alignment, slot, base, USE_ORDINARY);
	}
	/* Whatever the source's reason is, to the caller there is no more. */
	if (err_is(e, ERR_NUMBER_NO_MEMORY) && is_ok(add_block(whole, alignment)))
		e = at_hand(type, whole, alignment, slot, base, USE_ORDINARY);
	if (err_is(e, ERR_NUMBER_NO_MEMORY) && !memory_is_short)
		e = at_hand(type, whole, alignment, slot, base, USE_ANY);
	dispatcher_leave(inside);
	return e;
}

/* The block is to be taken last. */
static void keep(unsigned block)
{
	struct ram_block *b = &blocks.block[block];

	if (block == 0 || b->vital)
		return;
	b->vital = true;
	(void)monitor_request(REQUEST_keep, 0, b->base, 0, 0);
}

/* A further block for such things alone; ordinary things find room in it when there is no other. */
static void add_vital_block(void)
{
	const unsigned before = blocks.count;
	unsigned block = 0;

	if (source == NULL || is_err(source(VITAL_BLOCK, PAGE_BYTES, true)))
		return;
	/* The new one has nothing in it yet. */
	while (block < before && (blocks.block[block].bytes == 0 || blocks_free_in(&blocks.block[block]) != blocks.block[block].bytes))
		block++;
	if (block < blocks.count)
		keep(block);
}

err_t memory_object_vital(enum cap_type type, uint64_t bytes, uint64_t alignment, cap_t slot, paddr_t *base)
{
	bool inside = dispatcher_enter();
	unsigned block;
	paddr_t at;
	err_t e = at_hand(type, bytes, alignment, slot, &at, USE_VITAL);

	if (err_is(e, ERR_NUMBER_NO_MEMORY)) {
		add_vital_block();
		e = at_hand(type, bytes, alignment, slot, &at, USE_VITAL);
	}
	if (err_is(e, ERR_NUMBER_NO_MEMORY))
		e = memory_object(type, bytes, alignment, slot, &at);
	if (is_ok(e) && memory_block_of(at.value, bytes, &block) != NULL)
		keep(block);
	if (is_ok(e) && base != NULL)
		*base = at;
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

const struct ram_block *memory_block(unsigned index)
{
	return index < blocks.count && blocks.block[index].bytes != 0 ? &blocks.block[index] : NULL;
}

void memory_block_close(unsigned index, bool closed)
{
	blocks.block[index].closed = closed;
}

void memory_block_end(unsigned index)
{
	blocks_remove(&blocks, index);
	supply_block_ended(index);
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
