/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* For the assembly, and for debuggers: how to walk from code that was entered in the middle of other code to that other code, whose general
 * registers lie in a struct registers, or what begins like one. The stacks may lie in any order, as those of signal handlers do.
 *
 *	WALK_BEGIN
 *	.cfi_def_cfa ...     where the struct is (DWARF 5, 6.4: its "canonical frame address")
 *	WALK_REGISTERS
 *	call ...
 *	(the instruction that it returns to)
 *	.cfi_endproc
 *
 * Nothing of it is loaded: it is all in .debug_frame. */

#include "cpudriver/abi/register_offsets.h"

	.macro	WALK_BEGIN
	.cfi_sections .debug_frame
	.cfi_startproc
	.cfi_signal_frame
	.endm

	/* At an address that is known: DW_CFA_def_cfa_expression, 5 bytes, DW_OP_const4u (DWARF 5, 7.24 and 7.7.1). */
	.macro	WALK_CFA_AT address
	.cfi_escape 0x0f, 5, 0x0c, (\address) & 255, (\address) >> 8 & 255, (\address) >> 16 & 255, (\address) >> 24
	.endm

	.macro	WALK_REGISTERS
	.cfi_offset rax, REGISTERS_RAX
	.cfi_offset rbx, REGISTERS_RBX
	.cfi_offset rcx, REGISTERS_RCX
	.cfi_offset rdx, REGISTERS_RDX
	.cfi_offset rsi, REGISTERS_RSI
	.cfi_offset rdi, REGISTERS_RDI
	.cfi_offset rbp, REGISTERS_RBP
	.cfi_offset r8, REGISTERS_R8
	.cfi_offset r9, REGISTERS_R9
	.cfi_offset r10, REGISTERS_R10
	.cfi_offset r11, REGISTERS_R11
	.cfi_offset r12, REGISTERS_R12
	.cfi_offset r13, REGISTERS_R13
	.cfi_offset r14, REGISTERS_R14
	.cfi_offset r15, REGISTERS_R15
	.endm
