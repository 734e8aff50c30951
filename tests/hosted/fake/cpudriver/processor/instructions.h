/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Stands in for the header of the same name: the test answers every instruction. */

#include <stdint.h>

struct cpuid {
	uint32_t a, b, c, d;
};

uint64_t rdmsr(uint32_t msr);
void wrmsr(uint32_t msr, uint64_t value);
uint64_t rdtsc(void);
struct cpuid cpuid(uint32_t leaf, uint32_t subleaf);
uint32_t port_in(uint16_t port, unsigned bytes);
void port_out(uint16_t port, unsigned bytes, uint32_t value);
