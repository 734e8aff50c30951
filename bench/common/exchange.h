/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* What is measured of a channel: one line there and back, and lines in one direction. Both sides poll. A side answers
 * false when its channel is broken or what arrived is not what was sent. */

#include "channels/channel.h"
#include "channels/wait.h"

enum { EXCHANGE_TYPE = 1 };

/* Who has a trace defines what is to be done with the channel before a line is sent, and when one has come. */
#ifndef EXCHANGE_SENDS
#define EXCHANGE_SENDS(ch)    (void)(ch)
#define EXCHANGE_RECEIVED(ch) (void)(ch)
#endif

/* Different at the two sides, and for each batch. */
static inline struct channel_wait exchange_wait(const struct channel *ch)
{
	return channel_wait_begin((uintptr_t)ch->rx / sizeof(*ch->rx) + ch->next_in);
}

static inline bool exchange_look(struct channel *ch, struct channel_message *message, struct channel_wait *wait)
{
	for (;;) {
		struct channel_result result = channel_try_receive(ch, message);

		if (channel_ok(result)) {
			EXCHANGE_RECEIVED(ch);
			return true;
		}
		if (result.code != CHANNEL_EMPTY)
			return false;
		channel_wait(wait);
	}
}

static inline bool exchange_receive(struct channel *ch, struct channel_message *message)
{
	struct channel_wait wait = exchange_wait(ch);

	return exchange_look(ch, message, &wait);
}

/* `rounds` questions, each made of the answer before it; the answerer adds one to the first word. */
static inline bool exchange_ask(struct channel *ch, unsigned rounds)
{
	struct channel_message message = {.words = {0}};
	struct channel_wait wait = exchange_wait(ch);

	for (unsigned i = 0; i < rounds; i++) {
		EXCHANGE_SENDS(ch);
		if (!channel_ok(channel_send(ch, EXCHANGE_TYPE, message.words, CHANNEL_WORDS)))
			return false;
		if (!exchange_look(ch, &message, &wait))
			return false;
	}
	return message.words[0] == rounds;
}

static inline bool exchange_answer(struct channel *ch, unsigned rounds)
{
	struct channel_message message;
	struct channel_wait wait = exchange_wait(ch);

	for (unsigned i = 0; i < rounds; i++) {
		if (!exchange_look(ch, &message, &wait))
			return false;
		message.words[0]++;
		EXCHANGE_SENDS(ch);
		if (!channel_ok(channel_send(ch, EXCHANGE_TYPE, message.words, CHANNEL_WORDS)))
			return false;
	}
	return true;
}

/* Waits until one more line may be written. Nothing but acknowledgements comes the other way. */
static inline bool exchange_room(struct channel *ch)
{
	struct channel_message message;
	struct channel_wait wait = channel_wait_begin(ch->next_out);

	while (!channel_can_send(ch)) {
		if (channel_try_receive(ch, &message).code != CHANNEL_EMPTY)
			return false;
		channel_wait(&wait);
	}
	return true;
}

/* `count` numbered lines as a burst: posted, and flushed when there is no room and at the end. */
static inline bool exchange_pour(struct channel *ch, unsigned count)
{
	uint64_t words[CHANNEL_WORDS] = {0};

	for (unsigned i = 0; i < count; i++) {
		words[0] = i;
		if (!exchange_room(ch))
			return false;
		EXCHANGE_SENDS(ch);
		if (!channel_ok(channel_post(ch, EXCHANGE_TYPE, words, CHANNEL_WORDS)))
			return false;
	}
	channel_flush(ch);
	return true;
}

/* The same without putting off the look whether the receiver sleeps. */
static inline bool exchange_pour_singly(struct channel *ch, unsigned count)
{
	uint64_t words[CHANNEL_WORDS] = {0};

	for (unsigned i = 0; i < count; i++) {
		words[0] = i;
		if (!exchange_room(ch))
			return false;
		EXCHANGE_SENDS(ch);
		if (!channel_ok(channel_send(ch, EXCHANGE_TYPE, words, CHANNEL_WORDS)))
			return false;
	}
	return true;
}

/* Takes `count` lines, the first of which is number `first`. */
static inline bool exchange_drain(struct channel *ch, unsigned first, unsigned count)
{
	struct channel_message message;

	for (unsigned i = 0; i < count; i++)
		if (!exchange_receive(ch, &message) || message.words[0] != first + i)
			return false;
	return true;
}
