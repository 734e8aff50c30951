/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include "libos/thread/futex.h"

static struct queue *list_of(struct futex_table *t, uint64_t address)
{
	return &t->list[(address >> 2 ^ address >> 12) % FUTEX_LISTS];
}

void futex_add(struct futex_table *t, struct futex_waiter *w, uint64_t address, uint32_t bits)
{
	w->address = address;
	w->bits = bits;
	queue_put(list_of(t, address), &w->entry);
}

bool futex_remove(struct futex_table *t, struct futex_waiter *w)
{
	return queue_remove(list_of(t, w->address), &w->entry);
}

struct futex_waiter *futex_take(struct futex_table *t, uint64_t address, uint32_t bits)
{
	struct queue *q = list_of(t, address);

	for (struct queue_entry *e = q->first; e != NULL; e = e->next) {
		struct futex_waiter *w = futex_waiter_of(e);

		if (w->address == address && (w->bits & bits) != 0) {
			queue_remove(q, e);
			return w;
		}
	}
	return NULL;
}
