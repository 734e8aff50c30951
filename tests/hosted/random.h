/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Random numbers that repeat: xorshift64* (Vigna 2016). A test sets the state to its seed, which is not 0. */

#include <stdint.h>

static uint64_t random_state = 1;

static inline uint32_t random_number(void)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return (uint32_t)((random_state * UINT64_C(0x2545f4914f6cdd1d)) >> 32);
}
