/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Checks of a service from its client's side, each with an open client; NULL, or the reason why it failed. */

#include "cpudriver/abi/errors.h"
#include "generated/tests/programs/stubs/workshop.h"

struct check {
	const char *name;
	const char *(*run)(struct workshop *w);
};
extern const struct check call_checks[], stream_checks[], carry_checks[], bad_checks[]; /* the last one has no name */

/* The server is killed in it. */
struct started {
	uint32_t domain;
	unsigned core;
	char name[24];
};
const char *check_death(struct workshop *w, const struct started *s);

#define CHECK(condition)                                                                                                                   \
	do {                                                                                                                               \
		if (!(condition))                                                                                                          \
			return #condition;                                                                                                 \
	} while (0)
#define CHECK_OK(call) CHECK_ERROR(call, OK)
#define CHECK_ERROR(call, name)                                                                                                            \
	do {                                                                                                                               \
		err_t checked = (call);                                                                                                    \
		if (!err_is(checked, ERR_NUMBER_##name))                                                                                   \
			return not_as_expected(#call, #name, checked);                                                                     \
	} while (0)
const char *not_as_expected(const char *call, const char *expected, err_t e);

/* From now on. */
uint64_t in_ms(unsigned ms);
