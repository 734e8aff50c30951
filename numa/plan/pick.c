/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Which cores in the host's node: as few caches as possible, of those that suffice the smallest, so that large ones stay whole for the
 * next. Of a mixture of kinds the fast ones first. */

#include "numa/plan/plan.h"

#include <stdlib.h>
#include <string.h>

struct place {
	struct attempt *attempt;
	unsigned node;
	unsigned free[HOST_PROCESSORS]; /* cores of each group (attempt_group) in this node */
};

static bool is_free(const struct place *place, unsigned core)
{
	const struct host_core *c = &place->attempt->host->core[core];

	return c->node == place->node && !place->attempt->taken[core] && attempt_may_use(place->attempt, c);
}

static void count_free(struct place *place)
{
	memset(place->free, 0, sizeof(place->free));
	for (unsigned c = 0; c < place->attempt->host->cores; c++)
		if (is_free(place, c))
			place->free[attempt_group(place->attempt, &place->attempt->host->core[c])]++;
}

/* The smallest group with so many free cores; if there is none, the largest. */
static unsigned best_group(const struct place *place, unsigned cores)
{
	const struct host *host = place->attempt->host;
	unsigned best = 0, largest = 0, groups = place->attempt->block_in_package ? host->packages : host->caches;
	bool found = false;

	for (unsigned g = 0; g < groups; g++) {
		if (place->free[g] >= cores && (!found || place->free[g] < place->free[best])) {
			best = g;
			found = true;
		}
		if (place->free[g] > place->free[largest])
			largest = g;
	}
	return found ? best : largest;
}

/* The fastest free core of a group, the first of several. */
static unsigned best_core(const struct place *place, unsigned group)
{
	const struct host *host = place->attempt->host;
	unsigned best = HOST_PROCESSORS;

	for (unsigned c = 0; c < host->cores; c++)
		if (is_free(place, c) && attempt_group(place->attempt, &host->core[c]) == group &&
		    (best == HOST_PROCESSORS || host->core[c].kind > host->core[best].kind))
			best = c;
	return best;
}

static int by_number(const void *a, const void *b)
{
	return (int)*(const uint16_t *)a - (int)*(const uint16_t *)b;
}

/* plan_deal has seen to it that blocks find room. */
static void pick_cores(struct place *place, unsigned cores, uint16_t *picked)
{
	unsigned block = place->attempt->block;

	for (unsigned done = 0; done < cores;) {
		unsigned want = block != 0 ? block : cores - done, group;

		count_free(place);
		group = best_group(place, want);
		for (unsigned left = want < place->free[group] ? want : place->free[group]; left > 0; left--) {
			unsigned core = best_core(place, group);

			place->attempt->taken[core] = true;
			picked[done++] = (uint16_t)core;
		}
	}
	qsort(picked, cores, sizeof(*picked), by_number);
}

void plan_pick(struct attempt *attempt, struct plan *plan)
{
	static uint16_t picked[PLAN_CPUS];
	static struct place place;

	place.attempt = attempt;
	for (unsigned v = 0; v < plan->nodes; v++) {
		const struct plan_node *node = &plan->node[v];

		place.node = node->host_node;
		pick_cores(&place, node->cores, picked);
		for (unsigned i = 0; i < node->cpus; i++)
			plan->cpu[node->first + i] = (struct plan_cpu){
			    .node = (uint16_t)v,
			    .processor = (uint16_t)(attempt->host->core[picked[i / plan->threads]].first + i % plan->threads)};
	}
}
