/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Page faults. Intel SDM vol. 3, 4.7: bits of a page fault's error code. */

#include "cpudriver/abi/capabilities.h"

#define FAULT_PRESENT (UINT64_C(1) << 0)
#define FAULT_WRITE   (UINT64_C(1) << 1)
#define FAULT_EXECUTE (UINT64_C(1) << 4)

static inline uint64_t needed_rights(uint64_t code)
{
	if (code & FAULT_EXECUTE)
		return RIGHT_EXECUTE;
	return code & FAULT_WRITE ? RIGHT_WRITE : RIGHT_READ;
}
