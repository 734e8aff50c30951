/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Who runs next: a pure order over entries, without clock or dispatcher, so that the host can test it.
 *
 * Time is given out in turns. An entry with share s may take its next turn from `start` on and should have had it by `start` + UNIT / s,
 * both in virtual time, which advances by UNIT / (sum of shares) a turn. Of the entries that may, the one with the earliest deadline takes
 * the turn (earliest eligible virtual deadline first: Stoica and Abdel-Wahab, 1995). So an entry is never more than one turn ahead of or
 * behind its share, turns of one entry are spread evenly, and equal shares are a plain round robin. An entry that slept
 * long is treated as new; for a short sleep it keeps its place.
 *
 * The running entry is not in the queue: take() removes it, and who still wants to run is added again. Virtual times are compared by
 * their difference, so it does not matter when they wrap around. */

#include <stdbool.h>
#include <stdint.h>

#define SCHEDULE_UNIT (UINT64_C(1) << 32)
#define SHARE_DEFAULT 100
#define SHARE_MAX     1000

struct schedule_entry {
	struct schedule_entry *next, *previous;
	uint64_t start;  /* of its next turn */
	uint64_t length; /* of a turn: SCHEDULE_UNIT / share */
	uint32_t share;
	bool queued;
};

struct schedule {
	struct schedule_entry *first, *last; /* by deadline */
	uint64_t time;
	uint64_t shares; /* of all that are queued */
};

void schedule_entry_init(struct schedule_entry *e, uint32_t share);
/* Changes the share, whether queued or not. */
void schedule_set_share(struct schedule *s, struct schedule_entry *e, uint32_t share);

void schedule_add(struct schedule *s, struct schedule_entry *e);
void schedule_remove(struct schedule *s, struct schedule_entry *e);
/* NULL if nobody wants to run. */
struct schedule_entry *schedule_take(struct schedule *s);
/* Takes `e`, which is queued, out of turn; the turn is charged to it all the same. */
void schedule_take_this(struct schedule *s, struct schedule_entry *e);

static inline bool schedule_is_empty(const struct schedule *s)
{
	return s->first == 0;
}
