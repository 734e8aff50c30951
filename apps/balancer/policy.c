/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include "apps/balancer/policy.h"

/* ---- Demand ---- */

/* Less than this is not an equal share: it is all that the domain wants. */
static uint32_t nearly(uint32_t share)
{
	return share - share / 10;
}

/* What each of the core's domains would run if all that want to run had equal shares: found by giving what the small ones leave to the
 * others, until nobody new is small. */
static uint32_t fair_share(const struct load *l, uint32_t core)
{
	uint32_t share = 0, before;

	do {
		uint32_t left = LOAD_WHOLE, large = 0;

		before = share;
		for (unsigned i = 0; i < l->domains; i++) {
			const struct load_domain *d = &l->domain[i];

			if (d->core != core)
				continue;
			if (d->ran < nearly(share))
				left -= d->ran < left ? d->ran : left;
			else
				large++;
		}
		share = large == 0 ? LOAD_WHOLE : left / large;
	} while (share > before);
	return share;
}

static void find_demands(struct load *l, uint32_t core)
{
	const uint32_t share = fair_share(l, core);
	uint32_t ran = 0;

	l->core[core].demand = 0;
	for (unsigned i = 0; i < l->domains; i++)
		if (l->domain[i].core == core)
			ran += l->domain[i].ran;
	for (unsigned i = 0; i < l->domains; i++) {
		struct load_domain *d = &l->domain[i];

		if (d->core != core)
			continue;
		d->demand = ran >= LOAD_FULL && d->ran >= nearly(share) ? LOAD_WHOLE : d->ran;
		l->core[core].demand += d->demand;
	}
}

/* ---- Where from, where to ---- */

static uint32_t distance(const struct load *l, uint32_t from, uint32_t to)
{
	uint32_t a = l->core[from].node, b = l->core[to].node;

	return l->distance == NULL || a >= l->nodes || b >= l->nodes ? 0 : l->distance[a * l->nodes + b];
}

static bool find_busiest(const struct load *l, uint32_t *out)
{
	bool found = false;

	for (uint32_t c = 0; c < l->cores; c++)
		if (l->core[c].alive && (!found || l->core[c].demand > l->core[*out].demand)) {
			*out = c;
			found = true;
		}
	return found;
}

static uint32_t least_demand(const struct load *l, uint32_t except)
{
	uint32_t least = UINT32_MAX;

	for (uint32_t c = 0; c < l->cores; c++)
		if (l->core[c].alive && c != except && l->core[c].demand < least)
			least = l->core[c].demand;
	return least;
}

/* The nearest of those that have about the least to do. */
static bool find_idlest(const struct load *l, uint32_t from, uint32_t *out)
{
	const uint32_t least = least_demand(l, from);
	bool found = false;

	for (uint32_t c = 0; c < l->cores; c++) {
		if (!l->core[c].alive || c == from || l->core[c].demand - least >= LOAD_EQUAL)
			continue;
		if (!found || distance(l, from, c) < distance(l, from, *out)) {
			*out = c;
			found = true;
		}
	}
	return found;
}

static uint32_t larger(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

bool balance_choose(struct load *l, struct load_move *out)
{
	uint32_t from = 0, to = 0;
	bool found = false;

	for (uint32_t c = 0; c < l->cores; c++)
		find_demands(l, c);
	if (!find_busiest(l, &from) || !find_idlest(l, from, &to))
		return false;
	for (unsigned i = 0; i < l->domains; i++) {
		const struct load_domain *d = &l->domain[i];
		const struct load_move m = {i, from, to, l->core[from].demand,
		                            larger(l->core[from].demand - d->demand, l->core[to].demand + d->demand)};

		if (d->core != from || d->stays || m.after + LOAD_HYSTERESIS > m.before)
			continue;
		if (!found || m.after < out->after || (m.after == out->after && d->memory < l->domain[out->domain].memory))
			*out = m;
		found = true;
	}
	return found;
}
