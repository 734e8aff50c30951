/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include "bench/common/exchange.h"
#include "bench/host/arena.h"

CK_RING_PROTOTYPE(entry, ck_entry)

bool sides_connect(struct side sides[SIDES], struct inbox *inboxes[SIDES])
{
	for (int i = 0; i < SIDES; i++) {
		struct side *side = &sides[i];

		*side = (struct side){.inbox = inboxes[i], .outbox = inboxes[!i]};
		ck_ring_init(&side->inbox->ck, RING_LINES);
		if (!channel_ok(channel_init(&side->channel, side->inbox->slots, side->outbox->slots, RING_LINES, NULL, NULL)))
			return false;
	}
	return true;
}

/* ---- Floor ---- */

static bool lead_floor(struct side *side, unsigned first, unsigned count)
{
	(void)first;
	floor_ask(&side->outbox->floor, &side->inbox->floor, &side->floor_count, count);
	return true;
}

static bool follow_floor(struct side *side, unsigned count)
{
	floor_answer(&side->outbox->floor, &side->inbox->floor, &side->floor_count, count);
	return true;
}

/* ---- Channel ---- */

static bool lead_channel(struct side *side, unsigned first, unsigned count)
{
	(void)first;
	return exchange_ask(&side->channel, count);
}

static bool follow_channel(struct side *side, unsigned count)
{
	return exchange_answer(&side->channel, count);
}

static bool lead_stream(struct side *side, unsigned first, unsigned count)
{
	return exchange_drain(&side->channel, first, count);
}

static bool follow_stream(struct side *side, unsigned count)
{
	return exchange_pour(&side->channel, count);
}

static bool follow_stream_sent(struct side *side, unsigned count)
{
	return exchange_pour_singly(&side->channel, count);
}

/* ---- Concurrency Kit's ring, single producer, single consumer ---- */

static void ck_put(struct inbox *box, struct ck_entry *entry)
{
	struct channel_wait wait = channel_wait_begin(0);

	while (!ck_ring_enqueue_spsc_entry(&box->ck, box->ck_entries, entry))
		channel_wait(&wait);
}

static void ck_get(struct inbox *box, struct ck_entry *entry)
{
	struct channel_wait wait = channel_wait_begin(0);

	while (!ck_ring_dequeue_spsc_entry(&box->ck, box->ck_entries, entry))
		channel_wait(&wait);
}

static bool lead_ck(struct side *side, unsigned first, unsigned count)
{
	struct ck_entry entry = {.words = {0}};

	(void)first;
	for (unsigned i = 0; i < count; i++) {
		ck_put(side->outbox, &entry);
		ck_get(side->inbox, &entry);
	}
	return entry.words[0] == count;
}

static bool follow_ck(struct side *side, unsigned count)
{
	struct ck_entry entry;

	for (unsigned i = 0; i < count; i++) {
		ck_get(side->inbox, &entry);
		entry.words[0]++;
		ck_put(side->outbox, &entry);
	}
	return true;
}

static bool lead_ck_stream(struct side *side, unsigned first, unsigned count)
{
	struct ck_entry entry;

	for (unsigned i = 0; i < count; i++) {
		ck_get(side->inbox, &entry);
		if (entry.words[0] != first + i)
			return false;
	}
	return true;
}

static bool follow_ck_stream(struct side *side, unsigned count)
{
	struct ck_entry entry = {.words = {0}};

	for (unsigned i = 0; i < count; i++) {
		entry.words[0] = i;
		ck_put(side->outbox, &entry);
	}
	return true;
}

enum { RTT_WARM_UP = 32, RTT_COUNT = 256, STREAM_WARM_UP = 2 * RING_LINES, STREAM_COUNT = 2048 };

const struct contender contenders[CONTENDERS] = {
    [FLOOR_RTT] = {"floor.rtt", false, RTT_WARM_UP, RTT_COUNT, lead_floor, follow_floor},
    [CHANNEL_RTT] = {"channel.rtt", false, RTT_WARM_UP, RTT_COUNT, lead_channel, follow_channel},
    [CK_RTT] = {"ck.rtt", false, RTT_WARM_UP, RTT_COUNT, lead_ck, follow_ck},
    [CHANNEL_STREAM] = {"channel.stream", true, STREAM_WARM_UP, STREAM_COUNT, lead_stream, follow_stream},
    [CHANNEL_STREAM_SENT] = {"channel.stream.sent", true, STREAM_WARM_UP, STREAM_COUNT, lead_stream, follow_stream_sent},
    [CK_STREAM] = {"ck.stream", true, STREAM_WARM_UP, STREAM_COUNT, lead_ck_stream, follow_ck_stream},
};
