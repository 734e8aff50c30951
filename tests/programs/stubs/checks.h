/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Checks of a service from its client's side, each with an open client; NULL, or the reason why it failed. */

#include "cpudriver/abi/errors.h"
#include "generated/tests/programs/stubs/workshop.h"

#define CHECK_SENTENCE trouble_sentence
#include "tests/programs/check.h"

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
