/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include "libos/memory/blocks.h"

void blocks_store(struct block_list *l, struct extent *extents, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		extents[i].next = l->store;
		l->store = &extents[i];
	}
	l->stored += count;
}

static struct extent *from_store(struct block_list *l)
{
	struct extent *e = l->store;

	if (e != NULL) {
		l->store = e->next;
		l->stored--;
	}
	return e;
}

static struct extent *insert(struct block_list *l, struct extent **link, uint64_t base, uint64_t bytes)
{
	struct extent *e = from_store(l);

	if (e == NULL)
		return NULL;
	*e = (struct extent){*link, base, bytes};
	*link = e;
	return e;
}

err_t blocks_add(struct block_list *l, cap_t cap, uint64_t base, uint64_t bytes, uint64_t used)
{
	struct extent *free = NULL;
	unsigned at = 0;

	while (at < l->count && l->block[at].bytes != 0)
		at++;
	if (at == BLOCKS_MAX)
		return ERR(LIMIT);
	if (used > bytes)
		return ERR(ARGUMENT);
	if (used < bytes && insert(l, &free, base + used, bytes - used) == NULL)
		return ERR(LIMIT);
	l->block[at] = (struct ram_block){.cap = cap, .base = base, .bytes = bytes, .free = free};
	if (at == l->count)
		l->count++;
	l->free_bytes += bytes - used;
	return OK;
}

void blocks_move(struct block_list *l, unsigned block, uint64_t base)
{
	struct ram_block *b = &l->block[block];

	for (struct extent *e = b->free; e != NULL; e = e->next)
		e->base = e->base - b->base + base;
	b->base = base;
}

static uint64_t align_up(uint64_t value, uint64_t alignment)
{
	return (value + alignment - 1) & ~(alignment - 1);
}

bool blocks_find(const struct block_list *l, uint64_t bytes, uint64_t alignment, struct block_place *place)
{
	for (unsigned b = place->block; b < l->count; b++) {
		for (const struct extent *e = l->block[b].closed ? NULL : l->block[b].free; e != NULL; e = e->next) {
			uint64_t from = b == place->block && place->base > e->base ? place->base : e->base;
			uint64_t base = align_up(from, alignment);

			if (base < e->base + e->bytes && e->base + e->bytes - base >= bytes) {
				*place = (struct block_place){b, base};
				return true;
			}
		}
	}
	return false;
}

err_t blocks_take(struct block_list *l, struct block_place place, uint64_t bytes)
{
	struct extent **link = &l->block[place.block].free;
	struct extent *e;
	uint64_t end = place.base + bytes;
	uint64_t extent_end;

	while (*link != NULL && (*link)->base + (*link)->bytes <= place.base)
		link = &(*link)->next;
	e = *link;
	if (e == NULL || e->base > place.base || e->base + e->bytes < end)
		return ERR(RANGE);
	extent_end = e->base + e->bytes;

	if (place.base > e->base && end < extent_end) {
		if (insert(l, &e->next, end, extent_end - end) == NULL)
			return ERR(LIMIT);
		e->bytes = place.base - e->base;
	} else if (place.base > e->base) {
		e->bytes = place.base - e->base;
	} else if (end < extent_end) {
		e->base = end;
		e->bytes = extent_end - end;
	} else {
		*link = e->next;
		blocks_store(l, e, 1);
	}
	l->free_bytes -= bytes;
	return OK;
}

const struct ram_block *blocks_of(const struct block_list *l, uint64_t base, uint64_t bytes)
{
	for (unsigned i = 0; i < l->count; i++) {
		const struct ram_block *b = &l->block[i];

		if (base >= b->base && bytes <= b->bytes && base - b->base <= b->bytes - bytes)
			return b;
	}
	return NULL;
}

err_t blocks_give(struct block_list *l, uint64_t base, uint64_t bytes)
{
	struct ram_block *b = (struct ram_block *)blocks_of(l, base, bytes);
	struct extent **link, *before = NULL, *after;

	if (b == NULL || bytes == 0)
		return ERR(RANGE);
	for (link = &b->free; *link != NULL && (*link)->base < base; link = &(*link)->next)
		before = *link;
	after = *link;
	if ((before != NULL && before->base + before->bytes > base) || (after != NULL && base + bytes > after->base))
		return ERR(RANGE);

	if (before != NULL && before->base + before->bytes == base) {
		before->bytes += bytes;
		if (after != NULL && base + bytes == after->base) {
			before->bytes += after->bytes;
			before->next = after->next;
			blocks_store(l, after, 1);
		}
	} else if (after != NULL && base + bytes == after->base) {
		after->base = base;
		after->bytes += bytes;
	} else if (insert(l, link, base, bytes) == NULL) {
		return ERR(LIMIT);
	}
	l->free_bytes += bytes;
	return OK;
}

uint64_t blocks_free_in(const struct ram_block *b)
{
	uint64_t bytes = 0;

	for (const struct extent *e = b->free; e != NULL; e = e->next)
		bytes += e->bytes;
	return bytes;
}

void blocks_remove(struct block_list *l, unsigned block)
{
	struct ram_block *b = &l->block[block];

	l->free_bytes -= blocks_free_in(b);
	while (b->free != NULL) {
		struct extent *e = b->free;

		b->free = e->next;
		blocks_store(l, e, 1);
	}
	*b = (struct ram_block){.cap = CAP_NULL};
}
