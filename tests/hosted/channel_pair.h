/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Two connected sides of a channel in one address space, for the tests of channels/. */

#include <assert.h>
#include <string.h>

#include "channels/channel.h"

enum { PAIR_LINES_MAX = 64 };

struct channel_pair {
	struct channel_slot inbox[2][PAIR_LINES_MAX]; /* [side]: where that side receives */
	struct channel side[2];
	int rings[2]; /* how often that side was rung */
};

static inline void pair_count_ring(void *argument)
{
	++*(int *)argument;
}

static inline void pair_connect(struct channel_pair *pair, unsigned lines)
{
	assert(lines <= PAIR_LINES_MAX);
	memset(pair, 0, sizeof *pair);
	for (int i = 0; i < 2; i++) {
		struct channel_result result =
		    channel_init(&pair->side[i], pair->inbox[i], pair->inbox[!i], lines, pair_count_ring, &pair->rings[!i]);

		assert(channel_ok(result));
		(void)result;
	}
}

/* A message of one word. */
static inline enum channel_code pair_post(struct channel *ch, uint16_t type, uint64_t word)
{
	return channel_post(ch, type, &word, 1).code;
}

static inline enum channel_code pair_send(struct channel *ch, uint16_t type, uint64_t word)
{
	return channel_send(ch, type, &word, 1).code;
}

/* Takes whatever is there until nothing is, also behind acknowledgements; answers how many messages. */
static inline unsigned pair_drain(struct channel *ch)
{
	struct channel_message message;
	unsigned messages = 0;

	while (channel_poll(ch).code == CHANNEL_OK)
		messages += channel_ok(channel_try_receive(ch, &message));
	return messages;
}
