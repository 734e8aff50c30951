/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#include "cpudriver/processor/control.h"

#include "cpudriver/abi/dispatcher.h"
#include "cpudriver/processor/instructions.h"
#include "cpudriver/processor/performance.h"
#include "cpudriver/processor/registers.h"
#include "cpudriver/report.h"

/* SDM vol. 2, CPUID: leaf 1, leaf 7, leaf 80000001H. */
#define LEAF1_C_XSAVE    (1u << 26)
#define LEAF1_D_MTRR     (1u << 12)
#define LEAF7_B_FSGSBASE (1u << 0)
#define LEAF7_B_SMEP     (1u << 7)
#define LEAF7_B_SMAP     (1u << 20)
#define LEAF7_C_UMIP     (1u << 2)
#define EXTENDED1_D_NX   (1u << 20)
#define EXTENDED1_D_1GB  (1u << 26)
#define LEAF_XSAVE       0xd

/* The state that dispatchers keep; whatever else a CPU may have (tiles, for example) stays off and so unusable to programs. */
#define XCR0_AVX512 (XCR0_OPMASK | XCR0_ZMM_HIGH | XCR0_HIGH_ZMM)
#define XCR0_WANTED (XCR0_X87 | XCR0_SSE | XCR0_AVX | XCR0_AVX512)

/* AVX-512 needs all three of its components and AVX (SDM vol. 1, 13.3). */
static uint64_t usable_state(uint64_t has)
{
	uint64_t use = has & XCR0_WANTED;

	if ((use & XCR0_AVX) == 0 || (use & XCR0_AVX512) != XCR0_AVX512)
		use &= ~(uint64_t)XCR0_AVX512;
	return use;
}

/* SDM vol. 2, CPUID leaf 0DH: subleaf 0's EBX is the size for what XCR0 enables now. */
static void start_xstate(struct control_features *out)
{
	struct cpuid leaf = cpuid(LEAF_XSAVE, 0);

	out->xcr0 = usable_state((uint64_t)leaf.d << 32 | leaf.a);
	write_xcr0(out->xcr0);
	if (cpuid(LEAF_XSAVE, 0).b > XSTATE_BYTES) {
		out->xcr0 &= ~(uint64_t)XCR0_AVX512;
		write_xcr0(out->xcr0);
	}
	out->xstate_bytes = cpuid(LEAF_XSAVE, 0).b;
}

const char *control_start(struct control_features *out)
{
	struct cpuid leaf1 = cpuid(1, 0), extended = cpuid(0x80000001, 0);
	struct cpuid leaf7 = cpuid(0, 0).a >= 7 ? cpuid(7, 0) : (struct cpuid){0};
	uint64_t cr4 = CR4_DE | CR4_PAE | CR4_MCE | CR4_PGE | CR4_OSFXSR | CR4_OSXMMEXCPT | CR4_FSGSBASE | CR4_OSXSAVE;

	if ((leaf7.b & LEAF7_B_FSGSBASE) == 0)
		return "this CPU has no FSGSBASE, without which threads can't switch their thread-local storage";
	if ((leaf1.c & LEAF1_C_XSAVE) == 0)
		return "this CPU has no XSAVE, without which vector registers can't be switched";
	if ((leaf7.b & LEAF7_B_SMEP) != 0)
		cr4 |= CR4_SMEP;
	if ((leaf7.b & LEAF7_B_SMAP) != 0)
		cr4 |= CR4_SMAP;
	if ((leaf7.c & LEAF7_C_UMIP) != 0)
		cr4 |= CR4_UMIP;
	if (performance_start() > 0)
		cr4 |= CR4_PCE;
	out->no_execute = (extended.d & EXTENDED1_D_NX) != 0;
	out->huge_pages = (extended.d & EXTENDED1_D_1GB) != 0;

	wrmsr(MSR_EFER, EFER_SCE | EFER_LME | EFER_LMA | (out->no_execute ? EFER_NXE : 0));
	write_cr0(CR0_PG | CR0_WP | CR0_NE | CR0_ET | CR0_MP | CR0_PE);
	write_cr4(cr4);
	wrmsr(MSR_PAT, PAT_AFTER_RESET);
	start_xstate(out);
	return NULL;
}

/* `misc` is the default memory type, if the CPU has memory type ranges. */
struct control_state control_read(void)
{
	return (struct control_state){
	    .cr0 = read_cr0(),
	    .cr4 = read_cr4(),
	    .efer = rdmsr(MSR_EFER),
	    .pat = rdmsr(MSR_PAT),
	    .xcr0 = read_xcr0(),
	    .misc = (cpuid(1, 0).d & LEAF1_D_MTRR) != 0 ? rdmsr(MSR_MTRR_DEF_TYPE) : 0,
	};
}

void control_compare(const struct control_state *here, const struct control_state *first)
{
#define COMPARE(name)                                                                                                                      \
	if (here->name != first->name)                                                                                                     \
	report_control(#name, here->name, first->name)
	COMPARE(cr0);
	COMPARE(cr4);
	COMPARE(efer);
	COMPARE(pat);
	COMPARE(xcr0);
	COMPARE(misc);
#undef COMPARE
}
