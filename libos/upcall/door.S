/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors
 *
 * The way in and out through a door, in programs that offer one (libos/ipc/door.c; cpudriver/abi/calls.h has the registers).
 *
 * upcall_door_entry  in: disabled, RSP = upcall_stack_top, RDI badge, RSI RDX R10 R8 the call's words, R9 token
 * door_leave         void door_leave(uint64_t *save, uint64_t token, const struct endpoint_message *reply): to the thread a function call, as
 *                    thread_switch_stack is (entry.S), with another dispatcher on the other side */

#include "libos/upcall/offsets.h"
#include "libos/upcall/save.h"

	.section .text.atoll_door, "ax", @progbits
	.globl upcall_door_entry, door_leave

	.balign 16
upcall_door_entry:
	mov	%r10, %rcx
	call	upcall_door

	.balign 16
door_leave:
	SAVE_CALLEE
	mov	%rsi, %rdi
	mov	0(%rdx), %rsi
	mov	16(%rdx), %r10
	mov	24(%rdx), %r8
	mov	8(%rdx), %rdx
	mov	$FLAG_REPLY_LEAVE, %r9d
	mov	$CALL_REPLY_WAIT_BIT_63, %rax
	syscall
	mov	%rsp, %rdi
	jmp	thread_load_stack

	.section .note.GNU-stack, "", @progbits
