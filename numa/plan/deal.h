/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* What deal.c and share.c have in common. */

#include "numa/plan/plan.h"

struct deal {
	const struct attempt *attempt;
	const struct host *host;
	unsigned nodes;             /* virtual */
	unsigned group;             /* so many consecutive ones have to be in one package */
	unsigned small;             /* cores of a virtual node */
	unsigned larger;            /* so many virtual nodes have one core more */
	uint64_t memory_mib;        /* of the largest virtual node */
	unsigned cores[HOST_NODES]; /* of each host node that may be used */
	unsigned package[HOST_NODES];
};

/* The host nodes of the virtual ones, in the order in which they are dealt: the larger first. */
struct hand {
	unsigned count;
	unsigned cost;
	uint16_t node[PLAN_NODES];
};

/* The cores of the virtual node whose turn it is. */
static inline unsigned deal_size(const struct deal *d, unsigned turn)
{
	return d->small + (turn < d->larger);
}

/* Deals so that as few virtual nodes as possible share one node of the host. */
bool deal_shared(const struct deal *d, struct hand *hand);
