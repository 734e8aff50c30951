/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include "bench/peers/linux/link.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/common/exchange.h"

/* ---- What the kernel carries: written and read ---- */

static bool ask_bytes(struct side *side, unsigned rounds, size_t bytes)
{
	uint64_t words[CHANNEL_WORDS] = {1};

	for (unsigned i = 0; i < rounds; i++)
		if (write(side->out, words, bytes) != (ssize_t)bytes || read(side->in, words, bytes) != (ssize_t)bytes)
			return false;
	return words[0] == 1;
}

static bool answer_bytes(struct side *side, unsigned rounds, size_t bytes)
{
	uint64_t words[CHANNEL_WORDS];

	for (unsigned i = 0; i < rounds; i++)
		if (read(side->in, words, bytes) != (ssize_t)bytes || write(side->out, words, bytes) != (ssize_t)bytes)
			return false;
	return true;
}

static bool ask_line(struct side *side, unsigned rounds)
{
	return ask_bytes(side, rounds, CHANNEL_LINE_PAYLOAD);
}

static bool answer_line(struct side *side, unsigned rounds)
{
	return answer_bytes(side, rounds, CHANNEL_LINE_PAYLOAD);
}

static bool ask_word(struct side *side, unsigned rounds)
{
	return ask_bytes(side, rounds, sizeof(uint64_t));
}

static bool answer_word(struct side *side, unsigned rounds)
{
	return answer_bytes(side, rounds, sizeof(uint64_t));
}

static bool open_pipe(struct side sides[SIDES])
{
	int there[2], back[2];

	if (pipe(there) != 0 || pipe(back) != 0)
		return false;
	sides[ASKER].in = back[0];
	sides[ASKER].out = there[1];
	sides[ANSWERER].in = there[0];
	sides[ANSWERER].out = back[1];
	return true;
}

static bool open_eventfd(struct side sides[SIDES])
{
	sides[ASKER].in = sides[ANSWERER].out = eventfd(0, 0);
	sides[ASKER].out = sides[ANSWERER].in = eventfd(0, 0);
	return sides[ASKER].in >= 0 && sides[ASKER].out >= 0;
}

static bool open_unix(struct side sides[SIDES])
{
	int ends[SIDES];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) != 0)
		return false;
	for (unsigned i = 0; i < SIDES; i++)
		sides[i].in = sides[i].out = ends[i];
	return true;
}

/* ---- A word in shared memory, with sleep ---- */

static bool open_nothing(struct side sides[SIDES])
{
	(void)sides;
	return true;
}

static void pass(struct side *side, unsigned to)
{
	side->memory->turn = to;
	word_wake(&side->memory->turn, side->between);
}

static bool ask_futex(struct side *side, unsigned rounds)
{
	for (unsigned i = 0; i < rounds; i++) {
		pass(side, ANSWERER);
		word_wait(&side->memory->turn, ANSWERER, side->between);
	}
	return true;
}

static bool answer_futex(struct side *side, unsigned rounds)
{
	for (unsigned i = 0; i < rounds; i++) {
		word_wait(&side->memory->turn, ASKER, side->between);
		pass(side, ASKER);
	}
	return true;
}

/* ---- A word in shared memory that both sides poll ---- */

static bool ask_floor(struct side *side, unsigned rounds)
{
	floor_ask(&side->memory->floor[ASKER], &side->memory->floor[ANSWERER], &side->floor_count, rounds);
	return true;
}

static bool answer_floor(struct side *side, unsigned rounds)
{
	floor_answer(&side->memory->floor[ANSWERER], &side->memory->floor[ASKER], &side->floor_count, rounds);
	return true;
}

/* ---- Mailboxes: Atoll's own channels, whose lines are in shared memory here as well ---- */

static void ring_bell(void *argument)
{
	struct side *side = argument;
	_Atomic uint32_t *bell = &side->memory->bell[!side->index];

	++*bell;
	word_wake(bell, side->between);
}

static bool open_mailbox(struct side sides[SIDES])
{
	for (unsigned i = 0; i < SIDES; i++) {
		struct side *s = &sides[i];

		if (!channel_ok(channel_init(&s->channel, s->memory->slots[i], s->memory->slots[!i], LINK_LINES, ring_bell, s))) {
			errno = EINVAL;
			return false;
		}
	}
	return true;
}

static bool ask_polled(struct side *side, unsigned rounds)
{
	return exchange_ask(&side->channel, rounds);
}

static bool answer_polled(struct side *side, unsigned rounds)
{
	return exchange_answer(&side->channel, rounds);
}

/* Sleeps at once if nothing has come. */
static bool receive_asleep(struct side *side, struct channel_message *message)
{
	for (;;) {
		struct channel_result result = channel_try_receive(&side->channel, message);
		uint32_t seen = side->memory->bell[side->index];

		if (channel_ok(result))
			return true;
		if (result.code != CHANNEL_EMPTY)
			return false;
		if (channel_park_prepare(&side->channel).code == CHANNEL_EMPTY) {
			word_wait(&side->memory->bell[side->index], seen, side->between);
			channel_unpark(&side->channel);
		}
	}
}

static bool ask_asleep(struct side *side, unsigned rounds)
{
	struct channel_message message = {.words = {0}};

	for (unsigned i = 0; i < rounds; i++)
		if (!channel_ok(channel_send(&side->channel, EXCHANGE_TYPE, message.words, CHANNEL_WORDS)) ||
		    !receive_asleep(side, &message))
			return false;
	return true;
}

static bool answer_asleep(struct side *side, unsigned rounds)
{
	struct channel_message message;

	for (unsigned i = 0; i < rounds; i++)
		if (!receive_asleep(side, &message) ||
		    !channel_ok(channel_send(&side->channel, EXCHANGE_TYPE, message.words, CHANNEL_WORDS)))
			return false;
	return true;
}

enum { POLLED_BATCH = 20 };

const struct transport transports[] = {
    {"pipe", false, 1, open_pipe, ask_line, answer_line},
    {"eventfd", false, 1, open_eventfd, ask_word, answer_word},
    {"futex", false, 1, open_nothing, ask_futex, answer_futex},
    {"unix", false, 1, open_unix, ask_line, answer_line},
    {"mailbox.asleep", false, 1, open_mailbox, ask_asleep, answer_asleep},
    {"mailbox", true, POLLED_BATCH, open_mailbox, ask_polled, answer_polled},
    {"floor", true, POLLED_BATCH, open_nothing, ask_floor, answer_floor},
};
const unsigned transport_count = sizeof(transports) / sizeof(transports[0]);

bool link_open(struct side sides[SIDES], const struct transport *transport, enum party_kind between)
{
	static struct link_memory *memory;

	if (memory == NULL)
		memory = shared_memory(sizeof(*memory));
	if (memory == NULL)
		return false;
	memset(memory, 0, sizeof(*memory));
	for (unsigned i = 0; i < SIDES; i++)
		sides[i] = (struct side){.between = between, .index = i, .memory = memory, .in = -1, .out = -1};
	return transport->open(sides);
}

void link_close(struct side sides[SIDES])
{
	/* Two sides may have the same descriptor; to close one twice does nothing. */
	for (unsigned i = 0; i < SIDES; i++) {
		close(sides[i].in);
		close(sides[i].out);
	}
}
