// sources: numa/model/query.c numa/model/tree.c
/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* The start tree over machines of every shape: each core exactly once, each node entered exactly once. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "numa/model.h"

static struct machine machine;
static struct machine_tree tree;

/* `cores` cores dealt out in turn to `nodes` nodes; distance 10 + 10 * |from - to|. */
static void make_machine(unsigned cores, unsigned nodes)
{
	machine = (struct machine){.core_count = (uint16_t)cores, .core_total = (uint16_t)cores, .node_count = (uint16_t)nodes};
	for (unsigned i = 0; i < cores; i++)
		machine.cores[i] = (struct machine_core){.apic = 3 * i, .node = (uint16_t)(i % nodes), .flags = 1};
	for (unsigned from = 0; from < nodes; from++)
		for (unsigned to = 0; to < nodes; to++)
			machine.distances[from][to] = (uint8_t)(10 + 10 * (from > to ? from - to : to - from));
}

/* Visits the subtree, counts its cores and the links from one node to another; answers its depth. */
static unsigned visit(unsigned core, uint8_t seen[MACHINE_CORES], unsigned *count, unsigned *crossings)
{
	unsigned deepest = 0;

	assert_in_range(core, 0, machine.core_count - 1);
	assert_int_equal(seen[core], 0);
	seen[core] = 1;
	++*count;
	for (unsigned c = tree.first_child[core]; c != MACHINE_NO_CORE; c = tree.next_sibling[c]) {
		assert_int_equal(tree.parent[c], core);
		*crossings += machine.cores[c].node != machine.cores[core].node;
		unsigned depth = 1 + visit(c, seen, count, crossings);
		deepest = depth > deepest ? depth : deepest;
	}
	return deepest;
}

static unsigned build_and_check(unsigned root, unsigned latency, unsigned inhabited_nodes)
{
	uint8_t seen[MACHINE_CORES] = {0};
	unsigned count = 0, crossings = 0;

	machine_start_tree(&machine, root, latency, &tree);
	assert_int_equal(tree.root, root);
	assert_int_equal(tree.parent[root], MACHINE_NO_CORE);
	assert_int_equal(tree.next_sibling[root], MACHINE_NO_CORE);
	unsigned depth = visit(root, seen, &count, &crossings);
	assert_int_equal(count, machine.core_count);
	assert_int_equal(tree.count, machine.core_count);
	assert_int_equal(crossings, inhabited_nodes - 1);
	return depth;
}

static void test_every_shape_and_root(void **state)
{
	(void)state;
	static const unsigned cores[] = {1, 2, 3, 4, 6, 8, 16, 31, 64};

	for (unsigned i = 0; i < sizeof(cores) / sizeof(cores[0]); i++)
		for (unsigned nodes = 1; nodes <= 5; nodes++)
			for (unsigned root = 0; root < cores[i]; root++) {
				make_machine(cores[i], nodes);
				unsigned inhabited = cores[i] < nodes ? cores[i] : nodes;
				build_and_check(root, 1, inhabited);
				build_and_check(root, 1000, inhabited);
			}
}

static void test_latency_1_doubles_in_each_step(void **state)
{
	(void)state;
	make_machine(64, 1);
	assert_int_equal(build_and_check(0, 1, 1), 6);
}

static void test_large_latency_gives_a_star_in_each_node(void **state)
{
	(void)state;
	make_machine(64, 1);
	assert_int_equal(build_and_check(5, 1000, 1), 1);
	make_machine(8, 2);
	assert_int_equal(build_and_check(0, 1000, 2), 2);
	assert_int_equal(tree.first_child[0], 1); /* the other node's leader comes first */
	assert_int_equal(tree.parent[7], 1);
	assert_int_equal(tree.parent[6], 0);
}

static void test_leaders_join_below_the_nearest_leader(void **state)
{
	(void)state;
	make_machine(8, 4);
	build_and_check(0, 1000, 4);
	assert_int_equal(tree.parent[1], 0);
	assert_int_equal(tree.parent[2], 1);
	assert_int_equal(tree.parent[3], 2);
}

static void test_all_256_cores(void **state)
{
	(void)state;
	make_machine(MACHINE_CORES, MACHINE_NODES);
	build_and_check(17, 4, MACHINE_NODES);
}

static void test_a_node_without_cores_takes_no_part(void **state)
{
	(void)state;
	make_machine(4, 2);
	machine.node_count = 3;
	for (unsigned node = 0; node < 3; node++)
		machine.distances[2][node] = machine.distances[node][2] = 15;
	build_and_check(1, 1, 2);
}

static void test_a_root_that_does_not_exist(void **state)
{
	(void)state;
	make_machine(4, 2);
	machine_start_tree(&machine, 4, 1, &tree);
	assert_int_equal(tree.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_every_shape_and_root),
	    cmocka_unit_test(test_latency_1_doubles_in_each_step),
	    cmocka_unit_test(test_large_latency_gives_a_star_in_each_node),
	    cmocka_unit_test(test_leaders_join_below_the_nearest_leader),
	    cmocka_unit_test(test_all_256_cores),
	    cmocka_unit_test(test_a_node_without_cores_takes_no_part),
	    cmocka_unit_test(test_a_root_that_does_not_exist),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
