/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* A channel between two cores: two rings of cache lines, one a direction, each in memory near its receiver.
 *
 * Nothing is shared but the lines themselves. A line has one writer: it stores seven words of payload and then, with
 * release order, the header. The receiver knows which line comes next and polls that line's header (acquire). The
 * header's sequence says whether the line is new, so there is no index, no counter and no lock that both would touch,
 * and a one-line message costs one transfer of one cache line.
 *
 * Room. A sender may have all lines but one outstanding, that is, not yet acknowledged; then CHANNEL_FULL. Every header
 * carries an acknowledgement of the other direction, and a receiver that owes half a ring writes a line which carries
 * nothing else. The line that messages may not use is kept for those, which is why two full rings cannot wait for each
 * other: the last line of each could only have been filled by an acknowledgement, an acknowledgement is only written
 * when half a ring is owed, and so the later of the two must have told its reader that there is room. Whoever waits
 * for room must keep receiving: that is how room is learnt of.
 *
 * Trust. The other side can write all of the memory it sends through, at any time. Every word is therefore loaded
 * once into private memory and checked there: the sequence must be the expected one, the acknowledgement must lie
 * between the last one and what was sent, the length must be possible and continue the message that is under way. A
 * lie marks the channel broken, with the reason; from then on every call answers CHANNEL_BROKEN and does nothing. A
 * hostile peer can stop talking, or talk nonsense in its payload, and that is all. Memory is zeroed by whoever binds
 * the channel, before either side starts.
 *
 * Ringing. A receiver that goes to sleep announces it (see park.c for why no wake-up is lost). channel_send() writes
 * the message, looks at that announcement and rings through the callback if need be; looking requires a fence that
 * waits until the line has left the core. channel_post() leaves that out and owes it. The debt is paid by channel_flush(),
 * and by any later call that finds the channel empty, i.e. when the core is about to wait anyway. So: a burst is
 * posts and one flush, a request whose answer is polled for is a post, and everything else is a send.
 *
 * One thread at a time may use a side. No call blocks, none but channel_init() may be called before channel_init(). */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "channels/line.h"

#define CHANNEL_MUST_CHECK __attribute__((warn_unused_result))

enum channel_code {
	CHANNEL_OK,
	CHANNEL_EMPTY,        /* nothing has arrived */
	CHANNEL_FULL,         /* no room now: receive, then try again */
	CHANNEL_TOO_LONG,     /* the message is longer than channel_longest(), or than the buffer */
	CHANNEL_BROKEN,       /* channel_fault() says why */
	CHANNEL_BAD_GEOMETRY, /* channel_init: number of lines or alignment */
};

/* A type of its own: the compiler finds one that is dropped or mixed with a number. */
struct channel_result {
	enum channel_code code;
};

static inline bool channel_ok(struct channel_result result)
{
	return result.code == CHANNEL_OK;
}

#define CHANNEL_FAULTS(FAULT)                                                                                                              \
	FAULT(NONE, "the channel works")                                                                                                   \
	FAULT(SEQUENCE, "the peer wrote a line whose sequence is not the expected one")                                                    \
	FAULT(ACKNOWLEDGEMENT, "the peer acknowledged lines that were never sent, or took an acknowledgement back")                        \
	FAULT(LENGTH, "the peer wrote a line with an impossible type or length")                                                           \
	FAULT(FRAGMENT, "the peer wrote a line that does not continue the message under way")                                              \
	FAULT(GONE, "the peer's domain has ended")

enum channel_fault {
#define FAULT(name, sentence) CHANNEL_FAULT_##name,
	CHANNEL_FAULTS(FAULT)
#undef FAULT
};

/* One line, as received: a private copy. Bytes of `words` past `length` mean nothing. */
struct channel_message {
	uint64_t words[CHANNEL_WORDS];
	uint16_t type;
	uint16_t length; /* bytes in this line */
	uint16_t rest;   /* bytes of the same message that follow in the next lines */
};

/* Called when the peer sleeps and something was written for it; at most once for each time it goes to sleep. */
typedef void channel_ring_fn(void *argument);

/* One side's private state. */
struct channel {
	/* immutable after channel_init */
	struct channel_slot *rx; /* the peer writes its lines: copy once, then validate; we write rx[0].notice */
	struct channel_slot *tx; /* we write its lines; the peer writes tx[0].notice */
	channel_ring_fn *ring;
	void *ring_argument;
	uint32_t mask;   /* number of lines - 1 */
	uint32_t ack_at; /* half a ring: when that much is owed, a line of its own acknowledges it */

	/* sending */
	uint32_t room;     /* how many lines messages may have outstanding; 0 once broken */
	uint16_t next_out; /* sequence of the next line that we write */
	uint16_t acked;    /* the peer has taken every line before this one */
	bool flush_due;    /* something was posted, and whether the peer sleeps has not been looked at since */
	uint16_t wanted;   /* lines of the last message that was refused for want of room; 0 once room was reported */

	/* receiving */
	uint32_t next_in;   /* sequence expected next; CHANNEL_NEVER once broken */
	uint16_t ack_sent;  /* the last acknowledgement that we wrote */
	uint16_t rest;      /* of a message that is under way: its length from the next line on; else 0 */
	uint16_t rest_type; /* its type */
	uint16_t taken;     /* its length up to there; means nothing when `rest` is 0 */

	/* parking */
	uint64_t parking; /* what our notice says */
	uint64_t rung;    /* the notice of the peer for which we have rung already */

	enum channel_fault fault;
};

#define CHANNEL_NEVER 0x10000u /* not a 16-bit sequence, so no header matches it */

/* Bytes of one direction's memory; it must be aligned to sizeof(struct channel_slot), which any page is. */
static inline size_t channel_bytes(unsigned lines)
{
	return lines * sizeof(struct channel_slot);
}

/* `rx` is the memory in which this side receives, `tx` the mapping of the other side's; both zeroed by whoever binds,
 * `lines` a power of two from CHANNEL_LINES_MIN to CHANNEL_LINES_MAX, the same on both sides. `ring` may be NULL when
 * the peer never parks. */
CHANNEL_MUST_CHECK struct channel_result channel_init(struct channel *ch, void *rx, void *tx, unsigned lines, channel_ring_fn *ring,
                                                      void *argument);

/* Copies what the sender of a ring has written to the memory that is to take its place, the lines' headers last; the receiver's notice
 * stays as it is there. Whoever receives in the new memory may do so already. Then the sender goes on there, and rings once: so messages
 * that are under way come along. */
void channel_copy_lines(void *to, const void *from, unsigned lines);

/* The longest message in bytes: half a ring, because the other half may be taken but not acknowledged yet. */
static inline size_t channel_longest(const struct channel *ch)
{
	return (size_t)ch->ack_at * CHANNEL_LINE_PAYLOAD;
}

static inline enum channel_fault channel_fault(const struct channel *ch)
{
	return ch->fault;
}
static inline bool channel_broken(const struct channel *ch)
{
	return ch->fault != CHANNEL_FAULT_NONE;
}
const char *channel_fault_sentence(enum channel_fault fault);

/* Ends the conversation from this side, for a reason that the caller has learnt elsewhere. The first reason stays. */
void channel_break(struct channel *ch, enum channel_fault fault);

/* Out-of-line parts of the functions below; not to be called by anyone else. */
struct channel_result channel_post_refused(struct channel *ch, size_t count);
struct channel_result channel_receive_nothing(struct channel *ch, uint64_t header);
struct channel_result channel_poll_nothing(struct channel *ch, uint64_t header);
struct channel_result channel_receive_special(struct channel *ch, uint64_t header, struct channel_message *out);
void channel_ring_peer(struct channel *ch, uint64_t parking);
void channel_acknowledge(struct channel *ch);

/* ---- Sending ---- */

/* Lines outstanding: written by us, not acknowledged by the peer. */
static inline unsigned channel_outstanding(const struct channel *ch)
{
	return (uint16_t)(ch->next_out - ch->acked);
}

/* Whether a message of one line would be accepted now. */
static inline bool channel_can_send(const struct channel *ch)
{
	return channel_outstanding(ch) < ch->room;
}

/* Completes the next line, whose payload has been written. */
static inline void channel_write_header(struct channel *ch, struct channel_line *line, uint16_t type, uint16_t length)
{
	channel_store_header(&line->header, channel_header(ch->next_out, (uint16_t)ch->next_in, type, length));
	ch->ack_sent = (uint16_t)ch->next_in;
	ch->next_out++;
	ch->flush_due = true;
}

/* Writes the next line. There is room. */
static inline void channel_write_line(struct channel *ch, uint16_t type, uint16_t length, const uint64_t *words, size_t count)
{
	struct channel_line *line = &ch->tx[ch->next_out & ch->mask].line;

	for (size_t i = 0; i < count; i++)
		channel_store_payload(&line->payload[i], words[i]);
	channel_write_header(ch, line, type, length);
}

/* Looks whether the peer sleeps and rings if so: everything posted before is then on its way for certain. */
static inline void channel_flush(struct channel *ch)
{
	uint64_t parking;

	ch->flush_due = false;
	channel_fence();
	parking = channel_load_notice(&ch->tx[0].notice.parking);
	if (__builtin_expect(parking & 1, 0))
		channel_ring_peer(ch, parking);
}

/* A message of `count` words, at most CHANNEL_WORDS; a sleeping peer is not told before the flush. */
CHANNEL_MUST_CHECK static inline struct channel_result channel_post(struct channel *ch, uint16_t type, const uint64_t *words, size_t count)
{
	if (__builtin_expect(count > CHANNEL_WORDS || !channel_can_send(ch), 0))
		return channel_post_refused(ch, count);
	channel_write_line(ch, type, (uint16_t)(count * 8), words, count);
	return (struct channel_result){CHANNEL_OK};
}

/* The same, and a sleeping peer is rung. */
CHANNEL_MUST_CHECK static inline struct channel_result channel_send(struct channel *ch, uint16_t type, const uint64_t *words, size_t count)
{
	struct channel_result result = channel_post(ch, type, words, count);

	if (channel_ok(result))
		channel_flush(ch);
	return result;
}

/* A message of up to channel_longest() bytes in as many lines as it needs: all of it or nothing is written. */
CHANNEL_MUST_CHECK struct channel_result channel_post_bytes(struct channel *ch, uint16_t type, const void *data, size_t length);
CHANNEL_MUST_CHECK struct channel_result channel_send_bytes(struct channel *ch, uint16_t type, const void *data, size_t length);

/* ---- Receiving ---- */

/* The next line has been copied; it acknowledges so many of ours. */
static inline void channel_take_header(struct channel *ch, uint16_t acked)
{
	ch->acked = (uint16_t)(ch->acked + acked);
	ch->next_in = (uint16_t)(ch->next_in + 1);
	if (__builtin_expect((uint16_t)(ch->next_in - ch->ack_sent) >= ch->ack_at, 0))
		channel_acknowledge(ch);
}

/* Takes the next line. CHANNEL_EMPTY says that there is no message; a line that was only an acknowledgement may have been
 * taken, so more may be there, and there may be room again. channel_park_prepare() knows. */
CHANNEL_MUST_CHECK static inline struct channel_result channel_try_receive(struct channel *ch, struct channel_message *out)
{
	const struct channel_line *line = &ch->rx[ch->next_in & ch->mask].line;
	uint64_t header = channel_load_header(&line->header);
	uint16_t acked;

	if (channel_header_sequence(header) != ch->next_in)
		return channel_receive_nothing(ch, header);
	channel_claim(&ch->tx[ch->next_out & ch->mask]); /* a message is often answered */
	for (size_t i = 0; i < CHANNEL_WORDS; i++)
		out->words[i] = channel_load_payload(&line->payload[i]);
	acked = (uint16_t)(channel_header_acknowledgement(header) - ch->acked);
	if (__builtin_expect(acked > channel_outstanding(ch) || ch->rest != 0 || channel_header_length(header) > CHANNEL_LINE_PAYLOAD, 0))
		return channel_receive_special(ch, header, out);

	out->type = channel_header_type(header);
	out->length = channel_header_length(header);
	out->rest = 0;
	channel_take_header(ch, acked);
	return (struct channel_result){CHANNEL_OK};
}

/* Takes lines until a message is complete in `buffer`, whose first bytes must stay untouched between calls that answer
 * CHANNEL_EMPTY. A message longer than `capacity` is taken whole, its head stays in the buffer, and the answer is
 * CHANNEL_TOO_LONG. Both times *type and *length tell the message's. */
CHANNEL_MUST_CHECK struct channel_result channel_try_receive_bytes(struct channel *ch, void *buffer, size_t capacity, uint16_t *type,
                                                                   size_t *length);

/* Whether there is something to do, without doing it: CHANNEL_OK if a line is there, or if there is now room for a message
 * that was refused, which is said once; else CHANNEL_EMPTY or CHANNEL_BROKEN. */
CHANNEL_MUST_CHECK static inline struct channel_result channel_poll(struct channel *ch)
{
	uint64_t header = channel_load_header(&ch->rx[ch->next_in & ch->mask].line.header);

	if (channel_header_sequence(header) != ch->next_in)
		return channel_poll_nothing(ch, header);
	return (struct channel_result){CHANNEL_OK};
}

/* Whether the next line is there, by one load: all that can change while nobody else uses this end. Less than channel_poll says: nothing of
 * room, and nothing of a peer that breaks the rules. */
static inline bool channel_glance(const struct channel *ch)
{
	return channel_header_sequence(channel_load_header(&ch->rx[ch->next_in & ch->mask].line.header)) == ch->next_in;
}

/* ---- Parking: poll, announce, look again, sleep ---- */

/* Announces that this side goes to sleep, and looks again. CHANNEL_EMPTY: it may now sleep until it is rung (a ring that
 * comes before it sleeps must not get lost: the bell stays rung), and calls channel_unpark() when it wakes, for whatever
 * reason. Any other answer is channel_poll's: there is something to do, the announcement is taken back already. */
CHANNEL_MUST_CHECK struct channel_result channel_park_prepare(struct channel *ch);

/* A thread that waits for several channels announces on each, fences once, polls each, and if all are empty sleeps. */
void channel_announce(struct channel *ch);
void channel_unpark(struct channel *ch);
