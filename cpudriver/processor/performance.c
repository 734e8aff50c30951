/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#include "cpudriver/processor/performance.h"

#include "cpudriver/processor/instructions.h"
#include "cpudriver/processor/registers.h"

/* Intel SDM vol. 3, 20.2.2, figures 20-2 and 20-3. */
#define FIXED_BITS       4  /* of each counter in IA32_FIXED_CTR_CTRL */
#define FIXED_EVERYWHERE 3  /* in the kernel and in programs; no interrupt when it overflows */
#define GLOBAL_FIXED     32 /* the first one's bit in IA32_PERF_GLOBAL_CTRL */

unsigned performance_start(void)
{
	const uint32_t highest = cpuid(0, 0).a;
	const struct cpuid leaf = highest >= LEAF_PERFORMANCE ? cpuid(LEAF_PERFORMANCE, 0) : (struct cpuid){0};
	const unsigned count = performance_count(highest, leaf.a, leaf.d);
	uint64_t fixed = 0, global = 0;

	for (unsigned i = 0; i < count; i++) {
		fixed |= (uint64_t)FIXED_EVERYWHERE << (i * FIXED_BITS);
		global |= UINT64_C(1) << (GLOBAL_FIXED + i);
	}
	if (count > 0) {
		wrmsr(MSR_FIXED_CTR_CTRL, fixed);
		wrmsr(MSR_PERF_GLOBAL_CTRL, global);
	}
	return count;
}
