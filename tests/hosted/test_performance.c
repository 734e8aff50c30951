// sources: cpudriver/processor/performance.c
// flags: -iquote tests/hosted/fake
/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Which performance counters are let run, on processors that were made up. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "cpudriver/processor/instructions.h"
#include "cpudriver/processor/performance.h"
#include "cpudriver/processor/registers.h"

static struct cpuid leaf0, leaf_performance;
static uint64_t fixed, global;
static unsigned writes;

struct cpuid cpuid(uint32_t leaf, uint32_t subleaf)
{
	assert_int_equal(subleaf, 0);
	/* A leaf beyond the highest one answers with another leaf's words. */
	return leaf == 0 ? leaf0 : leaf_performance;
}

void wrmsr(uint32_t msr, uint64_t value)
{
	assert_true(msr == MSR_FIXED_CTR_CTRL || msr == MSR_PERF_GLOBAL_CTRL);
	assert_int_equal(writes++, msr == MSR_PERF_GLOBAL_CTRL);
	*(msr == MSR_FIXED_CTR_CTRL ? &fixed : &global) = value;
}

static unsigned start(uint32_t highest, uint32_t version, uint32_t count)
{
	leaf0 = (struct cpuid){.a = highest};
	leaf_performance = (struct cpuid){.a = 0x07300400 | version, .d = 0x600 | count};
	fixed = global = 0;
	writes = 0;
	return performance_start();
}

static void all_that_there_are_run(void **state)
{
	(void)state;
	assert_int_equal(start(0x16, 4, 3), 3);
	assert_int_equal(fixed, 0x333);
	assert_int_equal(global, UINT64_C(7) << 32);
	assert_int_equal(start(0x16, 2, 1), 1);
	assert_int_equal(fixed, 0x3);
	assert_int_equal(global, UINT64_C(1) << 32);
}

static void later_ones_are_left_alone(void **state)
{
	(void)state;
	assert_int_equal(start(0x20, 5, 4), PERFORMANCE_COUNTERS);
	assert_int_equal(fixed, 0x333);
}

static void nothing_is_written_where_there_are_none(void **state)
{
	(void)state;
	assert_int_equal(start(0x9, 4, 3), 0); /* the leaf is not there */
	assert_int_equal(start(0xd, 0, 0), 0); /* an emulator's */
	assert_int_equal(start(0xd, 1, 3), 0); /* the first version has no common switch */
	assert_int_equal(start(0xd, 2, 0), 0);
	assert_int_equal(writes, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(all_that_there_are_run),
	    cmocka_unit_test(later_ones_are_left_alone),
	    cmocka_unit_test(nothing_is_written_where_there_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
