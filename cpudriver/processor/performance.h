/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

#include "cpudriver/abi/performance.h"

/* Lets the counters run that this core has, and says how many those are. CR4.PCE, which lets programs read them, is control.c's. */
unsigned performance_start(void);
