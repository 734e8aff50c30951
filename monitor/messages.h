/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Messages between monitors, made from messages.def. Pure. */

#include "channels/line.h"
#include "cpudriver/abi/errors.h"

#define FIELD(type, name, range) type name;
#define TEXT(name, bytes)        char name[bytes];
#define BYTES(name, bytes)       char name[bytes];
#define MESSAGE(name, number, fields)                                                                                                      \
	struct __attribute__((aligned(8))) message_##name { /* whole words, because it is copied and sent as such */                       \
		fields                                                                                                                     \
	};                                                                                                                                 \
	_Static_assert(sizeof(struct message_##name) <= CHANNEL_LINE_PAYLOAD, "one line of a channel");
#include "monitor/messages.def"
#undef MESSAGE
#undef FIELD
#undef TEXT
#undef BYTES

enum message_type {
#define MESSAGE(name, number, fields) MESSAGE_##name = number,
#include "monitor/messages.def"
#undef MESSAGE
	MESSAGE_TYPES
};

/* Any message, in words. */
union message {
	uint64_t words[CHANNEL_WORDS];
#define MESSAGE(name, number, fields) struct message_##name name;
#include "monitor/messages.def"
#undef MESSAGE
};
_Static_assert(sizeof(union message) == CHANNEL_LINE_PAYLOAD, "");

/* Bytes of a message of that type, whole words; 0: there is no such type. */
unsigned message_bytes(unsigned type);
const char *message_name(unsigned type);

/* Whether a peer's message may be handled: the type exists, the length is the type's, every field is in its range (`cores`: how many cores
 * the machine has). Errors: MESSAGE. */
MUST_USE err_t message_check(unsigned type, unsigned bytes, const union message *m, unsigned cores);
