/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include "libos/tasks/graph.h"

#include <stdlib.h>

#define FIRST_CAPACITY 64

/* ---- The heap: the highest rank on top, the lower place among equals ---- */

static bool goes_before(const struct task_graph *g, uint32_t a, uint32_t b)
{
	return g->node[a].rank != g->node[b].rank ? g->node[a].rank > g->node[b].rank : a < b;
}

static void put_at(struct task_graph *g, uint32_t at, uint32_t place)
{
	g->heap[at] = place;
	g->node[place].heap = at;
}

static void rise(struct task_graph *g, uint32_t place)
{
	uint32_t at = g->node[place].heap;

	for (; at > 0 && goes_before(g, place, g->heap[(at - 1) / 2]); at = (at - 1) / 2)
		put_at(g, at, g->heap[(at - 1) / 2]);
	put_at(g, at, place);
}

static void sink(struct task_graph *g, uint32_t place)
{
	uint32_t at = g->node[place].heap;

	for (;;) {
		uint32_t child = 2 * at + 1;

		if (child + 1 < g->ready && goes_before(g, g->heap[child + 1], g->heap[child]))
			child++;
		if (child >= g->ready || !goes_before(g, g->heap[child], place))
			break;
		put_at(g, at, g->heap[child]);
		at = child;
	}
	put_at(g, at, place);
}

static void make_ready(struct task_graph *g, uint32_t place)
{
	g->node[place].state = TASK_READY;
	put_at(g, g->ready++, place);
	rise(g, place);
}

uint32_t graph_take(struct task_graph *g)
{
	uint32_t place, last;

	if (g->ready == 0)
		return TASK_NONE;
	place = g->heap[0];
	last = g->heap[--g->ready];
	if (g->ready > 0) {
		put_at(g, 0, last);
		sink(g, last);
	}
	g->node[place].state = TASK_RUNNING;
	return place;
}

/* ---- Places ---- */

static err_t make_room(struct task_graph *g)
{
	uint32_t capacity = g->capacity == 0 ? FIRST_CAPACITY : 2 * g->capacity;
	struct task_node *node;
	uint32_t *heap;

	if (g->free != 0 || g->nodes < g->capacity)
		return OK;
	if (capacity > TASK_NONE / 2)
		return ERR(NO_MEMORY);
	node = realloc(g->node, capacity * sizeof *node);
	if (node == NULL)
		return ERR(NO_MEMORY);
	g->node = node;
	heap = realloc(g->heap, capacity * sizeof *heap);
	if (heap == NULL)
		return ERR(NO_MEMORY);
	g->heap = heap;
	g->capacity = capacity;
	return OK;
}

/* `free` is the place after the first free one's, so that all zero is an empty graph. */
static uint32_t take_place(struct task_graph *g)
{
	uint32_t place = g->free != 0 ? g->free - 1 : g->nodes++;
	uint32_t used = g->free != 0 ? g->node[place].used : 0;

	if (g->free != 0)
		g->free = g->node[place].next_free;
	g->node[place] = (struct task_node){.used = used};
	return place;
}

static void free_place(struct task_graph *g, uint32_t place)
{
	struct task_node *n = &g->node[place];

	n->state = TASK_FREE;
	n->used++;
	n->next_free = g->free;
	g->free = place + 1;
}

static struct task number_of(const struct task_graph *g, uint32_t place)
{
	return (struct task){(uint64_t)g->node[place].used << 32 | place};
}

static bool was_submitted(const struct task_graph *g, struct task t)
{
	uint32_t place = (uint32_t)t.number, used = (uint32_t)(t.number >> 32);

	if (place >= g->nodes || used > g->node[place].used)
		return false;
	return used < g->node[place].used || g->node[place].state != TASK_FREE;
}

bool graph_is_done(const struct task_graph *g, struct task t)
{
	uint32_t place = (uint32_t)t.number;

	return was_submitted(g, t) && (uint32_t)(t.number >> 32) != g->node[place].used;
}

/* ---- Tasks ---- */

static void free_reasons(struct task_edge *e)
{
	while (e != NULL) {
		struct task_edge *next = e->next_reason;

		free(e);
		e = next;
	}
}

/* An edge for each that is not done, linked by next_reason only. */
static err_t find_reasons(const struct task_graph *g, const struct task *after, unsigned count, struct task_edge **out)
{
	*out = NULL;
	for (unsigned i = 0; i < count; i++) {
		struct task_edge *e;

		if (!was_submitted(g, after[i])) {
			free_reasons(*out);
			return ERR(NOT_FOUND);
		}
		if (graph_is_done(g, after[i]))
			continue;
		e = malloc(sizeof *e);
		if (e == NULL) {
			free_reasons(*out);
			return ERR(NO_MEMORY);
		}
		*e = (struct task_edge){.from = (uint32_t)after[i].number, .next_reason = *out};
		*out = e;
	}
	return OK;
}

/* A chain of this cost begins after the task: it, and what it waits for, may hold up more than was known. That is told so many tasks back;
 * in a longer chain those in front look cheaper than they are, which costs time but breaks nothing. */
#define TOLD_BACK 64

static void raise_rank(struct task_graph *g, uint32_t place, uint64_t behind, unsigned left)
{
	struct task_node *n = &g->node[place];

	if (n->cost + behind <= n->rank || left == 0)
		return;
	n->rank = n->cost + behind;
	if (n->state == TASK_READY)
		rise(g, place);
	for (struct task_edge *e = n->reasons; e != NULL; e = e->next_reason)
		raise_rank(g, e->from, n->rank, left - 1);
}

err_t graph_submit(struct task_graph *g, task_fn *function, void *argument, uint64_t cost, const struct task *after, unsigned count,
                   struct task *out)
{
	struct task_edge *reasons;
	struct task_node *n;
	uint32_t place;
	err_t e;

	if (function == NULL || (after == NULL && count > 0) || cost > UINT32_MAX)
		return ERR(ARGUMENT);
	e = make_room(g);
	if (is_ok(e))
		e = find_reasons(g, after, count, &reasons);
	if (is_err(e))
		return e;

	place = take_place(g);
	n = &g->node[place];
	n->function = function;
	n->argument = argument;
	n->cost = n->rank = cost;
	n->reasons = reasons;
	n->state = TASK_WAITING;
	for (struct task_edge *r = reasons; r != NULL; r = r->next_reason) {
		r->to = place;
		r->next = g->node[r->from].followers;
		g->node[r->from].followers = r;
		n->waits++;
		raise_rank(g, r->from, cost, TOLD_BACK);
	}
	g->left++;
	if (out != NULL)
		*out = number_of(g, place);
	if (n->waits == 0)
		make_ready(g, place);
	return OK;
}

static void forget_reason(struct task_node *n, struct task_edge *gone)
{
	struct task_edge **link = &n->reasons;

	while (*link != gone)
		link = &(*link)->next_reason;
	*link = gone->next_reason;
}

unsigned graph_done(struct task_graph *g, uint32_t place)
{
	struct task_edge *e = g->node[place].followers;
	unsigned ready = 0;

	while (e != NULL) {
		struct task_edge *next = e->next;
		struct task_node *n = &g->node[e->to];

		forget_reason(n, e);
		if (--n->waits == 0) {
			make_ready(g, e->to);
			ready++;
		}
		free(e);
		e = next;
	}
	free_place(g, place);
	g->left--;
	return ready;
}

void graph_free(struct task_graph *g)
{
	for (uint32_t i = 0; i < g->nodes; i++)
		if (g->node[i].state != TASK_FREE)
			free_reasons(g->node[i].reasons);
	free(g->node);
	free(g->heap);
	*g = (struct task_graph){0};
}
