/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
// sources: numa/model/levels.c

/* What CPUID says of packages, dies, cores, threads and caches, as QEMU and real processors say it. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "numa/model.h"

static struct machine machine;

static void read_leaves(const struct machine_leaf *leaves, size_t count)
{
	memset(&machine, 0, sizeof(machine));
	machine_read_levels(&machine, leaves, count);
}

static void expect_shifts(unsigned core, unsigned die, unsigned package)
{
	assert_int_equal(machine.has_levels, 1);
	assert_int_equal(machine.core_shift, core);
	assert_int_equal(machine.die_shift, die);
	assert_int_equal(machine.package_shift, package);
}

#define COUNT(leaves) (sizeof(leaves) / sizeof((leaves)[0]))

static void test_threads_and_cores(void **state)
{
	const struct machine_leaf leaves[] = {
	    {0xb, 0, 1, 2, 0x100, 0},
	    {0xb, 1, 4, 16, 0x201, 0},
	    {0xb, 2, 0, 0, 2, 0},
	    {0x1f, 0, 0, 0, 0, 0},
	};

	(void)state;
	read_leaves(leaves, COUNT(leaves));
	expect_shifts(1, 4, 4);
	assert_int_equal(machine.cache_count, 0);
}

static void test_dies_are_told_by_leaf_1f(void **state)
{
	const struct machine_leaf leaves[] = {
	    {0xb, 0, 1, 2, 0x100, 0},   {0xb, 1, 6, 16, 0x201, 0},  {0x1f, 0, 1, 2, 0x100, 0}, {0x1f, 1, 3, 8, 0x201, 0},
	    {0x1f, 2, 4, 16, 0x302, 0}, {0x1f, 3, 6, 64, 0x503, 0}, {0x1f, 4, 0, 0, 4, 0},
	};

	(void)state;
	read_leaves(leaves, COUNT(leaves));
	expect_shifts(1, 4, 6); /* a module is a part of a die */
}

static void test_a_list_that_is_cut_off_ends(void **state)
{
	const struct machine_leaf leaves[] = {{0x1f, 0, 1, 2, 0x100, 0}, {0x1f, 1, 3, 8, 0x201, 0}};

	(void)state;
	read_leaves(leaves, COUNT(leaves));
	expect_shifts(1, 3, 3);
	read_leaves(NULL, 0);
	assert_int_equal(machine.has_levels, 0);
}

static void test_shifts_that_shrink_are_not_believed(void **state)
{
	const struct machine_leaf leaves[] = {{0xb, 0, 4, 2, 0x100, 0}, {0xb, 1, 2, 8, 0x201, 0}};

	(void)state;
	read_leaves(leaves, COUNT(leaves));
	assert_int_equal(machine.has_levels, 0);
	assert_int_equal(machine.package_shift, 0);
}

/* An Intel server: L1s and L2 of a core of two threads, an L3 that up to 64 share; the leaf lists them from the inside. */
static void test_caches(void **state)
{
	const struct machine_leaf leaves[] = {
	    {4, 0, 0x7c004121, 0x01c0003f, 0x3f, 0},
	    {4, 1, 0x7c004122, 0x01c0003f, 0x3f, 0},
	    {4, 2, 0x7c004143, 0x03c0003f, 0x3ff, 6},
	    {4, 3, 0x7c0fc163, 0x0280003f, 0xdfff, 4},
	    {4, 4, 0, 0, 0, 0},
	};

	(void)state;
	read_leaves(leaves, COUNT(leaves));
	assert_int_equal(machine.cache_count, 4);
	assert_int_equal(machine.caches[0].level, 3);
	assert_int_equal(machine.caches[0].bytes, 11 * 64 * 57344);
	assert_int_equal(machine.caches[0].shift, 6);
	assert_int_equal(machine.caches[1].level, 2);
	assert_int_equal(machine.caches[1].bytes, 1 << 20);
	assert_int_equal(machine.caches[1].ways, 16);
	assert_int_equal(machine.caches[1].shift, 1);
	assert_int_equal(machine.caches[2].kind, MACHINE_CACHE_DATA);
	assert_int_equal(machine.caches[2].bytes, 32 << 10);
	assert_int_equal(machine.caches[3].kind, MACHINE_CACHE_CODE);
	assert_int_equal(machine.caches[3].line_bytes, 64);
}

static void test_caches_by_amd_s_leaf(void **state)
{
	const struct machine_leaf leaves[] = {
	    {4, 0, 0, 0, 0, 0},
	    {0x8000001d, 0, 0x4121, 0x01c0003f, 0x3f, 0},
	    {0x8000001d, 1, 0x3c163 | 0x200, 0x03c0003f, 0x3fff, 0},
	    {0x8000001d, 2, 0, 0, 0, 0},
	};

	(void)state;
	read_leaves(leaves, COUNT(leaves));
	assert_int_equal(machine.cache_count, 2);
	assert_int_equal(machine.caches[0].bytes, 16 << 20);
	assert_int_equal(machine.caches[0].ways, 0); /* fully associative */
	assert_int_equal(machine.caches[0].shift, 4);
}

static void test_caches_that_make_no_sense_are_left_out(void **state)
{
	const struct machine_leaf leaves[] = {
	    {4, 0, 0x4101, 0x01c0003f, 0x3f, 0},       /* level 0 */
	    {4, 1, 0x4124, 0x01c0003f, 0x3f, 0},       /* a kind that there is not */
	    {4, 2, 0x4163, UINT32_MAX, UINT32_MAX, 0}, /* more bytes than a number holds */
	    {4, 3, 0x7c004143, 0x03c0003f, 0x3ff, 0},
	};
	struct machine_leaf many[20];

	(void)state;
	read_leaves(leaves, COUNT(leaves));
	assert_int_equal(machine.cache_count, 1);
	for (unsigned i = 0; i < COUNT(many); i++)
		many[i] = (struct machine_leaf){4, i, 0x4121, 0x01c0003f, 0x3f, 0};
	read_leaves(many, COUNT(many));
	assert_int_equal(machine.cache_count, MACHINE_CACHES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_threads_and_cores),
	    cmocka_unit_test(test_dies_are_told_by_leaf_1f),
	    cmocka_unit_test(test_a_list_that_is_cut_off_ends),
	    cmocka_unit_test(test_shifts_that_shrink_are_not_believed),
	    cmocka_unit_test(test_caches),
	    cmocka_unit_test(test_caches_by_amd_s_leaf),
	    cmocka_unit_test(test_caches_that_make_no_sense_are_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
