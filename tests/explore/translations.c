/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* The translation buffers. A core that has a page table mapped may take in any entry of it at any time, and keeps it until it
 * flushes, though the entry be gone. So each core has the set of pages to which its buffer may lead: it grows by what is reachable
 * after each step, and a flush leaves what is reachable now. Tables are found in the databases, entries in the tables themselves. */

#include "tests/explore/world.h"

#include <string.h>

#include "cpudriver/capability/database.h"
#include "cpudriver/capability/paging.h"

#define ENTRIES_USED (CONTENT_LINES * LINE_BYTES / sizeof(uint64_t))

static void add_entries(const struct slot *table, uint64_t *pages)
{
	const struct page_table *t = page_table(table);
	unsigned number;

	for (unsigned k = 0; k < ENTRIES_USED; k++)
		if (t->entry[k] & PTE_PRESENT && page_number(t->entry[k] & PTE_ADDRESS, &number))
			pages[number / 64] |= UINT64_C(1) << number % 64;
}

/* Whether a walk may come to a table of level 1: through a table of level 2 that is itself mapped. No higher levels are made here. */
static bool is_reached(const struct slot *table)
{
	const struct page_table *upper = window(mapped_in(table));

	return table_level(table) == 1 && upper->shadow[0] & USES_MASK;
}

/* All pages that a core reaches through the tables that it has mapped. */
static void add_reachable(const struct core *c, uint64_t *pages)
{
	for (const struct slot *s = first_slot(c); s; s = database_next(s))
		if (is_page_table(s) && s->flags & CAP_FLAG_MAPPED && is_reached(s))
			add_entries(s, pages);
}

void tlb_flush_all(void)
{
	memset(here->translated, 0, sizeof here->translated);
	if (world.tables)
		add_reachable(here, here->translated);
}

void translations_gather(void)
{
	if (!world.tables)
		return;
	for (unsigned c = 0; c < world.cores; c++)
		if (!world.core[c].dead)
			add_reachable(&world.core[c], world.core[c].translated);
}

static bool is_translated(const struct core *c, unsigned page)
{
	return !c->dead && c->translated[page / 64] >> page % 64 & 1;
}

bool stale_anywhere(uint64_t base, uint64_t size)
{
	unsigned number;

	for (unsigned c = 0; c < world.cores; c++) {
		uint64_t reachable[PAGE_SET_WORDS] = {0};

		add_reachable(&world.core[c], reachable);
		for (uint64_t page = base & ~(PAGE_BYTES - 1); page < base + size; page += PAGE_BYTES)
			if (page_number(page, &number) && is_translated(&world.core[c], number) &&
			    !(reachable[number / 64] >> number % 64 & 1))
				return true;
	}
	return false;
}
