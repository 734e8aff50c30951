/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Plain numbers that the assembly under boot/ shares with C. Those that say something about cpudriver/abi/core_boot.h are asserted
 * against it in boot/loader/trampoline.c. */

/* Layout of the trampoline page. */
#define TAIL_AT         0x700 /* where the loader enters */
#define RELOCATIONS_AT  0x7c0 /* 16-bit offsets of 32-bit words to which the page's address is added; 0 ends them */
#define PAGE_TABLE4_AT  0x7f0
#define TABLE_AT        0x800
#define ENTRIES         128
#define ENTRY_BYTES     16
#define ENTRY_PASSED    4
#define ENTRY_CORE_BOOT 8

/* Offsets in struct core_boot. */
#define CORE_BOOT_PAGE_TABLE4 48
#define CORE_BOOT_ENTRY       56

/* Intel SDM vol. 3, 2.5 and 2.2.1. */
#define CR0_PE   0x00000001
#define CR0_ET   0x00000010
#define CR0_NE   0x00000020
#define CR0_WP   0x00010000
#define CR0_PG   0x80000000
#define CR4_PAE  0x20
#define MSR_EFER 0xc0000080
#define EFER_LME 0x100
#define EFER_NXE 0x800

/* The state in which every core, the first one too, meets the CPU driver: caches on (CD and NW clear), paging, write protection. */
#define CR0_LONG_MODE  (CR0_PG | CR0_WP | CR0_NE | CR0_ET | CR0_PE)
#define EFER_LONG_MODE (EFER_LME | EFER_NXE)

/* Segment descriptors (3.4.5, figure 3-8): base 0, limit 4 GiB, ring 0. */
#define DESCRIPTOR_CODE32 0x00cf9b000000ffff
#define DESCRIPTOR_DATA   0x00cf93000000ffff
#define DESCRIPTOR_CODE64 0x00af9b000000ffff
#define SELECTOR_CODE32   0x08
#define SELECTOR_DATA     0x10
#define SELECTOR_CODE64   0x18
