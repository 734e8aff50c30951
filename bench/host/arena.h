/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* The memory that two measured threads share, each part near the core that receives through it, and who competes in it. */

#include <ck_ring.h>
#include <stdbool.h>
#include <stdint.h>

#include "bench/common/floor.h"
#include "channels/channel.h"

enum {
	RING_LINES = 64,
	LEADER = 0,   /* the side that asks, drains and holds the clock */
	FOLLOWER = 1, /* the side that answers and pours */
	SIDES = 2,
};

/* Concurrency Kit's entry with a channel line's payload. */
struct ck_entry {
	uint64_t words[CHANNEL_WORDS];
};

/* What one side receives through. The first three are written by the other side. */
struct inbox {
	struct channel_slot slots[RING_LINES];
	struct floor_line floor;
	struct ck_entry ck_entries[RING_LINES];
	_Alignas(128) struct ck_ring ck;
};

/* What one side keeps to itself. */
struct side {
	_Alignas(128) struct channel channel;
	uint64_t floor_count;
	struct inbox *inbox, *outbox;
};

/* One thing that is measured. Both functions see the same `count`; false means that a message was lost or wrong. */
struct contender {
	const char *id;
	bool is_stream; /* else a round trip */
	unsigned warm_up, count;
	bool (*lead)(struct side *side, unsigned first, unsigned count);
	bool (*follow)(struct side *side, unsigned count);
};

enum contender_index { FLOOR_RTT, CHANNEL_RTT, CK_RTT, CHANNEL_STREAM, CHANNEL_STREAM_SENT, CK_STREAM, CONTENDERS };
extern const struct contender contenders[CONTENDERS];

/* Connects two sides through two zeroed inboxes. */
__attribute__((warn_unused_result)) bool sides_connect(struct side sides[SIDES], struct inbox *inboxes[SIDES]);
