/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors
 *
 * SYSCALL's entry (SDM vol. 2, SYSCALL; cpudriver/abi/calls.h). The processor has put RIP into RCX and RFLAGS into R11, cleared the flags
 * that FMASK names (interrupts are off) and loaded the kernel's segments; RSP is still the user's. Every core's page tables map
 * `core` to its own memory, so a plain symbol is per-core and nothing like SWAPGS is needed.
 *
 * A SYSCALL in the last two bytes of user space leaves an RCX of 2^47, which SYSRET must never see: bit 47 tells it (last_page).
 *
 *   bit 63 of RAX  number
 *   1              0            invoke_entry(RDI, RSI, RDX, R10, R8, R9): returns the error, values in core.value
 *   1              1..3         functions that end in a resume, with the same arguments
 *   0              (any)        foreign_call: reflected with all registers */

#include "cpudriver/entry/offsets.h"
#include "cpudriver/processor/registers.h"

#define CORE(field) core + CORE_##field(%rip)

	.text
	.globl syscall_entry
	.balign 64
syscall_entry:
	mov %rsp, CORE(USER_RSP)
	mov $stack_top, %rsp
	mov %rcx, CORE(USER_RIP)
	mov %r11, CORE(USER_RFLAGS)
	bt $47, %rcx
	jc last_page
	btr $63, %rax
	jnc foreign
	mov %r10, %rcx
	test %rax, %rax
	jnz blocking
	call invoke_entry

	/* What is not a result is zeroed: no kernel address gets out. */
	mov core + CORE_VALUE(%rip), %rsi
	mov core + CORE_VALUE + 8(%rip), %rdx
	mov core + CORE_VALUE + 16(%rip), %r10
	xor %edi, %edi
	xor %r8d, %r8d
	xor %r9d, %r9d
sysret_as_called:
	mov CORE(USER_RIP), %rcx
	mov CORE(USER_RFLAGS), %r11
	mov CORE(USER_RSP), %rsp
	sysretq

blocking:
	cmp $NUMBER_CALL, %rax
	je call_entry
	cmp $NUMBER_REPLY_WAIT, %rax
	je reply_wait_entry
	cmp $NUMBER_YIELD, %rax
	je yield_entry
	mov $ERROR_CALL_UNKNOWN, %eax
	jmp sysret_as_called

	/* RAX, RDI, RSI, RDX, R8..R10 are what C may destroy and the upcall must show. */
foreign:
	push %rax
	push %rdi
	push %rsi
	push %rdx
	push %r8
	push %r9
	push %r10
	call foreign_call
	test %al, %al
	pop %r10
	pop %r9
	pop %r8
	pop %rdx
	pop %rsi
	pop %rdi
	pop %rax
	jz foreign_refused

	/* IRET, because RCX carries the frame's address, where SYSRET wants RIP (SDM vol. 3, 6.14.3: the order of the words). */
	mov CORE(UPCALL_RCX), %rcx
	mov CORE(USER_RFLAGS), %r11
	push $SELECTOR_USER_DATA
	push CORE(UPCALL_RSP)
	push $(RFLAGS_IF | RFLAGS_RESERVED1)
	push $SELECTOR_USER_CODE
	push CORE(UPCALL_RIP)
	iretq

foreign_refused:
	mov $-LINUX_ENOSYS, %rax
	jmp sysret_as_called

last_page:
	call syscall_from_last_page
	ud2

	.globl resume_call
	.balign 16
resume_call:
	mov REGISTERS_RIP(%rdi), %rcx
	mov REGISTERS_RFLAGS(%rdi), %r11
	mov REGISTERS_RSP(%rdi), %rsp
	mov REGISTERS_RAX(%rdi), %rax
	mov REGISTERS_RDX(%rdi), %rdx
	mov REGISTERS_RSI(%rdi), %rsi
	mov REGISTERS_R8(%rdi), %r8
	mov REGISTERS_R9(%rdi), %r9
	mov REGISTERS_R10(%rdi), %r10
	mov REGISTERS_RDI(%rdi), %rdi
	xor %ebx, %ebx
	xor %ebp, %ebp
	xor %r12d, %r12d
	xor %r13d, %r13d
	xor %r14d, %r14d
	xor %r15d, %r15d
	sysretq

	.section .note.GNU-stack, "", @progbits
