/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* `span` tries spanning domains from inside one and prints a @test fact for each check; `span child WHAT` is the domain that some checks
 * need to see the end of; `span loss` needs the right to let a core die. What runs on other members touches no data of the program. */

#include <atoll/domain.h>
#include <atoll/span.h>

#include "tests/programs/check.h"

#define PROGRAM "span"

/* The other cores that are up. */
extern struct core_info cores[MACHINE_CORES];
extern unsigned others;
void find_cores(void);

/* Grows to each of them, or gives them up again. */
const char *grow_to_all(void);
const char *shrink_from_all(void);

/* What a check says of itself; false: it failed. */
bool report(const char *name, const char *why);

/* Checks of ends, and the domains that end in them. */
bool check_ends(void);
bool check_losses(void);
int child(const char *what);
