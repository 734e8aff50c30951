/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* The bits of the processor's registers that the CPU driver uses. Plain numbers: assembly includes this file too.
 * "SDM" is the Intel 64 and IA-32 Architectures Software Developer's Manual. */

/* SDM vol. 3, 2.5: control registers. */
#define CR0_PE (1 << 0)
#define CR0_MP (1 << 1)
#define CR0_ET (1 << 4)
#define CR0_NE (1 << 5)
#define CR0_WP (1 << 16)
#define CR0_NW (1 << 29)
#define CR0_CD (1 << 30)
#define CR0_PG 0x80000000

#define CR4_DE         (1 << 3)
#define CR4_PAE        (1 << 5)
#define CR4_MCE        (1 << 6)
#define CR4_PGE        (1 << 7)
#define CR4_PCE        (1 << 8) /* programs may read performance counters */
#define CR4_OSFXSR     (1 << 9)
#define CR4_OSXMMEXCPT (1 << 10)
#define CR4_UMIP       (1 << 11)
#define CR4_FSGSBASE   (1 << 16)
#define CR4_OSXSAVE    (1 << 18)
#define CR4_SMEP       (1 << 20)
#define CR4_SMAP       (1 << 21)

/* SDM vol. 3, 2.6: extended control register 0, and vol. 1, 13.1: state components. */
#define XCR0_X87      (1 << 0)
#define XCR0_SSE      (1 << 1)
#define XCR0_AVX      (1 << 2)
#define XCR0_OPMASK   (1 << 5)
#define XCR0_ZMM_HIGH (1 << 6)
#define XCR0_HIGH_ZMM (1 << 7)

/* SDM vol. 3, 2.3: flags. */
#define RFLAGS_RESERVED1 (1 << 1)
#define RFLAGS_TF        (1 << 8)
#define RFLAGS_IF        (1 << 9)
#define RFLAGS_DF        (1 << 10)
#define RFLAGS_IOPL      (3 << 12)
#define RFLAGS_NT        (1 << 14)
#define RFLAGS_RF        (1 << 16)
#define RFLAGS_VM        (1 << 17)
#define RFLAGS_AC        (1 << 18)

/* SDM vol. 4, 2.1: architectural model-specific registers. */
#define MSR_MTRR_CAP         0x000000fe /* bits 0..7: variable ranges, 8: fixed ranges */
#define MSR_SYSENTER_CS      0x00000174
#define MSR_PAT              0x00000277
#define MSR_MTRR_PHYS_BASE   0x00000200 /* then PHYS_MASK, then the next pair */
#define MSR_MTRR_DEF_TYPE    0x000002ff
#define MSR_FIXED_CTR_CTRL   0x0000038d
#define MSR_PERF_GLOBAL_CTRL 0x0000038f
#define MSR_EFER             0xc0000080
#define MSR_STAR             0xc0000081
#define MSR_LSTAR            0xc0000082
#define MSR_FMASK            0xc0000084

/* AMD APM vol. 2, 13.2.1 and appendix A: core performance counters. */
#define MSR_AMD_PERF_CTL0       0xc0010200 /* then PERF_CTR0, then the next pair */
#define MSR_AMD_PERF_GLOBAL_CTL 0xc0000301

/* SDM vol. 3, 2.2.1. */
#define EFER_SCE (1 << 0)
#define EFER_LME (1 << 8)
#define EFER_LMA (1 << 10)
#define EFER_NXE (1 << 11)

/* SDM vol. 3, 12.12.4: the page attribute table as it is after a reset; the page-table code counts on its write-back and uncached
 * entries. */
#define PAT_AFTER_RESET 0x0007040600070406

/* SDM vol. 3, 6.3.1: exceptions that are told apart by number. */
#define VECTOR_DEBUG         1
#define VECTOR_NMI           2
#define VECTOR_BREAKPOINT    3
#define VECTOR_DOUBLE_FAULT  8
#define VECTOR_GENERAL       13
#define VECTOR_PAGE_FAULT    14
#define VECTOR_MACHINE_CHECK 18
#define EXCEPTIONS           32

/* SDM vol. 2, SYSCALL and SYSRET: STAR holds the kernel's code selector, and the user's base to which SYSRET adds 8 for the stack and
 * 16 for the code. There is no 32-bit code segment, so no program can leave 64-bit mode. */
#define SELECTOR_KERNEL_CODE 0x08
#define SELECTOR_KERNEL_DATA 0x10
#define SELECTOR_USER_BASE   0x1b
#define SELECTOR_USER_DATA   0x23
#define SELECTOR_USER_CODE   0x2b
#define SELECTOR_TASK        0x30
