/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include <string.h>

#include "monitor/messages.h"
#include "monitor/ranges.h"

struct description {
	const char *name;
	unsigned bytes;
};

static const struct description descriptions[MESSAGE_TYPES] = {
#define MESSAGE(name, number, fields) [number] = {#name, sizeof(struct message_##name)},
#include "monitor/messages.def"
#undef MESSAGE
};

unsigned message_bytes(unsigned type)
{
	return type < MESSAGE_TYPES ? descriptions[type].bytes : 0;
}

const char *message_name(unsigned type)
{
	return type < MESSAGE_TYPES && descriptions[type].name != NULL ? descriptions[type].name : "unknown";
}

#define FIELD(type, name, range) &&in_range_##range(m->name, cores)
#define TEXT(name, bytes)        &&memchr(m->name, 0, bytes) != NULL
#define BYTES(name, size)        &&m->bytes <= size
#define MESSAGE(name, number, fields)                                                                                                      \
	static bool check_##name(const struct message_##name *m, unsigned cores)                                                           \
	{                                                                                                                                  \
		(void)cores;                                                                                                               \
		return true fields;                                                                                                        \
	}
#include "monitor/messages.def"
#undef MESSAGE
#undef FIELD
#undef TEXT
#undef BYTES

err_t message_check(unsigned type, unsigned bytes, const union message *m, unsigned cores)
{
	if (message_bytes(type) == 0 || bytes != message_bytes(type))
		return ERR(MESSAGE);
	switch (type) {
#define MESSAGE(name, number, fields)                                                                                                      \
	case number:                                                                                                                       \
		return check_##name(&m->name, cores) ? OK : ERR(MESSAGE);
#include "monitor/messages.def"
#undef MESSAGE
	default:
		return ERR(MESSAGE);
	}
}
