/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* From hwloc's tree to flat arrays. */

#include "numa/plan/host.h"

#include <hwloc.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
	DISTANCE_LOCAL = 10, /* ACPI 6.4, section 5.2.17 */
	DISTANCE_OTHER = 20, /* what firmware that says nothing is taken to mean */
	DISTANCE_LEAST = 11, /* between different nodes: Linux refuses a SLIT with less */
	DISTANCE_MOST = 254, /* 255: unreachable */
	MIB_SHIFT = 20,
};

/* ---- Loading ---- */

static bool load_other(hwloc_topology_t topology, const char *from, char *refusal, size_t bytes)
{
	if (access(from, F_OK) != 0 && strchr(from, ':') != NULL) {
		if (hwloc_topology_set_synthetic(topology, from) == 0)
			return true;
		snprintf(refusal, bytes, "%s is not a description that hwloc understands, such as \"numa:2 core:4 pu:2\".", from);
		return false;
	}
	if (access(from, R_OK) != 0) {
		snprintf(refusal, bytes, "%s can't be read: %m.", from);
		return false;
	}
	if (hwloc_topology_set_xml(topology, from) == 0)
		return true;
	snprintf(refusal, bytes, "%s is not an hwloc XML file.", from);
	return false;
}

static bool load(hwloc_topology_t topology, const char *from, char *refusal, size_t bytes)
{
	if (from != NULL && !load_other(topology, from, refusal, bytes))
		return false;
	if (hwloc_topology_load(topology) == 0)
		return true;
	if (from == NULL)
		snprintf(refusal, bytes, "hwloc can't read this host.");
	else
		snprintf(refusal, bytes, "%s is not a machine that hwloc can load.", from);
	return false;
}

/* ---- Nodes ---- */

/* hwloc's nodes by their index among a host's, or HOST_NODES. */
struct node_map {
	hwloc_obj_t of[HOST_NODES];
	unsigned count;
};

/* Whether another node has all of this one's processors, and more memory (or as much, and comes first). */
static bool outdone(hwloc_topology_t topology, hwloc_obj_t node)
{
	hwloc_obj_t other = NULL;

	while ((other = hwloc_get_next_obj_by_type(topology, HWLOC_OBJ_NUMANODE, other)) != NULL) {
		uint64_t mine = node->attr->numanode.local_memory, its = other->attr->numanode.local_memory;

		if (other != node && hwloc_bitmap_isequal(node->cpuset, other->cpuset) &&
		    (its > mine || (its == mine && other->logical_index < node->logical_index)))
			return true;
	}
	return false;
}

static bool read_nodes(struct host *host, hwloc_topology_t topology, hwloc_const_bitmap_t allowed, struct node_map *map)
{
	hwloc_obj_t node = NULL;

	while ((node = hwloc_get_next_obj_by_type(topology, HWLOC_OBJ_NUMANODE, node)) != NULL) {
		if (!hwloc_bitmap_intersects(node->cpuset, allowed) || outdone(topology, node)) {
			host->bare_nodes++;
			continue;
		}
		if (host->nodes == HOST_NODES)
			return false;
		map->of[host->nodes] = node;
		host->node[host->nodes++] =
		    (struct host_node){.os = node->os_index, .memory_mib = node->attr->numanode.local_memory >> MIB_SHIFT};
	}
	map->count = host->nodes;
	return true;
}

/* The smallest node that has the processor: on some machines one that has all of them, and faster memory, is beside those that share them.
 */
static unsigned node_of(const struct node_map *map, unsigned os)
{
	unsigned best = HOST_NODES;

	for (unsigned n = 0; n < map->count; n++)
		if (hwloc_bitmap_isset(map->of[n]->cpuset, os) &&
		    (best == HOST_NODES || hwloc_bitmap_isincluded(map->of[n]->cpuset, map->of[best]->cpuset)))
			best = n;
	return best;
}

/* ---- Distances ---- */

static uint8_t scaled(uint64_t value, uint64_t local)
{
	uint64_t distance = local == 0 ? value : (value * DISTANCE_LOCAL + local / 2) / local;

	return (uint8_t)(distance < DISTANCE_LEAST ? DISTANCE_LEAST : distance > DISTANCE_MOST ? DISTANCE_MOST : distance);
}

/* The first matrix of latencies, whatever its unit: local ones become 10. */
static void read_distances(struct host *host, hwloc_topology_t topology, const struct node_map *map)
{
	struct hwloc_distances_s *matrix = NULL;
	unsigned count = 1;

	if (hwloc_distances_get_by_type(topology, HWLOC_OBJ_NUMANODE, &count, &matrix, HWLOC_DISTANCES_KIND_MEANS_LATENCY, 0) != 0 ||
	    count == 0)
		matrix = NULL;
	host->has_distances = matrix != NULL;
	for (unsigned a = 0; a < host->nodes; a++) {
		for (unsigned b = 0; b < host->nodes; b++) {
			int row = matrix == NULL ? -1 : hwloc_distances_obj_index(matrix, map->of[a]);
			int column = matrix == NULL ? -1 : hwloc_distances_obj_index(matrix, map->of[b]);

			host->distance[a][b] = DISTANCE_OTHER;
			if (row >= 0 && column >= 0)
				host->distance[a][b] = scaled(matrix->values[(unsigned)row * matrix->nbobjs + (unsigned)column],
				                              matrix->values[(unsigned)row * matrix->nbobjs + (unsigned)row]);
			if (a == b)
				host->distance[a][b] = DISTANCE_LOCAL;
		}
	}
	if (matrix != NULL)
		hwloc_distances_release(topology, matrix);
}

/* ---- Processors ---- */

/* What must stay together is told apart by the object itself; the numbers are dense because processors come in hwloc's order. */
struct last {
	hwloc_obj_t core, cache, package;
	unsigned cores, caches, packages;
};

static unsigned number(hwloc_obj_t object, hwloc_obj_t *last, unsigned *count)
{
	if (*count == 0 || object != *last)
		(*count)++;
	*last = object;
	return *count - 1;
}

static hwloc_obj_t around(hwloc_topology_t topology, hwloc_obj_t pu, hwloc_obj_type_t type, hwloc_obj_t otherwise)
{
	hwloc_obj_t object = hwloc_get_ancestor_obj_by_type(topology, type, pu);

	return object != NULL ? object : otherwise;
}

static struct host_processor processor(hwloc_topology_t topology, hwloc_obj_t pu, struct last *last, unsigned node)
{
	hwloc_obj_t package = around(topology, pu, HWLOC_OBJ_PACKAGE, hwloc_get_root_obj(topology));
	hwloc_obj_t die = around(topology, pu, HWLOC_OBJ_DIE, package);
	hwloc_obj_t cache = around(topology, pu, HWLOC_OBJ_L3CACHE, die);
	int kind = hwloc_cpukinds_get_by_cpuset(topology, pu->cpuset, 0);

	return (struct host_processor){
	    .os = pu->os_index,
	    .core = (uint16_t)number(around(topology, pu, HWLOC_OBJ_CORE, pu), &last->core, &last->cores),
	    /* An L3 that several dies share does not keep them together. */
	    .cache = (uint16_t)number(hwloc_bitmap_isincluded(die->cpuset, cache->cpuset) ? die : cache, &last->cache, &last->caches),
	    .package = (uint16_t)number(package, &last->package, &last->packages),
	    .node = (uint16_t)node,
	    .kind = (uint16_t)(kind < 0 ? 0 : kind),
	};
}

static bool read_processors(struct host *host, hwloc_topology_t topology, hwloc_const_bitmap_t allowed, const struct node_map *map)
{
	struct last last = {0};
	hwloc_obj_t pu = NULL;

	while ((pu = hwloc_get_next_obj_by_type(topology, HWLOC_OBJ_PU, pu)) != NULL) {
		unsigned node = node_of(map, pu->os_index);

		if (!hwloc_bitmap_isset(allowed, pu->os_index) || node == HOST_NODES)
			continue;
		if (host->processors == HOST_PROCESSORS)
			return false;
		host->processor[host->processors++] = processor(topology, pu, &last, node);
		if (host->processor[host->processors - 1].kind >= host->kinds)
			host->kinds = host->processor[host->processors - 1].kind + 1u;
	}
	host->packages = last.packages;
	host->caches = last.caches;
	host_group_cores(host);
	return true;
}

/* ---- All of it ---- */

/* What this process may use of this machine; all of another one. */
static bool read_allowed(hwloc_topology_t topology, bool this_one, hwloc_bitmap_t allowed)
{
	if (hwloc_bitmap_copy(allowed, hwloc_topology_get_allowed_cpuset(topology)) != 0)
		return false;
	if (!this_one)
		return true;
	hwloc_bitmap_t bound = hwloc_bitmap_alloc();
	bool known = bound != NULL && hwloc_get_cpubind(topology, bound, HWLOC_CPUBIND_PROCESS) == 0 &&
	             hwloc_bitmap_and(allowed, allowed, bound) == 0;

	hwloc_bitmap_free(bound);
	return known;
}

static bool read_all(struct host *host, hwloc_topology_t topology, char *refusal, size_t bytes)
{
	static struct node_map map;
	hwloc_bitmap_t allowed = hwloc_bitmap_alloc();
	bool fits = false;

	if (allowed == NULL || !read_allowed(topology, host->this_one, allowed))
		snprintf(refusal, bytes, "hwloc can't tell what this process may use.");
	else if (!read_nodes(host, topology, allowed, &map) || !read_processors(host, topology, allowed, &map))
		snprintf(refusal, bytes, "%s has more than %u processors or %u nodes.", host->name, HOST_PROCESSORS, HOST_NODES);
	else if (host->processors == 0)
		snprintf(refusal, bytes, "%s has no processor that may be used.", host->name);
	else
		fits = true;
	if (fits)
		read_distances(host, topology, &map);
	hwloc_bitmap_free(allowed);
	return fits;
}

bool host_read(struct host *host, const char *from, char *refusal, size_t bytes)
{
	hwloc_topology_t topology;
	bool read;

	memset(host, 0, sizeof(*host));
	host->kinds = 1;
	snprintf(host->name, sizeof(host->name), "%s", from == NULL ? "this host" : from);
	if (hwloc_topology_init(&topology) != 0) {
		snprintf(refusal, bytes, "hwloc doesn't start.");
		return false;
	}
	read = load(topology, from, refusal, bytes);
	/* Also hwloc's own environment variables can put another machine in the place of this one. */
	host->this_one = read && hwloc_topology_is_thissystem(topology) != 0;
	read = read && read_all(host, topology, refusal, bytes);
	hwloc_topology_destroy(topology);
	return read;
}
