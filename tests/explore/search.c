/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* States of one depth are kept whole, in a heap from which they are taken in order while those of the next depth are put into
 * another. Of all earlier ones there are only the hash (to know them again) and the step that led there first (for the schedule).
 *
 * A state is known by 64 bits. That two different states of a scenario have the same is less likely than 1 in 10^6 as long as there are
 * fewer than five million of them.
 *
 * Also every operation must end: the states must have no circle, in which messages could go on for ever. A step back to a state that
 * is not deeper may be part of one. So steps are noted, and at the end states without a step to an unfinished state are finished, until
 * none is left but those on circles. */

#include "tests/explore/search.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/explore/world.h"

#define FORGED_EACH 64 /* states */

/* ---- Memory that grows -------------------------------------------------------------------------- */

struct heap {
	char *at;
	size_t used, room;
};

static void *heap_take(struct heap *h, size_t bytes)
{
	if (h->used + bytes > h->room) {
		h->room = (h->used + bytes) * 2;
		h->at = realloc(h->at, h->room);
		if (!h->at) {
			fprintf(stderr, "explore: out of memory\n");
			exit(2);
		}
	}
	return h->at + h->used;
}

static void heap_add(struct heap *h, const void *from, size_t bytes)
{
	memcpy(heap_take(h, bytes), from, bytes);
	h->used += bytes;
}

/* ---- States that were seen ---------------------------------------------------------------------- */

struct node {
	uint32_t from; /* the node that it was first reached from */
	struct choice by;
};

struct step {
	uint32_t from, to;
};

/* Kept between searches: to allocate it anew for each would take longer than most of them. */
static struct {
	struct {
		uint64_t hash; /* 0: free */
		uint64_t node;
	} * table;
	size_t size; /* a power of two */
	struct heap nodes, steps, now, next;
	size_t count;
} seen;

static void forget_all(void)
{
	if (!seen.table) {
		seen.size = 1 << 16;
		seen.table = calloc(seen.size, sizeof *seen.table);
	} else {
		memset(seen.table, 0, seen.size * sizeof *seen.table);
	}
	seen.count = seen.nodes.used = seen.steps.used = seen.now.used = seen.next.used = 0;
}

static size_t place_of(uint64_t hash)
{
	size_t k = hash & (seen.size - 1);

	while (seen.table[k].hash && seen.table[k].hash != hash)
		k = (k + 1) & (seen.size - 1);
	return k;
}

static void grow_table(void)
{
	const size_t old_size = seen.size;
	void *old = seen.table;
	const struct {
		uint64_t hash, node;
	} *entry = old;

	seen.size *= 2;
	seen.table = calloc(seen.size, sizeof *seen.table);
	for (size_t k = 0; k < old_size; k++)
		if (entry[k].hash) {
			const size_t at = place_of(entry[k].hash);

			seen.table[at].hash = entry[k].hash;
			seen.table[at].node = entry[k].node;
		}
	free(old);
}

/* The number of the present state, and whether it is new. */
static uint32_t note_state(uint32_t from, struct choice by, bool *new)
{
	const uint64_t hash = state_hash() | 1;
	size_t k = place_of(hash);

	*new = !seen.table[k].hash;
	if (!*new)
		return (uint32_t)seen.table[k].node;
	if (seen.count * 2 > seen.size) {
		grow_table();
		k = place_of(hash);
	}
	seen.table[k].hash = hash;
	seen.table[k].node = seen.count;
	heap_add(&seen.nodes, &(struct node){from, by}, sizeof(struct node));
	return (uint32_t)seen.count++;
}

/* Number, length, state. */
static void keep_state(uint32_t number)
{
	char *at = heap_take(&seen.next, sizeof(uint64_t) * 2 + state_room());
	const uint64_t head[2] = {number, state_save(at + sizeof head)};

	memcpy(at, head, sizeof head);
	seen.next.used += sizeof head + head[1];
}

/* ---- The search --------------------------------------------------------------------------------- */

static void trace(struct search *s, uint32_t node)
{
	const struct node *nodes = (const struct node *)seen.nodes.at;
	unsigned length = 0;

	for (uint32_t n = node; n; n = nodes[n].from)
		length++;
	s->depth = length < SCHEDULE_MAX ? length : SCHEDULE_MAX;
	for (uint32_t n = node; n; n = nodes[n].from)
		if (--length < SCHEDULE_MAX)
			s->schedule[length] = nodes[n].by;
}

static bool stop_if_broken(struct search *s, uint32_t node)
{
	if (!broken)
		return false;
	s->ending = ENDING_BROKEN;
	s->broken = broken;
	trace(s, node);
	return true;
}

/* Forged messages take long, so only some states get them. */
static void check_new_state(void)
{
	check_state();
	if (!broken && seen.count % FORGED_EACH == 0)
		check_forged();
}

/* All steps from one state. False: the search is over. */
static bool expand(struct search *s, uint32_t number, const char *state)
{
	struct choice c[CHOICES_MAX];
	bool rests = true;

	state_restore(state);
	const unsigned count = choices(c, s->deaths);

	for (unsigned k = 0; k < count; k++) {
		bool new;

		if (k)
			state_restore(state);
		choice_apply(c[k]);
		s->transitions++;
		const uint32_t to = note_state(number, c[k], &new);

		if (!broken && new)
			check_new_state();
		if (broken && !new) {
			heap_add(&seen.nodes, &(struct node){number, c[k]}, sizeof(struct node));
			return !stop_if_broken(s, (uint32_t)seen.count);
		}
		if (stop_if_broken(s, to))
			return false;
		if (to == number)
			continue;
		if (c[k].kind != CHOICE_DIE)
			rests = false;
		heap_add(&seen.steps, &(struct step){number, to}, sizeof(struct step));
		if (new)
			keep_state(to);
	}
	if (rests) {
		state_restore(state);
		check_rest();
	}
	return !stop_if_broken(s, number);
}

static bool expand_level(struct search *s)
{
	for (size_t at = 0; at < seen.now.used;) {
		uint64_t head[2];

		memcpy(head, seen.now.at + at, sizeof head);
		if (!expand(s, (uint32_t)head[0], seen.now.at + at + sizeof head))
			return false;
		if (seen.count > s->states_max) {
			s->ending = ENDING_LIMIT;
			return false;
		}
		at += sizeof head + head[1];
	}
	return true;
}

/* From a state that leads to a circle, along others that do, until one comes again. Steps are in the order of the states that they begin
 * at. */
static uint32_t follow_to_circle(const struct step *steps, size_t count, const uint32_t *left, uint32_t node)
{
	uint8_t *been = calloc(seen.count, 1);

	while (!been[node]) {
		size_t low = 0, high = count;

		been[node] = 1;
		while (low < high) {
			const size_t middle = (low + high) / 2;

			if (steps[middle].from < node)
				low = middle + 1;
			else
				high = middle;
		}
		while (!left[steps[low].to])
			low++;
		node = steps[low].to;
	}
	free(been);
	return node;
}

/* Whether there is a circle: then *on is a state of one. Steps are turned round and sorted by where they lead, by counting. */
static bool find_circle(uint32_t *on)
{
	const struct step *steps = (const struct step *)seen.steps.at;
	const size_t count = seen.steps.used / sizeof *steps, nodes = seen.count;
	uint32_t *first = calloc(nodes + 2, sizeof *first), *from = malloc((count + 1) * sizeof *from);
	uint32_t *left = calloc(nodes, sizeof *left), *ready = malloc(nodes * sizeof *ready);
	size_t finished = 0, taken = 0;

	for (size_t k = 0; k < count; k++) {
		first[steps[k].to + 2]++;
		left[steps[k].from]++;
	}
	for (size_t n = 2; n < nodes + 2; n++)
		first[n] += first[n - 1];
	for (size_t k = 0; k < count; k++)
		from[first[steps[k].to + 1]++] = steps[k].from;
	for (uint32_t n = 0; n < nodes; n++)
		if (!left[n])
			ready[finished++] = n;
	for (; taken < finished; taken++)
		for (uint32_t k = first[ready[taken]]; k < first[ready[taken] + 1]; k++)
			if (--left[from[k]] == 0)
				ready[finished++] = from[k];
	for (uint32_t n = 0; n < nodes && finished < nodes; n++)
		if (left[n]) {
			*on = follow_to_circle(steps, count, left, n);
			break;
		}
	free(first);
	free(from);
	free(left);
	free(ready);
	return finished < nodes;
}

void search_run(struct search *s)
{
	uint32_t on = 0;
	bool new;

	forget_all();
	s->ending = ENDING_EXHAUSTED;
	s->broken = INVARIANT_NONE;
	s->transitions = 0;
	keep_state(note_state(0, (struct choice){0}, &new));
	for (s->depth = 0; seen.next.used; s->depth++) {
		const struct heap done = seen.now;

		seen.now = seen.next;
		seen.next = done;
		seen.next.used = 0;
		if (!expand_level(s))
			break;
	}
	s->states = seen.count;
	if (s->ending == ENDING_EXHAUSTED && find_circle(&on)) {
		BREAK(ends);
		stop_if_broken(s, on);
	}
}
