/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* States of one depth are kept whole, in a heap from which they are taken in order while those of the next depth are put into
 * another. Of all earlier ones there are only the hash (to know them again), what slept there (sleep.h), and the step that led there first
 * (for the schedule).
 *
 * A state is known by 128 bits. With n states in a scenario, the chance that any two different ones have the same is below n^2 / 2^129 as
 * far as the hash is like chance: for the four million that a scenario may have at most, less than 1 in 10^25.
 *
 * Without anything left out (`whole`) a broken invariant is found by a shortest schedule; otherwise by one that may be a little longer. So
 * what is found is looked for once more, in whole. */

#include "tests/explore/search.h"

#include <string.h>

#include "tests/explore/circle.h"
#include "tests/explore/seen.h"
#include "tests/explore/sleep.h"

#define FORGED_EACH 64 /* states */

/* ---- States that were seen ---------------------------------------------------------------------- */

struct node {
	choice_set_t asleep; /* whenever it was reached */
	choice_set_t to_try;
	uint32_t from; /* the node that it was first reached from */
	struct choice by;
	bool kept; /* it waits for its turn */
	bool been; /* it has had one */
};

/* A state that waits; it follows in the heap. */
struct kept {
	uint64_t node, bytes;
};

static struct {
	struct table table; /* by their nodes' numbers */
	struct table told_apart, at_rest;
	struct heap nodes, steps, now, next;
	size_t count;
	const char *last; /* state in `now` from which the world is one step away at most; NULL: it is somewhere else */
} seen;

static struct node *node_at(size_t number)
{
	return (struct node *)seen.nodes.at + number;
}

static void forget_all(void)
{
	table_clear(&seen.table);
	table_clear(&seen.told_apart);
	table_clear(&seen.at_rest);
	seen.count = seen.nodes.used = seen.steps.used = seen.now.used = seen.next.used = 0;
}

/* The number of the present state, and whether it is new. */
static uint32_t note_state(const struct search *s, uint32_t from, struct choice by, bool *new)
{
	const struct hash hash = s->whole ? state_hash_exact() : state_hash_step();
	const struct entry *e = table_put(&seen.table, hash, seen.count, new);
	const struct node node = {.from = from, .by = by, .asleep = EVERY_CHOICE};

	if (!*new)
		return (uint32_t)e->value;
	heap_add(&seen.nodes, &node, sizeof node);
	return (uint32_t)seen.count++;
}

/* Counts the present state among those that can be told apart by what happens later. */
static void count_state(struct table *t)
{
	bool new;

	table_put(t, state_hash(), 0, &new);
}

/* `before`: the state that a step has led here from; NULL: none that is kept. */
static void keep_state(const struct search *s, uint32_t number, const char *before)
{
	char *at = heap_take(&seen.next, sizeof(struct kept) + state_room());
	char *state = at + sizeof(struct kept);
	const struct kept k = {number, s->whole || !before ? state_save(state) : state_save_step(state, before)};

	memcpy(at, &k, sizeof k);
	seen.next.used += sizeof k + k.bytes;
	node_at(number)->kept = true;
}

/* The node is reached with that asleep. */
static void wake(const struct search *s, uint32_t number, choice_set_t asleep, const char *before)
{
	struct node *n = node_at(number);
	const choice_set_t woken = n->asleep & ~asleep;

	n->to_try |= woken;
	n->asleep &= asleep;
	if (woken && !n->kept)
		keep_state(s, number, before);
}

/* ---- The search --------------------------------------------------------------------------------- */

static void trace(struct search *s, uint32_t node)
{
	unsigned length = 0;

	for (uint32_t n = node; n; n = node_at(n)->from)
		length++;
	s->depth = length < SCHEDULE_MAX ? length : SCHEDULE_MAX;
	for (uint32_t n = node; n; n = node_at(n)->from)
		if (--length < SCHEDULE_MAX)
			s->schedule[length] = node_at(n)->by;
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

/* A node of its own for a state that was seen, but by a step that has broken something. */
static uint32_t extra_node(uint32_t from, struct choice by)
{
	heap_add(&seen.nodes, &(struct node){.from = from, .by = by}, sizeof(struct node));
	return (uint32_t)seen.count;
}

/* Forged messages take long, so only some states get them. */
static void check_new_state(void)
{
	const cores_t stepped = touched;

	check_state();
	if (!broken && seen.count % FORGED_EACH == 0)
		check_forged();
	touched = stepped;
}

static bool comes_from_outside(struct choice c)
{
	return c.kind == CHOICE_DIE || c.kind == CHOICE_JOIN;
}

/* Whether none of these choices makes any difference. */
static bool are_idle(const struct search *s, const struct choice *c, unsigned count, choice_set_t which, const char *state)
{
	struct hash before;

	state_restore(state);
	before = state_hash();
	for (unsigned k = 0; k < count; k++) {
		struct hash after;

		if (!(which & choice_bit(c[k])) || comes_from_outside(c[k]))
			continue;
		choice_apply(c[k]);
		after = s->whole ? state_hash() : state_hash_step();
		if (after.word[0] != before.word[0] || after.word[1] != before.word[1])
			return false;
		state_restore(state);
	}
	return true;
}

#define STEPS_AT_REST 8

/* A monitor that finds nothing to do has to say so. */
static void check_idle(void)
{
	for (unsigned c = 0; c < world.cores; c++) {
		for (unsigned steps = 0; !world.core[c].dead && !world.core[c].idle && steps < STEPS_AT_REST; steps++)
			choice_apply((struct choice){.kind = CHOICE_STEP, .a = (uint8_t)c});
		if (!world.core[c].dead && !world.core[c].idle)
			BREAK(ends);
	}
}

static void visit_rest(const char *state)
{
	state_restore(state);
	count_state(&seen.at_rest);
	check_rest();
	if (!broken)
		check_idle();
}

/* One step from a state. False: the search is over. *moves: it led somewhere else. */
static bool try(struct search *s, uint32_t number, struct choice c, choice_set_t asleep, const char *state, bool *moves)
{
	uint32_t to;
	bool new;

	choice_apply(c);
	s->transitions++;
	if (s->whole)
		touched = EVERY_CORE;
	to = note_state(s, number, c, &new);
	if (!broken && new)
		check_new_state();
	if (broken && !new)
		return !stop_if_broken(s, extra_node(number, c));
	if (stop_if_broken(s, to))
		return false;
	if (to == number)
		return true;
	*moves |= !comes_from_outside(c);
	heap_add(&seen.steps, &(struct step){number, to}, sizeof(struct step));
	if (new && s->whole)
		count_state(&seen.told_apart);
	wake(s, to, s->whole ? 0 : still_asleep(asleep, c), state);
	return true;
}

/* The steps from one state that were not tried yet. False: the search is over. */
static bool expand(struct search *s, uint32_t number, const char *state)
{
	struct choice c[CHOICES_MAX];
	const choice_set_t to_try = node_at(number)->to_try, slept = node_at(number)->asleep;
	const bool been = node_at(number)->been;
	choice_set_t asleep = slept;
	bool moves = been, first = true;

	node_at(number)->to_try = 0;
	node_at(number)->kept = false;
	node_at(number)->been = true;
	if (seen.last)
		state_go_over(state, seen.last);
	else
		state_restore(state);
	seen.last = state;
	const unsigned count = choices(c, s->deaths, s->joins);

	for (unsigned k = 0; k < count; k++) {
		if (!(to_try & choice_bit(c[k])))
			continue;
		if (!first)
			state_undo_step(state);
		first = false;
		if (!try(s, number, c[k], asleep, state, &moves))
			return false;
		asleep |= may_sleep(c[k]);
	}
	if (!moves && are_idle(s, c, count, slept, state))
		visit_rest(state);
	if (!moves)
		seen.last = NULL;
	return !stop_if_broken(s, number);
}

static bool expand_level(struct search *s)
{
	for (size_t at = 0; at < seen.now.used;) {
		struct kept k;

		memcpy(&k, seen.now.at + at, sizeof k);
		if (!expand(s, (uint32_t)k.node, seen.now.at + at + sizeof k))
			return false;
		if (seen.count > s->states_max) {
			s->ending = ENDING_LIMIT;
			return false;
		}
		at += sizeof k + k.bytes;
	}
	return true;
}

static void take_census(struct search *s)
{
	const struct table *t = s->whole ? &seen.told_apart : &seen.table;

	s->states = seen.count;
	s->census = (struct census){t->used, seen.at_rest.used, t->sum, seen.at_rest.sum};
}

void search_run(struct search *s)
{
	uint32_t on = 0;
	bool new;

	forget_all();
	sleep_begin();
	s->ending = ENDING_EXHAUSTED;
	s->broken = INVARIANT_NONE;
	s->transitions = 0;
	touched = EVERY_CORE;
	wake(s, note_state(s, 0, (struct choice){0}, &new), 0, NULL);
	if (s->whole)
		count_state(&seen.told_apart);
	for (s->depth = 0; seen.next.used; s->depth++) {
		const struct heap done = seen.now;

		seen.now = seen.next;
		seen.next = done;
		seen.next.used = 0;
		seen.last = NULL;
		if (!expand_level(s))
			break;
	}
	take_census(s);
	if (s->ending == ENDING_EXHAUSTED &&
	    find_circle((const struct step *)seen.steps.at, seen.steps.used / sizeof(struct step), seen.count, &on)) {
		BREAK(ends);
		stop_if_broken(s, on);
	}
}
