/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Checks of the programs that the boot tests run: a function that returns NULL, or the reason why it failed. */

#include "cpudriver/abi/types.h"

#define READ_WRITE RIGHTS(RIGHT_READ | RIGHT_WRITE)

#define CHECK(condition)                                                                                                                   \
	do {                                                                                                                               \
		if (!(condition))                                                                                                          \
			return #condition;                                                                                                 \
	} while (0)
