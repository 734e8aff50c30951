/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include "libos/address_space/view.h"
#include "libos/address_space/address_space.h"
#include "libos/address_space/others.h"
#include "libos/address_space/supply.h"
#include "libos/memory/memory.h"

static uint64_t base;
static cap_t open[VIEWS]; /* CAP_NULL: own pages, which have a window anyway */

void page_view_start(uint64_t windows)
{
	base = windows;
}

err_t page_view_open(unsigned view, struct page page, uint32_t pages, uint8_t **out)
{
	uint64_t at = base + view * VIEW_BYTES;
	cap_t table;
	err_t e;

	open[view] = CAP_NULL;
	if (!page.borrowed && supply_slab(page.slab)->window != NULL) {
		*out = supply_window(page.slab, page.index);
		return OK;
	}
	e = page_copy_cap(page, &open[view]);
	if (is_ok(e))
		e = tables_get(at, 1, &table);
	if (is_ok(e))
		e = invoke(open[view], OP_Frame_map, table.value, tables_entry(at, 1), RIGHT_READ | RIGHT_WRITE, page.index * PAGE_BYTES,
		           pages)
		        .error;
	if (is_err(e))
		page_view_close(view);
	*out = (uint8_t *)at;
	return e;
}

void page_view_close(unsigned view)
{
	if (open[view].value != CAP_NULL.value && is_ok(cap_delete(open[view])))
		cap_slot_free(open[view]);
	open[view] = CAP_NULL;
}
