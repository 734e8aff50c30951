/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* How the code under cpudriver/devices reaches registers. It holds no assembly of its own, so the hosted tests put headers of the same
 * names in front of this one and of instructions.h (-iquote tests/hosted/fake) and run the drivers against registers of their own. */

#include "cpudriver/abi/types.h"
#include "cpudriver/processor/instructions.h"

/* Registers in memory are `volatile` because reading and writing them has effects, not because anything is shared. */
static inline uint32_t register_read(uint64_t address)
{
	return *(const volatile uint32_t *)address;
}
static inline void register_write(uint64_t address, uint32_t value)
{
	*(volatile uint32_t *)address = value;
}

/* Every store before it is visible to all cores before the WRMSR behind it takes effect: writes to the x2APIC and to the TSC deadline
 * do not wait for that by themselves (Intel SDM vol. 3, 10.12.3). */
static inline void fence_before_wrmsr(void)
{
	__asm__ volatile("mfence; lfence" : : : "memory");
}

static inline void spin_hint(void)
{
	__asm__ volatile("pause");
}
