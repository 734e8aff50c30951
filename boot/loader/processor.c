/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#include "boot/loader/processor.h"

struct leaf {
	uint32_t eax, ebx, ecx, edx;
};

/* Intel SDM vol. 2, CPUID, table 3-8. */
#define LEAF_VERSION      0x1 /* EBX 31:24: the APIC ID's low 8 bits */
#define LEAF_TOPOLOGY     0xb /* EDX: all 32 bits, if EBX is not 0 */
#define LEAF_EXTENDED     0x80000001
#define EDX_HUGE_PAGES    (1u << 26)
#define LEAF_ADDRESS_BITS 0x80000008 /* EAX 7:0 */
#define ADDRESS_BITS_OLD  36         /* 4.1.4 in vol. 3: of CPUs without that leaf */

static struct leaf cpuid(uint32_t number)
{
	struct leaf l;

	__asm__ volatile("cpuid" : "=a"(l.eax), "=b"(l.ebx), "=c"(l.ecx), "=d"(l.edx) : "a"(number), "c"(0));
	return l;
}

/* As the trampoline does it for the other cores. */
static uint32_t read_apic(void)
{
	if (cpuid(0).eax >= LEAF_TOPOLOGY) {
		struct leaf topology = cpuid(LEAF_TOPOLOGY);
		if (topology.ebx != 0)
			return topology.edx;
	}
	return cpuid(LEAF_VERSION).ebx >> 24;
}

struct processor processor_read(void)
{
	uint32_t bits = cpuid(0x80000000).eax >= LEAF_ADDRESS_BITS ? cpuid(LEAF_ADDRESS_BITS).eax & 0xff : ADDRESS_BITS_OLD;

	return (struct processor){
	    .apic = read_apic(),
	    .huge_pages = (cpuid(LEAF_EXTENDED).edx & EDX_HUGE_PAGES) != 0,
	    .address_end = UINT64_C(1) << bits,
	};
}
