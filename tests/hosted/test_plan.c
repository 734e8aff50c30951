/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
// sources: numa/plan/host.c numa/plan/read.c numa/plan/plan.c numa/plan/deal.c numa/plan/share.c numa/plan/pick.c numa/plan/shape.c
// sources: numa/plan/finish.c
// libs: -lhwloc

/* Plans for machines that hwloc makes up. */

#include "tests/hosted/plan_check.h"

#include <hwloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct host host;
static struct plan plan;
static char refusal[PLAN_SENTENCE_BYTES];

static void read_host(const char *from)
{
	if (!host_read(&host, from, refusal, sizeof(refusal)))
		fail_msg("%s", refusal);
}

static void make(const char *from, struct wish wish)
{
	read_host(from);
	if (!plan_make(&host, &wish, &plan))
		fail_msg("%s: %s", from, plan.refusal);
	check_plan(&host, &wish, &plan);
}

static void expect_refusal(const char *from, struct wish wish, const char *sentence)
{
	read_host(from);
	assert_false(plan_make(&host, &wish, &plan));
	assert_string_equal(plan.refusal, sentence);
}

static void expect_shape(unsigned sockets, unsigned dies, unsigned cores, unsigned threads)
{
	assert_int_equal(plan.sockets, sockets);
	assert_int_equal(plan.dies, dies);
	assert_int_equal(plan.cores, cores);
	assert_int_equal(plan.threads, threads);
}

static void expect_processors(const unsigned *os)
{
	for (unsigned i = 0; i < plan.cpus; i++)
		assert_int_equal(host.processor[plan.cpu[i].processor].os, os[i]);
}

static bool says(const char *part)
{
	for (unsigned i = 0; i < plan.sentences; i++)
		if (strstr(plan.sentence[i], part) != NULL)
			return true;
	return false;
}

/* ---- One to sixteen nodes ---- */

static void test_every_number_of_nodes(void **state)
{
	char from[64];

	(void)state;
	for (unsigned nodes = 1; nodes <= 16; nodes++) {
		snprintf(from, sizeof(from), "numa:%u(memory=4GB) core:4 pu:2", nodes);
		for (unsigned wanted = 1; wanted <= 2 * nodes; wanted++) {
			make(from, (struct wish){.cpus = 2 * wanted, .nodes = wanted, .memory_mib = 512 * wanted});
			assert_int_equal(plan.threads, 1);
			/* Nobody shares a node as long as there are enough. */
			for (unsigned v = 1; wanted <= nodes && v < wanted; v++)
				assert_int_not_equal(plan.node[v].host_node, plan.node[v - 1].host_node);
			assert_int_equal(says("share the host's node"), wanted > nodes);
		}
		make(from, (struct wish){.memory_mib = 64});
		assert_int_equal(plan.nodes, nodes);
		assert_int_equal(plan.cpus, 4 * nodes);
		make(from, (struct wish){.cpus = 8 * nodes, .memory_mib = 64});
		assert_int_equal(plan.threads, 2);
	}
}

static void test_the_host_in_small(void **state)
{
	(void)state;
	make("pack:2 numa:2(memory=8GB) l3:2 core:4 pu:2", (struct wish){.cpus = 32, .memory_mib = 8192});
	expect_shape(2, 4, 4, 1);
	assert_int_equal(plan.nodes, 4);
	/* Half of it: whole caches, for the smallest that suffices is one. */
	make("pack:2 numa:2(memory=8GB) l3:2 core:4 pu:2", (struct wish){.cpus = 16, .memory_mib = 8192});
	expect_shape(2, 2, 4, 1);
	/* Two dies in each node are asked for: two cores from each cache. */
	make("pack:2 numa:2(memory=8GB) l3:2 core:2 pu:2", (struct wish){.cpus = 16, .memory_mib = 8192, .sockets = 2, .dies = 4});
	expect_shape(2, 4, 2, 1);
	make("pack:2 numa:2(memory=8GB) l3:2 core:4 pu:2",
	     (struct wish){.cpus = 32, .memory_mib = 8192, .sockets = 4, .dies = 4, .threads = 1});
	expect_shape(4, 4, 2, 1);
	assert_true(says("The 4 virtual sockets share 2 of the host's packages."));
}

static void test_numbers_of_the_operating_system_s_own(void **state)
{
	/* Second threads are numbered after all first ones, and nodes take turns, as firmware likes it. */
	const unsigned os[] = {0, 2, 4, 1, 3, 5};

	(void)state;
	make("numa:2(memory=8GB indexes=1,0) core:3 pu:2(indexes=0,6,2,8,4,10,1,7,3,9,5,11)",
	     (struct wish){.cpus = 6, .nodes = 2, .memory_mib = 1024});
	expect_processors(os);
	assert_int_equal(host.node[plan.node[0].host_node].os, 1);
	assert_int_equal(host.node[plan.node[1].host_node].os, 0);
}

/* ---- Threads ---- */

static void test_whole_cores_come_first(void **state)
{
	(void)state;
	make("numa:1(memory=8GB) core:4 pu:2", (struct wish){.cpus = 4, .nodes = 1, .memory_mib = 1024});
	expect_shape(1, 1, 4, 1);
	assert_true(says("no virtual CPU shares a core with another one"));
	assert_int_equal(plan.spares, 4);
	make("numa:1(memory=8GB) core:4 pu:2", (struct wish){.cpus = 6, .nodes = 1, .memory_mib = 1024});
	expect_shape(1, 1, 3, 2);
	assert_true(says("too few cores for one virtual CPU each"));
	assert_int_equal(plan.spares, 2);
	make("numa:1(memory=8GB) core:4 pu:4", (struct wish){.cpus = 12, .nodes = 1, .memory_mib = 1024});
	expect_shape(1, 1, 4, 3);
	make("numa:1(memory=8GB) core:4 pu:2", (struct wish){.cpus = 2, .nodes = 1, .memory_mib = 1024, .threads = 2});
	expect_shape(1, 1, 1, 2);
	expect_refusal("numa:1(memory=8GB) core:4 pu:2", (struct wish){.cpus = 7, .nodes = 1, .memory_mib = 1024},
	               "CORES=7 doesn't fit: numa:1(memory=8GB) core:4 pu:2 has 4 cores, and 7 doesn't make whole ones of 2 threads.");
}

/* ---- Kinds of cores ---- */

/* 4 fast cores of two threads and 8 slow ones of one, as an XML file. hwloc's descriptions only know regular machines, so processors are
 * taken away from one. */
static void write_hybrid(char *path)
{
	hwloc_topology_t topology;
	hwloc_bitmap_t set = hwloc_bitmap_alloc(), fast = hwloc_bitmap_alloc();

	assert_int_equal(hwloc_topology_init(&topology), 0);
	assert_int_equal(hwloc_topology_set_synthetic(topology, "numa:1(memory=16GB) l3:1 core:12 pu:2"), 0);
	assert_int_equal(hwloc_topology_load(topology), 0);
	assert_int_equal(hwloc_bitmap_list_sscanf(set, "0-8,10,12,14,16,18,20,22"), 0);
	assert_int_equal(hwloc_bitmap_list_sscanf(fast, "0-7"), 0);
	assert_int_equal(hwloc_topology_restrict(topology, set, 0), 0);
	assert_int_equal(hwloc_bitmap_andnot(set, set, fast), 0);
	assert_int_equal(hwloc_cpukinds_register(topology, fast, 2, 0, NULL, 0), 0);
	assert_int_equal(hwloc_cpukinds_register(topology, set, 1, 0, NULL, 0), 0);
	assert_int_equal(hwloc_topology_export_xml(topology, path, 0), 0);
	hwloc_bitmap_free(fast);
	hwloc_bitmap_free(set);
	hwloc_topology_destroy(topology);
}

static unsigned kind(unsigned cpu)
{
	return host.processor[plan.cpu[cpu].processor].kind;
}

static void test_one_kind_of_cores_if_one_has_enough(void **state)
{
	char path[] = "/tmp/plan-XXXXXX";

	(void)state;
	close(mkstemp(path));
	write_hybrid(path);
	make(path, (struct wish){.cpus = 4, .nodes = 1, .memory_mib = 1024});
	assert_int_equal(host.kinds, 2);
	assert_int_equal(kind(0) + kind(1) + kind(2) + kind(3), 4);
	assert_true(says("the fastest that has enough"));
	make(path, (struct wish){.cpus = 6, .nodes = 1, .memory_mib = 1024});
	assert_int_equal(kind(0) + kind(5), 0);
	assert_true(says("the next fastest that has enough"));
	make(path, (struct wish){.cpus = 4, .nodes = 1, .memory_mib = 1024, .threads = 2});
	expect_shape(1, 1, 2, 2);
	assert_int_equal(kind(0), 1);
	/* Too many for either: the fast ones are among them. */
	make(path, (struct wish){.cpus = 10, .nodes = 1, .memory_mib = 1024});
	assert_int_equal(kind(0) + kind(1) + kind(2) + kind(3), 4);
	assert_int_equal(kind(4) + kind(9), 0);
	assert_true(says("virtual CPUs are of 2 kinds of unequal speed"));
	read_host(path);
	assert_false(plan_make(&host, &(struct wish){.cpus = 10, .nodes = 1, .memory_mib = 1024, .threads = 2}, &plan));
	assert_non_null(strstr(plan.refusal, "5 cores with the threads for it are needed"));
	unlink(path);
}

/* ---- Distances ---- */

/* Two packages of four nodes, by what hwloc would have read from a SLIT; `unit` is its local distance. */
static void write_far(char *path, uint64_t unit)
{
	hwloc_topology_t topology;
	hwloc_distances_add_handle_t handle;
	hwloc_obj_t nodes[8];
	uint64_t values[64];

	assert_int_equal(hwloc_topology_init(&topology), 0);
	assert_int_equal(hwloc_topology_set_synthetic(topology, "pack:2 numa:4(memory=4GB) core:2 pu:1"), 0);
	assert_int_equal(hwloc_topology_load(topology), 0);
	for (unsigned a = 0; a < 8; a++) {
		nodes[a] = hwloc_get_obj_by_type(topology, HWLOC_OBJ_NUMANODE, a);
		for (unsigned b = 0; b < 8; b++)
			values[a * 8 + b] = unit * (a == b ? 10 : a / 4 == b / 4 ? 12 : 32) / 10;
	}
	handle = hwloc_distances_add_create(topology, "latencies", HWLOC_DISTANCES_KIND_FROM_USER | HWLOC_DISTANCES_KIND_MEANS_LATENCY, 0);
	assert_int_equal(hwloc_distances_add_values(topology, handle, 8, nodes, values, 0), 0);
	assert_int_equal(hwloc_distances_add_commit(topology, handle, 0), 0);
	assert_int_equal(hwloc_topology_export_xml(topology, path, 0), 0);
	hwloc_topology_destroy(topology);
}

static void test_near_nodes_of_many(void **state)
{
	const uint64_t units[] = {10, 100, 1000};

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		char path[] = "/tmp/plan-XXXXXX";

		close(mkstemp(path));
		write_far(path, units[i]);
		make(path, (struct wish){.cpus = 8, .nodes = 4, .memory_mib = 1024});
		expect_shape(1, 4, 2, 1);
		for (unsigned v = 0; v < 4; v++)
			assert_int_equal(plan.node[v].host_node, v);
		assert_int_equal(plan.distance[0][3], 12);
		assert_true(says("the nearest to each other that fit"));
		/* Two sockets of three nodes are asked for. As near as possible would be four and two. */
		make(path, (struct wish){.cpus = 12, .nodes = 6, .memory_mib = 1024, .sockets = 2});
		expect_shape(2, 1, 6, 1);
		assert_int_equal(plan.node[2].host_node, 2);
		assert_int_equal(plan.node[3].host_node, 4);
		assert_int_equal(plan.distance[2][3], 32);
		unlink(path);
	}
}

/* ---- What is left out ---- */

static void test_nodes_without_processors_and_faster_memory_are_left_out(void **state)
{
	(void)state;
	/* Each package has 4 GB of fast memory of its own beside 16 GB of the large kind. */
	make("pack:2 [numa(memory=16GB)] [numa(memory=4GB)] core:4 pu:1", (struct wish){.cpus = 8, .nodes = 2, .memory_mib = 16384});
	assert_int_equal(host.nodes, 2);
	assert_int_equal(host.bare_nodes, 2);
	assert_true(says("2 of its nodes are left out"));
	assert_true(host.node[0].memory_mib > 8192);
}

/* ---- Refusals ---- */

static void test_what_does_not_fit_is_refused(void **state)
{
	const char *two = "numa:2(memory=1GB) core:4 pu:1";

	(void)state;
	expect_refusal(two, (struct wish){.cpus = 9, .nodes = 2, .memory_mib = 64},
	               "CORES=9 doesn't fit: numa:2(memory=1GB) core:4 pu:1 has 8 processors for them.");
	expect_refusal(
	    two, (struct wish){.cpus = 5, .nodes = 1, .memory_mib = 64},
	    "CORES=5 with NODES=1 doesn't fit: a virtual node of 5 cores would span nodes of numa:2(memory=1GB) core:4 pu:1, the "
	    "largest of which has 4. More nodes may do.");
	expect_refusal(
	    two, (struct wish){.cpus = 2, .nodes = 1, .memory_mib = 1024},
	    "MEM=1024M with NODES=1 doesn't fit: no node of numa:2(memory=1GB) core:4 pu:1 has 1024M, the largest has 953M. More "
	    "nodes may do.");
	expect_refusal(
	    two, (struct wish){.cpus = 6, .nodes = 3, .memory_mib = 1900},
	    "CORES=6 with NODES=3 and MEM=1900M doesn't fit: too few nodes of numa:2(memory=1GB) core:4 pu:1 have 2 cores and 634M for "
	    "each.");
	expect_refusal(two, (struct wish){.cpus = 2, .nodes = 1, .memory_mib = 2048},
	               "MEM=2048M doesn't fit: numa:2(memory=1GB) core:4 pu:1 has 1906M.");
	expect_refusal(two, (struct wish){.cpus = 2, .nodes = 3, .memory_mib = 64},
	               "NODES=3 is more than CORES=2: every node needs a core.");
	expect_refusal(two, (struct wish){.cpus = 2, .nodes = 1, .threads = 2, .memory_mib = 64},
	               "THREADS=2 doesn't fit: no core of numa:2(memory=1GB) core:4 pu:1 has more than 1.");
	expect_refusal(two, (struct wish){.cpus = 8, .nodes = 2, .sockets = 3, .memory_mib = 64},
	               "CORES=8 can't be dealt out evenly to SOCKETS=3, DIES=1 and THREADS=1.");
	expect_refusal("numa:2(memory=1GB) core:2 pu:2", (struct wish){.cpus = 2, .nodes = 2, .threads = 2, .memory_mib = 64},
	               "NODES=2 is more than there are virtual cores, 1: every node needs one.");
	expect_refusal("numa:1(memory=1GB) core:300 pu:1", (struct wish){.cpus = 256, .nodes = 1, .memory_mib = 64},
	               "CORES=256 is more than 255.");
}

static void test_sockets_and_dies_must_be_there(void **state)
{
	const char *from = "pack:2 numa:1(memory=4GB) l3:2 core:3 pu:1";

	(void)state;
	make(from, (struct wish){.cpus = 8, .nodes = 2, .sockets = 2, .dies = 2, .memory_mib = 64});
	expect_shape(2, 2, 2, 1);
	make(from, (struct wish){.cpus = 8, .nodes = 2, .sockets = 2, .memory_mib = 64});
	expect_shape(2, 1, 4, 1);
	expect_refusal(from, (struct wish){.cpus = 8, .nodes = 2, .sockets = 1, .memory_mib = 64},
	               "SOCKETS=1 doesn't fit: virtual socket 0 would span packages of pack:2 numa:1(memory=4GB) l3:2 core:3 pu:1.");
	expect_refusal(
	    from, (struct wish){.cpus = 12, .nodes = 2, .sockets = 1, .dies = 6, .memory_mib = 64},
	    "SOCKETS=1 and DIES=6 don't fit: pack:2 numa:1(memory=4GB) l3:2 core:3 pu:1 hasn't got room for 6 times 2 cores that are "
	    "together in a die or cache.");
	expect_refusal("pack:5 numa:1(memory=4GB) core:51 pu:1", (struct wish){.cpus = 255, .nodes = 5, .sockets = 5, .memory_mib = 640},
	               "SOCKETS=5 and DIES=1 don't fit: with 51 cores each, APIC identifiers would need more than 8 bits.");
	expect_refusal("numa:128(memory=1GB) core:2 pu:2", (struct wish){.threads = 2, .memory_mib = 64},
	               "NODES=128 with THREADS=2 doesn't fit in 255 virtual CPUs.");
	expect_refusal(from, (struct wish){.cpus = 8, .nodes = 2, .sockets = 65536, .dies = 65536, .memory_mib = 64},
	               "SOCKETS=65536 with DIES=65536 is more than 255.");
	make("pack:5 numa:1(memory=4GB) core:51 pu:1", (struct wish){.cpus = 255, .nodes = 5, .memory_mib = 640});
	expect_shape(1, 1, 255, 1);
	assert_true(says("more than 8 bits"));
}

static void test_unequal_parts_are_said(void **state)
{
	(void)state;
	make("pack:2 numa:1(memory=4GB) core:4 pu:1", (struct wish){.cpus = 7, .nodes = 2, .memory_mib = 101});
	expect_shape(1, 1, 7, 1);
	assert_true(says("unequal parts of the packages"));
	assert_int_equal(plan.node[0].memory_mib + plan.node[1].memory_mib, 101);
}

/* ---- Reading ---- */

static void test_what_is_no_machine_is_refused(void **state)
{
	const struct {
		const char *from, *sentence;
	} bad[] = {
	    {"/nonexistent.xml", "/nonexistent.xml can't be read: No such file or directory."},
	    {"numa:x", "numa:x is not a description that hwloc understands, such as \"numa:2 core:4 pu:2\"."},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_false(host_read(&host, bad[i].from, refusal, sizeof(refusal)));
		assert_string_equal(refusal, bad[i].sentence);
	}
}

static void expect_unreadable(const char *text)
{
	char path[] = "/tmp/plan-XXXXXX";
	FILE *file = fdopen(mkstemp(path), "w");

	fputs(text, file);
	fclose(file);
	assert_false(host_read(&host, path, refusal, sizeof(refusal)));
	assert_ptr_equal(strstr(refusal, path), refusal);
	assert_non_null(strstr(refusal, " is not "));
	unlink(path);
}

static void test_files_that_are_none_of_hwlocs(void **state)
{
	(void)state;
	expect_unreadable("");
	expect_unreadable("not XML at all\n");
	expect_unreadable("<?xml version=\"1.0\"?>\n<!DOCTYPE topology SYSTEM \"hwloc2.dtd\">\n<topology version=\"2.0\">\n</topology>\n");
	expect_unreadable("<?xml version=\"1.0\"?>\n<!DOCTYPE topology SYSTEM \"hwloc2.dtd\">\n<topology version=\"2.0\">\n"
	                  "  <object type=\"Machine\" os_index=\"0\" cpuset=\"0x1\" complete_cpuset=\"0x1\"");
}

static void test_this_host(void **state)
{
	(void)state;
	read_host(NULL);
	assert_true(host.this_one);
	assert_in_range(host.processors, 1, HOST_PROCESSORS);
	make(NULL, (struct wish){.cpus = 1, .nodes = 1, .memory_mib = 16});
	assert_ptr_equal(strstr(plan.sentence[0], "This host has "), plan.sentence[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_every_number_of_nodes),
	    cmocka_unit_test(test_the_host_in_small),
	    cmocka_unit_test(test_numbers_of_the_operating_system_s_own),
	    cmocka_unit_test(test_whole_cores_come_first),
	    cmocka_unit_test(test_one_kind_of_cores_if_one_has_enough),
	    cmocka_unit_test(test_near_nodes_of_many),
	    cmocka_unit_test(test_nodes_without_processors_and_faster_memory_are_left_out),
	    cmocka_unit_test(test_what_does_not_fit_is_refused),
	    cmocka_unit_test(test_sockets_and_dies_must_be_there),
	    cmocka_unit_test(test_unequal_parts_are_said),
	    cmocka_unit_test(test_what_is_no_machine_is_refused),
	    cmocka_unit_test(test_files_that_are_none_of_hwlocs),
	    cmocka_unit_test(test_this_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
