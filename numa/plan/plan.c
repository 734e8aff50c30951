/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include "numa/plan/plan.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void plan_say(struct plan *plan, const char *format, ...)
{
	va_list arguments;

	if (plan->sentences == PLAN_SENTENCES)
		return;
	va_start(arguments, format);
	vsnprintf(plan->sentence[plan->sentences++], PLAN_SENTENCE_BYTES, format, arguments);
	va_end(arguments);
}

bool plan_refuse(struct plan *plan, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(plan->refusal, PLAN_SENTENCE_BYTES, format, arguments);
	va_end(arguments);
	return false;
}

bool attempt_may_use(const struct attempt *attempt, const struct host_core *core)
{
	return core->threads >= attempt->threads && (attempt->kind == ANY_KIND || core->kind == attempt->kind);
}

unsigned attempt_group(const struct attempt *attempt, const struct host_core *core)
{
	return attempt->block_in_package ? core->package : core->cache;
}

/* ---- One attempt ---- */

/* The cores of a die or socket that the user wants are picked together, if it doesn't straddle virtual nodes. */
static void set_block(struct attempt *attempt)
{
	const struct wish *wish = attempt->wish;
	unsigned dies = wish->sockets * wish->dies;

	if (dies == 0 || dies % wish->nodes != 0 || wish->cpus % (dies * attempt->threads) != 0)
		return;
	attempt->block = wish->cpus / (dies * attempt->threads);
	attempt->block_in_package = wish->dies == 1;
}

static bool try(const struct host *host, const struct wish *wish, unsigned threads, unsigned kind, struct plan *plan)
{
	static struct attempt attempt;

	memset(plan, 0, sizeof(*plan));
	if (wish->cpus % threads != 0)
		return wish->threads != 0
		           ? plan_refuse(plan, "CORES=%u doesn't make whole cores of %u threads.", wish->cpus, threads)
		           : plan_refuse(plan, "CORES=%u doesn't fit: %s has %u cores, and %u doesn't make whole ones of %u threads.",
		                         wish->cpus, host->name, host->cores, wish->cpus, threads);
	attempt = (struct attempt){.host = host, .wish = wish, .threads = threads, .kind = kind};
	set_block(&attempt);
	plan->cpus = wish->cpus;
	plan->nodes = wish->nodes;
	plan->threads = threads;
	plan_introduce(host, plan);
	if (!plan_deal(&attempt, plan))
		return false;
	plan_pick(&attempt, plan);
	if (!plan_shape(&attempt, plan))
		return false;
	plan_finish(&attempt, plan);
	return true;
}

/* ---- All of them ---- */

static unsigned most_threads(const struct host *host)
{
	unsigned most = 1;

	for (unsigned c = 0; c < host->cores; c++)
		most = host->core[c].threads > most ? host->core[c].threads : most;
	return most;
}

/* Cores of one kind, the fastest first. */
static bool try_kinds(const struct host *host, const struct wish *wish, unsigned threads, struct plan *plan)
{
	for (unsigned kind = host->kinds; kind-- > 0;)
		if (try(host, wish, threads, kind, plan))
			return true;
	return false;
}

/* One kind rather than a mixture, and whole cores rather than their threads. */
static bool try_all(const struct host *host, const struct wish *wish, struct plan *plan)
{
	unsigned fewest = wish->threads != 0 ? wish->threads : 1;
	unsigned most = wish->threads != 0 ? wish->threads : most_threads(host);

	for (unsigned threads = fewest; threads <= most; threads++)
		if (try_kinds(host, wish, threads, plan))
			return true;
	for (unsigned threads = fewest; host->kinds > 1 && threads <= most; threads++)
		if (try(host, wish, threads, ANY_KIND, plan))
			return true;
	return false;
}

/* The largest number of virtual CPUs that goes, so many in each node, without the second threads of cores. */
static bool try_numbers(const struct host *host, struct wish *wish, struct plan *plan)
{
	unsigned most = host->cores < PLAN_CPUS ? host->cores : PLAN_CPUS, threads = wish->threads != 0 ? wish->threads : 1;

	if (wish->nodes * threads > PLAN_CPUS)
		return plan_refuse(plan, "NODES=%u with THREADS=%u doesn't fit in %u virtual CPUs.", wish->nodes, threads, PLAN_CPUS);
	wish->threads = threads;
	for (unsigned each = most; each > 0; each--) {
		wish->cpus = each * wish->nodes * threads;
		if ((each == 1 || each * wish->nodes <= most) && wish->cpus <= PLAN_CPUS && try_all(host, wish, plan))
			return true;
	}
	return false;
}

/* What no attempt could change. */
static bool possible(const struct host *host, const struct wish *wish, struct plan *plan)
{
	uint64_t memory_mib = 0;

	for (unsigned n = 0; n < host->nodes; n++)
		memory_mib += host->node[n].memory_mib;
	if (host->nodes == 0)
		return plan_refuse(plan, "%s has no node with processors.", host->name);
	if (wish->sockets > PLAN_CPUS || wish->dies > PLAN_CPUS)
		return plan_refuse(plan, "SOCKETS=%u with DIES=%u is more than %u.", wish->sockets, wish->dies, PLAN_CPUS);
	if (wish->cpus > PLAN_CPUS)
		return plan_refuse(plan, "CORES=%u is more than %u.", wish->cpus, PLAN_CPUS);
	if (wish->nodes > PLAN_NODES)
		return plan_refuse(plan, "NODES=%u is more than %u.", wish->nodes, PLAN_NODES);
	if (wish->cpus > host->processors)
		return plan_refuse(plan, "CORES=%u doesn't fit: %s has %u processor%s for them.", wish->cpus, host->name, host->processors,
		                   host->processors == 1 ? "" : "s");
	if (wish->cpus != 0 && wish->nodes > wish->cpus)
		return plan_refuse(plan, "NODES=%u is more than CORES=%u: every node needs a core.", wish->nodes, wish->cpus);
	if (wish->memory_mib > memory_mib)
		return plan_refuse(plan, "MEM=%lluM doesn't fit: %s has %lluM.", (unsigned long long)wish->memory_mib, host->name,
		                   (unsigned long long)memory_mib);
	if (wish->threads > most_threads(host))
		return plan_refuse(plan, "THREADS=%u doesn't fit: no core of %s has more than %u.", wish->threads, host->name,
		                   most_threads(host));
	return true;
}

bool plan_make(const struct host *host, const struct wish *given, struct plan *plan)
{
	struct wish wish = *given;

	memset(plan, 0, sizeof(*plan));
	if (!possible(host, &wish, plan))
		return false;
	if (wish.sockets != 0 || wish.dies != 0) {
		wish.sockets = wish.sockets != 0 ? wish.sockets : 1;
		wish.dies = wish.dies != 0 ? wish.dies : 1;
	}
	if (wish.nodes == 0)
		wish.nodes = wish.cpus != 0 && wish.cpus < host->nodes ? wish.cpus : host->nodes;
	return wish.cpus != 0 ? try_all(host, &wish, plan) : try_numbers(host, &wish, plan);
}
