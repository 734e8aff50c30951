/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* A radix by address: for each GiB a list of leaves, for each leaf of 2 MiB a word for each page. */

#include "libos/address_space/users.h"
#include "libos/memory/memory.h"
#include "libos/span/span.h"

#define LEAF_SHIFT 21
#define GIB_SHIFT  30
#define ENTRIES    512
#define LOW_GIBS   1 /* below USER_HEAP, which only member 0 is home to */
#define GIBS       (LOW_GIBS + SPAN_AREA_BYTES / GIB)

_Static_assert(USER_HEAP == LOW_GIBS * GIB, "");

struct users_leaf {
	uint64_t member[ENTRIES];
};
struct users_gib {
	struct users_leaf *leaf[ENTRIES];
};

static struct users_gib *gibs[GIBS];
static bool any;

static struct users_gib **gib_of(uint64_t address)
{
	return &gibs[address < USER_HEAP ? 0 : LOW_GIBS + ((address - USER_HEAP) & (SPAN_AREA_BYTES - 1)) / GIB];
}

static struct users_leaf *find(uint64_t address)
{
	const struct users_gib *g = *gib_of(address);

	return g == NULL ? NULL : g->leaf[address >> LEAF_SHIFT & (ENTRIES - 1)];
}

static struct users_leaf *find_or_make(uint64_t address)
{
	struct users_gib **g = gib_of(address);
	struct users_leaf **leaf;

	if (*g == NULL)
		*g = store_alloc(sizeof **g);
	if (*g == NULL)
		return NULL;
	leaf = &(*g)->leaf[address >> LEAF_SHIFT & (ENTRIES - 1)];
	if (*leaf == NULL)
		*leaf = store_alloc(sizeof **leaf);
	return *leaf;
}

static uint64_t end_of_leaf(uint64_t address, uint64_t end)
{
	uint64_t next = (address | ((UINT64_C(1) << LEAF_SHIFT) - 1)) + 1;

	return next < end ? next : end;
}

static uint64_t *word_of(struct users_leaf *leaf, uint64_t address)
{
	return &leaf->member[address / PAGE_BYTES % ENTRIES];
}

err_t users_add(uint64_t base, uint64_t end, unsigned member)
{
	struct users_leaf *leaf = find_or_make(base);

	if (leaf == NULL)
		return ERR(NO_MEMORY);
	for (uint64_t at = base; at < end; at += PAGE_BYTES)
		*word_of(leaf, at) |= UINT64_C(1) << member;
	any = true;
	return OK;
}

uint64_t users_of(uint64_t base, uint64_t end)
{
	uint64_t all = 0;

	for (uint64_t next; any && base < end; base = next) {
		struct users_leaf *leaf = find(base);

		next = end_of_leaf(base, end);
		for (uint64_t at = base; leaf != NULL && at < next; at += PAGE_BYTES)
			all |= *word_of(leaf, at);
	}
	return all;
}

void users_forget(uint64_t base, uint64_t end, uint64_t members)
{
	for (uint64_t next; any && base < end; base = next) {
		struct users_leaf *leaf = find(base);

		next = end_of_leaf(base, end);
		for (uint64_t at = base; leaf != NULL && at < next; at += PAGE_BYTES)
			*word_of(leaf, at) &= ~members;
	}
}

void users_forget_everywhere(unsigned member)
{
	for (unsigned g = 0; any && g < GIBS; g++)
		for (unsigned l = 0; gibs[g] != NULL && l < ENTRIES; l++)
			for (unsigned i = 0; gibs[g]->leaf[l] != NULL && i < ENTRIES; i++)
				gibs[g]->leaf[l]->member[i] &= ~(UINT64_C(1) << member);
}
