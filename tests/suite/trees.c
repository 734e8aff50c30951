/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Prints who sends to whom, as the system's own code has it, for the model's rules to be compared with (test_model_trees.py).
 *
 *   trees unmap N          member 0 to members 1 to N - 1: libos/span/tree.h
 *   trees broadcast N M    core 0 to all N cores, so many on each of M nodes: numa/model/tree.c with a latency of 1
 *
 * A line for each message: from, to. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libos/span/tree.h"
#include "numa/model.h"

static void unmap(unsigned from, uint64_t below)
{
	struct tree_part part[TREE_CHILDREN];
	unsigned parts = tree_split(below, part);

	for (unsigned i = 0; i < parts; i++) {
		printf("%u %u\n", from, part[i].child);
		unmap(part[i].child, part[i].below);
	}
}

static void broadcast(unsigned cores, unsigned nodes)
{
	static struct machine machine;
	static struct machine_tree tree;

	machine.core_count = (uint16_t)cores;
	machine.node_count = (uint16_t)nodes;
	for (unsigned core = 0; core < cores; core++)
		machine.cores[core].node = (uint16_t)(core / ((cores + nodes - 1) / nodes));
	for (unsigned a = 0; a < nodes; a++)
		for (unsigned b = 0; b < nodes; b++)
			machine.distances[a][b] = a == b ? 10 : 20;
	machine_start_tree(&machine, 0, 1, &tree);
	for (unsigned core = 0; core < cores; core++)
		for (unsigned child = tree.first_child[core]; child != MACHINE_NO_CORE; child = tree.next_sibling[child])
			printf("%u %u\n", core, child);
}

int main(int argc, char **argv)
{
	unsigned count = argc > 2 ? (unsigned)atoi(argv[2]) : 0;

	if (argc == 3 && strcmp(argv[1], "unmap") == 0 && count >= 1 && count <= 64)
		unmap(0, count == 64 ? UINT64_MAX - 1 : ((UINT64_C(1) << count) - 1) & ~UINT64_C(1));
	else if (argc == 4 && strcmp(argv[1], "broadcast") == 0 && count >= 1 && count <= MACHINE_CORES)
		broadcast(count, (unsigned)atoi(argv[3]));
	else
		return EXIT_FAILURE;
	return EXIT_SUCCESS;
}
