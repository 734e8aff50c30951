/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Which domain should move to which core. Pure: the balancer looks at the cores, this decides.
 *
 * What a domain ran says little of what it wants: four that compute on one core run a quarter each. So each has a *demand*, in thousandths
 * of a core. On a core that is not full it is what it ran. On a full one, whoever ran nearly as much as an equal share would like all of
 * it.
 *
 * From the core with the largest demand goes the domain after whose move the larger of the two demands is the least, to the core with the
 * least demand; of cores that are about equal the nearest is taken, and of domains that are equally good the one with the least memory,
 * because that is what is copied. It must gain LOAD_HYSTERESIS, and a domain that has moved rests, or things would go back
 * and forth: one that wants just an equal share looks as if it wanted more. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOAD_WHOLE      1000 /* one core */
#define LOAD_FULL       900  /* a core that runs more than this has no time left */
#define LOAD_HYSTERESIS 300
#define LOAD_EQUAL      100 /* cores that differ by less are about equal */

struct load_domain {
	uint32_t domain, core;
	uint32_t ran;    /* thousandths of the period */
	uint32_t demand; /* balance_choose fills it in */
	uint64_t memory; /* bytes */
	bool stays;      /* it can't move, should not, or rests */
};

struct load_core {
	bool alive;
	uint32_t node;
	uint32_t demand; /* likewise */
};

struct load {
	unsigned cores, domains;
	struct load_core *core;
	struct load_domain *domain;
	const uint32_t *distance; /* between nodes: [from * nodes + to]; NULL: all are equally near */
	unsigned nodes;
};

struct load_move {
	unsigned domain; /* index */
	uint32_t from, to;
	uint32_t before, after; /* the larger demand of the two cores */
};

/* False: nothing is worth a move. */
bool balance_choose(struct load *l, struct load_move *out);
