/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Which pages of the domain's slabs are free: one bit a page. Pure; whoever uses it makes the slabs and clears the pages.
 *
 * A *slab* is one large frame. Anonymous memory is cut out of slabs a page or a run of pages at a time, by copies of the slab's capability
 * that are mapped at an offset: so giving pages out and taking them back is the library OS's own affair, and another core that has a copy
 * of the slab can map any page of it without asking anybody. */

#include "cpudriver/abi/capabilities.h"
#include "cpudriver/abi/errors.h"

#define SLABS_MAX 4096

struct slab {
	uint64_t base;   /* physical */
	uint64_t given;  /* the members that have a copy of it, a bit each */
	bool registered; /* a frame that is in use as a whole: no page is ever given out */
	bool ended;      /* it is, but goes away */
	bool closed;     /* no page is given out any more: its memory is about to be given back */
	unsigned giving; /* to so many members at this moment */
	uint8_t *window; /* where the library OS sees it */
	uint64_t *taken; /* (pages + 63) / 64 words */
	uint32_t pages, free;
	cap_t cap;
};

struct slab_set {
	struct slab **at; /* NULL: this number is free */
	unsigned count, capacity;
	unsigned search_from; /* no slab below has a free page */
	uint64_t free_pages;  /* of those that are not closed */
};

/* Some pages of a slab, one behind the other. */
struct run {
	uint16_t slab;
	uint32_t page, pages;
};

static inline bool slabs_full(const struct slab_set *s)
{
	return s->count == s->capacity;
}
static inline unsigned slab_words(uint32_t pages)
{
	return (pages + 63) / 64;
}

/* A slab, all free, gets a number. LIMIT: the array is full. */
MUST_USE err_t slabs_add(struct slab_set *s, struct slab *slab, uint16_t *number);
/* It must be all free, or all that was given out of it is lost. */
void slabs_remove(struct slab_set *s, uint16_t number);
/* Closes it, or opens it again. */
void slabs_close(struct slab_set *s, uint16_t number, bool closed);

/* Takes exactly `pages` in a row, beginning at a multiple of `pages` if that is a power of two. False: no slab has them. */
bool slabs_take(struct slab_set *s, uint32_t pages, struct run *out);
/* Gives pages back. RANGE: no such pages, or some of them are free already; then nothing has changed. */
MUST_USE err_t slabs_give(struct slab_set *s, struct run run);
