/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* How often is too often: at most `restarts` restarts within `within` time units, in any such stretch of time. The times of the last ones
 * are kept in a round. Pure. */

#include <stdbool.h>
#include <stdint.h>

#define RATE_MOST 64

struct rate {
	unsigned restarts; /* up to RATE_MOST; 0: never */
	uint64_t within;
	unsigned next, kept;
	uint64_t at[RATE_MOST];
};

/* Whether there may be one more at `now`, which is no earlier than the last time; if so it is noted. */
static inline bool rate_allows(struct rate *r, uint64_t now)
{
	if (r->restarts == 0)
		return false;
	/* the one that was `restarts` restarts ago */
	if (r->kept == r->restarts && now - r->at[r->next] < r->within)
		return false;
	r->at[r->next] = now;
	r->next = (r->next + 1) % r->restarts;
	if (r->kept < r->restarts)
		r->kept++;
	return true;
}
