/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include <string.h>

#include "libos/address_space/piece.h"
#include "libos/address_space/address_space.h"
#include "libos/address_space/others.h"
#include "libos/address_space/place.h"
#include "libos/address_space/remote.h"
#include "libos/address_space/view.h"
#include "libos/memory/agreement.h"
#include "libos/memory/memory.h"

#define LEAF_BYTES (PAGE_TABLE_SLOTS * PAGE_BYTES) /* what a table of level 1 maps */

/* ---- Finding ---- */

static bool same(const struct page *a, const struct page *b)
{
	return a->cap.value == b->cap.value && !a->lost;
}

static bool find_at(uint64_t address, unsigned level, struct piece *out)
{
	struct page *pages = tables_pages(address, level);
	uint64_t first = tables_entry(address, level), end = first + 1, bytes = tables_bytes(level);
	uint64_t table = address & ~(bytes * PAGE_TABLE_SLOTS - 1);

	if (pages == NULL || pages[first].cap.value == CAP_NULL.value)
		return false;
	while (first > 0 && same(&pages[first - 1], &pages[first]))
		first--;
	while (end < PAGE_TABLE_SLOTS && same(&pages[end], &pages[first]))
		end++;
	*out = (struct piece){table + first * bytes, table + end * bytes, level, &pages[first]};
	return true;
}

bool piece_find(uint64_t address, struct piece *out)
{
	return find_at(address, 1, out) || find_at(address, 2, out) || find_at(address, 3, out);
}

bool page_at(uint64_t address, struct page *out)
{
	struct piece p;

	if (!piece_find(address, &p))
		return false;
	*out = *p.page;
	out->index += (uint32_t)((address - p.base) / PAGE_BYTES) & PAGE_INDEX_MAX;
	return true;
}

bool piece_from(uint64_t address, uint64_t end, struct piece *out)
{
	for (; address < end; address = tables_next(address))
		if (piece_find(address, out))
			return true;
	return false;
}

/* ---- Mapping ---- */

static void record(const struct piece *p, struct page page)
{
	uint64_t bytes = tables_bytes(p->level);

	for (uint64_t k = 0; k < (p->end - p->base) / bytes; k++) {
		p->page[k] = page;
		if (page.cap.value != CAP_NULL.value)
			page.index += (uint32_t)(bytes / PAGE_BYTES) & PAGE_INDEX_MAX;
	}
}

err_t piece_map(const struct piece *p, uint64_t rights)
{
	struct page page = *p->page;
	cap_t table;
	err_t e = rights == 0 ? OK : tables_get(p->base, p->level, &table);

	if (rights == 0 || page.lost || is_err(e))
		return e;
	return invoke(page.cap, OP_Frame_map, table.value, tables_entry(p->base, p->level), rights, page.index * PAGE_BYTES,
	              (p->end - p->base) / tables_bytes(p->level))
	    .error;
}

void piece_unmap(const struct piece *p)
{
	if (p->page->lost)
		return;
	/* NOT_MAPPED, when the region has no rights, is as good. */
	(void)!is_ok(invoke(p->page->cap, OP_Frame_unmap, p->base, 0, 0, 0, 0).error);
}

/* Neither the capability nor the pages behind it are needed any more. */
static void give_up(uint64_t base, struct page page, uint32_t pages)
{
	if (is_ok(cap_delete(page.cap)))
		cap_slot_free(page.cap);
	pages_return(base, page, pages);
}

void piece_drop(const struct piece *p)
{
	struct page page = *p->page;

	piece_unmap(p);
	record(p, (struct page){.cap = CAP_NULL});
	if (!page.lost)
		give_up(p->base, page, (uint32_t)((p->end - p->base) / PAGE_BYTES));
}

void piece_lose(const struct piece *p)
{
	struct page page = *p->page;
	unsigned home;

	piece_unmap(p);
	for (uint64_t k = 0; k < (p->end - p->base) / tables_bytes(p->level); k++)
		p->page[k] = is_elsewhere(p->base, &home) ? (struct page){.cap = CAP_NULL} : PAGE_LOST;
	if (cap_forget(page.cap))
		cap_slot_free(page.cap);
}

/* ---- Making ---- */

/* Maps pages that have a capability at `base`, and notes them. */
static err_t try_place(uint64_t rights, uint64_t base, struct page page, uint32_t pages)
{
	struct piece p = {.base = base, .end = base + pages * PAGE_BYTES, .level = 1};
	cap_t table;
	err_t e;

	if (rights != 0)
		e = frame_map_at(page.cap, base, page_paddr(page), page.index * PAGE_BYTES, p.end - base, rights, &p.level);
	else
		e = tables_get(base, 1, &table);
	if (is_ok(e))
		e = tables_pages_make(base, p.level, &p.page);
	if (is_err(e))
		return e;
	p.page += tables_entry(base, p.level);
	record(&p, page);
	return OK;
}

/* If it fails, they are given back. */
static err_t place(uint64_t rights, uint64_t base, struct page page, uint32_t pages)
{
	err_t e = try_place(rights, base, page, pages);

	if (is_err(e))
		give_up(base, page, pages);
	return e;
}

err_t piece_place(uint64_t base, uint64_t end, struct page page, uint64_t rights)
{
	uint32_t pages = (uint32_t)((end - base) / PAGE_BYTES);
	err_t e = page_copy_cap(page, &page.cap);

	if (is_ok(e))
		return place(rights, base, page, pages);
	pages_return(base, page, pages);
	return e;
}

bool piece_lift(uint64_t base, struct page *out)
{
	struct piece p;

	if (!piece_find(base, &p) || p.base != base || p.end != base + PAGE_BYTES || p.page->lost)
		return false;
	*out = *p.page;
	piece_unmap(&p);
	record(&p, (struct page){.cap = CAP_NULL});
	return true;
}

err_t piece_put(uint64_t base, struct page page, uint64_t rights)
{
	return place(rights, base, page, 1);
}

err_t piece_replace(const struct piece *p, struct page page, uint64_t rights)
{
	uint32_t pages = (uint32_t)((p->end - p->base) / PAGE_BYTES);
	struct page old = *p->page;
	err_t e = old.lost ? ERR(REVOKED) : page_copy_cap(page, &page.cap);

	if (is_err(e))
		return e;
	piece_unmap(p);
	record(p, (struct page){.cap = CAP_NULL});
	e = try_place(rights, p->base, page, pages);
	if (is_ok(e)) {
		give_up(p->base, old, pages);
		return OK;
	}
	if (is_ok(cap_delete(page.cap)))
		cap_slot_free(page.cap);
	record(p, old);
	return is_ok(piece_map(p, rights)) ? e : ERR(STATE);
}

/* As far as there is memory for it side by side; the rest is touched again. */
err_t piece_replicate(uint64_t base, uint64_t end, struct page page, uint64_t rights)
{
	struct page copy = {0};
	struct run run;
	uint8_t *from;
	err_t e = supply_take((uint32_t)((end - base) / PAGE_BYTES), &run);

	if (is_err(e))
		return e;
	e = page_view_open(0, page, run.pages, &from);
	if (is_ok(e)) {
		memcpy(supply_window(run.slab, run.page), from, run.pages * PAGE_BYTES);
		page_view_close(0);
		copy = (struct page){.index = run.page & PAGE_INDEX_MAX, .slab = run.slab};
		e = supply_copy(run.slab, &copy.cap);
	}
	if (is_err(e)) {
		supply_give(run);
		return e;
	}
	return place(rights, base, copy, run.pages);
}

/* A piece of what the supply has given. */
static err_t make_of(const struct vm_region *r, uint64_t base, struct run run)
{
	struct page page = {.index = run.page & PAGE_INDEX_MAX, .slab = run.slab};
	err_t e = supply_copy(run.slab, &page.cap);

	if (is_err(e)) {
		supply_give(run);
		return e;
	}
	return place(r->rights, base, page, run.pages);
}

/* A piece of at most `pages` pages that begins at `base`; all of them lie in one table of level 1, or are one of those. */
static err_t make(const struct vm_region *r, uint64_t base, uint32_t pages, uint32_t *made)
{
	struct run run;
	err_t e = supply_take(pages, &run);

	if (is_err(e))
		return e;
	*made = run.pages;
	return make_of(r, base, run);
}

/* A piece that is one page of 1 GiB. */
static err_t make_huge(const struct vm_region *r, uint64_t base, uint64_t end, uint32_t *made)
{
	struct run run;
	err_t e = supply_take_huge((end - base) & ~(PAGE_BYTES_HUGE - 1), &run);

	if (is_err(e))
		return e;
	*made = run.pages;
	tables_drop(base);
	return make_of(r, base, run);
}

/* Whether there may be one: it is mapped, and what there was before is unmapped. */
static bool may_be_huge(const struct vm_region *r, uint64_t base, uint64_t end)
{
	return r->rights != 0 && base % PAGE_BYTES_HUGE == 0 && end - base >= PAGE_BYTES_HUGE &&
	       address_space_is_regions(base, PAGE_BYTES_HUGE);
}

/* How far a piece from `base` on may reach. */
static uint64_t piece_limit(uint64_t base, uint64_t end)
{
	uint64_t leaf = (base | (LEAF_BYTES - 1)) + 1;

	return leaf < end ? leaf : end;
}

err_t pieces_make(const struct vm_region *r, uint64_t base, uint64_t end)
{
	err_t e = OK;

	while (base < end && is_ok(e)) {
		uint32_t made = 0;

		e = may_be_huge(r, base, end) ? make_huge(r, base, end, &made) : ERR(NO_MEMORY);
		if (is_err(e))
			e = make(r, base, (uint32_t)((piece_limit(base, end) - base) / PAGE_BYTES), &made);
		base += made * PAGE_BYTES;
	}
	return e;
}

/* The short way, for a page of a table that is there: false if this is not such a case. */
static bool touch_page(const struct vm_region *r, uint64_t address, unsigned shift, err_t *e)
{
	uint64_t entry = tables_entry(address, 1);
	struct page *pages, page;
	cap_t table;

	if (shift > 12)
		return false;
	pages = tables_leaf(address, &table);
	if (pages == NULL || pages[entry].cap.value != CAP_NULL.value)
		return false;
	*e = supply_take_page(&page);
	if (is_err(*e))
		return true;
	*e = invoke(page.cap, OP_Frame_map, table.value, entry, r->rights, page.index * PAGE_BYTES, 1).error;
	if (is_ok(*e))
		pages[entry] = page;
	else
		give_up(address, page, 1);
	return true;
}

static err_t touch_grain(const struct vm_region *r, uint64_t address, unsigned shift)
{
	uint64_t grain = UINT64_C(1) << shift, page = address & ~(PAGE_BYTES - 1);
	uint64_t low = page, high = page + PAGE_BYTES, from = address & ~(grain - 1), to = from + grain;
	struct piece other;
	uint32_t made;
	err_t e;

	while (low > from && low > r->base && !piece_find(low - PAGE_BYTES, &other))
		low -= PAGE_BYTES;
	while (high < to && high < r->end && !piece_find(high, &other))
		high += PAGE_BYTES;
	e = make(r, low, (uint32_t)((high - low) / PAGE_BYTES), &made);
	/* If there are fewer pages than that side by side, there is at least the one. */
	if (is_ok(e) && low + made * PAGE_BYTES <= page)
		e = make(r, page, 1, &made);
	return e;
}

err_t piece_touch(const struct vm_region *r, uint64_t address, unsigned shift)
{
	struct piece other;
	err_t e;

	if (touch_page(r, address, shift, &e))
		return e;
	if (!piece_find(address, &other))
		return touch_grain(r, address, shift);
	return other.page->lost ? ERR(REVOKED) : piece_map(&other, r->rights);
}

/* ---- Cutting ---- */

/* At the edge of an entry: the second part gets a copy of its own. */
static err_t cut_run(const struct piece *p, uint64_t address, uint64_t rights)
{
	struct piece low = *p, high = *p;
	struct page page;
	err_t e;

	low.end = high.base = address;
	high.page += (address - p->base) / tables_bytes(p->level);
	page = *high.page;
	if (page.lost)
		return OK; /* each entry of those is a piece by itself */
	e = page_copy_cap(page, &page.cap);
	if (is_err(e))
		return e;
	piece_unmap(p);
	record(&high, page);
	e = piece_map(&low, rights);
	return is_ok(e) ? piece_map(&high, rights) : e;
}

/* A piece that is one entry of its table becomes all entries of a table of the next lower level. */
static err_t break_entry(const struct piece *p, uint64_t rights)
{
	struct piece lower = {p->base, p->end, p->level - 1, NULL};
	struct page page = *p->page;
	cap_t table;
	err_t e;

	piece_unmap(p);
	e = tables_get(p->base, lower.level, &table);
	if (is_ok(e))
		e = tables_pages_make(p->base, lower.level, &lower.page);
	if (is_err(e)) {
		err_t back = piece_map(p, rights);

		return is_err(back) ? back : e;
	}
	record(p, (struct page){.cap = CAP_NULL});
	record(&lower, page);
	return piece_map(&lower, rights);
}

err_t piece_cut(uint64_t address, const struct vm_region *r)
{
	struct piece p;
	err_t e = OK;

	while (is_ok(e) && piece_find(address, &p) && p.base != address) {
		uint64_t bytes = tables_bytes(p.level), low = address & ~(bytes - 1), rights = piece_rights(r, &p);

		if (low == address)
			e = cut_run(&p, address, rights);
		else if (p.base < low)
			e = cut_run(&p, low, rights);
		else if (p.end > low + bytes)
			e = cut_run(&p, low + bytes, rights);
		else
			e = break_entry(&p, rights);
	}
	return e;
}
