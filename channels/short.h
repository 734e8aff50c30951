/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Messages of a few words, for those who exchange them back and forth: a call and its answer. They are ordinary messages; only the code is
 * shorter. All words that such a message may have are written and read, whether it has them or not: that costs less than to count. */

#include "channels/channel.h"

enum { CHANNEL_SHORT_WORDS = 4, CHANNEL_SHORT_BYTES = CHANNEL_SHORT_WORDS * 8 };

/* Posts `bytes` of the words, a multiple of 8; the others are seen by the peer too, and mean nothing. There is room (channel_can_send). */
static inline void channel_post_short(struct channel *ch, uint16_t type, uint16_t bytes, const uint64_t words[CHANNEL_SHORT_WORDS])
{
	struct channel_line *line = &ch->tx[ch->next_out & ch->mask].line;

	channel_store_payload(&line->payload[0], words[0]);
	channel_store_payload(&line->payload[1], words[1]);
	channel_store_payload(&line->payload[2], words[2]);
	channel_store_payload(&line->payload[3], words[3]);
	channel_write_header(ch, line, type, bytes);
}

/* Takes the next message if it is there and is short, and answers how many bytes it has; behind them `words` mean nothing. 0: it is not, or
 * it is empty; then nothing has happened, and channel_try_receive finds out what there is instead. */
static inline uint16_t channel_receive_short(struct channel *ch, uint64_t words[CHANNEL_SHORT_WORDS])
{
	const struct channel_line *line = &ch->rx[ch->next_in & ch->mask].line;
	uint64_t header = channel_load_header(&line->header);
	uint16_t acked = (uint16_t)(channel_header_acknowledgement(header) - ch->acked), bytes = channel_header_length(header);

	if (__builtin_expect(channel_header_sequence(header) != ch->next_in || (uint16_t)(bytes - 1) >= CHANNEL_SHORT_BYTES ||
	                         acked > channel_outstanding(ch) || ch->rest != 0,
	                     0))
		return 0;
	channel_claim(&ch->tx[ch->next_out & ch->mask]);
	words[0] = channel_load_payload(&line->payload[0]);
	words[1] = channel_load_payload(&line->payload[1]);
	words[2] = channel_load_payload(&line->payload[2]);
	words[3] = channel_load_payload(&line->payload[3]);
	channel_take_header(ch, acked);
	return bytes;
}
