/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* What lies in memory that both sides see: the layout of a ring, and the header of a line.
 *
 * A ring is a power of two of slots. A slot is 128 bytes, two cache lines: the message line, and a line beside it that
 * keeps neighbouring message lines apart, because prefetchers fetch lines in pairs and would pull a line out of the
 * sender's hands while it is being written. The line beside the first message line carries the receiver's notice; the
 * others are not used.
 *
 * header   bits  0..15  sequence: one more than that of the line before; its low bits are the slot's index
 *               16..31  acknowledgement: the writer has taken every line of the other direction before this sequence
 *               32..47  type: the user's
 *               48..63  length: bytes of the message from this line on, so a line with more than 56 has a successor
 *                       with 56 fewer; CHANNEL_ACK_LENGTH says that this line is an acknowledgement and nothing else
 *
 * The first line's sequence is the number of slots (index 0). Memory starts as zeroes. So a header that has not been
 * written yet shows, instead of the sequence that is expected, that of one lap before, or in the first lap a 0. */

#include <stddef.h>
#include <stdint.h>

#include "channels/memory.h"

enum {
	CHANNEL_WORDS = 7,                        /* payload of a line, in words of 64 bits */
	CHANNEL_LINE_PAYLOAD = CHANNEL_WORDS * 8, /* and in bytes */
	CHANNEL_LINES_MIN = 4,                    /* fewer would answer every acknowledgement with another */
	CHANNEL_LINES_MAX = 1024,
	CHANNEL_ACK_LENGTH = 0xffff,
};

/* Written by the sender only, read by the receiver only. */
struct channel_line {
	_Alignas(64) channel_shared_word payload[CHANNEL_WORDS];
	channel_shared_word header; /* written last */
};

/* Written by the receiver only, read by the sender only. */
struct channel_notice {
	_Alignas(64) channel_shared_word parking; /* counts up; odd while the receiver sleeps or is about to */
};

struct channel_slot {
	struct channel_line line;
	struct channel_notice notice;
};

_Static_assert(sizeof(channel_shared_word) == 8, "a word in memory that two cores share");
_Static_assert(sizeof(struct channel_line) == 64, "a cache line that crosses between cores");
_Static_assert(offsetof(struct channel_line, header) == 56, "the header is the last word");
_Static_assert(sizeof(struct channel_slot) == 128, "two cache lines");

static inline uint64_t channel_header(uint16_t sequence, uint16_t acknowledgement, uint16_t type, uint16_t length)
{
	return (uint64_t)sequence | (uint64_t)acknowledgement << 16 | (uint64_t)type << 32 | (uint64_t)length << 48;
}

static inline uint16_t channel_header_sequence(uint64_t header)
{
	return (uint16_t)header;
}
static inline uint16_t channel_header_acknowledgement(uint64_t header)
{
	return (uint16_t)(header >> 16);
}
static inline uint16_t channel_header_type(uint64_t header)
{
	return (uint16_t)(header >> 32);
}
static inline uint16_t channel_header_length(uint64_t header)
{
	return (uint16_t)(header >> 48);
}
