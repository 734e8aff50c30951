/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Two threads, each bound to a core of its own, that measure the contenders in turns. */

#include <stdbool.h>

#include "bench/host/arena.h"

/* One round: what each contender's batch took, in nanoseconds per message or round trip. */
struct round {
	double ns[CONTENDERS];
};

struct pair {
	int cpus[SIDES];     /* as the operating system counts them; -1 lets hwloc choose two cores */
	int nodes[SIDES];    /* where their memory is */
	const char *trouble; /* a sentence, if something failed */
};

/* Binds, allocates, measures `count` rounds. */
__attribute__((warn_unused_result)) bool pair_measure(struct pair *pair, struct round *rounds, unsigned count);
