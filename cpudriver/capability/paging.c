/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include "cpudriver/capability/paging.h"

/* More pages than this, and flushing everything is cheaper than one by one. */
#define PAGES_ONE_BY_ONE 32

/* ---- A slot's record of where it is mapped ------------------------------------------------------ */

#define RECORD_COUNT_SHIFT 48
_Static_assert(WINDOW_BYTES <= UINT64_C(1) << RECORD_COUNT_SHIFT, "an entry's address fits below the count");

struct mapping {
	paddr_t at; /* of the first entry */
	struct page_table *table;
	unsigned first, count;
};

static struct mapping mapping_of(const struct slot *s)
{
	uint64_t at = s->extra & ((UINT64_C(1) << RECORD_COUNT_SHIFT) - 1);

	return (struct mapping){
	    .at = PADDR(at),
	    .table = window(PADDR(at & ~(PAGE_BYTES - 1))),
	    .first = (unsigned)(at % PAGE_BYTES / sizeof(uint64_t)),
	    .count = (unsigned)(s->extra >> RECORD_COUNT_SHIFT),
	};
}

static void forget_mapping(struct slot *s)
{
	s->flags &= (uint8_t)~CAP_FLAG_MAPPED;
	s->extra = 0;
}

static struct slot *shadow_slot(const struct page_table *t, unsigned entry)
{
	return (struct slot *)(uintptr_t)(t->shadow[entry] & ~(uint64_t)USES_MASK);
}

static void set_shadow(struct page_table *t, unsigned entry, struct slot *s)
{
	t->shadow[entry] = (t->shadow[entry] & USES_MASK) | (uintptr_t)s;
}

/* ---- How often a table is mapped ---------------------------------------------------------------- */

static unsigned uses(const struct page_table *t)
{
	return t->shadow[0] & USES_MASK;
}

static void set_uses(struct page_table *t, unsigned n)
{
	t->shadow[0] = (t->shadow[0] & ~(uint64_t)USES_MASK) | n;
}

/* A copy of the table is mapped, or no longer. MANY and REMOTE stay as they are; so may a foreign table's, which is another
 * core's memory: its owner counts it as REMOTE. */
static void count_use(const struct slot *table, bool more)
{
	struct page_table *t = page_table(table);
	unsigned n = uses(t);

	if (n < USES_MANY && !(table->flags & CAP_FLAG_FOREIGN))
		set_uses(t, more ? n + 1 : n - 1);
}

void page_table_mark(struct slot *table, bool remote)
{
	set_uses(page_table(table), remote ? USES_REMOTE : USES_MANY);
}

paddr_t mapped_in(const struct slot *s)
{
	return window_paddr(mapping_of(s).table);
}

struct mapped mapped_how(const struct slot *s)
{
	struct mapping m = mapping_of(s);

	return (struct mapped){window_paddr(m.table), m.first, m.count, m.table->entry[m.first]};
}

bool mapping_is_remote(const struct slot *s)
{
	return uses(mapping_of(s).table) == USES_REMOTE;
}

/* ---- Mapping and unmapping ---------------------------------------------------------------------- */

void map_entries(struct slot *s, struct page_table *table, unsigned first, unsigned count, uint64_t entry, uint64_t step)
{
	for (unsigned k = first; k < first + count; k++, entry += step) {
		set_shadow(table, k, s);
		table->entry[k] = entry;
	}
	s->extra = window_paddr(&table->entry[first]).value | (uint64_t)count << RECORD_COUNT_SHIFT;
	s->flags |= CAP_FLAG_MAPPED;
	if (is_page_table(s))
		count_use(s, true);
}

static void clear_entries(struct slot *s, const struct mapping *m)
{
	for (unsigned k = m->first; k < m->first + m->count; k++) {
		m->table->entry[k] = 0;
		set_shadow(m->table, k, NULL);
	}
	forget_mapping(s);
	if (is_page_table(s))
		count_use(s, false);
}

/* How many bits of a virtual address lie below a level's index (Intel SDM vol. 3, 4.5). */
static unsigned level_shift(unsigned level)
{
	return 12 + 9 * (level - 1);
}

/* If the running address space reaches the entry at `at` by `address`, and nothing else can, the level of its table; else 0. */
static unsigned only_way_to(paddr_t at, vaddr_t address)
{
	paddr_t table = running_page_table4();

	for (unsigned level = 4; level; level--) {
		struct page_table *t = window(table);
		unsigned k = (address.value >> level_shift(level)) % PAGE_TABLE_SLOTS;
		uint64_t entry = t->entry[k];

		if (level < 4 && uses(t) != 1)
			return 0;
		if (at.value == table.value + k * sizeof entry)
			return level;
		if (!(entry & PTE_PRESENT) || entry & PTE_LARGE)
			return 0;
		table = PADDR(entry & PTE_ADDRESS);
	}
	return 0;
}

void unmap_at(struct capabilities *c, struct slot *s, vaddr_t hint)
{
	struct mapping m = mapping_of(s);
	unsigned level = 0;

	if (!is_page_table(s) && m.count <= PAGES_ONE_BY_ONE && hint.value < USER_TOP)
		level = only_way_to(m.at, hint);
	if (!level) {
		unmap_later(c, s);
		flush_if_stale(c);
		return;
	}
	clear_entries(s, &m);
	for (unsigned k = 0; k < m.count; k++)
		tlb_flush_page(VADDR(hint.value + ((uint64_t)k << level_shift(level))));
}

void unmap_later(struct capabilities *c, struct slot *s)
{
	struct mapping m = mapping_of(s);

	clear_entries(s, &m);
	/* no translation leads through a table that is mapped nowhere; a level-4 table is mapped nowhere, but loaded */
	if (uses(m.table) || s->type == CAP_PageTable3)
		c->flush = true;
}

void mapping_moved(struct slot *s)
{
	struct mapping m = mapping_of(s);

	for (unsigned k = m.first; k < m.first + m.count; k++)
		set_shadow(m.table, k, s);
}

/* ---- Whole tables ------------------------------------------------------------------------------- */

void page_table_clear(struct capabilities *c, struct slot *table)
{
	struct page_table *t = page_table(table);

	if (table->flags & CAP_FLAG_MAPPED)
		unmap_later(c, table);
	for (unsigned k = 0; k < PAGE_TABLE_SLOTS; k++) {
		struct slot *s = shadow_slot(t, k);

		if (!s)
			continue;
		if (is_page_table(s))
			count_use(s, false);
		forget_mapping(s);
	}
	*t = (struct page_table){0};
	c->flush = true;
}

void page_table_begin(paddr_t table, unsigned level)
{
	struct page_table *t = window(table);
	const struct page_table *running;

	*t = (struct page_table){0};
	if (level < 4)
		return;
	running = window(running_page_table4());
	for (unsigned k = PAGE_TABLE_SLOTS / 2; k < PAGE_TABLE_SLOTS; k++)
		t->entry[k] = running->entry[k];
}
