// sources: channels/channel.c channels/park.c
/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* One side of a channel whose peer writes what the input says. An input is a list of steps of one byte and what follows
 * it: the peer writes somewhere, or the side calls something. */

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "channels/channel.h"

enum { LINES_MAX = 16 };

struct input {
	const uint8_t *at;
	size_t left;
};

static struct channel_slot rx[LINES_MAX], tx[LINES_MAX];
static struct channel ch;

static uint64_t take(struct input *input, size_t bytes)
{
	uint64_t value = 0;

	for (; bytes > 0 && input->left > 0; bytes--, input->left--)
		value = value << 8 | *input->at++;
	return value;
}

static void must(bool holds)
{
	if (!holds)
		abort();
}

/* A header that differs from what would be right by what the input says. */
static uint64_t nearly_right(struct input *input)
{
	return channel_header((uint16_t)(ch.next_in + (int8_t)take(input, 1)), (uint16_t)(ch.acked + take(input, 1)),
	                      (uint16_t)(ch.rest_type + take(input, 1)), (uint16_t)(ch.rest + take(input, 2)));
}

static void peer_writes(struct input *input, unsigned how)
{
	struct channel_line *expected = &rx[ch.next_in & ch.mask].line, *any = &rx[take(input, 1) & ch.mask].line;

	if (how == 0)
		channel_store_header(&expected->header, channel_header((uint16_t)ch.next_in, ch.next_out, ch.rest_type, ch.rest));
	else if (how == 1)
		channel_store_header(&expected->header, nearly_right(input));
	else if (how == 2)
		channel_store_header(&any->header, take(input, 8));
	else
		channel_store_notice(&tx[0].notice.parking, take(input, 1));
}

static void receive_bytes(size_t capacity)
{
	uint8_t *buffer = malloc(capacity); /* exactly, so that the sanitizer sees one byte too many */
	uint16_t type;
	size_t length;
	enum channel_code code = channel_try_receive_bytes(&ch, buffer, capacity, &type, &length).code;

	must(code != CHANNEL_OK || length <= capacity);
	must(code != CHANNEL_TOO_LONG || (length > capacity && length <= channel_longest(&ch)));
	free(buffer);
}

static void side_acts(struct input *input, unsigned how)
{
	static const uint8_t bytes[LINES_MAX * CHANNEL_LINE_PAYLOAD];
	struct channel_message message;

	if (how == 0) {
		if (channel_ok(channel_try_receive(&ch, &message)))
			must(message.length <= CHANNEL_LINE_PAYLOAD && message.length + message.rest <= channel_longest(&ch));
	} else if (how == 1) {
		receive_bytes(take(input, 1));
	} else if (how == 2) {
		(void)channel_send_bytes(&ch, 1, bytes, take(input, 2) % (sizeof bytes + 1)).code;
	} else if (channel_park_prepare(&ch).code == CHANNEL_EMPTY) {
		channel_unpark(&ch);
	}
}

static void must_make_sense(unsigned lines)
{
	must(channel_outstanding(&ch) <= lines && ch.mask == lines - 1 && ch.rx == rx && ch.tx == tx);
	must(channel_broken(&ch) == (ch.next_in == CHANNEL_NEVER) && (channel_broken(&ch) || ch.room == lines - 1));
	must(ch.rest == 0 || ch.rest + ch.taken <= (int)channel_longest(&ch));
	for (unsigned i = lines; i < LINES_MAX; i++)
		must(tx[i].line.header == 0 && rx[i].notice.parking == 0);
}

static void rung(void *count)
{
	++*(unsigned *)count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = {data, size};
	unsigned lines = 4u << take(&input, 1) % 3, rings = 0;

	memset(rx, 0, sizeof rx);
	memset(tx, 0, sizeof tx);
	must(channel_ok(channel_init(&ch, rx, tx, lines, rung, &rings)));
	while (input.left > 0) {
		unsigned step = (unsigned)take(&input, 1);

		if (step & 1)
			peer_writes(&input, step >> 1 & 3);
		else
			side_acts(&input, step >> 1 & 3);
		must_make_sense(lines);
	}
	return 0;
}
