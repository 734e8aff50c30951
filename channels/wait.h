/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* How a loop waits that polls a line: it looks, and at about one look of eight it also tells its core that it is
 * spinning. Irregularly, because PAUSE takes long (from 40 cycles on a real core to some 400 where an emulator leaves its
 * loop for it), and two sides that pause at every look, or at every eighth, fall into step: then a message may arrive just
 * behind each look, round after round, and a measurement shows one of several times at random instead of one. */

#include <stdint.h>

#include "channels/memory.h"

struct channel_wait {
	uint32_t state;
};

enum {
	CHANNEL_WAIT_SPREAD = (int)0x9e3779b9, /* 2^32 divided by the golden ratio: the beginnings of successive waits lie far apart */
	CHANNEL_WAIT_FACTOR = 1664525,         /* a full-period generator: Knuth, The Art of Computer Programming 2, 3.3.4, table 1 */
	CHANNEL_WAIT_ADDEND = 1013904223,
	CHANNEL_WAIT_LOOKS = 8, /* between two pauses, on average; a power of two */
};

/* `number` is different for each side, and for each time that one begins to wait. */
static inline struct channel_wait channel_wait_begin(uint64_t number)
{
	return (struct channel_wait){(uint32_t)number * (uint32_t)CHANNEL_WAIT_SPREAD};
}

/* To be called after each look that found nothing. */
static inline void channel_wait(struct channel_wait *wait)
{
	wait->state = wait->state * CHANNEL_WAIT_FACTOR + CHANNEL_WAIT_ADDEND;
	if (wait->state < UINT32_MAX / CHANNEL_WAIT_LOOKS)
		channel_pause();
}
