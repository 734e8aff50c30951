/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Where a virtual machine goes on a host: which processor each virtual CPU gets to itself, which node's memory each virtual node, and what
 * the guest is told of sockets, dies, cores, threads and distances, so that what it measures is what is there.
 *
 * What a plan never does, for then a figure would mean something else than it says:
 *   - give a processor to two virtual CPUs;
 *   - let a virtual node span nodes of the host, or a virtual core cores: a border that the guest can't see;
 *   - use one thread of a core for one virtual core and its sibling for another.
 * What it does only if it must, and says so: put two virtual nodes on one of the host's, mix kinds of cores, forgo sockets and dies.
 *
 * How it is found. An attempt fixes the threads of a virtual core and the kind of cores; attempts are made in the order of what one
 * would rather have (attempts in plan.c). In each, deal.c chooses host nodes for the virtual ones, pick.c cores in them, and shape.c says
 * what sockets and dies those form. The first attempt in which all three succeed is the plan; if none does, the sentence of the last one,
 * which may use most, says why. */

#include "numa/plan/host.h"

enum {
	PLAN_CPUS = 255,  /* beyond, QEMU wants an interrupt-remapping IOMMU, for x2APIC identifiers */
	PLAN_NODES = 128, /* QEMU's own limit */
	PLAN_SENTENCES = 24,
	PLAN_SENTENCE_BYTES = 320,
};

/* What is asked for. 0: as it suits the host. */
struct wish {
	unsigned cpus, nodes;
	unsigned sockets, dies, threads; /* dies of a socket, threads of a core; if either of sockets and dies is given, the other is 1 */
	uint64_t memory_mib;
};

struct plan_cpu {
	uint16_t processor; /* of the host */
	uint16_t node;      /* virtual */
};

struct plan_node {
	uint16_t host_node;
	uint16_t cores; /* virtual cores */
	uint16_t first; /* virtual CPU; its CPUs are consecutive */
	uint16_t cpus;
	uint64_t memory_mib;
};

struct plan {
	unsigned cpus, nodes;
	unsigned sockets, dies, cores, threads; /* dies of a socket, cores of a die, threads of a core */
	struct plan_cpu cpu[PLAN_CPUS];
	struct plan_node node[PLAN_NODES];
	uint8_t distance[PLAN_NODES][PLAN_NODES];
	unsigned spares; /* processors that are left for QEMU's own threads */
	uint16_t spare[HOST_PROCESSORS];
	unsigned sentences; /* why it is as it is */
	char sentence[PLAN_SENTENCES][PLAN_SENTENCE_BYTES];
	char refusal[PLAN_SENTENCE_BYTES];
};

/* False: plan->refusal says why there is none. */
__attribute__((warn_unused_result)) bool plan_make(const struct host *host, const struct wish *wish, struct plan *plan);

/* ---- The parts, each of one attempt ---- */

enum { ANY_KIND = 0xffff };

struct attempt {
	const struct host *host;
	const struct wish *wish; /* nothing of it is 0 but sockets and dies */
	unsigned threads, kind;
	unsigned block;              /* so many cores have to be together; 0: as it comes */
	bool block_in_package;       /* in a package; else in a cache */
	bool taken[HOST_PROCESSORS]; /* cores of the host */
};

/* Whether the attempt may use this core of the host. */
bool attempt_may_use(const struct attempt *attempt, const struct host_core *core);

/* Cores with the same number are together in what blocks have to be in. */
unsigned attempt_group(const struct attempt *attempt, const struct host_core *core);

/* Chooses the host's node, and the number of cores and the memory, of each virtual node. */
bool plan_deal(const struct attempt *attempt, struct plan *plan);

/* Chooses the cores in them: fills in the virtual CPUs. */
void plan_pick(struct attempt *attempt, struct plan *plan);

/* Sockets and dies. */
bool plan_shape(const struct attempt *attempt, struct plan *plan);

/* The sentence about the host, which comes first. */
void plan_introduce(const struct host *host, struct plan *plan);

/* Distances, spare processors, and what should be known of the choice. */
void plan_finish(const struct attempt *attempt, struct plan *plan);

__attribute__((format(printf, 2, 3))) void plan_say(struct plan *plan, const char *format, ...);
__attribute__((format(printf, 2, 3))) bool plan_refuse(struct plan *plan, const char *format, ...); /* false */

/* Where part `index` starts when `total` is dealt out as evenly as it goes. */
static inline uint64_t share(uint64_t total, unsigned parts, unsigned index)
{
	return total * index / parts;
}
