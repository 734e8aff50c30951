/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Messages between the members of a span, made from messages.def. Pure. */

#include "channels/line.h"
#include "cpudriver/abi/errors.h"

#define ANSWER                   MESSAGE
#define FIELD(type, name, range) type name;
#define MESSAGE(name, number, fields)                                                                                                      \
	struct __attribute__((aligned(8))) link_##name { /* whole words, because it is copied and sent as such */                          \
		fields                                                                                                                     \
	};                                                                                                                                 \
	_Static_assert(sizeof(struct link_##name) <= CHANNEL_LINE_PAYLOAD, "one line of a channel");
#include "libos/span/messages.def"
#undef MESSAGE
#undef FIELD

enum link_type {
#define MESSAGE(name, number, fields) LINK_##name = number,
#include "libos/span/messages.def"
#undef MESSAGE
	LINK_TYPES
};

/* Any message, in words. */
union link_message {
	uint64_t words[CHANNEL_WORDS];
#define MESSAGE(name, number, fields) struct link_##name name;
#include "libos/span/messages.def"
#undef MESSAGE
};
#undef ANSWER
_Static_assert(sizeof(union link_message) == CHANNEL_LINE_PAYLOAD, "");

/* Bytes of a message of that type, whole words; 0: there is no such type. */
unsigned link_message_bytes(unsigned type);
/* Whether it completes a question. */
bool link_is_answer(unsigned type);
/* Whether a member's message may be handled: the type exists, the length is the type's, every field is in its range. Errors: MESSAGE. */
MUST_USE err_t link_message_check(unsigned type, unsigned bytes, const union link_message *m);
