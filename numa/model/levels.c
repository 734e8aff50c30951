/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* What CPUID says of the bits of an APIC ID and of caches.
 *
 * Leaf 0x1f, or 0xb where there is none: a subleaf a level, from the inside: type in ECX, and in EAX how many bits to shift an x2APIC ID
 * to get the number of the next level (Intel SDM, volume 2A, CPUID, tables for 0bH and 1fH). Leaf 4, or AMD's 0x8000001d of the same
 * layout: a subleaf a cache (tables for 04H; AMD APM, volume 3, E.4.15). Both end with a subleaf of type 0. */

#include "numa/model.h"

#define LEAF_CACHES          0x4u
#define LEAF_LEVELS          0xbu
#define LEAF_LEVELS_WITH_DIE 0x1fu
#define LEAF_CACHES_AMD      0x8000001du

enum { LEVEL_THREAD = 1, LEVEL_DIE = 5 }; /* CPUID leaf 1fH, ECX[15:8]: between the two are cores, modules and tiles */

static uint32_t field(uint32_t word, unsigned low, unsigned bits)
{
	return word >> low & ((1u << bits) - 1);
}

/* The given leaf's first subleaf, if it says something. */
static const struct machine_leaf *find(const struct machine_leaf *leaves, size_t count, uint32_t leaf)
{
	bool caches = leaf == LEAF_CACHES || leaf == LEAF_CACHES_AMD;

	for (size_t i = 0; i < count; i++)
		if (leaves[i].leaf == leaf && leaves[i].subleaf == 0)
			return (caches ? field(leaves[i].a, 0, 5) : field(leaves[i].c, 8, 8)) != 0 ? &leaves[i] : NULL;
	return NULL;
}

/* ---- Levels ---- */

static void read_levels(struct machine *machine, const struct machine_leaf *l, const struct machine_leaf *end)
{
	uint32_t core = 0, die = 0, package = 0;

	for (const struct machine_leaf *first = l; l < end && l->leaf == first->leaf && field(l->c, 8, 8) != 0; l++) {
		uint32_t type = field(l->c, 8, 8), shift = field(l->a, 0, 5);

		if (shift < package)
			return;
		if (type == LEVEL_THREAD)
			core = shift;
		if (type < LEVEL_DIE)
			die = shift;
		package = shift;
	}
	machine->has_levels = 1;
	machine->core_shift = (uint8_t)core;
	machine->die_shift = (uint8_t)die;
	machine->package_shift = (uint8_t)package;
}

/* ---- Caches ---- */

/* So many bits tell `count` apart. */
static uint8_t bits(uint32_t count)
{
	uint8_t needed = 0;

	while (needed < MACHINE_SHIFT_MOST && UINT32_C(1) << needed < count)
		needed++;
	return needed;
}

static bool decode(const struct machine_leaf *l, struct machine_cache *cache)
{
	uint64_t ways = field(l->b, 22, 10) + 1, partitions = field(l->b, 12, 10) + 1, line = field(l->b, 0, 12) + 1;
	uint64_t set_bytes = ways * partitions * line, sets = (uint64_t)l->c + 1;

	*cache = (struct machine_cache){.bytes = (uint32_t)(set_bytes * sets),
	                                .line_bytes = (uint16_t)line,
	                                .ways = field(l->a, 9, 1) != 0 ? 0 : (uint16_t)ways,
	                                .level = (uint8_t)field(l->a, 5, 3),
	                                .kind = (uint8_t)field(l->a, 0, 5),
	                                .shift = bits(field(l->a, 14, 12) + 1)};
	return sets <= UINT32_MAX / set_bytes && cache->level >= 1 && cache->kind >= MACHINE_CACHE_DATA &&
	       cache->kind <= MACHINE_CACHE_UNIFIED;
}

/* Whether `a` is nearer to memory; a data cache counts as nearer than one for code. */
static bool outside(const struct machine_cache *a, const struct machine_cache *b)
{
	return a->level != b->level ? a->level > b->level : a->kind < b->kind;
}

static void read_caches(struct machine *machine, const struct machine_leaf *l, const struct machine_leaf *end)
{
	for (const struct machine_leaf *first = l; l < end && l->leaf == first->leaf && field(l->a, 0, 5) != 0; l++) {
		struct machine_cache cache;
		unsigned at = machine->cache_count;

		if (at == MACHINE_CACHES || !decode(l, &cache))
			continue;
		for (; at > 0 && outside(&cache, &machine->caches[at - 1]); at--)
			machine->caches[at] = machine->caches[at - 1];
		machine->caches[at] = cache;
		machine->cache_count++;
	}
}

void machine_read_levels(struct machine *machine, const struct machine_leaf *leaves, size_t count)
{
	const struct machine_leaf *levels = find(leaves, count, LEAF_LEVELS_WITH_DIE), *caches = find(leaves, count, LEAF_CACHES);

	if (levels == NULL)
		levels = find(leaves, count, LEAF_LEVELS);
	if (caches == NULL)
		caches = find(leaves, count, LEAF_CACHES_AMD);
	if (levels != NULL)
		read_levels(machine, levels, leaves + count);
	if (caches != NULL)
		read_caches(machine, caches, leaves + count);
}
