/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* States without a step to an unfinished state are finished, until none is left but those that lead to circles. */

#include "tests/explore/circle.h"

#include <stdlib.h>

/* Steps in the order of the states that they lead to. */
struct turned {
	uint32_t *first; /* of each state, in `from` */
	uint32_t *from;
	uint32_t *left; /* of each state, its steps to unfinished ones */
};

/* Sorted by counting. */
static struct turned turn(const struct step *steps, size_t count, size_t states)
{
	const struct turned t = {calloc(states + 2, sizeof *t.first), malloc((count + 1) * sizeof *t.from), calloc(states, sizeof *t.left)};

	for (size_t k = 0; k < count; k++) {
		t.first[steps[k].to + 2]++;
		t.left[steps[k].from]++;
	}
	for (size_t n = 2; n < states + 2; n++)
		t.first[n] += t.first[n - 1];
	for (size_t k = 0; k < count; k++)
		t.from[t.first[steps[k].to + 1]++] = steps[k].from;
	return t;
}

/* How many of them. */
static size_t finish(const struct turned *t, size_t states)
{
	uint32_t *ready = malloc(states * sizeof *ready);
	size_t finished = 0;

	for (uint32_t n = 0; n < states; n++)
		if (!t->left[n])
			ready[finished++] = n;
	for (size_t taken = 0; taken < finished; taken++)
		for (uint32_t k = t->first[ready[taken]]; k < t->first[ready[taken] + 1]; k++)
			if (--t->left[t->from[k]] == 0)
				ready[finished++] = t->from[k];
	free(ready);
	return finished;
}

/* Each unfinished state has a step to another one: along these, until one comes again. */
static uint32_t follow(const struct step *steps, size_t count, const struct turned *t, size_t states)
{
	uint32_t *next = calloc(states, sizeof *next);
	uint8_t *been = calloc(states, 1);
	uint32_t n = 0;

	for (size_t k = 0; k < count; k++)
		if (t->left[steps[k].to])
			next[steps[k].from] = steps[k].to;
	while (!t->left[n])
		n++;
	while (!been[n]) {
		been[n] = 1;
		n = next[n];
	}
	free(next);
	free(been);
	return n;
}

bool find_circle(const struct step *steps, size_t count, size_t states, uint32_t *on)
{
	const struct turned t = turn(steps, count, states);
	const bool any = finish(&t, states) < states;

	if (any)
		*on = follow(steps, count, &t, states);
	free(t.first);
	free(t.from);
	free(t.left);
	return any;
}
