/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* The tree along which cores are started and messages are broadcast.
 *
 * First one leader of each node joins, nearest nodes first, each below the joined leader that is nearest to it. Then
 * each node's other cores join below cores of that node only. So a message crosses to every node once.
 *
 * Among equally near parents the one that can send earliest wins. Time is counted in sends: a core that can send from
 * time t on does its k-th send at t + k, and a child can send `latency` after the send that reached it. With a latency
 * of 1 this greedy choice yields binomial trees, which are optimal for that cost model; with a large one, stars. */

#include "numa/model.h"

struct builder {
	const struct machine *machine;
	struct machine_tree *tree;
	unsigned latency;
	uint32_t next_send[MACHINE_CORES]; /* when a joined core can send again */
	uint16_t last_child[MACHINE_CORES];
};

static void join(struct builder *b, uint16_t parent, uint16_t child)
{
	struct machine_tree *tree = b->tree;

	tree->parent[child] = parent;
	if (b->last_child[parent] == MACHINE_NO_CORE)
		tree->first_child[parent] = child;
	else
		tree->next_sibling[b->last_child[parent]] = child;
	b->last_child[parent] = child;
	b->next_send[child] = b->next_send[parent] + b->latency;
	b->next_send[parent]++;
	tree->count++;
}

static unsigned distance_between(const struct machine *machine, unsigned from, unsigned to)
{
	return machine->distances[machine->cores[from].node][machine->cores[to].node];
}

/* The best parent for `child` among `joined`: the nearest, then the earliest, then the first. */
static uint16_t choose_parent(const struct builder *b, const uint16_t *joined, unsigned count, unsigned child)
{
	uint16_t best = joined[0];

	for (unsigned i = 1; i < count; i++) {
		unsigned distance = distance_between(b->machine, joined[i], child);
		unsigned least = distance_between(b->machine, best, child);
		if (distance < least || (distance == least && b->next_send[joined[i]] < b->next_send[best]))
			best = joined[i];
	}
	return best;
}

static void join_node(struct builder *b, unsigned node, uint16_t leader)
{
	uint16_t joined[MACHINE_CORES];
	unsigned count = 0;

	joined[count++] = leader;
	for (unsigned core = 0; core < b->machine->core_count; core++)
		if (b->machine->cores[core].node == node && core != leader) {
			join(b, choose_parent(b, joined, count, core), (uint16_t)core);
			joined[count++] = (uint16_t)core;
		}
}

void machine_start_tree(const struct machine *machine, unsigned root, unsigned latency, struct machine_tree *tree)
{
	struct builder b = {.machine = machine, .tree = tree, .latency = latency};
	uint16_t nodes[MACHINE_NODES], leaders[MACHINE_NODES];
	unsigned leader_count = 0;

	*tree = (struct machine_tree){.root = (uint16_t)root};
	for (unsigned core = 0; core < MACHINE_CORES; core++)
		tree->parent[core] = tree->first_child[core] = tree->next_sibling[core] = b.last_child[core] = MACHINE_NO_CORE;
	if (root >= machine->core_count)
		return;

	leaders[leader_count++] = (uint16_t)root;
	tree->count = 1;
	unsigned node_count = machine_nodes_by_distance(machine, machine->cores[root].node, nodes);
	for (unsigned i = 1; i < node_count; i++) {
		uint16_t leader;
		if (machine_cores_of_node(machine, nodes[i], &leader, 1) == 0)
			continue;
		join(&b, choose_parent(&b, leaders, leader_count, leader), leader);
		leaders[leader_count++] = leader;
	}
	for (unsigned i = 0; i < leader_count; i++)
		join_node(&b, machine->cores[leaders[i]].node, leaders[i]);
}
