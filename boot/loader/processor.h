/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* What the loader asks the first core's processor. Intel SDM vol. 2, CPUID. */

#include "cpudriver/abi/types.h"

struct processor {
	uint32_t apic;        /* APIC ID */
	bool huge_pages;      /* pages of 1 GiB */
	uint64_t address_end; /* of its physical addresses */
};

struct processor processor_read(void);
