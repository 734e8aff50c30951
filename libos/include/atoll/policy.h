/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Which of the threads that can run is next: a table of functions over one member's run queue, which a program may replace by its own
 * (thread_set_policy). Pure: no clock, no dispatcher, so the host can test it.
 *
 * The scheduler (scheduler.c) puts a thread into the queue when it becomes ready, or when its turn is over, and takes the next one out; the
 * running thread is in no queue. A policy decides nothing else: how threads wait, move and switch is the same for all of them.
 *
 *   policy_stealing   the highest priority first, within one in turn. Members that have nothing to do take from it (the default)
 *   policy_shares     in proportion to the threads' shares, each one's turns spread evenly (policy_shares.c)
 *
 * Tasks that depend on each other have a scheduler of their own, above threads: <atoll/tasks.h>. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libos/thread/queue.h"

/* What a thread may have, and has from the beginning. */
#define PRIORITIES       8
#define PRIORITY_DEFAULT 4 /* 0 runs last */
#define SHARE_LEAST      1
#define SHARE_USUAL      100
#define SHARE_MOST       1000
#define MEMBERS_ALL      UINT64_MAX

/* What a policy knows of a thread. */
struct runnable {
	struct queue_entry entry; /* while it can run: the policy's */
	uint64_t members;         /* a bit for each member of the span where it may run */
	uint64_t start;           /* policy_shares: virtual time from which it may have its next turn */
	uint16_t share;
	uint8_t priority;
	bool bound; /* what it is in the middle of must not move to another member */
};

/* The threads of a member that can run. */
struct run_queue {
	unsigned count;
	uint8_t levels; /* bit p: level[p] has threads */
	struct queue level[PRIORITIES];
	uint64_t time, shares; /* policy_shares */
};

/* The table. */
struct policy {
	const char *name;
	/* It became ready, or its turn is over. */
	void (*add)(struct run_queue *q, struct runnable *r);
	/* The next one, taken out; NULL: none. */
	struct runnable *(*take)(struct run_queue *q);
	/* Takes one out of the middle; it is in the queue. */
	void (*remove)(struct run_queue *q, struct runnable *r);
	/* The one that member `thief` may best have, taken out; NULL: none. */
	struct runnable *(*give)(struct run_queue *q, unsigned thief);
};

/* As above. */
extern const struct policy policy_stealing, policy_shares;

/* What an entry of a queue belongs to; NULL of NULL. */
static inline struct runnable *runnable_of(struct queue_entry *e)
{
	return e == NULL ? NULL : (struct runnable *)((char *)e - offsetof(struct runnable, entry));
}

/* Whether it may go to that member. */
static inline bool runnable_may_move(const struct runnable *r, unsigned member)
{
	return !r->bound && (r->members >> member & 1) != 0;
}
