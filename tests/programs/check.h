/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Checks of the programs that the boot tests run: a function that returns NULL, or the reason why it failed. */

#include <stdio.h>

#include <atoll/domain.h>

#define READ_WRITE RIGHTS(RIGHT_READ | RIGHT_WRITE)

#define CHECK(condition)                                                                                                                   \
	do {                                                                                                                               \
		if (!(condition))                                                                                                          \
			return #condition;                                                                                                 \
	} while (0)

/* Whoever has errors of its own says before this is included how they are spelt. */
#ifndef CHECK_SENTENCE
#define CHECK_SENTENCE err_sentence
#endif
#define CHECK_OK(call) CHECK_ERROR(call, OK)
#define CHECK_ERROR(call, name)                                                                                                            \
	do {                                                                                                                               \
		err_t checked = (call);                                                                                                    \
		if (!err_is(checked, ERR_NUMBER_##name))                                                                                   \
			return not_as_expected(#call, #name, CHECK_SENTENCE(checked));                                                     \
	} while (0)

static inline const char *not_as_expected(const char *call, const char *expected, const char *error)
{
	static char text[300];

	snprintf(text, sizeof text, "%s: %s is expected, not: %s", call, expected, error);
	return text;
}

/* From now on. */
static inline uint64_t in_ms(unsigned ms)
{
	return time_tsc() + time_tsc_hz() / 1000 * ms;
}
