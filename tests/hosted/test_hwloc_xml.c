/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
// sources: numa/model/build.c numa/model/check.c numa/model/madt.c numa/model/mcfg.c numa/model/query.c numa/model/receive.c
// sources: numa/model/slit.c numa/model/srat.c numa/model/text.c numa/model/timers.c numa/model/levels.c numa/model/hwloc_xml.c
// libs: -lhwloc

/* The model as hwloc reads it: its own checks, and the same machine. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include <hwloc.h>

#include "numa/hwloc_xml.h"
#include "tests/hosted/random.h"

enum { XML_BYTES = 1 << 20, MACHINES = 400, SEED = 20261121 };

static char xml[XML_BYTES];
static struct machine machine;

static void append(void *context, const char *text)
{
	size_t *used = context;

	assert_true(*used + strlen(text) < XML_BYTES);
	strcpy(xml + *used, text);
	*used += strlen(text);
}

/* hwloc_topology_check ends the process if anything is inconsistent; what hwloc can put right it says on the error output, which must stay
 * empty. */
static hwloc_topology_t load(const struct machine_annotation *annotations, unsigned count)
{
	hwloc_topology_t topology;
	FILE *complaints = tmpfile();
	int saved = dup(STDERR_FILENO);
	size_t used = 0;
	bool loaded;

	assert_true(machine_check(&machine, sizeof(machine)));
	machine_write_hwloc_xml(&machine, annotations, count, append, &used);
	assert_int_equal(hwloc_topology_init(&topology), 0);
	if (hwloc_topology_set_xmlbuffer(topology, xml, (int)used + 1) != 0)
		fail_msg("%s", xml);
	hwloc_topology_set_all_types_filter(topology, HWLOC_TYPE_FILTER_KEEP_ALL);
	fflush(stderr);
	dup2(fileno(complaints), STDERR_FILENO);
	loaded = hwloc_topology_load(topology) == 0;
	dup2(saved, STDERR_FILENO);
	close(saved);
	if (!loaded || lseek(fileno(complaints), 0, SEEK_END) != 0)
		fail_msg("%s", xml);
	fclose(complaints);
	hwloc_topology_check(topology);
	return topology;
}

static unsigned count(hwloc_topology_t topology, hwloc_obj_type_t type)
{
	return (unsigned)hwloc_get_nbobjs_by_type(topology, type);
}

/* The processors of a set, as "0-3,8". */
static void expect_set(hwloc_const_bitmap_t set, const char *expected)
{
	char text[256];

	hwloc_bitmap_list_snprintf(text, sizeof(text), set);
	assert_string_equal(text, expected);
}

/* sockets, dies, cores and threads as QEMU gives them APIC IDs; nodes in equal, consecutive shares. */
static unsigned bits(unsigned number)
{
	unsigned needed = 0;

	while (1u << needed < number)
		needed++;
	return needed;
}

static void build(unsigned sockets, unsigned dies, unsigned cores, unsigned threads, unsigned nodes)
{
	unsigned total = sockets * dies * cores * threads;

	machine_build(&machine, &(struct machine_sources){0});
	machine.has_levels = 1;
	machine.core_shift = (uint8_t)bits(threads);
	machine.die_shift = (uint8_t)(machine.core_shift + bits(cores));
	machine.package_shift = (uint8_t)(machine.die_shift + bits(dies));
	machine.core_count = machine.core_total = (uint16_t)total;
	machine.node_count = (uint16_t)nodes;
	for (unsigned i = 0; i < total; i++) {
		unsigned socket = i / (dies * cores * threads), die = i / (cores * threads) % dies, core = i / threads % cores;

		machine.cores[i] = (struct machine_core){.apic = socket << machine.package_shift | die << machine.die_shift |
		                                                 core << machine.core_shift | i % threads,
		                                         .node = (uint16_t)(i * nodes / total),
		                                         .flags = MACHINE_CORE_ENABLED};
	}
	for (unsigned n = 0; n < nodes; n++) {
		machine.nodes[n] = (struct machine_node){.memory_bytes = (n + 1) << 20, .proximity = n};
		for (unsigned m = 0; m < nodes; m++)
			machine.distances[n][m] = (uint8_t)(n == m ? 10 : 10 + n + 10 * m);
	}
	for (unsigned i = 0; i < total; i++)
		machine.nodes[machine.cores[i].node].core_count++;
}

static void add_cache(unsigned level, enum machine_cache_kind kind, unsigned shift, uint32_t bytes)
{
	machine.caches[machine.cache_count++] = (struct machine_cache){
	    .bytes = bytes, .line_bytes = 64, .ways = 8, .level = (uint8_t)level, .kind = (uint8_t)kind, .shift = (uint8_t)shift};
}

/* ---- Regular machines ---- */

static void test_packages_dies_cores_threads_and_caches(void **state)
{
	hwloc_topology_t t;
	hwloc_obj_t object;

	(void)state;
	build(2, 2, 3, 2, 4);
	add_cache(3, MACHINE_CACHE_UNIFIED, machine.die_shift, 16 << 20);
	add_cache(2, MACHINE_CACHE_UNIFIED, machine.core_shift, 1 << 20);
	add_cache(1, MACHINE_CACHE_DATA, machine.core_shift, 32 << 10);
	add_cache(1, MACHINE_CACHE_CODE, machine.core_shift, 64 << 10);
	t = load(NULL, 0);
	assert_int_equal(count(t, HWLOC_OBJ_PACKAGE), 2);
	assert_int_equal(count(t, HWLOC_OBJ_DIE), 4);
	assert_int_equal(count(t, HWLOC_OBJ_L3CACHE), 4);
	assert_int_equal(count(t, HWLOC_OBJ_CORE), 12);
	assert_int_equal(count(t, HWLOC_OBJ_L1ICACHE), 12);
	assert_int_equal(count(t, HWLOC_OBJ_PU), 24);
	assert_int_equal(count(t, HWLOC_OBJ_NUMANODE), 4);
	assert_int_equal(count(t, HWLOC_OBJ_GROUP), 0);
	object = hwloc_get_obj_by_type(t, HWLOC_OBJ_NUMANODE, 2);
	expect_set(object->cpuset, "12-17");
	assert_int_equal(object->attr->numanode.local_memory, 3 << 20);
	assert_int_equal(object->parent->type, HWLOC_OBJ_DIE);
	object = hwloc_get_obj_by_type(t, HWLOC_OBJ_CORE, 5);
	expect_set(object->cpuset, "10-11");
	assert_int_equal(object->os_index, 6); /* its APIC ID within the package, without the bit of the thread: 110 */
	assert_int_equal(hwloc_get_obj_by_type(t, HWLOC_OBJ_L1CACHE, 0)->attr->cache.size, 32 << 10);
	assert_string_equal(hwloc_obj_get_info_by_name(hwloc_get_pu_obj_by_os_index(t, 23), "APIC"), "29");
	hwloc_topology_destroy(t);
}

static void test_distances(void **state)
{
	struct hwloc_distances_s *matrix;
	unsigned number = 1;
	hwloc_topology_t t;

	(void)state;
	for (unsigned nodes = 2; nodes <= 64; nodes += 31) {
		build(nodes, 1, 2, 1, nodes);
		for (unsigned n = 0; n < nodes; n++)
			machine.distances[0][n] = n == 0 ? 10 : (uint8_t)(n + 10);
		t = load(NULL, 0);
		number = 1;
		assert_int_equal(hwloc_distances_get_by_name(t, "NUMALatency", &number, &matrix, 0), 0);
		assert_int_equal(number, 1);
		assert_int_equal(matrix->nbobjs, nodes);
		for (unsigned a = 0; a < nodes; a++)
			for (unsigned b = 0; b < nodes; b++)
				assert_int_equal(matrix->values[a * nodes + b], machine.distances[a][b]);
		hwloc_distances_release(t, matrix);
		hwloc_topology_destroy(t);
	}
}

/* ---- Nodes that are no object ---- */

static void test_a_node_of_several_packages_is_a_group(void **state)
{
	hwloc_topology_t t;

	(void)state;
	build(4, 1, 2, 1, 2);
	t = load(NULL, 0);
	assert_int_equal(count(t, HWLOC_OBJ_GROUP), 2);
	assert_int_equal(count(t, HWLOC_OBJ_PACKAGE), 4);
	expect_set(hwloc_get_obj_by_type(t, HWLOC_OBJ_NUMANODE, 1)->cpuset, "4-7");
	hwloc_topology_destroy(t);
}

static void test_nodes_that_cut_across(void **state)
{
	hwloc_topology_t t;

	(void)state;
	build(2, 1, 4, 1, 2);
	for (unsigned i = 0; i < 8; i++)
		machine.cores[i].node = i % 2;
	t = load(NULL, 0);
	assert_string_equal(hwloc_obj_get_info_by_name(hwloc_get_numanode_obj_by_os_index(t, 0), "Cores"), "0,2,4,6");
	assert_string_equal(hwloc_obj_get_info_by_name(hwloc_get_numanode_obj_by_os_index(t, 1), "Cores"), "1,3,5,7");
	assert_int_equal(count(t, HWLOC_OBJ_PACKAGE), 2);
	hwloc_topology_destroy(t);
}

static void test_a_node_without_cores(void **state)
{
	hwloc_topology_t t;

	(void)state;
	build(2, 1, 2, 1, 2);
	machine.node_count = 3;
	machine.nodes[2] = (struct machine_node){.memory_bytes = 4096};
	for (unsigned n = 0; n < 3; n++)
		machine.distances[n][2] = machine.distances[2][n] = n == 2 ? 10 : 20;
	t = load(NULL, 0);
	assert_int_equal(count(t, HWLOC_OBJ_NUMANODE), 3);
	assert_string_equal(hwloc_obj_get_info_by_name(hwloc_get_numanode_obj_by_os_index(t, 1), "Cores"), "2-3");
	assert_string_equal(hwloc_obj_get_info_by_name(hwloc_get_numanode_obj_by_os_index(t, 2), "Cores"), "none");
	hwloc_topology_destroy(t);
}

static void test_without_levels_there_are_only_cores(void **state)
{
	hwloc_topology_t t;

	(void)state;
	build(1, 1, 3, 1, 3);
	machine.has_levels = 0;
	t = load(NULL, 0);
	assert_int_equal(count(t, HWLOC_OBJ_PACKAGE), 0);
	assert_int_equal(count(t, HWLOC_OBJ_PU), 3);
	assert_int_equal(count(t, HWLOC_OBJ_NUMANODE), 3);
	hwloc_topology_destroy(t);
}

/* ---- Annotations ---- */

static void test_annotations(void **state)
{
	const struct machine_annotation annotations[] = {
	    {MACHINE_AT_ALL, 0, "Programs", "a < b & \"c\""}, {MACHINE_AT_NODE, 1, "MemoryUsed", "4096"},
	    {MACHINE_AT_NODE, 1, "4 KiB used", NULL},         {MACHINE_AT_CORE, 3, "Domain5", "shell"},
	    {MACHINE_AT_CORE, 3, "she<ll\n (5)", NULL},       {MACHINE_AT_CORE, 3, "monitor", NULL},
	};
	hwloc_topology_t t;
	hwloc_obj_t core;

	(void)state;
	build(1, 1, 4, 1, 2);
	t = load(annotations, sizeof(annotations) / sizeof(annotations[0]));
	core = hwloc_get_pu_obj_by_os_index(t, 3);
	assert_string_equal(hwloc_obj_get_info_by_name(hwloc_get_root_obj(t), "Programs"), "a < b & \"c\"");
	assert_string_equal(hwloc_obj_get_info_by_name(hwloc_get_numanode_obj_by_os_index(t, 1), "MemoryUsed"), "4096");
	assert_string_equal(hwloc_obj_get_info_by_name(core, "Domain5"), "shell");
	assert_int_equal(core->misc_arity, 2);
	assert_string_equal(core->misc_first_child->name, "she<ll? (5)");
	assert_string_equal(core->misc_first_child->next_sibling->name, "monitor");
	assert_int_equal(count(t, HWLOC_OBJ_MISC), 3);
	hwloc_topology_destroy(t);
}

/* ---- Any machine ---- */

static void random_machine(void)
{
	unsigned sockets = 1 + random_number() % 4, dies = 1 + random_number() % 3, cores = 1 + random_number() % 5;
	unsigned threads = 1 + random_number() % 3, total = sockets * dies * cores * threads,
	         nodes = 1 + random_number() % (total < 9 ? total : 9);

	build(sockets, dies, cores, threads, nodes);
	machine.has_levels = random_number() % 8 != 0;
	for (unsigned level = 3; level > 0; level--)
		if (random_number() % 3 != 0)
			add_cache(level, MACHINE_CACHE_UNIFIED, random_number() % (machine.package_shift + 2u), 4096 << level);
	/* The core that boots is core 0, whatever its APIC ID; the others come by rising ones. */
	for (unsigned i = random_number() % total; i > 0; i--) {
		uint32_t apic = machine.cores[0].apic;

		machine.cores[0].apic = machine.cores[i].apic;
		machine.cores[i].apic = apic;
	}
	if (random_number() % 2 != 0)
		return;
	for (unsigned n = 0; n < nodes; n++)
		machine.nodes[n].core_count = 0;
	/* Firmware that deals cores out as it likes. */
	for (unsigned i = 0; i < total; i++) {
		machine.cores[i].node = (uint16_t)(random_number() % nodes);
		machine.nodes[machine.cores[i].node].core_count++;
	}
}

static void check_cores_and_nodes(hwloc_topology_t t)
{
	hwloc_bitmap_t cores = hwloc_bitmap_alloc();

	assert_int_equal(count(t, HWLOC_OBJ_PU), machine.core_count);
	assert_int_equal(count(t, HWLOC_OBJ_NUMANODE), machine.node_count);
	for (unsigned n = 0; n < machine.node_count; n++) {
		hwloc_obj_t node = hwloc_get_numanode_obj_by_os_index(t, n);

		assert_int_equal(node->attr->numanode.local_memory, machine.nodes[n].memory_bytes);
		if (machine.nodes[n].core_count == 0) {
			assert_string_equal(hwloc_obj_get_info_by_name(node, "Cores"), "none");
			continue;
		}
		assert_int_equal(hwloc_bitmap_list_sscanf(cores, hwloc_obj_get_info_by_name(node, "Cores")), 0);
		assert_true(hwloc_bitmap_isincluded(cores, node->cpuset));
		for (unsigned c = 0; c < machine.core_count; c++)
			assert_int_equal(hwloc_bitmap_isset(cores, c) != 0, machine.cores[c].node == n);
	}
	hwloc_bitmap_free(cores);
}

static void test_random_machines(void **state)
{
	(void)state;
	random_state = SEED;
	for (unsigned i = 0; i < MACHINES; i++) {
		hwloc_topology_t t;

		random_machine();
		t = load(NULL, 0);
		check_cores_and_nodes(t);
		for (unsigned a = 0; a < machine.core_count; a++) {
			hwloc_obj_t package = hwloc_get_ancestor_obj_by_type(t, HWLOC_OBJ_PACKAGE, hwloc_get_pu_obj_by_os_index(t, a));

			for (unsigned b = 0; machine.has_levels && b < machine.core_count; b++)
				assert_int_equal(hwloc_bitmap_isset(package->cpuset, b) != 0,
				                 machine.cores[a].apic >> machine.package_shift ==
				                     machine.cores[b].apic >> machine.package_shift);
		}
		hwloc_topology_destroy(t);
	}
}

static void test_the_largest_machine(void **state)
{
	hwloc_topology_t t;

	(void)state;
	build(16, 1, 8, 2, 64);
	t = load(NULL, 0);
	check_cores_and_nodes(t);
	hwloc_topology_destroy(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_packages_dies_cores_threads_and_caches),
	    cmocka_unit_test(test_distances),
	    cmocka_unit_test(test_a_node_of_several_packages_is_a_group),
	    cmocka_unit_test(test_nodes_that_cut_across),
	    cmocka_unit_test(test_a_node_without_cores),
	    cmocka_unit_test(test_without_levels_there_are_only_cores),
	    cmocka_unit_test(test_annotations),
	    cmocka_unit_test(test_random_machines),
	    cmocka_unit_test(test_the_largest_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
