/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* The machine on which QEMU runs, as the planner sees it: flat arrays of what hwloc knows. read.c fills them; nothing else in this room
 * but bind.c calls hwloc, so a plan can be made and tested for machines that exist nowhere.
 *
 * Processors are in hwloc's logical order, in which neighbours share most. Cores, caches, packages and nodes are dense numbers in that
 * order too; only `os` is the operating system's own number. What this process may not use is not there. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	HOST_PROCESSORS = 4096,
	HOST_NODES = 256,
	HOST_NAME_BYTES = 128,
};

struct host_processor {
	uint32_t os;
	uint16_t core;
	uint16_t cache; /* processors of a package that share their last level of cache, or are on one die */
	uint16_t package;
	uint16_t node;
	uint16_t kind; /* of core: a higher number is a faster one; all 0 where there is only one kind */
};

/* A node that has processors. Where several have the same ones (fast and large memory), it is the largest. */
struct host_node {
	uint32_t os;
	uint64_t memory_mib;
};

struct host_core {
	uint16_t first; /* processor */
	uint16_t threads;
	uint16_t cache;
	uint16_t package;
	uint16_t node;
	uint16_t kind;
};

struct host {
	char name[HOST_NAME_BYTES]; /* for sentences: "this host", or the file that it comes from */
	bool this_one;              /* threads can be bound on it */
	unsigned processors, cores, nodes, packages, caches, kinds;
	unsigned bare_nodes; /* of memory only, or of nothing that may be used: never planned with */
	bool has_distances;
	struct host_processor processor[HOST_PROCESSORS];
	struct host_core core[HOST_PROCESSORS];
	struct host_node node[HOST_NODES];
	uint8_t distance[HOST_NODES][HOST_NODES]; /* as in a SLIT: 10 is local */
};

/* Fills the cores from the processors, the last step of making a host. */
void host_group_cores(struct host *host);

/* Reads this machine, an hwloc XML file, or a description as of `lstopo --input` ("numa:2 core:4 pu:2"), if it has a colon and is no file;
 * `from` is NULL for this machine. False: `refusal` is a sentence. */
__attribute__((warn_unused_result)) bool host_read(struct host *host, const char *from, char *refusal, size_t bytes);
