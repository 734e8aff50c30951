/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include "libos/address_space/regions.h"

/* Index of the first region that ends after the address. */
static unsigned index_from(const struct region_set *s, uint64_t address)
{
	unsigned low = 0, high = s->count;

	while (low < high) {
		unsigned middle = (low + high) / 2;

		if (s->at[middle]->end <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct vm_region *regions_from(const struct region_set *s, uint64_t address)
{
	unsigned i = index_from(s, address);

	return i < s->count ? s->at[i] : NULL;
}

struct vm_region *regions_find(const struct region_set *s, uint64_t address)
{
	struct vm_region *r = regions_from(s, address);

	return r != NULL && r->base <= address ? r : NULL;
}

struct vm_region *regions_next(const struct region_set *s, const struct vm_region *r)
{
	return regions_from(s, r->end);
}

err_t regions_insert(struct region_set *s, struct vm_region *r)
{
	unsigned i = index_from(s, r->base);

	if (regions_full(s))
		return ERR(LIMIT);
	if (i < s->count && s->at[i]->base < r->end)
		return ERR(OVERLAP);
	for (unsigned j = s->count; j > i; j--)
		s->at[j] = s->at[j - 1];
	s->at[i] = r;
	s->count++;
	return OK;
}

void regions_remove(struct region_set *s, const struct vm_region *r)
{
	unsigned i = index_from(s, r->base);

	if (i == s->count || s->at[i] != r)
		return;
	s->count--;
	for (; i < s->count; i++)
		s->at[i] = s->at[i + 1];
}

/* The first address at or above `address` that has the remainder. */
static uint64_t align_to(uint64_t address, uint64_t alignment, uint64_t remainder)
{
	uint64_t base = (address & ~(alignment - 1)) + remainder;

	return base < address ? base + alignment : base;
}

bool regions_gap(const struct region_set *s, uint64_t bytes, uint64_t alignment, uint64_t remainder, uint64_t low, uint64_t high,
                 uint64_t *base)
{
	uint64_t from = align_to(low, alignment, remainder);

	for (unsigned i = index_from(s, from); i <= s->count; i++) {
		uint64_t end = i < s->count && s->at[i]->base < high ? s->at[i]->base : high;

		if (from < end && end - from >= bytes) {
			*base = from;
			return true;
		}
		if (i < s->count)
			from = align_to(s->at[i]->end, alignment, remainder);
	}
	return false;
}
