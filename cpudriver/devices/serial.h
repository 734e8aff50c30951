/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* COM1, written without interrupts: for reports of what can't wait for the console domain. Nothing here keeps state, so every core may
 * print; what two cores print at the same time is mixed. */

#include "cpudriver/abi/types.h"

void serial_init(void); /* 115,200 baud, 8 bits, no parity, FIFOs on; once per machine */
void serial_write(const char *text, size_t bytes);
