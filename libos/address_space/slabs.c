/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include "libos/address_space/slabs.h"

#define WORD_BITS 64

err_t slabs_add(struct slab_set *s, struct slab *slab, uint16_t *number)
{
	unsigned n = 0;

	while (n < s->count && s->at[n] != NULL)
		n++;
	if (n == s->capacity)
		return ERR(LIMIT);
	for (unsigned word = 0; word < slab_words(slab->pages); word++)
		slab->taken[word] = 0;
	if (slab->pages % WORD_BITS != 0)
		slab->taken[slab->pages / WORD_BITS] = ~UINT64_C(0) << slab->pages % WORD_BITS;
	slab->free = slab->pages;
	s->at[n] = slab;
	s->free_pages += slab->pages;
	if (n == s->count)
		s->count++;
	if (n < s->search_from)
		s->search_from = n;
	*number = (uint16_t)n;
	return OK;
}

void slabs_close(struct slab_set *s, uint16_t number, bool closed)
{
	struct slab *slab = s->at[number];

	if (slab->closed == closed)
		return;
	slab->closed = closed;
	if (closed)
		s->free_pages -= slab->free;
	else
		s->free_pages += slab->free;
	if (!closed && number < s->search_from)
		s->search_from = number;
}

void slabs_remove(struct slab_set *s, uint16_t number)
{
	slabs_close(s, number, true);
	s->at[number] = NULL;
	while (s->count > 0 && s->at[s->count - 1] == NULL)
		s->count--;
}

static uint64_t ones(uint32_t count)
{
	return count == WORD_BITS ? ~UINT64_C(0) : (UINT64_C(1) << count) - 1;
}

/* Whether all of [page, page + pages) has this state. */
static bool is_all(const struct slab *slab, uint32_t page, uint32_t pages, bool taken)
{
	while (pages > 0) {
		uint32_t bit = page % WORD_BITS, some = WORD_BITS - bit < pages ? WORD_BITS - bit : pages;
		uint64_t mask = ones(some) << bit, word = slab->taken[page / WORD_BITS];

		if (((taken ? ~word : word) & mask) != 0)
			return false;
		page += some;
		pages -= some;
	}
	return true;
}

static void set_all(struct slab *slab, uint32_t page, uint32_t pages, bool taken)
{
	while (pages > 0) {
		uint32_t bit = page % WORD_BITS, some = WORD_BITS - bit < pages ? WORD_BITS - bit : pages;
		uint64_t mask = ones(some) << bit;

		if (taken)
			slab->taken[page / WORD_BITS] |= mask;
		else
			slab->taken[page / WORD_BITS] &= ~mask;
		page += some;
		pages -= some;
	}
}

/* The first free page at or behind `page`, or slab->pages. */
static uint32_t first_free(const struct slab *slab, uint32_t page)
{
	while (page < slab->pages) {
		uint64_t free = ~slab->taken[page / WORD_BITS] >> page % WORD_BITS;

		if (free != 0)
			return page + (uint32_t)__builtin_ctzll(free);
		page = (page / WORD_BITS + 1) * WORD_BITS;
	}
	return slab->pages;
}

/* Where `pages` free ones begin, or slab->pages. */
static uint32_t find(const struct slab *slab, uint32_t pages)
{
	uint32_t step = (pages & (pages - 1)) == 0 ? pages : 1;

	for (uint32_t page = first_free(slab, 0); page < slab->pages; page = first_free(slab, page + 1)) {
		page = (page + step - 1) / step * step;
		if (page > slab->pages || pages > slab->pages - page)
			break;
		if (is_all(slab, page, pages, false))
			return page;
	}
	return slab->pages;
}

bool slabs_take(struct slab_set *s, uint32_t pages, struct run *out)
{
	if (pages == 0 || s->free_pages < pages)
		return false;
	while (s->search_from < s->count && (s->at[s->search_from] == NULL || s->at[s->search_from]->free == 0))
		s->search_from++;
	for (unsigned n = s->search_from; n < s->count; n++) {
		struct slab *slab = s->at[n];
		uint32_t page;

		if (slab == NULL || slab->closed || slab->free < pages)
			continue;
		page = find(slab, pages);
		if (page == slab->pages)
			continue;
		set_all(slab, page, pages, true);
		slab->free -= pages;
		s->free_pages -= pages;
		*out = (struct run){(uint16_t)n, page, pages};
		return true;
	}
	return false;
}

err_t slabs_give(struct slab_set *s, struct run run)
{
	struct slab *slab = run.slab < s->count ? s->at[run.slab] : NULL;

	if (slab == NULL || run.pages == 0 || run.page >= slab->pages || run.pages > slab->pages - run.page ||
	    !is_all(slab, run.page, run.pages, true))
		return ERR(RANGE);
	set_all(slab, run.page, run.pages, false);
	slab->free += run.pages;
	if (!slab->closed)
		s->free_pages += run.pages;
	if (run.slab < s->search_from)
		s->search_from = run.slab;
	return OK;
}
