/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* For the assembly: the beginning of a cooperative switch. To the caller it is a function call, so only what the System V ABI (AMD64
 * supplement, 3.2.1) wants kept is saved: RBX, RBP, R12..R15, MXCSR and the x87 control word. RDI says where the stack pointer goes;
 * thread_load_stack (entry.S) undoes it. */
	.macro	SAVE_CALLEE
	push	%rbp
	push	%rbx
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	stmxcsr	-8(%rsp) /* in the red zone, where nobody writes while the thread waits */
	fnstcw	-4(%rsp)
	mov	%rsp, (%rdi)
	.endm
