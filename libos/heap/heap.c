/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include "libos/heap/heap.h"

#define GRAIN       16
#define EVEN_MOST   128 /* up to here a class for each multiple of GRAIN, then four for each power of two */
#define EVEN        (EVEN_MOST / GRAIN)
#define WORD_BITS   64
#define ALL_UNITS   UINT32_MAX
#define ARENAS_KEPT 1 /* even if nothing is in them */

_Static_assert(HEAP_UNITS == 32, "a bit each in a word");

/* ---- Size classes ---- */

static unsigned class_of(uint64_t bytes)
{
	unsigned power;

	if (bytes <= EVEN_MOST)
		return bytes == 0 ? 0 : (unsigned)((bytes - 1) / GRAIN);
	power = 63 - (unsigned)__builtin_clzll(bytes - 1); /* 2^power < bytes <= 2^(power + 1) */
	return EVEN + (power - 7) * 4 + (unsigned)((bytes - 1) >> (power - 2) & 3);
}

static uint32_t class_bytes(unsigned size_class)
{
	unsigned step = size_class - EVEN;

	if (size_class < EVEN)
		return (size_class + 1) * GRAIN;
	return (uint32_t)(5 + step % 4) << (5 + step / 4);
}

/* ---- Finding ---- */

static struct heap_arena **entry_of(const struct heap *h, uint64_t address)
{
	uint64_t number = (address - h->low) >> HEAP_ARENA_SHIFT;
	struct heap_leaf *leaf = number / HEAP_ENTRIES < HEAP_TOPS ? h->top[number / HEAP_ENTRIES] : NULL;

	return leaf == NULL ? NULL : &leaf->arena[number % HEAP_ENTRIES];
}

static struct heap_arena *arena_of(const struct heap *h, uint64_t address)
{
	struct heap_arena **entry = entry_of(h, address);

	return entry == NULL ? NULL : *entry;
}

static bool note_arena(struct heap *h, struct heap_arena *a)
{
	uint64_t number = (a->base - h->low) >> HEAP_ARENA_SHIFT;
	struct heap_leaf **leaf;

	if (number / HEAP_ENTRIES >= HEAP_TOPS)
		return false;
	leaf = &h->top[number / HEAP_ENTRIES];
	if (*leaf == NULL)
		*leaf = h->source->take(sizeof **leaf);
	if (*leaf == NULL)
		return false;
	(*leaf)->arena[number % HEAP_ENTRIES] = a;
	return true;
}

/* ---- Arenas ---- */

/* It stays in memory until somebody takes it off the list of the dead, for unmapping may have to wait. */
static void bury(struct heap *h, struct heap_arena *a)
{
	struct heap_arena **entry = entry_of(h, a->base);

	if (entry != NULL && *entry == a)
		*entry = NULL;
	for (struct heap_arena **link = &h->arenas; *link != NULL; link = &(*link)->next) {
		if (*link == a) {
			*link = a->next;
			h->arena_count--;
			break;
		}
	}
	a->next = h->dead;
	h->dead = a;
}

bool heap_next_dead(struct heap *h, uint64_t *base, uint64_t *bytes)
{
	struct heap_arena *a = h->dead;

	if (a == NULL)
		return false;
	h->dead = a->next;
	*base = a->base;
	*bytes = a->bytes;
	h->source->give(a, sizeof *a);
	return true;
}

static struct heap_arena *new_arena(struct heap *h, uint64_t bytes)
{
	struct heap_arena *a = h->source->take(sizeof *a);

	if (a == NULL)
		return NULL;
	a->base = h->source->map(bytes);
	a->bytes = bytes;
	if (a->base == 0) {
		h->source->give(a, sizeof *a);
		return NULL;
	}
	if (!note_arena(h, a)) {
		bury(h, a);
		return NULL;
	}
	return a;
}

/* The first of `count` free units in a row, or HEAP_UNITS. */
static unsigned find_units(const struct heap_arena *a, unsigned count)
{
	uint32_t mask = count == HEAP_UNITS ? ALL_UNITS : ((uint32_t)1 << count) - 1;

	for (unsigned first = 0; first + count <= HEAP_UNITS; first++)
		if ((a->taken & mask << first) == 0)
			return first;
	return HEAP_UNITS;
}

static void take_units(struct heap_arena *a, unsigned first, unsigned count)
{
	for (unsigned i = first; i < first + count; i++)
		a->taken |= (uint32_t)1 << i;
	a->run[first] = (uint8_t)count;
}

/* `count` units; *fresh: nobody has had them. */
static struct heap_arena *alloc_units(struct heap *h, unsigned count, unsigned *first, bool *fresh)
{
	struct heap_arena *a;

	*fresh = false;
	for (a = h->arenas; a != NULL; a = a->next) {
		*first = find_units(a, count);
		if (*first < HEAP_UNITS)
			break;
	}
	if (a == NULL) {
		a = new_arena(h, HEAP_ARENA_BYTES);
		if (a == NULL)
			return NULL;
		a->next = h->arenas;
		h->arenas = a;
		h->arena_count++;
		*first = 0;
		*fresh = true;
	}
	take_units(a, *first, count);
	return a;
}

static void free_units(struct heap *h, struct heap_arena *a, unsigned first)
{
	for (unsigned i = first; i < first + a->run[first]; i++)
		a->taken &= ~((uint32_t)1 << i);
	a->run[first] = 0;
	if (a->taken == 0 && h->arena_count > ARENAS_KEPT)
		bury(h, a);
}

/* ---- Blocks ---- */

static size_t block_bytes(uint32_t total)
{
	return sizeof(struct heap_block) + (total + WORD_BITS - 1) / WORD_BITS * sizeof(uint64_t);
}

static void add_room(struct heap *h, struct heap_block *b)
{
	b->before = NULL;
	b->next = h->room[b->size_class];
	if (b->next != NULL)
		b->next->before = b;
	h->room[b->size_class] = b;
}

static void remove_room(struct heap *h, struct heap_block *b)
{
	if (b->before != NULL)
		b->before->next = b->next;
	else
		h->room[b->size_class] = b->next;
	if (b->next != NULL)
		b->next->before = b->before;
}

static struct heap_block *new_block(struct heap *h, unsigned size_class)
{
	uint32_t size = class_bytes(size_class), total = (uint32_t)(HEAP_UNIT_BYTES / size);
	struct heap_block *b = h->source->take(block_bytes(total));
	struct heap_arena *a;
	unsigned unit;
	bool fresh;

	if (b == NULL)
		return NULL;
	a = alloc_units(h, 1, &unit, &fresh);
	if (a == NULL) {
		h->source->give(b, block_bytes(total));
		return NULL;
	}
	b->base = a->base + unit * HEAP_UNIT_BYTES;
	b->size = size;
	b->inverse = (uint32_t)((((uint64_t)1 << 32) + size - 1) / size);
	b->total = b->free = (uint16_t)total;
	b->size_class = (uint16_t)size_class;
	for (uint32_t i = 0; i < total; i++)
		b->bits[i / WORD_BITS] |= (uint64_t)1 << i % WORD_BITS;
	a->block[unit] = b;
	add_room(h, b);
	return b;
}

static void end_block(struct heap *h, struct heap_arena *a, unsigned unit)
{
	struct heap_block *b = a->block[unit];

	remove_room(h, b);
	a->block[unit] = NULL;
	h->source->give(b, block_bytes(b->total));
	free_units(h, a, unit);
}

static inline void *take_object(struct heap *h, struct heap_block *b)
{
	unsigned word = b->first, bit;

	while (b->bits[word] == 0)
		word++;
	bit = (unsigned)__builtin_ctzll(b->bits[word]);
	b->bits[word] &= b->bits[word] - 1;
	b->first = (uint16_t)word;
	if (--b->free == 0)
		remove_room(h, b);
	return (void *)(b->base + (uint64_t)b->size * (word * WORD_BITS + bit));
}

/* ---- Giving out ---- */

static void *alloc_large(struct heap *h, uint64_t bytes, bool *fresh)
{
	struct heap_arena *a;
	unsigned first;

	if (bytes > HEAP_LARGE_MOST) {
		if (bytes > UINT64_MAX - HEAP_ARENA_BYTES)
			return NULL;
		a = new_arena(h, (bytes + HEAP_ARENA_BYTES - 1) & ~(HEAP_ARENA_BYTES - 1));
		*fresh = true;
		if (a == NULL)
			return NULL;
		a->taken = ALL_UNITS; /* one object */
		return (void *)a->base;
	}
	a = alloc_units(h, (unsigned)((bytes + HEAP_UNIT_BYTES - 1) / HEAP_UNIT_BYTES), &first, fresh);
	return a == NULL ? NULL : (void *)(a->base + first * HEAP_UNIT_BYTES);
}

/* What has to be given out for the address to be a multiple of the alignment: objects lie at multiples of their size. */
static uint64_t bytes_for(uint64_t bytes, uint64_t alignment)
{
	if (alignment <= GRAIN)
		return bytes;
	if (alignment <= HEAP_SMALL_MOST) {
		uint64_t least = bytes > alignment ? bytes : alignment;

		/* the next power of two, if that is a small object; units are aligned anyway */
		return least <= HEAP_SMALL_MOST ? (uint64_t)1 << (64 - __builtin_clzll(least - 1)) : bytes;
	}
	if (alignment <= HEAP_UNIT_BYTES)
		return bytes > HEAP_SMALL_MOST ? bytes : HEAP_SMALL_MOST + 1;
	return bytes > HEAP_LARGE_MOST ? bytes : HEAP_LARGE_MOST + 1;
}

void *heap_alloc(struct heap *h, uint64_t bytes, uint64_t alignment, bool *fresh)
{
	struct heap_block *b;
	unsigned size_class;
	void *object;

	*fresh = false;
	bytes = bytes_for(bytes, alignment);
	if (__builtin_expect(bytes > HEAP_SMALL_MOST, 0)) {
		object = alloc_large(h, bytes, fresh);
		h->live += object != NULL;
		return object;
	}
	size_class = class_of(bytes);
	b = h->room[size_class];
	if (__builtin_expect(b == NULL, 0)) {
		b = new_block(h, size_class);
		if (b == NULL)
			return NULL;
	}
	h->live++;
	return take_object(h, b);
}

/* ---- Taking back ---- */

static enum heap_verdict free_large(struct heap *h, struct heap_arena *a, unsigned unit, uint64_t address)
{
	bool one = a->bytes > HEAP_ARENA_BYTES || (a->taken == ALL_UNITS && a->run[0] == 0);

	if (one) {
		if (address != a->base)
			return HEAP_INSIDE;
		h->live--;
		bury(h, a);
		return HEAP_FINE;
	}
	if (a->run[unit] == 0)
		return (a->taken >> unit & 1) != 0 ? HEAP_INSIDE : HEAP_FREE_ALREADY;
	if (address % HEAP_UNIT_BYTES != 0)
		return HEAP_INSIDE;
	h->live--;
	free_units(h, a, unit);
	return HEAP_FINE;
}

enum heap_verdict heap_free(struct heap *h, uint64_t address)
{
	struct heap_arena *a = arena_of(h, address);
	struct heap_block *b;
	unsigned unit;
	uint64_t offset, index, bit;

	if (__builtin_expect(a == NULL, 0))
		return HEAP_NOT_ALLOCATED;
	unit = (unsigned)((address - a->base) >> HEAP_UNIT_SHIFT);
	b = a->block[unit];
	if (__builtin_expect(b == NULL, 0))
		return free_large(h, a, unit, address);
	offset = address - b->base;
	index = offset * b->inverse >> 32;
	if (__builtin_expect(index * b->size != offset || index >= b->total, 0))
		return HEAP_INSIDE;
	bit = (uint64_t)1 << index % WORD_BITS;
	if (__builtin_expect((b->bits[index / WORD_BITS] & bit) != 0, 0))
		return HEAP_FREE_ALREADY;
	b->bits[index / WORD_BITS] |= bit;
	h->live--;
	if (index / WORD_BITS < b->first)
		b->first = (uint16_t)(index / WORD_BITS);
	if (b->free++ == 0)
		add_room(h, b);
	/* The last block of a class stays, so that one object that comes and goes does not make and end it each time. */
	if (__builtin_expect(b->free == b->total, 0) && (b->next != NULL || b->before != NULL))
		end_block(h, a, unit);
	return HEAP_FINE;
}

uint64_t heap_usable(const struct heap *h, uint64_t address)
{
	const struct heap_arena *a = arena_of(h, address);
	const struct heap_block *b;
	unsigned unit;
	uint64_t index;

	if (a == NULL)
		return 0;
	unit = (unsigned)((address - a->base) >> HEAP_UNIT_SHIFT);
	b = a->block[unit];
	if (b == NULL && a->run[unit] == 0)
		return address == a->base && a->taken == ALL_UNITS ? a->bytes : 0;
	if (b == NULL)
		return address % HEAP_UNIT_BYTES == 0 ? a->run[unit] * HEAP_UNIT_BYTES : 0;
	index = (address - b->base) * b->inverse >> 32;
	if (index >= b->total || b->base + index * b->size != address || (b->bits[index / WORD_BITS] >> index % WORD_BITS & 1) != 0)
		return 0;
	return b->size;
}
