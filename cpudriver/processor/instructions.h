/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Instructions that C has no words for, each under its own name (SDM vol. 2). */

#include <stdint.h>

#define NORETURN _Noreturn

static inline uint64_t rdmsr(uint32_t msr)
{
	uint32_t low, high;

	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
	return (uint64_t)high << 32 | low;
}

static inline void wrmsr(uint32_t msr, uint64_t value)
{
	__asm__ volatile("wrmsr" : : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)) : "memory");
}

static inline uint64_t rdtsc(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high) : : "memory");
	return (uint64_t)high << 32 | low;
}

struct cpuid {
	uint32_t a, b, c, d;
};

static inline struct cpuid cpuid(uint32_t leaf, uint32_t subleaf)
{
	struct cpuid r;

	__asm__ volatile("cpuid" : "=a"(r.a), "=b"(r.b), "=c"(r.c), "=d"(r.d) : "a"(leaf), "c"(subleaf));
	return r;
}

/* `bytes` is 1, 2 or 4. */
static inline uint32_t port_in(uint16_t port, unsigned bytes)
{
	uint8_t b;
	uint16_t w;
	uint32_t l;

	switch (bytes) {
	case 1:
		__asm__ volatile("inb %1, %0" : "=a"(b) : "Nd"(port));
		return b;
	case 2:
		__asm__ volatile("inw %1, %0" : "=a"(w) : "Nd"(port));
		return w;
	default:
		__asm__ volatile("inl %1, %0" : "=a"(l) : "Nd"(port));
		return l;
	}
}

static inline void port_out(uint16_t port, unsigned bytes, uint32_t value)
{
	switch (bytes) {
	case 1:
		__asm__ volatile("outb %0, %1" : : "a"((uint8_t)value), "Nd"(port));
		break;
	case 2:
		__asm__ volatile("outw %0, %1" : : "a"((uint16_t)value), "Nd"(port));
		break;
	default:
		__asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port));
		break;
	}
}

#define CONTROL_REGISTER(name)                                                                                                             \
	static inline uint64_t read_##name(void)                                                                                           \
	{                                                                                                                                  \
		uint64_t value;                                                                                                            \
                                                                                                                                           \
		__asm__ volatile("mov %%" #name ", %0" : "=r"(value));                                                                     \
		return value;                                                                                                              \
	}                                                                                                                                  \
	static inline void write_##name(uint64_t value)                                                                                    \
	{                                                                                                                                  \
		__asm__ volatile("mov %0, %%" #name : : "r"(value) : "memory");                                                            \
	}
CONTROL_REGISTER(cr0)
CONTROL_REGISTER(cr2)
CONTROL_REGISTER(cr3)
CONTROL_REGISTER(cr4)
#undef CONTROL_REGISTER

static inline uint64_t read_xcr0(void)
{
	uint32_t low, high;

	__asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return (uint64_t)high << 32 | low;
}

static inline void write_xcr0(uint64_t value)
{
	__asm__ volatile("xsetbv" : : "c"(0), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)) : "memory");
}

/* All features that XCR0 enables; `area` is aligned to 64 bytes. */
static inline void xsave(void *area)
{
	__asm__ volatile("xsave64 (%0)" : : "r"(area), "a"(~0u), "d"(~0u) : "memory");
}
static inline void xrstor(const void *area)
{
	__asm__ volatile("xrstor64 (%0)" : : "r"(area), "a"(~0u), "d"(~0u) : "memory");
}

#define SEGMENT_BASE(name)                                                                                                                 \
	static inline uint64_t read_##name##_base(void)                                                                                    \
	{                                                                                                                                  \
		uint64_t value;                                                                                                            \
                                                                                                                                           \
		__asm__ volatile("rd" #name "base %0" : "=r"(value));                                                                      \
		return value;                                                                                                              \
	}                                                                                                                                  \
	static inline void write_##name##_base(uint64_t value)                                                                             \
	{                                                                                                                                  \
		__asm__ volatile("wr" #name "base %0" : : "r"(value));                                                                     \
	}
SEGMENT_BASE(fs)
SEGMENT_BASE(gs)
#undef SEGMENT_BASE

static inline void invlpg(uint64_t address)
{
	__asm__ volatile("invlpg (%0)" : : "r"(address) : "memory");
}
static inline void mfence(void)
{
	__asm__ volatile("mfence" : : : "memory");
}

/* For good: with interrupts off nothing but a reset or INIT goes on from here. */
static inline NORETURN void halt_forever(void)
{
	for (;;)
		__asm__ volatile("cli; hlt");
}
