/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Tasks and what they wait for: the pure part of <atoll/tasks.h>. No thread, no lock; whoever uses it has one.
 *
 *            submit, nothing to wait for            take                done
 *   (free) ──────────────────────────────▶ READY ──────────▶ RUNNING ──────────▶ (free)
 *      └──────────▶ WAITING ── the last one it waits for is done ──▲
 *
 * A task may wait only for tasks that were submitted before it, so there are no cycles. READY tasks form a heap by *rank*: the cost of the
 * longest way from a task to the end, as far as it is known, so that what holds up most goes first (list scheduling by critical path:
 * Graham 1969; the upward rank of Topcuoglu, Hariri and Wu 2002). When a task is submitted the ranks of those that it waits for may rise.
 *
 * A task's place is used again when it is done. Its number says how often the place has been used, so an old number is known to be one of
 * a task that is done. */

#include <atoll/tasks.h>

#define TASK_NONE UINT32_MAX

enum task_state { TASK_FREE, TASK_WAITING, TASK_READY, TASK_RUNNING };

struct task_edge {
	struct task_edge *next;
	uint32_t from, to;             /* places: `to` waits for `from` */
	struct task_edge *next_reason; /* the others that `to` waits for */
};

struct task_node {
	task_fn *function;
	void *argument;
	uint64_t cost, rank;
	struct task_edge *followers; /* those that wait for it */
	struct task_edge *reasons;   /* what it waits for */
	uint32_t waits;              /* for how many */
	uint32_t heap;               /* READY: where in the heap */
	uint32_t used;               /* how often the place has been */
	uint32_t next_free;
	uint8_t state;
};

struct task_graph {
	struct task_node *node;
	uint32_t nodes, capacity, free;
	uint32_t *heap;
	uint32_t ready, left; /* tasks in the heap; all that are not done */
};

/* Errors: NO_MEMORY, NOT_FOUND (a number that was never a task's), ARGUMENT. */
MUST_USE err_t graph_submit(struct task_graph *g, task_fn *function, void *argument, uint64_t cost, const struct task *after,
                            unsigned count, struct task *out);
/* The place of the task to be run next; TASK_NONE: none is ready. */
uint32_t graph_take(struct task_graph *g);
/* Returns how many have become ready. */
unsigned graph_done(struct task_graph *g, uint32_t place);
bool graph_is_done(const struct task_graph *g, struct task t);
void graph_free(struct task_graph *g);
