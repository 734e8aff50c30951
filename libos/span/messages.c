/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include "libos/span/messages.h"

#include "monitor/abi/start.h"

struct description {
	unsigned bytes;
	bool answer;
};

static const struct description descriptions[LINK_TYPES] = {
#define MESSAGE(name, number, fields) [number] = {sizeof(struct link_##name), false},
#define ANSWER(name, number, fields)  [number] = {sizeof(struct link_##name), true},
#include "libos/span/messages.def"
#undef MESSAGE
#undef ANSWER
};

unsigned link_message_bytes(unsigned type)
{
	return type < LINK_TYPES ? descriptions[type].bytes : 0;
}

bool link_is_answer(unsigned type)
{
	return type < LINK_TYPES && descriptions[type].answer;
}

#define IN_RANGE_ANY(value)    true
#define IN_RANGE_MEMBER(value) ((value) < SPAN_MAX)
#define IN_RANGE_FLAG(value)   ((value) <= 1)

#define ANSWER                   MESSAGE
#define FIELD(type, name, range) &&IN_RANGE_##range(m->name)
#define MESSAGE(name, number, fields)                                                                                                      \
	static bool check_##name(const struct link_##name *m)                                                                              \
	{                                                                                                                                  \
		(void)m;                                                                                                                   \
		return true fields;                                                                                                        \
	}
#include "libos/span/messages.def"
#undef MESSAGE
#undef FIELD

err_t link_message_check(unsigned type, unsigned bytes, const union link_message *m)
{
	if (link_message_bytes(type) == 0 || bytes != link_message_bytes(type))
		return ERR(MESSAGE);
	switch (type) {
#define MESSAGE(name, number, fields)                                                                                                      \
	case number:                                                                                                                       \
		return check_##name(&m->name) ? OK : ERR(MESSAGE);
#include "libos/span/messages.def"
#undef MESSAGE
#undef ANSWER
	default:
		return ERR(MESSAGE);
	}
}
