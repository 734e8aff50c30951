/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Stands in for the header of the same name: the test is the machine. */

#include "cpudriver/abi/types.h"
#include "cpudriver/processor/instructions.h"

uint32_t register_read(uint64_t address);
void register_write(uint64_t address, uint32_t value);
void fence_before_wrmsr(void);
void spin_hint(void);
