/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* The parts of a channel that are not on the way of a one-line message: start, end, refusal, acknowledgements, and
 * messages of several lines. */

#include "channels/channel.h"

_Static_assert(CHANNEL_LINES_MAX / 2 * CHANNEL_LINE_PAYLOAD < CHANNEL_ACK_LENGTH, "every length fits a header");

static struct channel_result answer(enum channel_code code)
{
	return (struct channel_result){code};
}

static bool is_aligned(const void *memory)
{
	return memory != NULL && (uintptr_t)memory % _Alignof(struct channel_slot) == 0;
}

struct channel_result channel_init(struct channel *ch, void *rx, void *tx, unsigned lines, channel_ring_fn *ring, void *argument)
{
	bool power_of_two = (lines & (lines - 1)) == 0;

	if (!power_of_two || lines < CHANNEL_LINES_MIN || lines > CHANNEL_LINES_MAX || !is_aligned(rx) || !is_aligned(tx))
		return answer(CHANNEL_BAD_GEOMETRY);

	*ch = (struct channel){
	    .rx = rx,
	    .tx = tx,
	    .ring = ring,
	    .ring_argument = argument,
	    .mask = lines - 1,
	    .ack_at = lines / 2,
	    .room = lines - 1,
	    .next_out = (uint16_t)lines,
	    .acked = (uint16_t)lines,
	    .next_in = lines,
	    .ack_sent = (uint16_t)lines,
	};
	return answer(CHANNEL_OK);
}

const char *channel_fault_sentence(enum channel_fault fault)
{
	static const char *const sentences[] = {
#define FAULT(name, sentence) [CHANNEL_FAULT_##name] = sentence,
	    CHANNEL_FAULTS(FAULT)
#undef FAULT
	};

	if ((size_t)fault >= sizeof sentences / sizeof sentences[0])
		return "unknown reason";
	return sentences[fault];
}

void channel_break(struct channel *ch, enum channel_fault fault)
{
	if (channel_broken(ch))
		return;
	ch->fault = fault;
	ch->room = 0;
	ch->next_in = CHANNEL_NEVER;
	ch->flush_due = false;
}

static struct channel_result broken(struct channel *ch, enum channel_fault fault)
{
	channel_break(ch, fault);
	return answer(CHANNEL_BROKEN);
}

/* ---- Sending ---- */

static struct channel_result full(struct channel *ch, size_t lines)
{
	ch->wanted = (uint16_t)lines;
	return answer(CHANNEL_FULL);
}

struct channel_result channel_post_refused(struct channel *ch, size_t count)
{
	if (channel_broken(ch))
		return answer(CHANNEL_BROKEN);
	return count > CHANNEL_WORDS ? answer(CHANNEL_TOO_LONG) : full(ch, 1);
}

/* The last line of a ring is there for this. If even that one is taken, the peer has yet to read an older
 * acknowledgement; the debt stays, and the next receive tries again. */
void channel_acknowledge(struct channel *ch)
{
	if (channel_outstanding(ch) > ch->room)
		return;
	channel_write_line(ch, 0, CHANNEL_ACK_LENGTH, NULL, 0);
	channel_flush(ch); /* the peer may sleep until there is room */
}

/* Up to 56 bytes into whole words; what lies behind the last byte becomes 0. */
static size_t pack(uint64_t *words, const unsigned char *bytes, size_t length)
{
	size_t whole = length / 8;

	for (size_t i = 0; i < whole; i++)
		__builtin_memcpy(&words[i], bytes + i * 8, 8);
	if (length % 8 == 0)
		return whole;
	words[whole] = 0;
	for (size_t i = 0; i < length % 8; i++)
		words[whole] |= (uint64_t)bytes[whole * 8 + i] << i * 8;
	return whole + 1;
}

struct channel_result channel_post_bytes(struct channel *ch, uint16_t type, const void *data, size_t length)
{
	const unsigned char *bytes = data;
	size_t lines = length == 0 ? 1 : (length + CHANNEL_LINE_PAYLOAD - 1) / CHANNEL_LINE_PAYLOAD;
	uint64_t words[CHANNEL_WORDS];

	if (channel_broken(ch))
		return answer(CHANNEL_BROKEN);
	if (length > channel_longest(ch))
		return answer(CHANNEL_TOO_LONG);
	if (channel_outstanding(ch) + lines > ch->room)
		return full(ch, lines);

	for (; lines > 0; lines--) {
		size_t here = length < CHANNEL_LINE_PAYLOAD ? length : CHANNEL_LINE_PAYLOAD;
		size_t count = pack(words, bytes, here);

		channel_write_line(ch, type, (uint16_t)length, words, count);
		bytes += here;
		length -= here;
	}
	return answer(CHANNEL_OK);
}

struct channel_result channel_send_bytes(struct channel *ch, uint16_t type, const void *data, size_t length)
{
	struct channel_result result = channel_post_bytes(ch, type, data, length);

	if (channel_ok(result))
		channel_flush(ch);
	return result;
}

/* ---- Receiving ---- */

/* The header that was expected is not there. It has not been written yet, or it is a lie, or the channel is broken. */
struct channel_result channel_receive_nothing(struct channel *ch, uint64_t header)
{
	uint16_t sequence = channel_header_sequence(header);
	uint16_t lap_before = (uint16_t)(ch->next_in - (ch->mask + 1));

	if (channel_broken(ch))
		return answer(CHANNEL_BROKEN);
	if (sequence != lap_before && sequence != 0)
		return broken(ch, CHANNEL_FAULT_SEQUENCE);
	if (ch->flush_due)
		channel_flush(ch);
	return answer(CHANNEL_EMPTY);
}

/* Whoever was refused and then finds no message would sleep; but an acknowledgement may have made room in between. */
struct channel_result channel_poll_nothing(struct channel *ch, uint64_t header)
{
	struct channel_result result = channel_receive_nothing(ch, header);

	if (result.code != CHANNEL_EMPTY || ch->wanted == 0 || channel_outstanding(ch) + ch->wanted > ch->room)
		return result;
	ch->wanted = 0;
	return answer(CHANNEL_OK);
}

static void take_line(struct channel *ch, uint64_t header)
{
	ch->acked = channel_header_acknowledgement(header);
	ch->next_in = (uint16_t)(ch->next_in + 1);
	if ((uint16_t)(ch->next_in - ch->ack_sent) >= ch->ack_at)
		channel_acknowledge(ch);
}

/* What may be wrong with a line of a longer message, or of one that is under way; `NONE` if it is right. */
static enum channel_fault check_fragment(const struct channel *ch, uint16_t type, uint16_t length)
{
	if (ch->rest != 0)
		return length == ch->rest && type == ch->rest_type ? CHANNEL_FAULT_NONE : CHANNEL_FAULT_FRAGMENT;
	return length <= channel_longest(ch) ? CHANNEL_FAULT_NONE : CHANNEL_FAULT_LENGTH;
}

/* Any line that is new but not a whole message with a plausible acknowledgement. */
struct channel_result channel_receive_special(struct channel *ch, uint64_t header, struct channel_message *out)
{
	uint16_t acked = (uint16_t)(channel_header_acknowledgement(header) - ch->acked);
	uint16_t type = channel_header_type(header);
	uint16_t length = channel_header_length(header);
	uint16_t here = length < CHANNEL_LINE_PAYLOAD ? length : CHANNEL_LINE_PAYLOAD;
	bool only_acknowledges = length == CHANNEL_ACK_LENGTH && type == 0 && ch->rest == 0;
	enum channel_fault fault = only_acknowledges ? CHANNEL_FAULT_NONE : check_fragment(ch, type, length);

	if (acked > channel_outstanding(ch))
		return broken(ch, CHANNEL_FAULT_ACKNOWLEDGEMENT);
	if (fault != CHANNEL_FAULT_NONE)
		return broken(ch, fault);

	if (only_acknowledges) {
		take_line(ch, header);
		return answer(CHANNEL_EMPTY);
	}
	out->type = type;
	out->length = here;
	out->rest = (uint16_t)(length - here);
	ch->taken = (uint16_t)((ch->rest != 0 ? ch->taken : 0) + here);
	ch->rest = out->rest;
	ch->rest_type = type;
	take_line(ch, header);
	return answer(CHANNEL_OK);
}

static void unpack(unsigned char *bytes, const uint64_t *words, size_t length)
{
	size_t whole = length / 8;

	for (size_t i = 0; i < whole; i++)
		__builtin_memcpy(bytes + i * 8, &words[i], 8);
	for (size_t i = 0; i < length % 8; i++)
		bytes[whole * 8 + i] = (unsigned char)(words[whole] >> i * 8);
}

struct channel_result channel_try_receive_bytes(struct channel *ch, void *buffer, size_t capacity, uint16_t *type, size_t *length)
{
	struct channel_message line;
	struct channel_result result;

	do {
		size_t at = ch->rest != 0 ? ch->taken : 0;

		result = channel_try_receive(ch, &line);
		if (!channel_ok(result))
			return result;
		if (at < capacity)
			unpack((unsigned char *)buffer + at, line.words, line.length < capacity - at ? line.length : capacity - at);
		*length = at + line.length;
	} while (line.rest != 0);

	*type = line.type;
	return answer(*length <= capacity ? CHANNEL_OK : CHANNEL_TOO_LONG);
}

/* ---- Another place ---- */

/* The header is looked at first: a line that was complete then is copied whole, and of one that was not the payload does not count. */
void channel_copy_lines(void *to, const void *from, unsigned lines)
{
	struct channel_slot *out = to;
	const struct channel_slot *in = from;

	for (unsigned i = 0; i < lines; i++) {
		uint64_t header = channel_load_header(&in[i].line.header);

		for (unsigned w = 0; w < CHANNEL_WORDS; w++)
			channel_store_payload(&out[i].line.payload[w], channel_load_payload(&in[i].line.payload[w]));
		channel_store_header(&out[i].line.header, header);
	}
}
