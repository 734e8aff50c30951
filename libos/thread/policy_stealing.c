/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* The default policy: priorities, and first come first served within one.
 *
 * A thief gets the thread that has waited longest, of the highest priority that has one which may move: it is the least likely to have
 * anything left in this core's caches (Blumofe and Leiserson, "Scheduling multithreaded computations by work stealing", 1999, steal from
 * the other end than the owner for the same reason). */

#include <atoll/policy.h>

static void add(struct run_queue *q, struct runnable *r)
{
	queue_put(&q->level[r->priority], &r->entry);
	q->levels |= (uint8_t)(1u << r->priority);
	q->count++;
}

static void taken(struct run_queue *q, unsigned level)
{
	q->count--;
	if (queue_is_empty(&q->level[level]))
		q->levels &= (uint8_t) ~(1u << level);
}

static struct runnable *take(struct run_queue *q)
{
	unsigned level;
	struct runnable *r;

	if (q->levels == 0)
		return NULL;
	level = 31 - (unsigned)__builtin_clz(q->levels);
	r = runnable_of(queue_take(&q->level[level]));
	taken(q, level);
	return r;
}

static void take_out(struct run_queue *q, struct runnable *r)
{
	if (queue_remove(&q->level[r->priority], &r->entry))
		taken(q, r->priority);
}

static struct runnable *give(struct run_queue *q, unsigned thief)
{
	for (unsigned level = PRIORITIES; level-- > 0;)
		for (struct queue_entry *e = q->level[level].first; e != NULL; e = e->next)
			if (runnable_may_move(runnable_of(e), thief)) {
				take_out(q, runnable_of(e));
				return runnable_of(e);
			}
	return NULL;
}

const struct policy policy_stealing = {.name = "work stealing", .add = add, .take = take, .remove = take_out, .give = give};
