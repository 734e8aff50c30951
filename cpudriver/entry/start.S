/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors
 *
 * The CPU driver's first instruction, on every core. The starter (loader or another core's monitor, through the trampoline) hands over, as
 * cpudriver/abi/core_boot.h says: long mode, CR3 = this core's page tables, interrupts off, RDI = struct core_boot in the window. RSP
 * is undefined; the stack is the image's own, below it lies an unmapped page. */

	.section .text.entry, "ax"
	.globl core_entry
core_entry:
	mov $stack_top, %rsp
	xor %ebp, %ebp
	call core_main
	ud2

	.section .note.GNU-stack, "", @progbits
