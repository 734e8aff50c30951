/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include <string.h>

#include "monitor/memory.h"

static uint64_t range_end(const struct memory_range *r)
{
	return r->base + r->bytes;
}

/* The first range that ends behind `address`. */
static unsigned find(const struct ram *m, uint64_t address)
{
	unsigned low = 0, high = m->ranges;

	while (low < high) {
		unsigned middle = (low + high) / 2;

		if (range_end(&m->range[middle]) <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void insert(struct ram *m, unsigned at, uint64_t base, uint64_t bytes)
{
	memmove(&m->range[at + 1], &m->range[at], (m->ranges - at) * sizeof(m->range[0]));
	m->range[at] = (struct memory_range){base, bytes};
	m->ranges++;
}

static void remove_range(struct ram *m, unsigned at)
{
	m->ranges--;
	memmove(&m->range[at], &m->range[at + 1], (m->ranges - at) * sizeof(m->range[0]));
}

static bool is_border(const struct ram *m, uint64_t address)
{
	for (unsigned i = 0; i < m->borders; i++)
		if (m->border[i] == address)
			return true;
	return false;
}

/* Memory that went to another core may come back: with the same borders. */
static void add_border(struct ram *m, uint64_t address)
{
	if (!is_border(m, address))
		m->border[m->borders++] = address;
}

/* Frees [base, base + bytes), which touches nothing that is free already, and merges it with its neighbours. */
static void merge(struct ram *m, uint64_t base, uint64_t bytes)
{
	unsigned at = find(m, base);
	bool joins_next = at < m->ranges && m->range[at].base == base + bytes && !is_border(m, base + bytes);
	bool joins_previous = at > 0 && range_end(&m->range[at - 1]) == base && !is_border(m, base);

	m->free += bytes;
	if (joins_previous && joins_next) {
		m->range[at - 1].bytes += bytes + m->range[at].bytes;
		remove_range(m, at);
	} else if (joins_previous) {
		m->range[at - 1].bytes += bytes;
	} else if (joins_next) {
		m->range[at].base = base;
		m->range[at].bytes += bytes;
	} else {
		insert(m, at, base, bytes);
	}
}

/* A further block may split a range now and become one of its own later. */
static bool has_room(const struct ram *m)
{
	return m->ranges + m->out + 2 <= MEMORY_RANGES;
}

err_t ram_add(struct ram *m, uint64_t base, uint64_t bytes)
{
	unsigned at = find(m, base);

	if (base % PAGE_BYTES != 0 || bytes % PAGE_BYTES != 0 || bytes == 0)
		return ERR(ALIGNMENT);
	if (bytes > UINT64_MAX - base || (at < m->ranges && m->range[at].base < base + bytes))
		return ERR(OVERLAP);
	if (!has_room(m) || m->borders + 2 > MEMORY_BORDERS)
		return ERR(LIMIT);

	add_border(m, base);
	add_border(m, base + bytes);
	merge(m, base, bytes);
	m->total += bytes;
	return OK;
}

/* What is wanted: `bytes` in [low, high), at an address that leaves this remainder. */
struct want {
	uint64_t bytes, alignment, remainder, low, high;
};

/* The highest such place in `r`. */
static bool place(const struct memory_range *r, const struct want *w, uint64_t *base)
{
	uint64_t from = r->base > w->low ? r->base : w->low;
	uint64_t to = range_end(r) < w->high ? range_end(r) : w->high;

	if (to < from || to - from < w->bytes || to - w->bytes < w->remainder)
		return false;
	*base = ((to - w->bytes - w->remainder) & ~(w->alignment - 1)) + w->remainder;
	return *base >= from;
}

static err_t take(struct ram *m, const struct want *w, uint64_t *base)
{
	const uint64_t bytes = w->bytes, alignment = w->alignment;
	unsigned best = m->ranges;
	uint64_t candidate;

	if (bytes == 0 || (bytes | w->remainder) % PAGE_BYTES != 0 || alignment < PAGE_BYTES || (alignment & (alignment - 1)) != 0 ||
	    w->remainder >= alignment)
		return ERR(ALIGNMENT);
	if (!has_room(m))
		return ERR(LIMIT);
	for (unsigned i = 0; i < m->ranges; i++)
		if (place(&m->range[i], w, &candidate) && (best == m->ranges || m->range[i].bytes < m->range[best].bytes)) {
			best = i;
			*base = candidate;
		}
	if (best == m->ranges)
		return ERR(NO_MEMORY);

	struct memory_range whole = m->range[best];
	uint64_t end = *base + bytes;

	remove_range(m, best);
	if (end < range_end(&whole))
		insert(m, best, end, range_end(&whole) - end);
	if (whole.base < *base)
		insert(m, best, whole.base, *base - whole.base);
	m->free -= bytes;
	m->out++;
	return OK;
}

err_t ram_take_within(struct ram *m, uint64_t bytes, uint64_t alignment, uint64_t low, uint64_t high, uint64_t *base)
{
	return take(m, &(struct want){bytes, alignment, 0, low, high}, base);
}

err_t ram_take_at(struct ram *m, uint64_t bytes, uint64_t alignment, uint64_t remainder, uint64_t *base)
{
	return take(m, &(struct want){bytes, alignment, remainder, 0, UINT64_MAX}, base);
}

err_t ram_take(struct ram *m, uint64_t bytes, uint64_t alignment, uint64_t *base)
{
	return ram_take_within(m, bytes, alignment, 0, UINT64_MAX, base);
}

void ram_give(struct ram *m, uint64_t base, uint64_t bytes)
{
	merge(m, base, bytes);
	m->out--;
}

static void remove_border(struct ram *m, uint64_t address)
{
	for (unsigned i = 0; i < m->borders; i++)
		if (m->border[i] == address) {
			m->border[i] = m->border[--m->borders];
			return;
		}
}

void ram_part_with(struct ram *m, uint64_t base, uint64_t bytes)
{
	remove_border(m, base);
	remove_border(m, base + bytes);
	m->total -= bytes;
	m->out--;
}

void ram_join(struct ram *m, uint64_t border)
{
	unsigned at = find(m, border);

	remove_border(m, border);
	if (at == 0 || at == m->ranges || m->range[at].base != border || range_end(&m->range[at - 1]) != border)
		return;
	m->range[at - 1].bytes += m->range[at].bytes;
	remove_range(m, at);
}

uint64_t ram_largest(const struct ram *m, uint64_t low, uint64_t high)
{
	uint64_t largest = 0;

	for (unsigned i = 0; i < m->ranges; i++) {
		const struct memory_range *r = &m->range[i];
		uint64_t from = r->base > low ? r->base : low;
		uint64_t to = range_end(r) < high ? range_end(r) : high;

		if (to > from && to - from > largest)
			largest = to - from;
	}
	return largest;
}
