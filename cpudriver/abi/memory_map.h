/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* The one virtual memory map. The linker script and the assembly include it too, so it holds nothing but plain numbers.
 *
 *   0                   .. 2^47             user space of the running domain
 *   0xffff800000000000  + physical address  window on physical memory, supervisor, tables on the core's own node
 *   0xffffffff80000000  ..                  this core's image: text r-x, rodata r--, data rw-, stack over a guard page
 *   0xffffffffc0000000  ..                  device pages of the CPU driver, uncached: local APIC, I/O APICs */

#define USER_TOP     0x0000800000000000
#define WINDOW_BASE  0xffff800000000000
#define WINDOW_BYTES 0x0000100000000000 /* 16 TiB: the largest physical address that Atoll handles */
#define IMAGE_BASE   0xffffffff80000000
#define DEVICE_BASE  0xffffffffc0000000

#define DEVICE_LOCAL_APIC DEVICE_BASE
#define DEVICE_IO_APIC    (DEVICE_BASE + 0x1000) /* one page each */
#define DEVICE_IO_APICS   16
#define DEVICE_TRAMPOLINE (DEVICE_BASE + 0x1ff000) /* core_boot.h: until the CPU driver unmaps it */

/* User space: where the starter of a domain puts what it hands over. Programs are linked at USER_PROGRAM (libos/program.lds.S). */
#define USER_PROGRAM    0x0000000000400000
#define USER_PRIVATE    0x0000000008000000 /* the library OS's own data: every dispatcher of a domain has a copy of it */
#define USER_START_PAGE 0x0000000010000000 /* monitors: the core_boot page; other domains: monitor/abi/start.h */
#define USER_DISPATCHER 0x0000000010010000 /* the shared frame of the first dispatcher */
#define USER_MACHINE    0x0000000010100000 /* the machine model, read-only */
#define USER_TRACE      0x0000000010200000 /* the trace ring (trace.h), if there is one */
#define USER_STACK_TOP  0x0000000020000000 /* of the first stack; it grows down */
#define USER_STACK_BYTES 0x40000
#define USER_HEAP       0x0000000040000000 /* from here on the library OS decides */
