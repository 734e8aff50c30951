/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#include "cpudriver/processor/performance.h"

#include "cpudriver/processor/instructions.h"
#include "cpudriver/processor/registers.h"

/* Intel SDM vol. 3, 20.2.2, figures 20-2 and 20-3. */
#define FIXED_BITS       4  /* of each counter in IA32_FIXED_CTR_CTRL */
#define FIXED_EVERYWHERE 3  /* in the kernel and in programs; no interrupt when it overflows */
#define GLOBAL_FIXED     32 /* the first one's bit in IA32_PERF_GLOBAL_CTRL */

/* AMD APM vol. 2, 13.2.1, PERF_CTLn: the event in bits 7:0, no unit mask, counted in programs and in the kernel, enabled; no interrupt when
 * it overflows. A counter's two registers lie side by side. */
#define EVENT_EVERYWHERE (UINT64_C(1) << 22 | UINT64_C(1) << 17 | UINT64_C(1) << 16)
#define EVENT_REGISTERS  2

/* Events of all families that have these counters: PMCx0C0 and PMCx076 in each one's Processor Programming Reference, "Core Performance
 * Monitor Counters". */
static const uint8_t events[] = {[PERFORMANCE_INSTRUCTIONS] = 0xc0, [PERFORMANCE_CYCLES] = 0x76};

/* APM vol. 3, E.4.20: bit 0 of EAX is version 2, whose PerfCntrGlobalCtl has a bit for each counter beside that of PERF_CTLn. */
#define LEAF_PERFORMANCE2   0x80000022u
#define PERFORMANCE2_GLOBAL (1u << 0)

static void start_fixed(unsigned count)
{
	uint64_t fixed = 0, global = 0;

	for (unsigned i = 0; i < count; i++) {
		fixed |= (uint64_t)FIXED_EVERYWHERE << (i * FIXED_BITS);
		global |= UINT64_C(1) << (GLOBAL_FIXED + i);
	}
	wrmsr(MSR_FIXED_CTR_CTRL, fixed);
	wrmsr(MSR_PERF_GLOBAL_CTRL, global);
}

static void start_events(unsigned count, uint32_t highest_extended)
{
	for (unsigned i = 0; i < count; i++)
		wrmsr(MSR_AMD_PERF_CTL0 + i * EVENT_REGISTERS, EVENT_EVERYWHERE | events[i]);
	if (highest_extended >= LEAF_PERFORMANCE2 && (cpuid(LEAF_PERFORMANCE2, 0).a & PERFORMANCE2_GLOBAL) != 0)
		wrmsr(MSR_AMD_PERF_GLOBAL_CTL, (UINT64_C(1) << count) - 1);
}

unsigned performance_start(void)
{
	struct performance_leaves leaves = {.highest = cpuid(0, 0).a, .highest_extended = cpuid(LEAF_EXTENDED, 0).a};
	struct performance found;

	if (leaves.highest >= LEAF_PERFORMANCE) {
		leaves.a = cpuid(LEAF_PERFORMANCE, 0).a;
		leaves.d = cpuid(LEAF_PERFORMANCE, 0).d;
	}
	if (leaves.highest_extended >= LEAF_EXTENDED1)
		leaves.extended1_c = cpuid(LEAF_EXTENDED1, 0).c;
	found = performance_of(&leaves);
	if (found.count > 0 && found.select == RDPMC_FIXED)
		start_fixed(found.count);
	else if (found.count > 0)
		start_events(found.count, leaves.highest_extended);
	return found.count;
}
