/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors
 *
 * The page of boot/trampoline, as rules.mk links it. */

	.section .rodata
	.balign	8
	.globl	trampoline_image
trampoline_image:
	.incbin	"boot/trampoline.bin"
	.section .note.GNU-stack, "", @progbits
