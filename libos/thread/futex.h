/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Who waits on which word of memory: first come, first served, by address. Pure; all zero is an empty table. */

#include "libos/thread/queue.h"

#define FUTEX_LISTS 64

struct futex_waiter {
	struct queue_entry entry;
	uint64_t address;
	uint32_t bits; /* wakes that have one of these in common */
	bool guest;    /* of another member: libos/span/words.h */
};

struct futex_table {
	struct queue list[FUTEX_LISTS];
};

static inline struct futex_waiter *futex_waiter_of(struct queue_entry *e)
{
	return (struct futex_waiter *)((char *)e - offsetof(struct futex_waiter, entry));
}

void futex_add(struct futex_table *t, struct futex_waiter *w, uint64_t address, uint32_t bits);
/* False if it was taken already. */
bool futex_remove(struct futex_table *t, struct futex_waiter *w);
/* Takes the first waiter of the address, else NULL. */
struct futex_waiter *futex_take(struct futex_table *t, uint64_t address, uint32_t bits);
