/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#include "boot/loader/ranges.h"

static void delete_at(struct ranges *r, uint32_t at, uint32_t count)
{
	for (uint32_t i = at; i + count < r->count; i++)
		r->range[i] = r->range[i + count];
	r->count -= count;
}

static void insert_at(struct ranges *r, uint32_t at, struct range range)
{
	if (r->count == RANGES_MAX) {
		r->overflow = true;
		return;
	}
	for (uint32_t i = r->count; i > at; i--)
		r->range[i] = r->range[i - 1];
	r->range[at] = range;
	r->count++;
}

void ranges_add(struct ranges *r, uint64_t base, uint64_t end)
{
	if (base >= end)
		return;
	uint32_t first = 0;
	while (first < r->count && r->range[first].end < base)
		first++;
	/* All that overlap or touch the new one become part of it. */
	uint32_t last = first;
	while (last < r->count && r->range[last].base <= end) {
		if (r->range[last].base < base)
			base = r->range[last].base;
		if (r->range[last].end > end)
			end = r->range[last].end;
		last++;
	}
	delete_at(r, first, last - first);
	insert_at(r, first, (struct range){base, end});
}

void ranges_remove(struct ranges *r, uint64_t base, uint64_t end)
{
	for (uint32_t i = 0; i < r->count;) {
		struct range whole = r->range[i];
		if (base >= end || whole.end <= base || whole.base >= end) {
			i++;
			continue;
		}
		delete_at(r, i, 1);
		if (whole.base < base)
			insert_at(r, i++, (struct range){whole.base, base});
		if (whole.end > end)
			insert_at(r, i++, (struct range){end, whole.end});
	}
}

void ranges_gaps(const struct ranges *r, uint64_t end, struct ranges *out)
{
	*out = (struct ranges){0};
	ranges_add(out, 0, end);
	for (uint32_t i = 0; i < r->count; i++)
		ranges_remove(out, r->range[i].base, r->range[i].end);
}

uint64_t ranges_find_lowest(const struct ranges *r, uint64_t bytes, uint64_t low, uint64_t high)
{
	for (uint32_t i = 0; i < r->count; i++) {
		uint64_t base = r->range[i].base > low ? r->range[i].base : low;
		uint64_t end = r->range[i].end < high ? r->range[i].end : high;
		if (base < end && bytes <= end - base)
			return base;
	}
	return 0;
}

uint64_t ranges_bytes(const struct ranges *r)
{
	uint64_t bytes = 0;

	for (uint32_t i = 0; i < r->count; i++)
		bytes += r->range[i].end - r->range[i].base;
	return bytes;
}
