/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include "cpudriver/processor/memory_types.h"

#include <string.h>

#include "cpudriver/processor/instructions.h"
#include "cpudriver/processor/registers.h"

#define LEAF1_D_MTRR (1u << 12) /* Intel SDM vol. 2, CPUID leaf 1 */
#define CAP_FIXED    (1u << 8)
#define CAP_VARIABLE 0xff

/* Intel SDM vol. 3, table 11-9. */
static const uint32_t fixed_registers[MEMORY_TYPES_FIXED] = {0x250, 0x258, 0x259, 0x268, 0x269, 0x26a, 0x26b, 0x26c, 0x26d, 0x26e, 0x26f};

/* How many there are of each kind that this code handles. */
struct counts {
	unsigned fixed, variable;
};

static struct counts count(void)
{
	struct counts c = {0, 0};

	if ((cpuid(1, 0).d & LEAF1_D_MTRR) != 0) {
		uint64_t cap = rdmsr(MSR_MTRR_CAP);

		c.fixed = (cap & CAP_FIXED) != 0 ? MEMORY_TYPES_FIXED : 0;
		c.variable = (cap & CAP_VARIABLE) < MEMORY_TYPES_VARIABLE ? (unsigned)(cap & CAP_VARIABLE) : MEMORY_TYPES_VARIABLE;
	}
	return c;
}

void memory_types_read(struct memory_types *out)
{
	const struct counts c = count();

	memset(out, 0, sizeof(*out));
	for (unsigned i = 0; i < c.fixed; i++)
		out->fixed[i] = rdmsr(fixed_registers[i]);
	for (unsigned i = 0; i < c.variable; i++) {
		out->variable[i].base = rdmsr(MSR_MTRR_PHYS_BASE + 2 * i);
		out->variable[i].mask = rdmsr(MSR_MTRR_PHYS_BASE + 2 * i + 1);
	}
}

static void write_back_caches(void)
{
	__asm__ volatile("wbinvd" : : : "memory");
}

/* Intel SDM vol. 3, 11.11.8,: caches off and empty while the types change, then all translations are forgotten (toggling CR4.PGE does
 * that). */
static void write_types(const struct memory_types *types, uint64_t default_type)
{
	const struct counts c = count();
	uint64_t cr0 = read_cr0();

	write_cr0((cr0 | CR0_CD) & ~(uint64_t)CR0_NW);
	write_back_caches();
	wrmsr(MSR_MTRR_DEF_TYPE, 0);
	for (unsigned i = 0; i < c.fixed; i++)
		wrmsr(fixed_registers[i], types->fixed[i]);
	for (unsigned i = 0; i < c.variable; i++) {
		wrmsr(MSR_MTRR_PHYS_BASE + 2 * i, types->variable[i].base);
		wrmsr(MSR_MTRR_PHYS_BASE + 2 * i + 1, types->variable[i].mask);
	}
	wrmsr(MSR_MTRR_DEF_TYPE, default_type);
	write_back_caches();
	write_cr0(cr0);
	write_cr4(read_cr4() & ~(uint64_t)CR4_PGE);
	write_cr4(read_cr4() | CR4_PGE);
}

void memory_types_adopt(const struct memory_types *first, uint64_t default_type)
{
	struct memory_types here;

	if ((cpuid(1, 0).d & LEAF1_D_MTRR) == 0)
		return;
	memory_types_read(&here);
	if (rdmsr(MSR_MTRR_DEF_TYPE) != default_type || memcmp(&here, first, sizeof(here)) != 0)
		write_types(first, default_type);
}
