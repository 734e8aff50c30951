/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* One scenario: a distribution, and what happens to it. Its name is distribution:cores:operations:deaths:joins, the operations as numbers
 * of distribution_begin's list, the joins only if there are any: frame:3:5,17:0, heir:3:2:1:1. */

#include "tests/explore/scenarios.h"
#include "tests/explore/search.h"

#define OPERATIONS_EACH 3 /* at most */

struct scenario {
	const struct distribution *distribution;
	unsigned cores, deaths, joins, operations;
	unsigned number[OPERATIONS_EACH]; /* ascending */
};

const char *scenario_text(const struct scenario *s);
/* False: that is no scenario's name. The numbers are not checked. */
bool scenario_parse(const char *text, struct scenario *s);

/* The distribution, made and saved; the operations on it are listed. NULL: making it broke an invariant. */
void *scenario_begin(const struct distribution *d, unsigned cores, unsigned *listed);
/* How many sets of so many numbers below `limit` there are; a number may be in it several times. */
size_t count_sets(unsigned numbers, unsigned limit);
/* The one of that index in the order of their numbers. */
void scenario_choose(struct scenario *s, size_t index, unsigned listed);

/* From its beginning. */
void scenario_search(const struct scenario *s, const void *beginning, struct search *search, bool whole);
void scenario_show_requests(const struct scenario *s);
/* What a search has found, drawn. */
void scenario_show_broken(const struct scenario *s, const void *beginning, const struct search *search);
