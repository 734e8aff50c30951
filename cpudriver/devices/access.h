/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* The few instructions that reach devices. Nothing else under cpudriver/devices holds assembly, so the hosted tests put a header of the
 * same name in front of this one (-iquote tests/hosted/fake) and run the drivers against registers of their own. */

#include "cpudriver/abi/types.h"

static inline uint8_t port_read8(uint16_t port)
{
	uint8_t value;
	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline uint32_t port_read32(uint16_t port)
{
	uint32_t value;
	__asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline void port_write8(uint16_t port, uint8_t value) { __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port)); }

static inline uint64_t msr_read(uint32_t msr)
{
	uint32_t low, high;
	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
	return (uint64_t)high << 32 | low;
}

static inline void msr_write(uint32_t msr, uint64_t value)
{
	__asm__ volatile("wrmsr" : : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)) : "memory");
}

/* Registers in memory are `volatile` because reading and writing them has effects, not because anything is shared. */
static inline uint32_t register_read32(uint64_t address) { return *(const volatile uint32_t *)address; }
static inline void register_write32(uint64_t address, uint32_t value) { *(volatile uint32_t *)address = value; }

static inline uint64_t tsc_read(void)
{
	uint32_t low, high;
	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high) : : "memory");
	return (uint64_t)high << 32 | low;
}

struct cpuid {
	uint32_t eax, ebx, ecx, edx;
};

static inline struct cpuid cpuid_read(uint32_t leaf, uint32_t subleaf)
{
	struct cpuid r;
	__asm__ volatile("cpuid" : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx) : "a"(leaf), "c"(subleaf));
	return r;
}

/* Every store before it is visible to all cores before the WRMSR behind it takes effect: writes to the x2APIC and to the TSC deadline
 * do not wait for that by themselves (Intel SDM vol. 3, 10.12.3). */
static inline void fence_before_msr(void) { __asm__ volatile("mfence; lfence" : : : "memory"); }

static inline void spin_hint(void) { __asm__ volatile("pause"); }
