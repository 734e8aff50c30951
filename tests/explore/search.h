/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Breadth first through all states that the present one can lead to. So the first broken invariant that is found is found by
 * a shortest schedule. */

#include <stddef.h>
#include <stdint.h>

#include "tests/explore/invariants.h"
#include "tests/explore/schedule.h"

#define SCHEDULE_MAX 4096

enum ending {
	ENDING_EXHAUSTED, /* every state was seen and was right */
	ENDING_BROKEN,
	ENDING_LIMIT, /* too many states */
};

struct search {
	/* how far */
	unsigned deaths;
	size_t states_max;
	/* what came out */
	enum ending ending;
	enum invariant broken;
	size_t states, transitions;
	unsigned depth;                       /* of the deepest state, or of the broken one */
	struct choice schedule[SCHEDULE_MAX]; /* `depth` choices that lead to the broken state */
};

void search_run(struct search *s);
