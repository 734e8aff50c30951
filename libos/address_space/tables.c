/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* A radix of the library OS's own that mirrors the hardware's tables: for each table of level 3 and 2 the capabilities of the tables below,
 * and what is behind the entries of each. The CPU driver keeps no such thing for user space, and the hardware's own tables are not readable
 * from here. */

#include "libos/address_space/tables.h"
#include "libos/memory/memory.h"

struct level2 {
	cap_t level1[PAGE_TABLE_SLOTS];
	struct page *pages[PAGE_TABLE_SLOTS]; /* behind the entries of each table of level 1 */
	struct page *large;                   /* behind this one's own entries */
};

struct level3 {
	cap_t cap;
	cap_t cap2[PAGE_TABLE_SLOTS];
	struct level2 *level2[PAGE_TABLE_SLOTS];
	struct page *huge;
};

#define USER_LEVEL3 256 /* the lower half of the level-4 table */

static struct level3 *level3s[USER_LEVEL3];

static struct level2 *find_level2(uint64_t address)
{
	const struct level3 *three = level3s[tables_entry(address, 4) % USER_LEVEL3];

	return three == NULL ? NULL : three->level2[tables_entry(address, 3)];
}

static cap_t find_level1(uint64_t address)
{
	const struct level2 *two = find_level2(address);

	return two == NULL ? CAP_NULL : two->level1[tables_entry(address, 2)];
}

/* Notes a table. NO_MEMORY if there is no room to note it in, NOT_FOUND if the table above is not known. */
err_t tables_add(uint64_t address, unsigned level, cap_t table)
{
	struct level3 **three = &level3s[tables_entry(address, 4) % USER_LEVEL3];

	if (level == 3) {
		if (*three == NULL)
			*three = store_alloc(sizeof **three);
		if (*three == NULL)
			return ERR(NO_MEMORY);
		(*three)->cap = table;
		return OK;
	}
	if (*three == NULL)
		return ERR(NOT_FOUND);
	if (level == 2) {
		struct level2 **two = &(*three)->level2[tables_entry(address, 3)];

		if (*two == NULL)
			*two = store_alloc(sizeof **two);
		if (*two == NULL)
			return ERR(NO_MEMORY);
		(*three)->cap2[tables_entry(address, 3)] = table;
		return OK;
	}
	if ((*three)->level2[tables_entry(address, 3)] == NULL)
		return ERR(NOT_FOUND);
	(*three)->level2[tables_entry(address, 3)]->level1[tables_entry(address, 2)] = table;
	return OK;
}

cap_t tables_known(uint64_t address, unsigned level)
{
	const struct level3 *three = level3s[tables_entry(address, 4) % USER_LEVEL3];

	if (level == 4)
		return CAP_PAGE_TABLE4;
	if (three == NULL)
		return CAP_NULL;
	if (level == 3)
		return three->cap;
	return level == 2 ? three->cap2[tables_entry(address, 3)] : find_level1(address);
}

/* A new table of that level, entered in the one above. */
static err_t make(uint64_t address, unsigned level, cap_t above)
{
	enum cap_type type = (enum cap_type)(CAP_PageTable1 + level - 1);
	cap_t table;
	err_t e = cap_slot_alloc(&table);

	if (is_err(e))
		return e;
	e = memory_object_vital(type, PAGE_TABLE_BYTES, PAGE_BYTES, table, NULL);
	if (is_err(e)) {
		cap_slot_free(table);
		return e;
	}
	e = invoke(table, OP_PageTable1_map, above.value, tables_entry(address, level + 1), 0, 0, 0).error;
	if (is_ok(e))
		e = tables_add(address, level, table);
	if (is_err(e))
		memory_object_free(table);
	return e;
}

_Static_assert((int)OP_PageTable1_map == (int)OP_PageTable2_map && (int)OP_PageTable2_map == (int)OP_PageTable3_map, "one number");

err_t tables_get(uint64_t address, unsigned level, cap_t *out)
{
	cap_t table = find_level1(address);

	if (level == 1 && table.value != CAP_NULL.value) { /* as nearly always */
		*out = table;
		return OK;
	}
	table = CAP_PAGE_TABLE4;
	for (unsigned l = 3; l >= level; l--) {
		cap_t below = tables_known(address, l);

		if (below.value == CAP_NULL.value) {
			err_t e = make(address, l, table);

			if (is_err(e))
				return e;
			below = tables_known(address, l);
		}
		table = below;
	}
	*out = table;
	return OK;
}

/* ---- What is behind the entries ---- */

static struct page **records(uint64_t address, unsigned level)
{
	struct level3 *three = level3s[tables_entry(address, 4) % USER_LEVEL3];
	struct level2 *two = find_level2(address);

	if (level == 3)
		return three == NULL ? NULL : &three->huge;
	if (two == NULL)
		return NULL;
	return level == 2 ? &two->large : &two->pages[tables_entry(address, 2)];
}

struct page *tables_pages(uint64_t address, unsigned level)
{
	struct page **at = records(address, level);

	return at == NULL ? NULL : *at;
}

struct page *tables_leaf(uint64_t address, cap_t *table)
{
	const struct level2 *two = find_level2(address);
	uint64_t entry = tables_entry(address, 2);

	if (two == NULL)
		return NULL;
	*table = two->level1[entry];
	return two->pages[entry];
}

err_t tables_pages_make(uint64_t address, unsigned level, struct page **out)
{
	struct page **at = records(address, level);

	if (at == NULL)
		return ERR(NOT_FOUND);
	if (*at == NULL)
		*at = store_alloc(PAGE_TABLE_SLOTS * sizeof **at);
	*out = *at;
	return *out == NULL ? ERR(NO_MEMORY) : OK;
}

static void drop_level2(struct level2 *two)
{
	for (unsigned k = 0; k < PAGE_TABLE_SLOTS; k++) {
		store_free(two->pages[k], PAGE_TABLE_SLOTS * sizeof *two->pages[k]);
		if (two->level1[k].value != CAP_NULL.value)
			memory_object_free(two->level1[k]);
	}
	store_free(two->large, PAGE_TABLE_SLOTS * sizeof *two->large);
	store_free(two, sizeof *two);
}

void tables_drop(uint64_t address)
{
	struct level3 *three = level3s[tables_entry(address, 4) % USER_LEVEL3];
	const uint64_t entry = tables_entry(address, 3);

	if (three == NULL || three->level2[entry] == NULL)
		return;
	drop_level2(three->level2[entry]);
	memory_object_free(three->cap2[entry]);
	three->level2[entry] = NULL;
	three->cap2[entry] = CAP_NULL;
}

uint64_t tables_next(uint64_t address)
{
	const struct level3 *three = level3s[tables_entry(address, 4) % USER_LEVEL3];
	const struct level2 *two = find_level2(address);
	unsigned level = three == NULL ? 4 : two == NULL ? 3 : two->pages[tables_entry(address, 2)] == NULL ? 2 : 1;

	return (address | (tables_bytes(level) - 1)) + 1;
}
