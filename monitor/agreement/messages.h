/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* The agreement's messages, made from messages.def. Pure. */

#include "channels/line.h"
#include "cpudriver/abi/capabilities.h"
#include "cpudriver/abi/core_boot.h"
#include "cpudriver/abi/errors.h"

#define AGREEMENT_FIRST 100 /* the monitors' other messages have smaller numbers */

struct agreement_head {
	uint32_t operation, view;
	uint64_t object; /* base | owner << 4 | type */
	uint64_t size;
};
_Static_assert(sizeof(struct agreement_head) == 24, "");

#define AGREEMENT_TYPE_MASK   UINT64_C(0xf)
#define AGREEMENT_OWNER_SHIFT 4
#define AGREEMENT_BASE_MASK   (~UINT64_C(0xfff))
_Static_assert(CAP_TYPES <= 16, "a type has four bits");
_Static_assert(CORES_MAX <= 256, "an owner has eight, and everything that crosses begins with a page");

#define FIELD(type, name, range) type name;
#define AGREEMENT(name, number, fields)                                                                                                    \
	struct agreement_##name {                                                                                                          \
		struct agreement_head head;                                                                                                \
		fields                                                                                                                     \
	};                                                                                                                                 \
	_Static_assert(sizeof(struct agreement_##name) <= CHANNEL_LINE_PAYLOAD, "one line of a channel");
#include "monitor/agreement/messages.def"
#undef AGREEMENT
#undef FIELD

enum agreement_type {
#define AGREEMENT(name, number, fields) AGREEMENT_##name = number,
#include "monitor/agreement/messages.def"
#undef AGREEMENT
	AGREEMENT_TYPES
};

union agreement_message {
	uint64_t words[CHANNEL_WORDS];
	struct agreement_head head;
#define AGREEMENT(name, number, fields) struct agreement_##name name;
#include "monitor/agreement/messages.def"
#undef AGREEMENT
};
_Static_assert(sizeof(union agreement_message) == CHANNEL_LINE_PAYLOAD, "");

/* Bytes of a message of that type, whole words; 0: there is no such type. */
unsigned agreement_bytes(unsigned type);
const char *agreement_name(unsigned type);

/* All rights of a type. */
uint8_t agreement_rights(unsigned type);
/* Whether other cores may have capabilities of that type. */
bool agreement_crosses(unsigned type);
/* Whether an object of that type and size may be shared. A doorbell of a whole dispatcher is not: monitors install it where it is needed.
 */
bool agreement_shares(unsigned type, uint64_t size);

/* Whether the message may be looked at: type and length fit, every field is in its range. Errors: MESSAGE. */
MUST_USE err_t agreement_check(unsigned type, unsigned bytes, const union agreement_message *m, unsigned cores);
