/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Which node of the host each virtual node goes to.
 *
 * Virtual nodes are of two sizes at most, one core apart; the larger ones are dealt first, so that a small node of the host can't lose its
 * place to a virtual node that would have fitted elsewhere. Each gets a node to itself, as near to the others as possible: from every
 * node in turn as the first, the nearest that fits is added until there are enough, and the set with the least sum of distances wins. If
 * the user wants sockets of several nodes, the nodes of one are dealt together, from one package. Only if there aren't enough nodes do
 * several virtual ones share one (share.c). */

#include "numa/plan/deal.h"

/* Cores of a node that count: if blocks have to be together, those that make whole blocks. */
static void count_cores(struct deal *d)
{
	static unsigned in_group[HOST_NODES][HOST_PROCESSORS];
	const struct host *host = d->host;
	unsigned block = d->attempt->block != 0 ? d->attempt->block : 1;

	for (unsigned n = 0; n < host->nodes; n++)
		for (unsigned g = 0; g < host->caches || g < host->packages; g++)
			in_group[n][g] = 0;
	for (unsigned c = 0; c < host->cores; c++) {
		const struct host_core *core = &host->core[c];

		if (attempt_may_use(d->attempt, core) && ++in_group[core->node][attempt_group(d->attempt, core)] % block == 0)
			d->cores[core->node] += block;
		d->package[core->node] = core->package;
	}
}

static struct deal deal_of(const struct attempt *attempt)
{
	const struct wish *wish = attempt->wish;
	unsigned cores = wish->cpus / attempt->threads;
	struct deal d = {.attempt = attempt,
	                 .host = attempt->host,
	                 .nodes = wish->nodes,
	                 .group = 1,
	                 .small = cores / wish->nodes,
	                 .larger = cores % wish->nodes,
	                 .memory_mib = (wish->memory_mib + wish->nodes - 1) / wish->nodes};

	if (wish->sockets != 0 && wish->nodes % wish->sockets == 0)
		d.group = wish->nodes / wish->sockets;
	count_cores(&d);
	return d;
}

/* ---- A node to each ---- */

static unsigned apart(const struct host *host, unsigned a, unsigned b)
{
	return (unsigned)host->distance[a][b] + host->distance[b][a];
}

static unsigned cost_of(const struct deal *d, const struct hand *hand, unsigned node)
{
	unsigned cost = 0;

	for (unsigned i = 0; i < hand->count; i++)
		cost += apart(d->host, hand->node[i], node);
	return cost;
}

static bool fits(const struct deal *d, const struct hand *hand, unsigned node)
{
	for (unsigned i = 0; i < hand->count; i++)
		if (hand->node[i] == node)
			return false;
	return d->cores[node] >= deal_size(d, hand->count) && d->host->node[node].memory_mib >= d->memory_mib;
}

/* Whether the node's package has enough that fit for the rest of a socket, this one included, and goes on with one that is begun. */
static bool socket_fits(const struct deal *d, const struct hand *hand, unsigned node)
{
	unsigned begun = hand->count % d->group, count = 0;

	if (begun != 0)
		return d->package[node] == d->package[hand->node[hand->count - 1]];
	for (unsigned n = 0; n < d->host->nodes; n++)
		count += d->package[n] == d->package[node] && fits(d, hand, n);
	return count >= d->group;
}

/* HOST_NODES: there is none. */
static unsigned nearest(const struct deal *d, const struct hand *hand)
{
	unsigned best = HOST_NODES, least = 0;

	for (unsigned n = 0; n < d->host->nodes; n++) {
		unsigned cost = cost_of(d, hand, n);

		if ((best == HOST_NODES || cost < least) && fits(d, hand, n) && socket_fits(d, hand, n)) {
			best = n;
			least = cost;
		}
	}
	return best;
}

static bool deal_from(const struct deal *d, unsigned first, struct hand *hand)
{
	unsigned node = first;

	*hand = (struct hand){0};
	if (!fits(d, hand, first) || !socket_fits(d, hand, first))
		return false;
	while (node != HOST_NODES) {
		hand->cost += cost_of(d, hand, node);
		hand->node[hand->count++] = (uint16_t)node;
		if (hand->count == d->nodes)
			return true;
		node = nearest(d, hand);
	}
	return false;
}

static bool deal_apart(const struct deal *d, struct hand *best)
{
	struct hand hand;
	bool found = false;

	for (unsigned first = 0; first < d->host->nodes; first++) {
		if (deal_from(d, first, &hand) && (!found || hand.cost < best->cost)) {
			*best = hand;
			found = true;
		}
	}
	return found;
}

/* ---- The result ---- */

/* Virtual nodes in the order of the host's, so that those of a package are neighbours. */
static void lay_out(const struct deal *d, const struct hand *hand, struct plan *plan)
{
	unsigned next = 0, cpu = 0;
	uint64_t memory_mib = d->attempt->wish->memory_mib;

	for (unsigned n = 0; n < d->host->nodes; n++)
		for (unsigned turn = 0; turn < d->nodes; turn++)
			if (hand->node[turn] == n)
				plan->node[next++] = (struct plan_node){.host_node = (uint16_t)n, .cores = (uint16_t)deal_size(d, turn)};
	for (unsigned v = 0; v < d->nodes; v++) {
		struct plan_node *node = &plan->node[v];

		node->first = (uint16_t)cpu;
		node->cpus = (uint16_t)(node->cores * d->attempt->threads);
		node->memory_mib = share(memory_mib, d->nodes, v + 1) - share(memory_mib, d->nodes, v);
		cpu += node->cpus;
	}
}

static bool refuse(const struct deal *d, struct plan *plan)
{
	const struct wish *wish = d->attempt->wish;
	unsigned most = 0, need = deal_size(d, 0), wanted = d->nodes * d->small + d->larger, all = 0;
	unsigned long long most_mib = 0, memory_mib = wish->memory_mib, each_mib = d->memory_mib;
	const char *name = d->host->name, *which = d->attempt->threads == 1 ? "" : " with the threads for it";

	for (unsigned n = 0; n < d->host->nodes; n++) {
		most = d->cores[n] > most ? d->cores[n] : most;
		most_mib = d->host->node[n].memory_mib > most_mib ? d->host->node[n].memory_mib : most_mib;
		all += d->cores[n];
	}
	if (d->attempt->block > 1 && all < wanted)
		return plan_refuse(
		    plan, "SOCKETS=%u and DIES=%u don't fit: %s hasn't got room for %u times %u cores%s that are together in a %s.",
		    wish->sockets, wish->dies, name, wanted / d->attempt->block, d->attempt->block, which,
		    d->attempt->block_in_package ? "package" : "die or cache");
	if (all < wanted)
		return plan_refuse(plan, "CORES=%u doesn't fit: %u cores%s are needed, and %s has %u.", wish->cpus, wanted, which, name,
		                   all);
	if (most < need)
		return plan_refuse(
		    plan,
		    "CORES=%u with NODES=%u doesn't fit: a virtual node of %u cores would span nodes of %s, the largest of which "
		    "has %u%s. More nodes may do.",
		    wish->cpus, d->nodes, need, name, most, which);
	if (most_mib < each_mib)
		return plan_refuse(
		    plan, "MEM=%lluM with NODES=%u doesn't fit: no node of %s has %lluM, the largest has %lluM. More nodes may do.",
		    memory_mib, d->nodes, name, each_mib, most_mib);
	return plan_refuse(plan,
	                   "CORES=%u with NODES=%u and MEM=%lluM doesn't fit: too few nodes of %s have %u cores%s and %lluM for each.",
	                   wish->cpus, d->nodes, memory_mib, name, need, which, each_mib);
}

bool plan_deal(const struct attempt *attempt, struct plan *plan)
{
	struct deal d = deal_of(attempt);
	struct hand hand;

	if (d.small == 0)
		return plan_refuse(plan, "NODES=%u is more than there are virtual cores, %u: every node needs one.", d.nodes, d.larger);
	if (!deal_apart(&d, &hand) && !deal_shared(&d, &hand))
		return refuse(&d, plan);
	lay_out(&d, &hand, plan);
	return true;
}
