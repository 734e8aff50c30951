/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* The library OS's own small things: power-of-two sizes from one cache line to 64 KiB, each with a list of free ones.
 *
 * The store grows by mapping memory, and mapping memory needs nodes from the store. So there is always a reserve: store_prepare, which
 * every operation calls before its first step, maps more while what is left still suffices for the mapping itself. */

#include <string.h>

#include "libos/address_space/address_space.h"
#include "libos/memory/memory.h"
#include "libos/upcall/dispatcher.h"

#define SMALLEST_SHIFT 6
#define SIZES          11         /* 64 bytes .. 64 KiB */
#define RESERVE        (40 * KIB) /* what the first touch of all needs: tables of three places, and records */
#define CHUNK          (64 * KIB)

_Static_assert((UINT64_C(1) << (SMALLEST_SHIFT + SIZES - 1)) == STORE_LARGEST, "");

struct free_piece {
	struct free_piece *next;
};

static _Alignas(LINE_BYTES) uint8_t first_chunk[56 * KIB];
static uint8_t *fresh = first_chunk;
static uint8_t *fresh_end = first_chunk + sizeof first_chunk;
static struct free_piece *free_pieces[SIZES];
static bool growing;

static unsigned size_of(size_t bytes)
{
	unsigned size = 0;

	while ((UINT64_C(1) << (SMALLEST_SHIFT + size)) < bytes)
		size++;
	return size;
}

/* What is left of the old chunk stays usable as small pieces; but not of the first one, which lies at the same place for every member of a
 * span (libos/span/span.h): an address of the store says whose it is. */
static void retire_fresh(void)
{
	if (fresh_end == first_chunk + sizeof first_chunk)
		return;
	for (unsigned size = SIZES; size-- > 0;) {
		size_t bytes = (size_t)1 << (SMALLEST_SHIFT + size);

		while ((size_t)(fresh_end - fresh) >= bytes) {
			struct free_piece *piece = (struct free_piece *)fresh;

			fresh += bytes;
			piece->next = free_pieces[size];
			free_pieces[size] = piece;
		}
	}
}

static void grow(size_t bytes)
{
	void *chunk;

	if (growing)
		return;
	growing = true;
	if (is_ok(own_memory_map(bytes, &chunk))) {
		retire_fresh();
		fresh = chunk;
		fresh_end = fresh + bytes;
	}
	growing = false;
}

void store_prepare(void)
{
	bool inside = dispatcher_enter();

	if ((size_t)(fresh_end - fresh) < RESERVE)
		grow(CHUNK);
	dispatcher_leave(inside);
}

void *store_alloc(size_t bytes)
{
	bool inside = dispatcher_enter();
	unsigned size = size_of(bytes);
	size_t whole = (size_t)1 << (SMALLEST_SHIFT + size);
	void *memory = NULL;

	if (size < SIZES) {
		if (free_pieces[size] == NULL && (size_t)(fresh_end - fresh) < whole)
			grow(CHUNK);
		if (free_pieces[size] != NULL) {
			memory = free_pieces[size];
			free_pieces[size] = free_pieces[size]->next;
		} else if ((size_t)(fresh_end - fresh) >= whole) {
			memory = fresh;
			fresh += whole;
		}
	}
	dispatcher_leave(inside);
	return memory == NULL ? NULL : memset(memory, 0, whole);
}

void store_free(void *memory, size_t bytes)
{
	bool inside = dispatcher_enter();
	unsigned size = size_of(bytes);
	struct free_piece *piece = memory;

	if (piece != NULL) {
		piece->next = free_pieces[size];
		free_pieces[size] = piece;
	}
	dispatcher_leave(inside);
}
