/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Breadth first through all states that the present one can lead to. */

#include <stddef.h>
#include <stdint.h>

#include "tests/explore/invariants.h"
#include "tests/explore/schedule.h"
#include "tests/explore/world.h"

#define SCHEDULE_MAX 4096

enum ending {
	ENDING_EXHAUSTED, /* every state was seen and was right */
	ENDING_BROKEN,
	ENDING_LIMIT, /* too many states */
};

/* What states there are, as far as anybody could tell them apart. */
struct census {
	size_t states, rests;
	struct hash states_sum, rests_sum;
};

struct search {
	/* how far */
	unsigned deaths, joins;
	size_t states_max;
	bool whole; /* nothing is left out: every choice in every state, and states are the same only if all in them is */
	/* what came out */
	enum ending ending;
	enum invariant broken;
	size_t states, transitions;
	struct census census;
	unsigned depth;                       /* of the deepest state, or of the broken one */
	struct choice schedule[SCHEDULE_MAX]; /* `depth` choices that lead to the broken state */
};

void search_run(struct search *s);
