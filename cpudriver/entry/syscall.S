/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors
 *
 * SYSCALL's entry (SDM vol. 2, SYSCALL; cpudriver/abi/calls.h). The processor has put RIP into RCX and RFLAGS into R11, cleared the flags
 * that FMASK names (interrupts are off) and loaded the kernel's segments; RSP is still the user's. Every core's page tables map
 * `core` to its own memory, so a plain symbol is per-core and nothing like SWAPGS is needed.
 *
 * An invocation may end or stop the very dispatcher that makes it. stop() then replaces invoke_entry's return address, the topmost word
 * of the stack, by dispatch: so the way back, which every invocation takes, needs no test.
 *
 * SYSRET must never see an RCX that is no user address. A SYSCALL in the last two bytes below 2^47 would leave one; no domain can have code
 * there, because the last entry of the user half of a level-4 table can't be filled (cpudriver/capability/mapping.c).
 *
 *   bit 63 of RAX  number
 *   1              0            invoke_entry(RDI), words and values in core.invocation: returns the error
 *   1              1..3         functions of (RDI, RSI, RDX, R10, R8, R9) that end in a resume
 *   0              (any)        foreign_call: reflected with all registers */

#include "cpudriver/entry/offsets.h"
#include "cpudriver/processor/registers.h"

#define CORE(field) core + CORE_##field(%rip)

	.text
	.globl syscall_entry
	.balign 64
	/* For debuggers: the caller's registers lie in `core`, which is no stack to walk on. */
	.cfi_sections .debug_frame
	.cfi_startproc
	.cfi_undefined rip
syscall_entry:
	mov %rsp, CORE(USER_RSP)
	mov $stack_top, %rsp
	mov %rcx, CORE(USER_RIP)
	mov %r11, CORE(USER_RFLAGS)
	add %rax, %rax
	jnc foreign
	jnz blocking
	mov %rsi, CORE(WORD)
	mov %rdx, CORE(WORD + 8)
	mov %r10, CORE(WORD + 16)
	mov %r8, CORE(WORD + 24)
	mov %r9, CORE(WORD + 32)
	call invoke_entry

	mov %eax, %eax
	/* What is not a result is zeroed: no kernel address gets out. */
	mov CORE(VALUE), %rsi
	mov CORE(VALUE + 8), %rdx
	mov CORE(VALUE + 16), %r10
	xor %edi, %edi
	xor %r8d, %r8d
	xor %r9d, %r9d
sysret_as_called:
	mov CORE(USER_RIP), %rcx
	mov CORE(USER_RFLAGS), %r11
	mov CORE(USER_RSP), %rsp
	sysretq

	/* RAX is twice the number: bit 63 has gone into the carry flag. */
blocking:
	mov %r10, %rcx
	cmp $2 * NUMBER_CALL, %rax
	je call_entry
	cmp $2 * NUMBER_REPLY_WAIT, %rax
	je reply_wait_entry
	cmp $2 * NUMBER_YIELD, %rax
	je yield_entry
	mov $ERROR_CALL_UNKNOWN, %eax
	jmp sysret_as_called

	/* RAX, RDI, RSI, RDX, R8..R10 are what C may destroy and the upcall must show. */
foreign:
	shr %rax
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
	.cfi_endproc

	/* The entry while there is a trace: writes what is called, then goes in as if nothing had been. Only the user's RCX and R11, which the
	 * processor has destroyed anyway, and the flags change. CORE(USER_RSP) keeps RSP, which syscall_entry finds as the user left it. */
	.globl syscall_entry_traced
	.balign 16
syscall_entry_traced:
	mov %rsp, CORE(USER_RSP)
	mov $stack_top, %rsp
	call trace_call_entry
	mov CORE(USER_RSP), %rsp
	jmp syscall_entry

	/* The trace points that must cost the code around them no register. */
.macro keeping function
	push %rax
	push %rcx
	push %rdx
	push %rsi
	push %rdi
	push %r8
	push %r9
	push %r10
	push %r11
	\function
	pop %r11
	pop %r10
	pop %r9
	pop %r8
	pop %rdi
	pop %rsi
	pop %rdx
	pop %rcx
	pop %rax
	ret
.endm

.macro call_trace_called
	mov %rsi, %rdx
	mov %rdi, %rsi
	mov %rax, %rdi
	call trace_called
.endm

trace_call_entry:
	keeping call_trace_called

	.globl trace_switch_entry, trace_enter_entry, trace_leave_entry
trace_switch_entry:
	keeping "call trace_switched"
trace_enter_entry:
	keeping "call trace_entered"
trace_leave_entry:
	keeping "call trace_left"

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
