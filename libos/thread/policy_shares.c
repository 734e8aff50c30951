/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Proportional share. Of N turns a thread with share s out of a total S gets N * s / S, never a whole turn more or less, whatever N is.
 *
 * Its turns belong in windows: the k-th one not before turn floor(k * S / s) and before turn ceil((k + 1) * S / s). Both edges are Beatty
 * sequences of slope S / s. That there is an order that keeps all threads inside their windows, and that "the earliest end among those
 * that have begun" is one, is shown by Baruah, Cohen, Plaxton and Varvel, "Proportionate progress: a notion of fairness in resource
 * allocation", 1996.
 *
 * Threads come and go, so S changes. Windows are therefore in virtual time, which advances by UNIT / S a turn: the k-th one of a thread
 * that came at v begins at v + k * UNIT / s, whatever the others do. Virtual times are compared by their difference; they may wrap. */

#include <atoll/policy.h>

#define UNIT (UINT64_C(1) << 40)

static bool is_before(uint64_t a, uint64_t b)
{
	return (int64_t)(a - b) < 0;
}

static uint64_t window(const struct runnable *r)
{
	return UNIT / r->share;
}

/* Who has slept does not catch up; who only waited keeps its place. */
static void add(struct run_queue *q, struct runnable *r)
{
	if (is_before(r->start + window(r), q->time) || is_before(q->time + UNIT, r->start))
		r->start = q->time;
	queue_put(&q->level[0], &r->entry);
	q->shares += r->share;
	q->count++;
}

static void take_out(struct run_queue *q, struct runnable *r)
{
	if (!queue_remove(&q->level[0], &r->entry))
		return;
	q->shares -= r->share;
	q->count--;
}

/* Whether `a` is to run before `b`: one whose window has begun before one whose has not, then the earlier end, then the earlier beginning.
 */
static bool is_sooner(const struct run_queue *q, const struct runnable *a, const struct runnable *b)
{
	bool a_early = is_before(q->time, a->start), b_early = is_before(q->time, b->start);

	if (a_early != b_early)
		return b_early;
	if (a_early)
		return is_before(a->start, b->start);
	return is_before(a->start + window(a), b->start + window(b));
}

static struct runnable *soonest(struct run_queue *q)
{
	struct runnable *best = runnable_of(q->level[0].first);

	for (struct queue_entry *e = q->level[0].first; e != NULL; e = e->next)
		if (is_sooner(q, runnable_of(e), best))
			best = runnable_of(e);
	return best;
}

/* Nobody's window has begun if those whose had do not want to run: then time jumps. */
static struct runnable *take(struct run_queue *q)
{
	struct runnable *r = soonest(q);

	if (r == NULL)
		return NULL;
	if (is_before(q->time, r->start))
		q->time = r->start;
	q->time += UNIT / q->shares;
	take_out(q, r);
	r->start += window(r);
	return r;
}

/* The one whose turn is furthest away. */
static struct runnable *give(struct run_queue *q, unsigned thief)
{
	struct runnable *last = NULL;

	for (struct queue_entry *e = q->level[0].first; e != NULL; e = e->next) {
		struct runnable *r = runnable_of(e);

		if (runnable_may_move(r, thief) && (last == NULL || is_sooner(q, last, r)))
			last = r;
	}
	if (last != NULL)
		take_out(q, last);
	return last;
}

const struct policy policy_shares = {.name = "proportional share", .add = add, .take = take, .remove = take_out, .give = give};
