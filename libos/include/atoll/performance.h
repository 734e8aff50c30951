/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* The performance counters of the core that a thread runs on (cpudriver/abi/performance.h), where the machine has them. Like the time-stamp
 * counter they belong to the core: what lies between two looks on the same core counts, whoever did it. */

#include <cpuid.h>

#include "cpudriver/abi/performance.h"

/* How many of enum performance_counter there are, from the first on; 0: this machine has none. */
static inline unsigned performance_available(void)
{
	uint32_t highest, a = 0, b, c, d = 0;

	__cpuid(0, highest, b, c, d);
	if (highest >= LEAF_PERFORMANCE)
		__cpuid_count(LEAF_PERFORMANCE, 0, a, b, c, d);
	return performance_count(highest, a, d);
}

/* One of those that are available; any other one ends the domain with an exception. */
static inline uint64_t performance_read(enum performance_counter counter)
{
	uint32_t low, high;

	__asm__ volatile("rdpmc" : "=a"(low), "=d"(high) : "c"(RDPMC_FIXED | (uint32_t)counter) : "memory");
	return (uint64_t)high << 32 | low;
}
