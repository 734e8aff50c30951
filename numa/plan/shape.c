/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* What the guest is told of sockets and dies.
 *
 * QEMU's virtual CPUs form a regular tree: every socket has as many dies, every die as many cores. If the user asks for one, each of its
 * sockets must lie in one package of the host and each of its dies in one die or last-level cache. If not, the tree follows the host:
 * virtual CPUs whose processors are of one package form a socket, those of one cache (and of one virtual node) a die, if that gives equal
 * parts; otherwise the border is left out, and a sentence says so. */

#include "numa/plan/plan.h"

enum { APIC_IDS = 255 }; /* 8 bits, and the last one means all: beyond, QEMU wants an interrupt-remapping IOMMU */

typedef uint32_t label_fn(const struct attempt *attempt, const struct plan_cpu *cpu);

static uint32_t package_of(const struct attempt *attempt, const struct plan_cpu *cpu)
{
	return attempt->host->processor[cpu->processor].package;
}

static uint32_t cache_of(const struct attempt *attempt, const struct plan_cpu *cpu)
{
	return attempt->host->processor[cpu->processor].cache;
}

/* Several virtual nodes may be on one node of the host, and a die with two nodes is not a machine that there is. */
static uint32_t cache_and_node_of(const struct attempt *attempt, const struct plan_cpu *cpu)
{
	return (uint32_t)cpu->node << 16 | cache_of(attempt, cpu);
}

/* ---- As the host is ---- */

/* How many stretches of equal labels there are, if they are equally long, else 0. */
static unsigned equal_parts(const struct attempt *attempt, const struct plan *plan, label_fn *label)
{
	unsigned parts = 1, length = 0;

	for (unsigned i = 1; i <= plan->cpus; i++) {
		if (i < plan->cpus && label(attempt, &plan->cpu[i]) == label(attempt, &plan->cpu[i - 1]))
			continue;
		if (length == 0)
			length = i;
		if (i % length != 0)
			return 0;
		parts = i / length;
	}
	/* A stretch of twice the length would have passed. */
	for (unsigned i = length; i < plan->cpus; i += length)
		if (label(attempt, &plan->cpu[i]) == label(attempt, &plan->cpu[i - 1]))
			return 0;
	return parts;
}

/* APIC IDs give each level whole bits (Intel SDM, volume 3A, section 9.9), so uneven numbers waste some. */
static unsigned bits(unsigned count)
{
	return count <= 1 ? 0 : 32 - (unsigned)__builtin_clz(count - 1);
}

static bool apic_ids_fit(unsigned sockets, unsigned dies, unsigned cores, unsigned threads)
{
	unsigned core_shift = bits(threads), die_shift = core_shift + bits(cores), socket_shift = die_shift + bits(dies);

	return (((sockets - 1) << socket_shift) | ((dies - 1) << die_shift) | ((cores - 1) << core_shift) | (threads - 1)) < APIC_IDS;
}

static void set(struct plan *plan, unsigned sockets, unsigned dies)
{
	plan->sockets = sockets;
	plan->dies = dies;
	plan->cores = plan->cpus / (sockets * dies * plan->threads);
}

static bool shape_of_host(const struct attempt *attempt, struct plan *plan)
{
	unsigned sockets = equal_parts(attempt, plan, package_of), dies = equal_parts(attempt, plan, cache_and_node_of);
	unsigned cores = plan->cpus / plan->threads;

	if (sockets == 0)
		plan_say(plan, "The processors are unequal parts of the packages, so the guest is told of one socket.");
	sockets = sockets == 0 ? 1 : sockets;
	if (dies == 0)
		plan_say(plan, "They are unequal parts of the dies and caches, so the guest is told of one die in each socket.");
	dies = dies == 0 || dies % sockets != 0 ? sockets : dies;
	if (!apic_ids_fit(sockets, dies / sockets, cores / dies, plan->threads)) {
		plan_say(plan, "%u sockets of %u dies would need APIC identifiers of more than 8 bits, so the guest is told of one.",
		         sockets, dies / sockets);
		sockets = dies = 1;
	}
	set(plan, sockets, dies / sockets);
	return true;
}

/* ---- As the user wants ---- */

/* The first of `parts` equal parts in which the label changes, or `parts`. */
static unsigned straddling(const struct attempt *attempt, const struct plan *plan, unsigned parts, label_fn *label)
{
	unsigned length = plan->cpus / parts;

	for (unsigned i = 1; i < plan->cpus; i++)
		if (i % length != 0 && label(attempt, &plan->cpu[i]) != label(attempt, &plan->cpu[i - 1]))
			return i / length;
	return parts;
}

static void say_shared_packages(const struct attempt *attempt, struct plan *plan)
{
	unsigned packages = 1;

	for (unsigned i = 1; i < plan->cpus; i++)
		packages += package_of(attempt, &plan->cpu[i]) != package_of(attempt, &plan->cpu[i - 1]);
	if (packages < plan->sockets)
		plan_say(plan, "The %u virtual sockets share %u of the host's packages.", plan->sockets, packages);
}

static bool shape_of_wish(const struct attempt *attempt, struct plan *plan)
{
	unsigned sockets = attempt->wish->sockets, dies = attempt->wish->dies, all = sockets * dies;
	const char *name = attempt->host->name;
	unsigned part;

	if (plan->cpus % (all * plan->threads) != 0)
		return plan_refuse(plan, "CORES=%u can't be dealt out evenly to SOCKETS=%u, DIES=%u and THREADS=%u.", plan->cpus, sockets,
		                   dies, plan->threads);
	part = straddling(attempt, plan, sockets, package_of);
	if (part < sockets)
		return plan_refuse(plan, "SOCKETS=%u doesn't fit: virtual socket %u would span packages of %s.", sockets, part, name);
	part = straddling(attempt, plan, all, cache_of);
	if (dies > 1 && part < all)
		return plan_refuse(plan, "DIES=%u doesn't fit: virtual die %u would span dies or caches of %s.", dies, part, name);
	set(plan, sockets, dies);
	if (!apic_ids_fit(sockets, dies, plan->cores, plan->threads))
		return plan_refuse(plan,
		                   "SOCKETS=%u and DIES=%u don't fit: with %u cores each, APIC identifiers would need more than 8 bits.",
		                   sockets, dies, plan->cores);
	say_shared_packages(attempt, plan);
	return true;
}

bool plan_shape(const struct attempt *attempt, struct plan *plan)
{
	return attempt->wish->sockets != 0 ? shape_of_wish(attempt, plan) : shape_of_host(attempt, plan);
}
