/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Several virtual nodes on one node of the host, at most `limit` on each, for the least limit that does.
 *
 * Since there are only two sizes, a host node's part is said by two numbers: how many larger ones it takes, and how many small ones then
 * still fit. most[l] is how many small ones the host nodes looked at so far can take if together they take l larger ones; adding a host
 * node tries every number of larger ones for it. What is found is therefore exact: if there is no such deal, none exists. */

#include "numa/plan/deal.h"

#include <string.h>

enum { NONE = -1 };

struct parts {
	int most[PLAN_NODES + 1];
	uint8_t chosen[HOST_NODES][PLAN_NODES + 1]; /* larger ones for this host node, if it and those before take l */
};

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* The small ones that fit beside so many larger ones, or NONE if already these don't. */
static int room(const struct deal *d, unsigned node, unsigned limit, unsigned larger)
{
	unsigned slots = d->memory_mib == 0 ? limit : (unsigned)least(limit, (unsigned)(d->host->node[node].memory_mib / d->memory_mib));

	if (larger > slots || larger * (d->small + 1) > d->cores[node])
		return NONE;
	return (int)least(slots - larger, (d->cores[node] - larger * (d->small + 1)) / d->small);
}

static void add_node(const struct deal *d, unsigned node, unsigned limit, struct parts *parts)
{
	int next[PLAN_NODES + 1];

	for (unsigned total = 0; total <= d->larger; total++) {
		next[total] = NONE;
		for (unsigned larger = 0; larger <= total; larger++) {
			int small = room(d, node, limit, larger), before = parts->most[total - larger];

			if (small == NONE)
				break;
			if (before != NONE && before + small > next[total]) {
				next[total] = before + small;
				parts->chosen[node][total] = (uint8_t)larger;
			}
		}
	}
	memcpy(parts->most, next, sizeof(next[0]) * (d->larger + 1));
}

/* One small one less for whoever has most, until there are as many as needed. */
static void trim(const struct deal *d, unsigned surplus, const unsigned *larger, unsigned *small)
{
	for (; surplus > 0; surplus--) {
		unsigned fullest = HOST_NODES;

		for (unsigned n = 0; n < d->host->nodes; n++)
			if (small[n] > 0 && (fullest == HOST_NODES || larger[n] + small[n] >= larger[fullest] + small[fullest]))
				fullest = n;
		small[fullest]--;
	}
}

static void put(struct hand *hand, const struct deal *d, const unsigned *counts)
{
	for (unsigned n = 0; n < d->host->nodes; n++)
		for (unsigned i = 0; i < counts[n]; i++)
			hand->node[hand->count++] = (uint16_t)n;
}

static bool deal_limited(const struct deal *d, unsigned limit, struct hand *hand)
{
	static struct parts parts;
	unsigned larger[HOST_NODES] = {0}, small[HOST_NODES] = {0}, left = d->larger;

	for (unsigned l = 1; l <= d->larger; l++)
		parts.most[l] = NONE;
	parts.most[0] = 0;
	for (unsigned n = 0; n < d->host->nodes; n++)
		add_node(d, n, limit, &parts);
	if (parts.most[d->larger] < (int)(d->nodes - d->larger))
		return false;
	for (unsigned n = d->host->nodes; n-- > 0; left -= larger[n]) {
		larger[n] = parts.chosen[n][left];
		small[n] = (unsigned)room(d, n, limit, larger[n]);
	}
	trim(d, (unsigned)parts.most[d->larger] - (d->nodes - d->larger), larger, small);
	*hand = (struct hand){0};
	put(hand, d, larger);
	put(hand, d, small);
	return true;
}

bool deal_shared(const struct deal *d, struct hand *hand)
{
	for (unsigned limit = 1; limit <= d->nodes; limit++)
		if (deal_limited(d, limit, hand))
			return true;
	return false;
}
