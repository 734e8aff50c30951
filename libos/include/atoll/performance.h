/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* The performance counters of the core that a thread runs on (cpudriver/abi/performance.h), where the machine has them. Like the time-stamp
 * counter they belong to the core: what lies between two looks on the same core counts, whoever did it. */

#include <cpuid.h>

#include "cpudriver/abi/performance.h"

/* Which of enum performance_counter there are. Asking takes some CPUIDs, so who reads often asks once. */
static inline struct performance performance_available(void)
{
	struct performance_leaves leaves = {0};
	uint32_t b, c, d;

	__cpuid(0, leaves.highest, b, c, d);
	if (leaves.highest >= LEAF_PERFORMANCE)
		__cpuid_count(LEAF_PERFORMANCE, 0, leaves.a, b, c, leaves.d);
	__cpuid(LEAF_EXTENDED, leaves.highest_extended, b, c, d);
	if (leaves.highest_extended >= LEAF_EXTENDED1) {
		uint32_t a;

		__cpuid(LEAF_EXTENDED1, a, b, leaves.extended1_c, d);
	}
	return performance_of(&leaves);
}

/* One of those that are available; any other one ends the domain with an exception. */
static inline uint64_t performance_read(struct performance available, enum performance_counter counter)
{
	uint32_t low, high;

	__asm__ volatile("rdpmc" : "=a"(low), "=d"(high) : "c"(available.select + (uint32_t)counter) : "memory");
	return (uint64_t)high << 32 | low;
}
