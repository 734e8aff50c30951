/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Where the CPU driver enters the domain, and how the domain goes on with a thread (cpudriver/abi/dispatcher.h is the contract).
 *
 * All of the library OS is compiled without vector registers, so what a thread has in them stays there until another thread runs.
 *
 * upcalls      in: disabled, RSP = upcall_stack_top (16-aligned), RDI = shared frame, RSI and RDX arguments, thread in shared->enabled
 * foreign      in: disabled, RSP likewise, RAX number, RDI RSI RDX R10 R8 R9 arguments, RCX = shared frame, the rest the thread's.
 *              All of them but RAX, RCX and R11 go back to the thread as they are. A quick call is a function that answers at once,
 *              inside the upcall. The others run on the service stack of the thread, where they may be interrupted and may wait.
 * going on     [critical_begin, critical_end) counts as disabled for the CPU driver, because RSP or other registers are half loaded.
 *              `pending` is looked at inside it, after `disabled` was cleared: what comes before the look is seen, what comes
 *              after it brings an upcall as soon as this dispatcher is next given the processor. */

#include "cpudriver/abi/walk.h"
#include "libos/upcall/offsets.h"
#include "libos/upcall/save.h"

/* The arguments of a foreign call, which the caller finds unchanged. */
	.macro	PUSH_ARGUMENTS
	push	%rdi
	push	%rsi
	push	%rdx
	push	%r10
	push	%r8
	push	%r9
	.endm
	.macro	POP_ARGUMENTS
	pop	%r9
	pop	%r8
	pop	%r10
	pop	%rdx
	pop	%rsi
	pop	%rdi
	.endm

	.section .text.atoll_upcall, "ax", @progbits

	.globl upcall_run_entry, upcall_message_entry, upcall_page_fault_entry, upcall_trap_entry, upcall_revoke_entry
	.globl upcall_foreign_entry, resume_registers, critical_begin, critical_end

	.balign 16
	WALK_BEGIN
	WALK_CFA_AT USER_DISPATCHER + 192
	WALK_REGISTERS
	.cfi_offset rsp, REGISTERS_RSP
	.cfi_offset rip, REGISTERS_RIP
upcall_page_fault_entry:
	call	upcall_page_fault
	jmp	resume_enabled
upcall_run_entry:
	call	upcall_run
	jmp	resume_enabled
upcall_message_entry:
	call	upcall_message
	jmp	resume_enabled
upcall_trap_entry:
	call	upcall_trap
	jmp	resume_enabled
upcall_revoke_entry:
	call	upcall_revoke

/* The thread that the CPU driver saved goes on. */
resume_enabled:
	mov	$(USER_DISPATCHER + 192), %edi
	mov	$(USER_DISPATCHER + 4096), %esi
	.cfi_endproc

/* void resume_registers(const struct registers *, const void *xstate): never returns. Disabled, on the upcall stack or one that
 * nobody needs any more. */
resume_registers:
	mov	$-1, %eax
	mov	$-1, %edx
	xrstor64 (%rsi)
	mov	REGISTERS_FS(%rdi), %rax
	wrfsbase %rax
	mov	REGISTERS_GS(%rdi), %rax
	wrgsbase %rax
	mov	REGISTERS_RIP(%rdi), %rax
	mov	REGISTERS_RFLAGS(%rdi), %rbx
	mov	REGISTERS_RSP(%rdi), %rcx
	mov	REGISTERS_R11(%rdi), %rdx
	mov	%rax, resume_rip
	mov	%rbx, resume_rflags
	mov	%rcx, resume_rsp
	mov	%rdx, resume_r11
	mov	%rdi, resume_from
	mov	%rsi, resume_xstate
critical_begin:
	movl	$0, SHARED_DISABLED
	mov	REGISTERS_RAX(%rdi), %rax
	mov	REGISTERS_RBX(%rdi), %rbx
	mov	REGISTERS_RCX(%rdi), %rcx
	mov	REGISTERS_RDX(%rdi), %rdx
	mov	REGISTERS_RSI(%rdi), %rsi
	mov	REGISTERS_RBP(%rdi), %rbp
	mov	REGISTERS_R8(%rdi), %r8
	mov	REGISTERS_R9(%rdi), %r9
	mov	REGISTERS_R10(%rdi), %r10
	mov	REGISTERS_R12(%rdi), %r12
	mov	REGISTERS_R13(%rdi), %r13
	mov	REGISTERS_R14(%rdi), %r14
	mov	REGISTERS_R15(%rdi), %r15
	mov	REGISTERS_RDI(%rdi), %rdi
	mov	pending_interest, %r11
	test	%r11, SHARED_PENDING
	jne	2f
	mov	resume_r11, %r11
	/* Not IRETQ: emulated (QEMU 7.2's TCG) it reads the user's stack as the kernel, which SMAP forbids. */
	mov	$resume_rflags, %esp
	popfq
	mov	resume_rsp, %rsp
	jmp	*resume_rip

2:	/* Something came: take care of it, then load everything again. */
	movl	$1, SHARED_DISABLED
	mov	$upcall_stack_top, %esp
	call	pending_handle
	mov	resume_from, %rdi
	mov	resume_xstate, %rsi
	jmp	resume_registers

	.balign 16
upcall_foreign_entry:
	cmp	$QUICK_CALLS, %rax
	jae	foreign_slow
	mov	linux_quick(,%rax,8), %r11
	test	%r11, %r11
	jz	foreign_slow
	PUSH_ARGUMENTS
	call	*%r11
	POP_ARGUMENTS
3:	mov	SHARED_FOREIGN_RIP, %rcx
	mov	pending_interest, %r11
	movl	$0, SHARED_DISABLED
	test	%r11, SHARED_PENDING
	jne	4f
	mov	SHARED_FOREIGN_RSP, %rsp
	jmp	*%rcx

4:	movl	$1, SHARED_DISABLED
	call	foreign_pending
	jmp	3b

/* The registers are pushed as a struct linux_frame (libos/linux/linux.h). */
foreign_slow:
	mov	thread_current, %r11
	mov	THREAD_SERVICE_TOP(%r11), %rsp
	push	SHARED_FOREIGN_RSP
	push	SHARED_FOREIGN_RFLAGS
	push	SHARED_FOREIGN_RIP
	push	%rax
	PUSH_ARGUMENTS
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	cld
	WALK_BEGIN
	.cfi_def_cfa rsp, 0
	.cfi_offset r15, 0
	.cfi_offset r14, 8
	.cfi_offset r13, 16
	.cfi_offset r12, 24
	.cfi_offset rbp, 32
	.cfi_offset rbx, 40
	.cfi_offset rip, 104
	.cfi_offset rsp, 120
	mov	%rsp, %rdi
	call	linux_call
	pop	%r15
	.cfi_endproc
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	POP_ARGUMENTS
	pop	%rax
5:	mov	(%rsp), %rcx
	mov	pending_interest, %r11
	movl	$0, SHARED_DISABLED
	test	%r11, SHARED_PENDING
	jne	6f
	mov	16(%rsp), %rsp
	jmp	*%rcx
6:	movl	$1, SHARED_DISABLED
	call	foreign_pending
	jmp	5b
critical_end:

/* Takes care of what is pending and keeps what the thread still needs. */
foreign_pending:
	push	%rax
	PUSH_ARGUMENTS
	mov	%rsp, %r11
	and	$-16, %rsp
	push	%r11
	push	%r11
	call	pending_handle
	pop	%rsp
	POP_ARGUMENTS
	pop	%rax
	ret

/* void thread_switch_stack(uint64_t *save, uint64_t load): a cooperative switch (save.h). */
	.globl thread_switch_stack, thread_save_and_resume, thread_load_stack
	.balign 16
thread_switch_stack:
	SAVE_CALLEE
	mov	%rsi, %rdi

/* void thread_load_stack(uint64_t load): goes on with a thread that was saved so. */
thread_load_stack:
	mov	%rdi, %rsp
	ldmxcsr	-8(%rsp)
	fldcw	-4(%rsp)
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbx
	pop	%rbp
	ret

/* void thread_save_and_resume(uint64_t *save, const struct registers *, const void *xstate): from a thread that waits to one that was
 * interrupted. */
thread_save_and_resume:
	SAVE_CALLEE
	mov	%rsi, %rdi
	mov	%rdx, %rsi
	mov	$upcall_stack_top, %esp
	jmp	resume_registers

	.bss
	.balign 64
	.globl upcall_stack_top
	.skip	UPCALL_STACK
upcall_stack_top:

/* What resume_registers loads last, and what it needs to begin again. */
	.data
	.balign 64
resume_rip:
	.quad	0
resume_rflags:
	.quad	0
resume_rsp:
	.quad	0
resume_r11:
	.quad	0
resume_from:
	.quad	0
resume_xstate:
	.quad	0

	.section .note.GNU-stack, "", @progbits
