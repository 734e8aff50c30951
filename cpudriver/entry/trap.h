/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* What entry/traps.S puts on the stack when an exception or interrupt comes, and the assembly's ways back to user space. */

#include "cpudriver/abi/dispatcher.h"
#include "cpudriver/processor/instructions.h"

/* The first part has the order of struct registers. */
struct trap_frame {
	uint64_t rax, rbx, rcx, rdx, rsi, rdi, rbp, unused;
	uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
	uint64_t vector;
	/* pushed by the processor (SDM vol. 3, 6.14.2); vectors without an error code have 0 */
	uint64_t error, rip, cs, rflags, rsp, ss;
};
_Static_assert(offsetof(struct trap_frame, r15) == offsetof(struct registers, r15), "copied as a whole");
_Static_assert(offsetof(struct trap_frame, vector) == offsetof(struct registers, rip), "copied as a whole");

/* Where the stubs of traps.S are: one of 16 bytes for each vector below VECTORS. */
extern const uint8_t trap_stubs[];
extern void syscall_entry(void);
/* The one stack (image.lds.S): its end, and the word that is pushed first. */
extern uint8_t stack_top[];
extern uintptr_t stack_first;

/* Called by traps.S. Returning resumes what was interrupted, exactly. */
void trap(struct trap_frame *f);

/* Loads what a call returns (RAX, RDI, RSI, RDX, R8..R10) and RIP, RSP, RFLAGS; zeroes all other general registers but RCX and R11. The RIP
 * is a user address (below USER_TOP): SYSRET with any other would fault with the user's stack in the kernel (SDM vol. 2, SYSRET). */
NORETURN void resume_call(const struct registers *r);

/* Loads all general registers. */
NORETURN void resume_all(const struct registers *r);

/* Waits for an interrupt on an empty stack; never returns, because the interrupt's handler dispatches. */
NORETURN void idle_wait(void);
