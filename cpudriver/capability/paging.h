/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Page tables: which slot is mapped in which entry, and taking it out again.
 *
 * A page table object is two pages: the hardware's table, and its *shadow*, which has one word for each entry: the slot whose
 * capability is mapped there. A slot in turn knows the first entry and how many it fills (struct slot's `extra`). So each side finds
 * the other when it goes away, and an entry never outlives the capability behind it.
 *
 *   slot of a copy                          page table object
 *   extra = first entry | count << 48  ───▶ entry[k]        (hardware: address and bits)
 *          ▲                                shadow[k] ──┐
 *          └────────────────────────────────────────────┘
 *
 * A copy is mapped once at most: who wants to map an object twice copies the capability. A table counts how many of its copies are
 * mapped, in the low bits of its first shadow word that a slot's address leaves free. With a count of one in every table on the way,
 * a page has one virtual address, and one INVLPG makes its translation go away. Else all of the TLB is flushed. */

#include "cpudriver/capability/capability.h"

/* Intel SDM vol. 3, table 4-15 to 4-20: bits of the entries at all levels. */
#define PTE_PRESENT       (UINT64_C(1) << 0)
#define PTE_WRITE         (UINT64_C(1) << 1)
#define PTE_USER          (UINT64_C(1) << 2)
#define PTE_WRITE_THROUGH (UINT64_C(1) << 3)
#define PTE_CACHE_DISABLE (UINT64_C(1) << 4)
#define PTE_LARGE         (UINT64_C(1) << 7)
#define PTE_NO_EXECUTE    (UINT64_C(1) << 63)
#define PTE_ADDRESS       UINT64_C(0x000ffffffffff000)

struct page_table {
	uint64_t entry[PAGE_TABLE_SLOTS];
	uint64_t shadow[PAGE_TABLE_SLOTS]; /* address of a slot; the low bits of the first: enum table_uses */
};
_Static_assert(sizeof(struct page_table) == PAGE_TABLE_BYTES, "");
_Static_assert(sizeof(struct slot) == 64, "leaves the low six bits of a slot's address");

enum table_uses {
	USES_MANY = 62,   /* or more: no longer counted */
	USES_REMOTE = 63, /* other cores have it mapped */
	USES_MASK = 63,
};

/* PageTable1..4: 1..4. */
static inline unsigned table_level(const struct slot *table)
{
	return table->type - CAP_PageTable1 + 1u;
}
static inline bool is_page_table(const struct slot *s)
{
	return s->type >= CAP_PageTable1 && s->type <= CAP_PageTable4;
}
static inline struct page_table *page_table(const struct slot *table)
{
	return window(PADDR(table->base));
}

/* The table that a mapped slot is mapped in. */
paddr_t mapped_in(const struct slot *s);

/* How a mapped slot is mapped: `entry` is the first entry's word. */
struct mapped {
	paddr_t table;
	unsigned first, count;
	uint64_t entry;
};
struct mapped mapped_how(const struct slot *s);

/* Whether other cores may have translations that this copy's mapping made: of a copy that is mapped, and of any. */
bool mapping_is_remote(const struct slot *s);
static inline bool is_mapped_remotely(const struct slot *s)
{
	return s->flags & CAP_FLAG_MAPPED && mapping_is_remote(s);
}

/* Fills entries [first, first + count) of the table with `entry`, `entry + step`, ...; all of them are free, the slot is not mapped. */
void map_entries(struct slot *s, struct page_table *table, unsigned first, unsigned count, uint64_t entry, uint64_t step);

/* Empties the entries of a mapped slot. The first form flushes as little as it can, given the virtual address that the caller
 * believes to be mapped; the second leaves the flush to flush_if_stale. */
void unmap_at(struct capabilities *c, struct slot *s, vaddr_t hint);
void unmap_later(struct capabilities *c, struct slot *s);

/* At the end of every call that may have used unmap_later. */
static inline void flush_if_stale(struct capabilities *c)
{
	if (c->flush) {
		c->flush = false;
		tlb_flush_all();
	}
}

/* The slot has moved: the shadow follows. */
void mapping_moved(struct slot *s);

/* The end of a table: unmaps its last copy, ends what is mapped in it, zeroes the object. */
void page_table_clear(struct capabilities *c, struct slot *table);

/* A table is marked as used, or no longer used, by other cores. */
void page_table_mark(struct slot *table, bool remote);

/* Zeroes a new table; level 4 gets the CPU driver's half. */
void page_table_begin(paddr_t table, unsigned level);
