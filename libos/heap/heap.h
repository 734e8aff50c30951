/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* A heap: what malloc gives out. Pure; whoever uses it provides memory, and sees to it that only one call is under way.
 *
 * Memory comes in *arenas* of 2 MiB, at multiples of 2 MiB, that are cut in units of 64 KiB. A unit serves one size class as a *block*: a
 * row of objects of the same size; a few units side by side are one large object; what is larger still has an arena, or several side by
 * side, for itself. What the heap knows of it all lies elsewhere, never in the objects or beside them: so the heap touches no memory of the
 * program's, nobody can overwrite what it knows, and what was never allocated, or is free already, is told apart from what may be freed.
 *
 *   address ─▶ arena (a radix by address) ─▶ unit ─▶ block: which of its objects are free, a bit each */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HEAP_ARENA_SHIFT 21
#define HEAP_ARENA_BYTES ((uint64_t)1 << HEAP_ARENA_SHIFT)
#define HEAP_UNIT_SHIFT  16
#define HEAP_UNIT_BYTES  ((uint64_t)1 << HEAP_UNIT_SHIFT)
#define HEAP_UNITS       (HEAP_ARENA_BYTES / HEAP_UNIT_BYTES)
#define HEAP_SMALL_MOST  ((uint64_t)32 << 10) /* larger objects have units of their own, */
#define HEAP_LARGE_MOST  ((uint64_t)1 << 20)  /* and still larger ones arenas */

#define HEAP_CLASSES 40

struct heap_block {
	uint64_t base;
	uint32_t size;
	uint32_t inverse;            /* 2^32 / size, rounded up */
	uint16_t total, free, first; /* objects; no word of `bits` before `first` has a bit */
	uint16_t size_class;
	struct heap_block *next, *before; /* in the list of those of its class that have room */
	uint64_t bits[];                  /* 1: free */
};

struct heap_arena {
	uint64_t base;
	uint64_t bytes;                       /* more than one arena's: all of it is one object */
	uint32_t taken;                       /* units, a bit each */
	uint8_t run[HEAP_UNITS];              /* of a large object's first unit: how many it has */
	struct heap_block *block[HEAP_UNITS]; /* NULL: no small objects */
	struct heap_arena *next;
};

struct heap_source {
	/* `bytes`, a multiple of HEAP_ARENA_BYTES, zeroed, at such a multiple; 0: there is none. Given back as a whole. */
	uint64_t (*map)(uint64_t bytes);
	/* For what the heap knows: zeroed. */
	void *(*take)(size_t bytes);
	void (*give)(void *memory, size_t bytes);
};

#define HEAP_TOPS    256
#define HEAP_ENTRIES 512
struct heap_leaf {
	struct heap_arena *arena[HEAP_ENTRIES];
};

struct heap {
	const struct heap_source *source;
	uint64_t low; /* all arenas lie in [low, low + HEAP_TOPS GiB) */
	struct heap_block *room[HEAP_CLASSES];
	struct heap_arena *arenas;
	struct heap_arena *dead; /* in no use any more: heap_next_dead */
	struct heap_leaf *top[HEAP_TOPS];
	uint64_t arena_count;
	uint64_t live; /* objects */
};

/* NULL: no memory. `alignment` is a power of two, at most HEAP_ARENA_BYTES. *fresh: all of it is zero. */
void *heap_alloc(struct heap *h, uint64_t bytes, uint64_t alignment, bool *fresh);

enum heap_verdict {
	HEAP_FINE,
	HEAP_NOT_ALLOCATED, /* never, or not from here */
	HEAP_INSIDE,        /* not where an object begins */
	HEAP_FREE_ALREADY,
};
enum heap_verdict heap_free(struct heap *h, uint64_t address);
/* What may be used of an object; 0: it is none. */
uint64_t heap_usable(const struct heap *h, uint64_t address);
/* An arena that nobody needs, for the caller to unmap: false, if there is none. */
bool heap_next_dead(struct heap *h, uint64_t *base, uint64_t *bytes);
