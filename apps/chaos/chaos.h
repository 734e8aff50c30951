/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* chaos [SEED [KILLS]]: kills cores at random while programs on all of them talk to each other and pass memory around, and starts them
 * again.
 *
 * A worker runs on each core. It serves the others, and is a client of one of them after the other: it calls, gives a page of memory, has
 * it looked at, and takes it back. A worker that gets a wrong answer ends with a status that is not 0; a peer that is gone is no wrong
 * answer.
 *
 * The first core is spared: without it there is no serial line, there are no names, and the machine ends. */

#include <stdint.h>

#define CHAOS_SERVICE "chaos.%u" /* one on each core */

enum chaos_label {
	CHAOS_ADD = 1, /* words 0 and 1 -> word 0 their sum */
	CHAOS_LOOK,    /* word 0 tag of a frame that was given, word 1 what is in it -> word 0 error number, word 1 whether it was */
	CHAOS_ROUNDS,  /* -> word 0 peers that this worker has visited, word 1 frames that it had looked at */
};

struct chaos_random {
	uint64_t state;
};

/* Marsaglia's xorshift with the shifts 13, 7, 17. */
static inline uint64_t chaos_draw(struct chaos_random *r, uint64_t below)
{
	r->state ^= r->state << 13;
	r->state ^= r->state >> 7;
	r->state ^= r->state << 17;
	return r->state % below;
}

int chaos_work(uint64_t seed);
