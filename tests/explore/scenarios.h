/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* What is explored: how objects are distributed at first, and which operations then begin at any moment.
 *
 * A distribution is made by real operations, one after another. From it and a number of operations follow all scenarios of that many
 * operations on its objects, by any core: a scenario is a set of numbers of operations (an operation may be in it twice). */

#include <stdbool.h>

#include "tests/explore/world.h"

struct distribution {
	const char *name, *meaning;
	unsigned cores_min;
	void (*make)(unsigned cores);
};

extern const struct distribution distributions[];
extern const unsigned distribution_count;

#define OPERATIONS_LISTED 160

/* Where operation k of a scenario makes or brings something: ARRIVALS - k. */
#define ARRIVALS   (USER_SLOTS - 1)
#define TO_ARRIVAL 255 /* as the slot of an operation that is listed */

/* Makes the distribution and lists the operations on it. False: it could not be made, see `broken`. */
bool distribution_begin(const struct distribution *d, unsigned cores, struct request *list, unsigned *count);
