/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* The processor's performance counters: Intel's fixed-function ones (Intel SDM vol. 3, 20.2.2 and 20.2.3), or AMD's core counters, the
 * first of which are given the same events to count (AMD APM vol. 2, 13.2). Each core's CPU driver lets those run that there are, from the
 * core's start on and through everything that it does, and lets programs read them by RDPMC. They are the core's, not a domain's: whoever
 * reads them sees what the others on his core have used, as he does by the time-stamp counter. An emulator usually has none. */

#include <stdbool.h>
#include <stdint.h>

enum performance_counter {
	PERFORMANCE_INSTRUCTIONS,     /* retired */
	PERFORMANCE_CYCLES,           /* of the core while it does not halt */
	PERFORMANCE_REFERENCE_CYCLES, /* the same at a constant rate: Intel's only */
	PERFORMANCE_COUNTERS
};

struct performance {
	unsigned count;  /* of enum performance_counter, from the first on; 0: this machine has none */
	uint32_t select; /* the first one's number for RDPMC, in ECX; the others' follow */
};

#define LEAF_PERFORMANCE      0xau
#define LEAF_EXTENDED         0x80000000u
#define LEAF_EXTENDED1        0x80000001u
#define RDPMC_FIXED           (UINT32_C(1) << 30) /* SDM vol. 2, RDPMC: ECX of the fixed-function counters */
#define EXTENDED1_C_CORE_PERF (1u << 23)          /* APM vol. 3, E.4.2: PerfCtrExtCore */

/* What CPUID says of them. */
struct performance_leaves {
	uint32_t highest;          /* leaf 0's EAX */
	uint32_t a, d;             /* leaf 0AH's EAX and EDX, if it is there */
	uint32_t highest_extended; /* leaf 80000000H's EAX */
	uint32_t extended1_c;      /* leaf 80000001H's ECX, if it is there */
};

/* Intel: the version is in leaf 0AH's EAX 7:0, and only from 2 on can the counters be switched on together; their number is in EDX 4:0 (SDM
 * vol. 2, CPUID). AMD leaves that leaf empty, and with PerfCtrExtCore there are six counters at least, which RDPMC numbers from 0 on (APM
 * vol. 2, 13.2.1; vol. 3, RDPMC). */
static inline struct performance performance_of(const struct performance_leaves *leaves)
{
	const bool fixed = leaves->highest >= LEAF_PERFORMANCE && (leaves->a & 0xff) >= 2;
	const unsigned count = leaves->d & 0x1f;

	if (fixed && count > 0)
		return (struct performance){count < PERFORMANCE_COUNTERS ? count : PERFORMANCE_COUNTERS, RDPMC_FIXED};
	if (leaves->highest_extended >= LEAF_EXTENDED1 && (leaves->extended1_c & EXTENDED1_C_CORE_PERF) != 0)
		return (struct performance){PERFORMANCE_CYCLES + 1, 0};
	return (struct performance){0};
}
