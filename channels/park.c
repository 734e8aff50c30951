/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Going to sleep without missing a message.
 *
 * The receiver R has a notice in its ring's memory that it alone writes: a number that is odd while R sleeps or is
 * about to. The sender S has the lines. What can go wrong is that S looks at the notice before R writes it and R looks
 * at the line before S writes it. Then R sleeps on a message, for ever. Each side therefore writes first and looks
 * second, with a fence between:
 *
 *      R: notice = odd    S: line = message
 *         fence              fence
 *         look at the line   look at the notice
 *
 * All fences lie in one order that every core agrees on. If S's fence comes first, R's look, behind R's fence, sees the
 * message, and R does not sleep. If R's fence comes first, S's look sees the notice, and S rings. There is no third case.
 * Without either fence there is one, on x86 as well: a store waits in the core's store buffer while the look that
 * follows it has been done (Intel SDM volume 3, 8.2.3.4; AMD APM volume 2, 7.2).
 *
 * S rings once per odd number: it remembers the number for which it has rung. A second message finds R either still
 * going to be woken by the first ring, or back and announcing a new number. R writes a new even number when it wakes,
 * and it always looks after it has announced, so a message that came without a ring is found then.
 *
 * The fence of R costs nothing, since R has nothing to do. The fence of S costs the time that the line takes to leave the
 * core. S may put it off (channel_post) until its own next look finds nothing: a core that waits for an answer fences
 * while it would have to wait anyway. A debt of S cannot be forgotten by the channel, for every way to wait pays it: a
 * receive or a poll that finds nothing, and so channel_park_prepare. The argument above does not ask when S looks, merely that
 * it fences after its last write and looks after that fence.
 *
 * What R can do to S: by counting its notice up it can make S ring with every message, which S would also have to do
 * for a peer that does sleep after each. What S can do to R: not ring. */

#include "channels/channel.h"

void channel_announce(struct channel *ch)
{
	ch->parking |= 1;
	channel_store_notice(&ch->rx[0].notice.parking, ch->parking);
}

void channel_unpark(struct channel *ch)
{
	ch->parking = (ch->parking | 1) + 1;
	channel_store_notice(&ch->rx[0].notice.parking, ch->parking);
}

struct channel_result channel_park_prepare(struct channel *ch)
{
	struct channel_result result;

	channel_announce(ch);
	channel_fence();
	result = channel_poll(ch);
	if (result.code != CHANNEL_EMPTY)
		channel_unpark(ch);
	return result;
}

void channel_ring_peer(struct channel *ch, uint64_t parking)
{
	if (parking == ch->rung || ch->ring == NULL)
		return;
	ch->rung = parking;
	ch->ring(ch->ring_argument);
}
