/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* The first instructions of every domain. In: disabled, RDI = the dispatcher's shared frame, RSI = start page (cpudriver/abi/dispatcher.h,
 * Dispatcher.start); RSP is not used. Out: start_domain(RDI, RSI) on the upcall stack, which is free as long as no upcall comes. */

	.text
	.globl atoll_start
atoll_start:
	mov	$upcall_stack_top, %esp
	xor	%ebp, %ebp
	cld
	call	start_domain
	ud2

	.section .note.GNU-stack, "", @progbits
