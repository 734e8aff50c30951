/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* What a monitor wants to know of its own library OS. */

#include "cpudriver/abi/types.h"

/* The physical range that the library OS of a monitor manages for itself; it lies in the first RAM capability of ROOT_BOOT, at its low end.
 */
void start_own_memory(uint64_t *base, uint64_t *bytes);

/* Text for the serial line by way of the CPU driver, as long as there is no console; monitors only. */
void early_print(const char *text, size_t bytes);
