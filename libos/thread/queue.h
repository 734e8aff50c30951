/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* The lists that threads stand in: first come, first served; and sleepers by deadline. Pure. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct queue_entry {
	struct queue_entry *next;
};

struct queue {
	struct queue_entry *first, *last;
};

static inline bool queue_is_empty(const struct queue *q)
{
	return q->first == NULL;
}

static inline void queue_put(struct queue *q, struct queue_entry *e)
{
	e->next = NULL;
	if (q->first == NULL)
		q->first = e;
	else
		q->last->next = e;
	q->last = e;
}

static inline struct queue_entry *queue_take(struct queue *q)
{
	struct queue_entry *e = q->first;

	if (e != NULL)
		q->first = e->next;
	return e;
}

/* Takes an entry out of the middle; false if it is not there. */
bool queue_remove(struct queue *q, struct queue_entry *e);

/* A sleeper is in at most one list, for which `asleep` stands. */
struct sleeper {
	struct sleeper *next;
	uint64_t deadline;
	bool asleep;
};

void sleepers_add(struct sleeper **list, struct sleeper *s, uint64_t deadline);
void sleepers_remove(struct sleeper **list, struct sleeper *s);
/* Takes the first one whose deadline is not after `now`, else NULL. */
struct sleeper *sleepers_take(struct sleeper **list, uint64_t now);
