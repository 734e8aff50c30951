/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* What follows from the choice: distances, processors for QEMU's own threads, and the sentences that explain it. */

#include "numa/plan/plan.h"

#include <stdio.h>
#include <string.h>

enum {
	DISTANCE_LOCAL = 10, /* ACPI 6.4, section 5.2.17 */
	DISTANCE_LEAST = 11, /* between two nodes: Linux refuses a SLIT with less */
};

static void set_distances(const struct host *host, struct plan *plan)
{
	for (unsigned a = 0; a < plan->nodes; a++) {
		for (unsigned b = 0; b < plan->nodes; b++) {
			unsigned from = plan->node[a].host_node, to = plan->node[b].host_node;

			plan->distance[a][b] = a == b ? DISTANCE_LOCAL : from == to ? DISTANCE_LEAST : host->distance[from][to];
		}
	}
}

/* Whole cores; if none is left, the other threads of those in use. */
static void set_spares(const struct attempt *attempt, struct plan *plan)
{
	static bool used[HOST_PROCESSORS];
	const struct host *host = attempt->host;

	memset(used, 0, sizeof(used));
	for (unsigned i = 0; i < plan->cpus; i++)
		used[plan->cpu[i].processor] = true;
	for (unsigned whole = 2; whole-- > 0 && plan->spares == 0;)
		for (unsigned c = 0; c < host->cores; c++)
			for (unsigned t = 0; t < host->core[c].threads; t++)
				if (!used[host->core[c].first + t] && (!whole || !attempt->taken[c]))
					plan->spare[plan->spares++] = (uint16_t)(host->core[c].first + t);
}

/* ---- Sentences ---- */

static const char *plural(unsigned count)
{
	return count == 1 ? "" : "s";
}

void plan_introduce(const struct host *host, struct plan *plan)
{
	char kinds[64] = "";

	if (host->kinds > 1)
		snprintf(kinds, sizeof(kinds), " of %u kinds", host->kinds);
	plan_say(plan, "%s has %u package%s, %u node%s with processors, %u core%s%s and %u processor%s that may be used.",
	         host->this_one ? "This host" : host->name, host->packages, plural(host->packages), host->nodes, plural(host->nodes),
	         host->cores, plural(host->cores), kinds, host->processors, plural(host->processors));
	if (host->bare_nodes > 0)
		plan_say(plan, "%u of its nodes %s left out: no processor is near, or another node with more memory is as near.",
		         host->bare_nodes, host->bare_nodes == 1 ? "is" : "are");
}

static void say_kinds(const struct attempt *attempt, struct plan *plan)
{
	const struct host *host = attempt->host;
	unsigned count[HOST_PROCESSORS] = {0}, used = 0;

	if (host->kinds == 1)
		return;
	for (unsigned i = 0; i < plan->cpus; i++)
		used += count[host->processor[plan->cpu[i].processor].kind]++ == 0;
	if (used > 1)
		plan_say(
		    plan,
		    "No kind of cores has enough of them, so virtual CPUs are of %u kinds of unequal speed: compare only those of one.",
		    used);
	else
		plan_say(plan, "All virtual CPUs are on cores of one kind, the %s that has enough of them.",
		         host->kinds - 1 == attempt->kind ? "fastest" : "next fastest");
}

static void say_threads(const struct attempt *attempt, struct plan *plan)
{
	bool siblings = false;

	for (unsigned c = 0; c < attempt->host->cores; c++)
		siblings |= attempt->taken[c] && attempt->host->core[c].threads > plan->threads;
	if (plan->threads > 1 && attempt->wish->threads == 0)
		plan_say(plan, "There are too few cores for one virtual CPU each, so %u are the threads of one, and the guest is told so.",
		         plan->threads);
	else if (siblings)
		plan_say(plan, "Cores have more threads than are used, so that no virtual CPU shares a core with another one.");
}

static void say_sharing(const struct host *host, struct plan *plan)
{
	for (unsigned v = 0, next; v < plan->nodes; v = next) {
		for (next = v + 1; next < plan->nodes && plan->node[next].host_node == plan->node[v].host_node; next++)
			;
		if (next > v + 1)
			plan_say(plan,
			         "Virtual nodes %u to %u share the host's node %u: the guest is told the least distance between them, %u, "
			         "where there is none.",
			         v, next - 1, host->node[plan->node[v].host_node].os, DISTANCE_LEAST);
	}
}

static void say_distances(const struct host *host, struct plan *plan)
{
	unsigned different = 0;

	for (unsigned v = 1; v < plan->nodes; v++)
		different += plan->node[v].host_node != plan->node[v - 1].host_node;
	if (different == 0)
		return;
	if (different + 1 < host->nodes)
		plan_say(plan, "Of the host's nodes, these are the nearest to each other that fit.");
	plan_say(plan,
	         host->has_distances ? "Distances are the host's own." : "The host doesn't state distances: 20 stands for all of them.");
}

static void say_spares(struct plan *plan)
{
	if (plan->spares > 0)
		plan_say(plan, "QEMU's own threads get the %u processor%s that %s left.", plan->spares, plural(plan->spares),
		         plan->spares == 1 ? "is" : "are");
	else
		plan_say(plan, "No processor is left for QEMU's own threads: they disturb the virtual CPUs.");
}

void plan_finish(const struct attempt *attempt, struct plan *plan)
{
	set_distances(attempt->host, plan);
	set_spares(attempt, plan);
	say_kinds(attempt, plan);
	say_threads(attempt, plan);
	say_sharing(attempt->host, plan);
	say_distances(attempt->host, plan);
	say_spares(plan);
}
