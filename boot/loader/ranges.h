/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Sets of physical addresses: sorted ranges that neither overlap nor touch, in whole pages. Pure. */

#include "cpudriver/abi/types.h"

#define RANGES_MAX 256

struct range {
	uint64_t base, end; /* [base, end) */
};

struct ranges {
	uint32_t count;
	bool overflow; /* more ranges than fit: some memory is not in the set */
	struct range range[RANGES_MAX];
};

void ranges_add(struct ranges *r, uint64_t base, uint64_t end);
void ranges_remove(struct ranges *r, uint64_t base, uint64_t end);

/* Everything below `end` that is not in `r`. */
void ranges_gaps(const struct ranges *r, uint64_t end, struct ranges *out);

/* The lowest place in the set with `bytes` bytes inside [low, high); 0 if there is none. `low` is a multiple of PAGE_BYTES. */
uint64_t ranges_find_lowest(const struct ranges *r, uint64_t bytes, uint64_t low, uint64_t high);

uint64_t ranges_bytes(const struct ranges *r);
