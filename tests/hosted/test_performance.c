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

#define VERSION_1_ONLY 0x80000021u /* the highest extended leaf of a processor without 80000022H */

static struct cpuid leaf0, leaf_performance, extended0, extended1, extended_performance;
static uint64_t fixed, global, event[PERFORMANCE_COUNTERS], amd_global;
static unsigned writes, amd_writes;

struct cpuid cpuid(uint32_t leaf, uint32_t subleaf)
{
	assert_int_equal(subleaf, 0);
	/* A leaf beyond the highest one would answer with another leaf's words. */
	assert_true(leaf <= (leaf < LEAF_EXTENDED ? leaf0.a : extended0.a) || leaf == LEAF_EXTENDED);
	switch (leaf) {
	case 0:
		return leaf0;
	case LEAF_PERFORMANCE:
		return leaf_performance;
	case LEAF_EXTENDED:
		return extended0;
	case LEAF_EXTENDED1:
		return extended1;
	default:
		assert_int_equal(leaf, 0x80000022);
		return extended_performance;
	}
}

void wrmsr(uint32_t msr, uint64_t value)
{
	if (msr >= MSR_AMD_PERF_CTL0 && msr < MSR_AMD_PERF_CTL0 + 2 * PERFORMANCE_COUNTERS) {
		assert_int_equal((msr - MSR_AMD_PERF_CTL0) % 2, 0); /* the others are the counters */
		event[(msr - MSR_AMD_PERF_CTL0) / 2] = value;
		amd_writes++;
	} else if (msr == MSR_AMD_PERF_GLOBAL_CTL) {
		amd_global = value;
		amd_writes++;
	} else {
		assert_true(msr == MSR_FIXED_CTR_CTRL || msr == MSR_PERF_GLOBAL_CTRL);
		assert_int_equal(writes++, msr == MSR_PERF_GLOBAL_CTRL);
		*(msr == MSR_FIXED_CTR_CTRL ? &fixed : &global) = value;
	}
}

static unsigned start_now(void)
{
	fixed = global = amd_global = 0;
	memset(event, 0, sizeof(event));
	writes = amd_writes = 0;
	return performance_start();
}

static unsigned start(uint32_t highest, uint32_t version, uint32_t count)
{
	leaf0 = (struct cpuid){.a = highest};
	leaf_performance = (struct cpuid){.a = 0x07300400 | version, .d = 0x600 | count};
	extended0 = (struct cpuid){.a = 0x80000008};
	extended1 = (struct cpuid){.c = 0x121, .d = 0x2c100800};
	return start_now();
}

/* AMD's processors have leaf 0AH, and nothing in it. */
static unsigned start_amd(uint32_t highest_extended, uint32_t extended1_c, uint32_t version2_a)
{
	leaf0 = (struct cpuid){.a = 0x10};
	leaf_performance = (struct cpuid){0};
	extended0 = (struct cpuid){.a = highest_extended};
	extended1 = (struct cpuid){.c = extended1_c};
	extended_performance = (struct cpuid){.a = version2_a, .b = 6};
	return start_now();
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
	assert_int_equal(start_amd(0x80000008, 0x75c237ff & ~(1u << 23), 0), 0); /* an older AMD's, or an emulator's of one */
	assert_int_equal(start_amd(0x80000000, 1u << 23, 0), 0);                 /* the leaf is not there */
	assert_int_equal(writes + amd_writes, 0);
}

/* Events 0C0H and 076H, in programs and in the kernel (bits 16, 17), enabled (22): AMD APM vol. 2, 13.2.1. */
static void amd_s_count_two_events(void **state)
{
	(void)state;
	assert_int_equal(start_amd(VERSION_1_ONLY, 0x75c237ff, 1), 2);
	assert_int_equal(event[PERFORMANCE_INSTRUCTIONS], 0x4300c0);
	assert_int_equal(event[PERFORMANCE_CYCLES], 0x430076);
	assert_int_equal(amd_writes, 2); /* without version 2 there is no common switch */
	assert_int_equal(start_amd(0x80000028, 0x75c237ff, 0), 2);
	assert_int_equal(amd_writes, 2);
	assert_int_equal(writes, 0);
}

static void amd_s_version_2_has_a_common_switch(void **state)
{
	(void)state;
	assert_int_equal(start_amd(0x80000028, 0x75c237ff, 7), 2);
	assert_int_equal(event[PERFORMANCE_INSTRUCTIONS], 0x4300c0);
	assert_int_equal(event[PERFORMANCE_CYCLES], 0x430076);
	assert_int_equal(amd_global, 3);
	assert_int_equal(amd_writes, 3);
}

/* What programs read them by. */
static void counters_are_where_rdpmc_finds_them(void **state)
{
	const struct performance_leaves intel = {.highest = 0x16, .a = 4, .d = 3, .highest_extended = 0x80000008};
	const struct performance_leaves amd = {.highest = 0x10, .highest_extended = 0x80000021, .extended1_c = 1u << 23};

	(void)state;
	assert_int_equal(performance_of(&intel).select, 0x40000000);
	assert_int_equal(performance_of(&intel).count, PERFORMANCE_COUNTERS);
	assert_int_equal(performance_of(&amd).select, 0);
	assert_int_equal(performance_of(&amd).count, PERFORMANCE_CYCLES + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(all_that_there_are_run),
	    cmocka_unit_test(later_ones_are_left_alone),
	    cmocka_unit_test(nothing_is_written_where_there_are_none),
	    cmocka_unit_test(amd_s_count_two_events),
	    cmocka_unit_test(amd_s_version_2_has_a_common_switch),
	    cmocka_unit_test(counters_are_where_rdpmc_finds_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
