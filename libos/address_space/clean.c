/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Zeroed frames of one page, in stock, so that a first touch costs one call. They are made in batches: one frame is mapped in a window,
 * cleared, given up, and its memory is made into single pages. All memory is cleared before it is used as anonymous memory, wherever it
 * comes from: another domain may have had it before. */

#include <string.h>

#include "libos/address_space/address_space.h"
#include "libos/address_space/tables.h"
#include "libos/memory/memory.h"
#include "libos/upcall/dispatcher.h"

static uint64_t window;
static cap_t stock[CLEAN_BATCH];
static unsigned stocked;

void clean_frames_start(uint64_t window_address)
{
	window = window_address;
}

static err_t clear_some(cap_t frame, uint64_t offset, uint64_t pages)
{
	cap_t table;
	err_t e = tables_get(window, 1, &table);

	if (is_ok(e))
		e = invoke(frame, OP_Frame_map, table.value, tables_entry(window, 1), RIGHT_READ | RIGHT_WRITE, offset, pages).error;
	if (is_err(e))
		return e;
	memset((void *)window, 0, pages * PAGE_BYTES);
	return invoke(frame, OP_Frame_unmap, window, 0, 0, 0, 0).error;
}

err_t frame_clear(cap_t frame, uint64_t bytes)
{
	uint64_t pages = (bytes + PAGE_BYTES - 1) / PAGE_BYTES;
	bool inside = dispatcher_enter();
	err_t e = OK;

	for (uint64_t done = 0; done < pages && is_ok(e); done += CLEAN_BATCH)
		e = clear_some(frame, done * PAGE_BYTES, pages - done < CLEAN_BATCH ? pages - done : CLEAN_BATCH);
	dispatcher_leave(inside);
	return e;
}

/* `pages` cleared frames, side by side, in as many slots. */
static err_t make_pages(cap_t first, unsigned pages)
{
	cap_t slot;
	err_t e = cap_slot_alloc(&slot);

	if (is_err(e))
		return e;
	e = memory_object(CAP_Frame, pages * PAGE_BYTES, PAGE_BYTES, slot, NULL);
	if (is_err(e)) {
		cap_slot_free(slot);
		return e;
	}
	e = frame_clear(slot, pages * PAGE_BYTES);
	if (is_ok(e) && pages == 1)
		e = cap_move(slot, first);
	else if (is_ok(e))
		e = memory_object_split(slot, PAGE_BYTES, pages, first);
	if (is_err(e)) {
		memory_object_free(slot);
		return e;
	}
	cap_slot_free(slot);
	return OK;
}

/* A whole batch, or a single page when memory is short. */
static err_t restock(void)
{
	unsigned pages = CLEAN_BATCH;
	cap_t first;
	err_t e = cap_slots_alloc(pages, &first);

	if (is_ok(e)) {
		e = make_pages(first, pages);
		if (is_ok(e)) {
			for (unsigned i = 0; i < pages; i++)
				stock[stocked++] = CAP(first.value >> 8, (first.value & 0xff) + pages - 1 - i);
			return OK;
		}
		for (unsigned i = 0; i < pages; i++)
			cap_slot_free(CAP(first.value >> 8, (first.value & 0xff) + i));
	}
	e = cap_slot_alloc(&first);
	if (is_err(e))
		return e;
	e = make_pages(first, 1);
	if (is_err(e))
		cap_slot_free(first);
	else
		stock[stocked++] = first;
	return e;
}

err_t clean_frame_take(cap_t *out)
{
	if (stocked == 0) {
		err_t e = restock();

		if (is_err(e))
			return e;
	}
	*out = stock[--stocked];
	return OK;
}
