/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* The regions of the address space, ordered by address: who lies where, and where there is room. Pure.
 *
 * The set is an array of pointers to regions, which never overlap. The caller provides the array and a larger one when it is full
 * (REGIONS_FULL tells before), so nothing here allocates. */

#include "cpudriver/abi/capabilities.h"
#include "cpudriver/abi/errors.h"

enum region_use {
	REGION_ANONYMOUS, /* zeroed memory of the domain's own */
	REGION_FRAME,     /* a frame of the caller's */
	REGION_COMMON,    /* what the program began with: it stays as it is */
};

/* Whose memory the pages of anonymous memory are made of (place.c). */
enum region_policy {
	POLICY_LOCAL,
	POLICY_INTERLEAVE,
	POLICY_FIRST_TOUCH,
	POLICY_REPLICATE,
	POLICY_PAGED, /* the program's pager knows */
};

#define SLAB_NONE UINT16_MAX

struct pager;

/* A frame is cut into pieces at multiples of (1 << shift); a piece is one capability, mapped by one call. For anonymous memory (piece.h)
 * the shift just says how much is made at the first touch. */
struct vm_region {
	uint64_t base, end; /* multiples of the page */
	uint8_t rights;     /* 0: reserved, nothing is mapped */
	uint8_t use;
	uint8_t shift;
	bool touch; /* pages are made when they are touched */
	uint8_t policy;
	uint64_t members; /* interleaved over them, a bit each */

	struct pager *pager; /* paged, */
	uint64_t first;      /* and where the region began before it was cut */

	/* frames */
	cap_t *piece;    /* CAP_NULL: not made yet; NULL: common */
	uint64_t paddr;  /* where it begins, */
	uint64_t offset; /* and how far into the frame that is */
	bool lost;       /* the system has taken its memory */
	cap_t frame;     /* a copy, if other members use it; common: what it is mapped by */
	uint16_t slab;   /* the frame's number as a slab, if other members use it, else SLAB_NONE */
};

struct region_set {
	struct vm_region **at;
	unsigned count, capacity;
};

static inline bool regions_full(const struct region_set *s)
{
	return s->count == s->capacity;
}

/* The region that contains the address, else NULL. */
struct vm_region *regions_find(const struct region_set *s, uint64_t address);
/* The first region that ends after the address, else NULL: from here on in order of addresses with regions_next. */
struct vm_region *regions_from(const struct region_set *s, uint64_t address);
struct vm_region *regions_next(const struct region_set *s, const struct vm_region *r);
/* OVERLAP: part of it belongs to another region. LIMIT: the array is full. */
MUST_USE err_t regions_insert(struct region_set *s, struct vm_region *r);
void regions_remove(struct region_set *s, const struct vm_region *r);
/* The lowest base >= low of `bytes` free bytes that end at or below `high`, with base % alignment == remainder. */
bool regions_gap(const struct region_set *s, uint64_t bytes, uint64_t alignment, uint64_t remainder, uint64_t low, uint64_t high,
                 uint64_t *base);

static inline uint64_t region_first_piece(const struct vm_region *r)
{
	return r->base >> r->shift;
}
static inline uint64_t region_piece_count(const struct vm_region *r)
{
	return ((r->end - 1) >> r->shift) - (r->base >> r->shift) + 1;
}
static inline uint64_t region_piece_index(const struct vm_region *r, uint64_t address)
{
	return (address >> r->shift) - (r->base >> r->shift);
}
/* Where piece `index` begins and ends. */
static inline uint64_t region_piece_base(const struct vm_region *r, uint64_t index)
{
	uint64_t base = (region_first_piece(r) + index) << r->shift;

	return base < r->base ? r->base : base;
}
static inline uint64_t region_piece_end(const struct vm_region *r, uint64_t index)
{
	uint64_t end = (region_first_piece(r) + index + 1) << r->shift;

	return end > r->end ? r->end : end;
}
