/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* map and unmap of Frame, DeviceFrame and PageTable1..3.
 *
 * The domain builds its own page tables: it makes table objects by retype, maps each into one of the next level, and frames into
 * tables. A page is never writable and executable at once, in any mapping (CAP_RIGHTS). */

#include "cpudriver/capability/arguments.h"
#include "cpudriver/capability/paging.h"

/* The table that a word names, into which something may be mapped. */
static err_t table_argument(const struct invocation *i, uint64_t word, struct slot **table)
{
	err_t e = named_slot(i, word, table);

	if (is_err(e))
		return e;
	if (!is_page_table(*table))
		return ERR(CAP_TYPE);
	if (!((*table)->rights & RIGHT_WRITE))
		return ERR(CAP_RIGHTS);
	if ((*table)->flags & CAP_FLAG_FOREIGN)
		return ERR(NOT_OWNER); /* no core writes another's tables */
	return OK;
}

/* Entries [first, first + count) are there and free. */
static err_t free_entries(const struct slot *table, uint64_t first, uint64_t count)
{
	const struct page_table *t = page_table(table);

	if (!count || count > PAGE_TABLE_SLOTS || first > PAGE_TABLE_SLOTS - count)
		return ERR(ARGUMENT);
	for (uint64_t k = first; k < first + count; k++)
		if (t->entry[k])
			return ERR(MAPPED);
	return OK;
}

/* The rights of a mapping as bits of an entry. Memory can be read whenever it can be written or executed (Intel SDM vol. 3, 4.6.1). */
static err_t entry_rights(const struct capabilities *c, const struct slot *s, uint64_t rights, uint64_t *bits)
{
	if (rights & ~(uint64_t)(RIGHT_READ | RIGHT_WRITE | RIGHT_EXECUTE) || !(rights & RIGHT_READ))
		return ERR(ARGUMENT);
	if (rights & ~(uint64_t)s->rights)
		return ERR(CAP_RIGHTS);
	if (rights & RIGHT_WRITE && rights & RIGHT_EXECUTE)
		return ERR(CAP_RIGHTS);
	*bits = PTE_PRESENT | PTE_USER;
	if (rights & RIGHT_WRITE)
		*bits |= PTE_WRITE;
	if (!(rights & RIGHT_EXECUTE))
		*bits |= c->no_execute;
	return OK;
}

/* `offset` and `count` pages from there on lie in the frame, where a table of this level can map them. */
static err_t pages_of(const struct capabilities *c, const struct slot *s, unsigned level, uint64_t offset, uint64_t count,
                      uint64_t *page_bytes)
{
	static const uint64_t bytes[] = {0, PAGE_BYTES, PAGE_BYTES_LARGE, PAGE_BYTES_HUGE};

	if (level > 3)
		return ERR(LEVEL);
	if (level == 3 && !c->huge_pages)
		return ERR(NOT_SUPPORTED);
	*page_bytes = bytes[level];
	if (offset > s->size)
		return ERR(RANGE);
	if ((s->base + offset) % *page_bytes)
		return ERR(ALIGNMENT);
	return count > (s->size - offset) / *page_bytes ? ERR(RANGE) : OK;
}

/* W0 page table of level 1, 2 or 3, W1 first entry, W2 rights, W3 offset in the frame, W4 count of pages of that table's size */
static err_t map_frame(struct invocation *i, uint64_t cache_bits)
{
	uint64_t first = i->word[1], count = i->word[4], bits = 0, page_bytes = 0;
	struct slot *s = i->self, *table = NULL;
	err_t e = table_argument(i, i->word[0], &table);

	if (is_ok(e) && s->flags & CAP_FLAG_MAPPED)
		e = ERR(MAPPED);
	if (is_ok(e))
		e = entry_rights(i->caps, s, i->word[2], &bits);
	if (is_ok(e))
		e = pages_of(i->caps, s, table_level(table), i->word[3], count, &page_bytes);
	if (is_ok(e))
		e = free_entries(table, first, count);
	if (is_err(e))
		return e;

	if (table_level(table) > 1)
		bits |= PTE_LARGE;
	map_entries(s, page_table(table), (unsigned)first, (unsigned)count, (s->base + i->word[3]) | bits | cache_bits, page_bytes);
	return OK;
}

/* W0 virtual address where the first page is mapped in the running address space: a hint that may save a whole flush */
static err_t unmap(struct invocation *i)
{
	struct slot *s = i->self;

	if (!(s->flags & CAP_FLAG_MAPPED))
		return ERR(NOT_MAPPED);
	if (is_mapped_remotely(s))
		return ERR(NEEDS_AGREEMENT);

	unmap_at(i->caps, s, VADDR(i->word[0]));
	return OK;
}

/* W0 table of the next level, W1 entry */
static err_t map_table(struct invocation *i)
{
	struct slot *s = i->self, *table = NULL;
	err_t e = table_argument(i, i->word[0], &table);

	if (is_ok(e) && s->flags & CAP_FLAG_MAPPED)
		e = ERR(MAPPED);
	if (is_ok(e) && table_level(table) != table_level(s) + 1)
		e = ERR(LEVEL);
	if (is_ok(e) && table_level(table) == 4 && i->word[1] >= PAGE_TABLE_SLOTS / 2 - 1)
		e = ERR(ARGUMENT); /* the upper half is the CPU driver's, and no code may end where it begins (entry/syscall.S) */
	if (is_ok(e))
		e = free_entries(table, i->word[1], 1);
	if (is_err(e))
		return e;

	map_entries(s, page_table(table), (unsigned)i->word[1], 1, s->base | PTE_PRESENT | PTE_USER | PTE_WRITE, 0);
	return OK;
}

#define MAPPED(type, how)                                                                                                                  \
	err_t op_##type##_map(struct invocation *i)                                                                                        \
	{                                                                                                                                  \
		return how;                                                                                                                \
	}                                                                                                                                  \
	err_t op_##type##_unmap(struct invocation *i)                                                                                      \
	{                                                                                                                                  \
		return unmap(i);                                                                                                           \
	}
MAPPED(Frame, map_frame(i, 0))
/* Registers are read and written in order and each time: uncached whatever the MTRRs say (PAT entry 3, Intel SDM vol. 3, 11.12). */
MAPPED(DeviceFrame, map_frame(i, PTE_CACHE_DISABLE | PTE_WRITE_THROUGH))
MAPPED(PageTable1, map_table(i))
MAPPED(PageTable2, map_table(i))
MAPPED(PageTable3, map_table(i))
#undef MAPPED

/* ---- Kernel.mapped ------------------------------------------------------------------------------ */

static uint64_t rights_of(const struct capabilities *c, uint64_t entry)
{
	uint64_t rights = RIGHT_READ;

	if (entry & PTE_WRITE)
		return rights | RIGHT_WRITE;
	return c->no_execute && (entry & c->no_execute) ? rights : rights | RIGHT_EXECUTE;
}

/* W0 capability -> V0 base of the page table that it is mapped in, V1 first entry | count<<16 | rights<<32, V2 offset in the object of the
 * first page. Of a page table the rights and the offset are 0. Errors: NOT_MAPPED. */
err_t op_Kernel_mapped(struct invocation *i)
{
	struct mapped m;
	struct slot *s;
	err_t e = named_slot(i, i->word[0], &s);

	if (is_err(e))
		return e;
	if (!(s->flags & CAP_FLAG_MAPPED))
		return ERR(NOT_MAPPED);
	m = mapped_how(s);
	i->value[0] = m.table.value;
	i->value[1] = m.first | (uint64_t)m.count << 16;
	if (is_page_table(s))
		return OK;
	i->value[1] |= (rights_of(i->caps, m.entry) & s->rights) << 32;
	i->value[2] = (m.entry & PTE_ADDRESS) - s->base;
	return OK;
}
