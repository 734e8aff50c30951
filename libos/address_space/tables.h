/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* The page tables of the address space, as capabilities: which table translates an address, and what is behind each entry. Tables are made
 * when they are first needed, and kept. */

#include "cpudriver/abi/capabilities.h"
#include "cpudriver/abi/errors.h"

/* A table that exists already. Levels must come from 3 down to 1; one whose upper table is unknown is ignored. */
MUST_USE err_t tables_add(uint64_t address, unsigned level, cap_t table);

/* The table of level 1..3 that holds the address's entry, made with all those above it if need be. */
MUST_USE err_t tables_get(uint64_t address, unsigned level, cap_t *out);

/* The table of level 1..4 that holds the address's entry, CAP_NULL if there is none yet. */
cap_t tables_known(uint64_t address, unsigned level);

/* The tables below the address's entry of level 3, in which nothing is mapped, and their records go: a page of 1 GiB may be there. */
void tables_drop(uint64_t address);

/* What is behind an entry: page `index` of a slab (slabs.h), and the copy of the slab's capability that it is mapped by, which may be
 * mapped in further entries beside this one. For entries of level 2 and 3 `index` is that of the first small page. */
struct page {
	uint32_t index : 20;
	uint32_t owner : 6;    /* borrowed: the member whose slab it is */
	uint32_t borrowed : 1; /* not of the supply here (lent.h) */
	uint32_t dirty : 1;    /* of a replicated region: somebody may write to it (home.c) */
	uint32_t copy : 1;     /* of a paged region: to be copied before somebody writes (paged.c) */
	uint32_t lost : 1;     /* the system has taken the memory (parting.c): whoever touches it hears REVOKED */
	uint32_t reserved : 2;
	uint16_t slab; /* the owner's number for it */
	cap_t cap;     /* CAP_NULL: nothing is there */
};
_Static_assert(sizeof(struct page) == 8, "");
#define PAGE_INDEX_MAX 0xfffffu
#define PAGE_LOST      ((struct page){.lost = 1, .slab = UINT16_MAX, .cap = {UINT16_MAX}}) /* a capability that is never used */

/* The records of the table of level 1..3 that holds the address's entry, PAGE_TABLE_SLOTS of them; NULL if there are none. */
struct page *tables_pages(uint64_t address, unsigned level);
/* The same for level 1 with the table, if there are both: what nearly every fault needs. */
struct page *tables_leaf(uint64_t address, cap_t *table);
/* They are made if need be; the table must exist. */
MUST_USE err_t tables_pages_make(uint64_t address, unsigned level, struct page **out);
/* The next address above this one for which there may be records. */
uint64_t tables_next(uint64_t address);

/* Entry of the address in a table of that level (Intel SDM vol. 3, 4.5). */
static inline uint64_t tables_entry(uint64_t address, unsigned level)
{
	return address >> (12 + 9 * (level - 1)) & 511;
}
/* What an entry of that level maps. */
static inline uint64_t tables_bytes(unsigned level)
{
	return PAGE_BYTES << 9 * (level - 1);
}
