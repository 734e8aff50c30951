/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include "tests/explore/seen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIZE_AT_FIRST ((size_t)1 << 12)

static void *must_have(void *memory)
{
	if (!memory) {
		fprintf(stderr, "explore: out of memory\n");
		exit(2);
	}
	return memory;
}

void *heap_take(struct heap *h, size_t bytes)
{
	if (h->used + bytes > h->room) {
		h->room = (h->used + bytes) * 2;
		h->at = must_have(realloc(h->at, h->room));
	}
	return h->at + h->used;
}

void heap_add(struct heap *h, const void *from, size_t bytes)
{
	memcpy(heap_take(h, bytes), from, bytes);
	h->used += bytes;
}

/* It shrinks again: to clear a large one takes longer than a small search. */
void table_clear(struct table *t)
{
	if (!t->at || t->size > SIZE_AT_FIRST) {
		free(t->at);
		t->size = SIZE_AT_FIRST;
		t->at = must_have(calloc(t->size, sizeof *t->at));
	} else {
		memset(t->at, 0, t->size * sizeof *t->at);
	}
	t->used = 0;
	t->sum = (struct hash){{0}};
}

static struct entry *place_of(const struct table *t, struct hash hash)
{
	size_t k = hash.word[0] & (t->size - 1);

	while ((t->at[k].hash.word[0] | t->at[k].hash.word[1]) &&
	       (t->at[k].hash.word[0] != hash.word[0] || t->at[k].hash.word[1] != hash.word[1]))
		k = (k + 1) & (t->size - 1);
	return &t->at[k];
}

static void grow(struct table *t)
{
	const struct table old = *t;

	t->size *= 4;
	t->at = must_have(calloc(t->size, sizeof *t->at));
	for (size_t k = 0; k < old.size; k++)
		if (old.at[k].hash.word[0] | old.at[k].hash.word[1])
			*place_of(t, old.at[k].hash) = old.at[k];
	free(old.at);
}

struct entry *table_put(struct table *t, struct hash hash, uint64_t value, bool *new)
{
	struct entry *e = place_of(t, hash);

	*new = !(e->hash.word[0] | e->hash.word[1]);
	if (!*new)
		return e;
	if (t->used * 2 > t->size) {
		grow(t);
		e = place_of(t, hash);
	}
	*e = (struct entry){hash, value};
	t->used++;
	t->sum.word[0] += hash.word[0];
	t->sum.word[1] += hash.word[1];
	return e;
}
