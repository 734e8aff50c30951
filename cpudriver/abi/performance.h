/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* The processor's fixed-function performance counters (Intel SDM vol. 3, 20.2.2 and 20.2.3). Each core's CPU driver lets those run that
 * there are, from the core's start on and through everything that it does, and lets programs read them by RDPMC. They are the core's, not a
 * domain's: whoever reads them sees what the others on his core have used, as he does by the time-stamp counter. An emulator usually has
 * none, nor have AMD's processors, whose counters are others. */

#include <stdint.h>

enum performance_counter {
	PERFORMANCE_INSTRUCTIONS,     /* retired */
	PERFORMANCE_CYCLES,           /* of the core while it does not halt */
	PERFORMANCE_REFERENCE_CYCLES, /* the same at a constant rate */
	PERFORMANCE_COUNTERS
};

#define LEAF_PERFORMANCE 0xau
#define RDPMC_FIXED      (UINT32_C(1) << 30) /* SDM vol. 2, RDPMC: ECX of the fixed-function counters */

/* How many there are, of CPUID leaf 0's EAX and leaf 0AH's EAX and EDX (SDM vol. 2, CPUID): the version is in EAX 7:0, and only from 2 on
 * can they be switched on together; their number is in EDX 4:0. */
static inline unsigned performance_count(uint32_t highest_leaf, uint32_t a, uint32_t d)
{
	unsigned count = d & 0x1f;

	if (highest_leaf < LEAF_PERFORMANCE || (a & 0xff) < 2)
		return 0;
	return count < PERFORMANCE_COUNTERS ? count : PERFORMANCE_COUNTERS;
}
