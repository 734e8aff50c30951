/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors
 *
 * Exceptions and interrupts (SDM vol. 3, 6.12 to 6.14). The processor has pushed SS, RSP, RFLAGS, CS, RIP, and for some exceptions an error
 * code, on the stack that the TSS names; interrupts are off (interrupt gates). Each vector has a stub of 16 bytes that completes this
 * to a struct trap_frame (trap.h), so that C sees one form. */

#include "cpudriver/abi/walk.h"
#include "cpudriver/entry/offsets.h"
#include "cpudriver/processor/registers.h"
#include "cpudriver/vectors.h"

/* SDM vol. 3, table 6-1: exceptions 8, 10 to 14, 17, 21, 29 and 30 push an error code. */
#define ERROR_CODES 0x60227d00

	.text
	.globl trap_stubs
	.balign 16
trap_stubs:
	.set vector, 0
	.rept VECTORS
	.balign 16
	.if vector >= EXCEPTIONS
	push $0
	.elseif !((ERROR_CODES >> vector) & 1)
	push $0
	.endif
	push $vector
	jmp trap_common
	.set vector, vector + 1
	.endr

	.balign 16
trap_common:
	push %r15
	push %r14
	push %r13
	push %r12
	push %r11
	push %r10
	push %r9
	push %r8
	push $0
	push %rbp
	push %rdi
	push %rsi
	push %rdx
	push %rcx
	push %rbx
	push %rax
	/* An interrupt leaves the user's direction and alignment-check flags on; the latter would switch SMAP off. */
	push $RFLAGS_RESERVED1
	popfq
	WALK_BEGIN
	.cfi_def_cfa rsp, 0
	WALK_REGISTERS
	.cfi_offset rsp, TRAP_RSP
	.cfi_offset rip, TRAP_RIP
	mov %rsp, %rdi
	call trap
	pop %rax
	.cfi_endproc
	pop %rbx
	pop %rcx
	pop %rdx
	pop %rsi
	pop %rdi
	pop %rbp
	pop %r8
	pop %r8
	pop %r9
	pop %r10
	pop %r11
	pop %r12
	pop %r13
	pop %r14
	pop %r15
	add $TRAP_VECTOR_ERROR_BYTES, %rsp
	iretq

	.globl resume_all
	.balign 16
resume_all:
	push $SELECTOR_USER_DATA
	push REGISTERS_RSP(%rdi)
	push REGISTERS_RFLAGS(%rdi)
	push $SELECTOR_USER_CODE
	push REGISTERS_RIP(%rdi)
	mov REGISTERS_RAX(%rdi), %rax
	mov REGISTERS_RBX(%rdi), %rbx
	mov REGISTERS_RCX(%rdi), %rcx
	mov REGISTERS_RDX(%rdi), %rdx
	mov REGISTERS_RSI(%rdi), %rsi
	mov REGISTERS_RBP(%rdi), %rbp
	mov REGISTERS_R8(%rdi), %r8
	mov REGISTERS_R9(%rdi), %r9
	mov REGISTERS_R10(%rdi), %r10
	mov REGISTERS_R11(%rdi), %r11
	mov REGISTERS_R12(%rdi), %r12
	mov REGISTERS_R13(%rdi), %r13
	mov REGISTERS_R14(%rdi), %r14
	mov REGISTERS_R15(%rdi), %r15
	mov REGISTERS_RDI(%rdi), %rdi
	iretq

	/* STI takes effect after the next instruction, so no interrupt falls between it and HLT (SDM vol. 2, STI). */
	.globl idle_wait
	.cfi_startproc
	.cfi_undefined rip
idle_wait:
	mov $stack_top, %rsp
	sti
	hlt
	cli
	jmp idle_wait
	.cfi_endproc

	.section .note.GNU-stack, "", @progbits
