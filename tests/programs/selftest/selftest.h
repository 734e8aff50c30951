/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* What a program may count on, tried from inside one: `selftest` runs every check and prints a `@test` fact for each; `selftest child ...`
 * is the other domain that some checks need. */

#include <atoll/domain.h>

#include "tests/programs/check.h"

#define PROGRAM "selftest"

struct check {
	const char *name;
	const char *(*run)(void);
};
extern const struct check own_checks[], domain_checks[]; /* the last one has no name */

/* The other domain: does `what`, and answers its status. */
int child_main(const char *what, const char *argument);
