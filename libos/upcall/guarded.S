/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* bool guarded_copy(void *to, const void *from, uint64_t bytes): see guarded.h. Whoever takes a fault between guarded_begin and guarded_fault
 * goes on at guarded_fault, with the stack as it was. The direction flag is clear, as the System V ABI wants it. */

	.text
	.globl guarded_copy, guarded_begin, guarded_fault

	.balign 16
guarded_copy:
	mov	%rdx, %rcx
	shr	$3, %rcx
	and	$7, %edx
guarded_begin:
	rep movsq
	mov	%edx, %ecx
	rep movsb
	mov	$1, %eax
	ret
guarded_fault:
	xor	%eax, %eax
	ret

	.section .note.GNU-stack, "", @progbits
