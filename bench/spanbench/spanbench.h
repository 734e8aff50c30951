/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* What is measured of a domain that spans several cores:
 *
 *   futex.wake.remote    words.c    a thread on another core that waits on a word, until it is back after the wake-up
 *   unmap                unmap.c    a page goes that so many other members use, with the messages that this takes; `unmap.rounds` says how
 *                                   many of them are sent one behind the other, as the tree has it
 *   barrier              barrier.c  a thread on each of so many other members, and one here, until all have come to a barrier of futexes
 *   span.grow            grow.c     from one core to so many others, and a thread run on each
 *   steal / balanced     steal.c    many threads of different lengths, all begun on one of two cores, beside the same work in two equal
 * halves
 *
 * Each prints its facts, and answers false, after a sentence, if it could not be measured. */

#include "bench/common/sample.h"

struct plan {
	const struct lens *lens;
	unsigned members; /* of the span; cores[i] is member i's */
	unsigned cores[64];
	bool quick;
};

bool words_measure(const struct plan *p);
bool unmap_measure(const struct plan *p);
bool barrier_measure(const struct plan *p);
bool grow_measure(const struct plan *p); /* it begins with one member, and leaves all */
bool steal_measure(const struct plan *p);

bool failed(const char *id, const char *why);
