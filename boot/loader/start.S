/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors
 *
 * From GRUB to the loader's C code. Multiboot2 2.0, 3.3: 32-bit protected mode without paging, flat segments, interrupts off,
 * EAX = 0x36d76289, EBX = physical address of the boot information (below 4 GiB); all other registers are undefined.
 *
 * loader_main gets it in long mode with the low 4 GiB identity-mapped: RDI = the boot information, RSI = the time-stamp counter at the
 * first instruction. */

#include "boot/loader/multiboot2.h"
#include "boot/trampoline/trampoline.h"
#include "boot/trampoline/long_mode.inc"

#define STACK_BYTES 0x4000
#define TABLE_BYTES 0x1000

/* Intel SDM vol. 3, 4.5.4: entries of page tables. */
#define ENTRY_TABLE 0x03 /* present, writable */
#define ENTRY_LARGE 0xe3 /* and accessed, dirty, 2 MiB */

/* Intel SDM vol. 2, CPUID, leaf 0x80000001: EDX. */
#define CPUID_EXTENDED   0x80000000
#define CPUID_LONG_MODE  29
#define CPUID_NO_EXECUTE 20

/* PC16550D datasheet, table II: COM1. */
#define COM1            0x3f8
#define LINE_STATUS     (COM1 + 5)
#define STATUS_CAN_SEND 0x20

	.section .multiboot, "a"
	.balign	8
header:
	.long	MULTIBOOT2_HEADER_MAGIC
	.long	MULTIBOOT2_ARCH_I386
	.long	header_end - header
	.long	-(MULTIBOOT2_HEADER_MAGIC + MULTIBOOT2_ARCH_I386 + (header_end - header))
	.short	MULTIBOOT2_HEADER_TAG_MODULE_ALIGN, 0
	.long	8
	.short	MULTIBOOT2_HEADER_TAG_END, 0
	.long	8
header_end:

	.text
	.code32
	.globl	start
start:
	mov	%eax, %esi		/* RDTSC writes EDX:EAX */
	rdtsc
	mov	%eax, start_tsc
	mov	%edx, start_tsc + 4
	cli
	cld
	mov	$stack_top, %esp
	mov	%ebx, %edi

	cmp	$MULTIBOOT2_LOADER_MAGIC, %esi
	mov	$not_multiboot2, %esi
	jne	fail32

	mov	$no_long_mode, %esi
	mov	$CPUID_EXTENDED, %eax
	cpuid
	cmp	$(CPUID_EXTENDED + 1), %eax
	jb	fail32
	mov	$(CPUID_EXTENDED + 1), %eax
	cpuid
	bt	$CPUID_LONG_MODE, %edx
	jnc	fail32
	mov	$no_no_execute, %esi
	bt	$CPUID_NO_EXECUTE, %edx
	jnc	fail32

	/* 4 GiB with pages of 2 MiB, which every CPU with long mode has. */
	movl	$(level3 + ENTRY_TABLE), level4
	mov	$(level2 + ENTRY_TABLE), %eax
	xor	%ecx, %ecx
1:	mov	%eax, level3(, %ecx, 8)
	add	$TABLE_BYTES, %eax
	inc	%ecx
	cmp	$4, %ecx
	jb	1b
	mov	$ENTRY_LARGE, %eax
	xor	%ecx, %ecx
2:	mov	%eax, level2(, %ecx, 8)
	add	$0x200000, %eax
	inc	%ecx
	cmp	$2048, %ecx
	jb	2b

	START_LONG_MODE $level4
	lgdt	gdt_pointer
	ljmp	$SELECTOR_CODE64, $long_mode

	.code64
long_mode:
	LOAD_DATA_SEGMENTS
	mov	%edi, %edi		/* clears the upper half */
	mov	start_tsc, %rsi
	xor	%ebp, %ebp
	call	loader_main
	ud2

	/* What can't be said in C, because C is 64-bit here. ESI = the sentence. Ends with a reset, like report.c. */
	.code32
fail32:
	mov	%esi, %ebx
	mov	$sentence_start, %esi
	call	print32
	mov	%ebx, %esi
	call	print32
	mov	$event_start, %esi
	call	print32
	mov	%ebx, %esi
	call	print32
	mov	$event_end, %esi
	call	print32
	mov	$0x0cf9, %dx
	mov	$0x02, %al
	out	%al, %dx
	mov	$0x06, %al
	out	%al, %dx
	lidt	no_interrupts
	int3

print32:
	mov	$LINE_STATUS, %dx
	in	%dx, %al
	test	$STATUS_CAN_SEND, %al
	jz	print32
	lodsb
	test	%al, %al
	jz	1f
	mov	$COM1, %dx
	out	%al, %dx
	jmp	print32
1:	ret

	.section .rodata
not_multiboot2:
	.asciz	"the boot loader does not speak multiboot2"
no_long_mode:
	.asciz	"the processor has no 64-bit mode"
no_no_execute:
	.asciz	"the processor can't protect pages from execution (NX)"
sentence_start:
	.asciz	"\r\nAtoll can't start: "
event_start:
	.asciz	".\r\n@event {\"event\":\"boot_failed\",\"reason\":\""
event_end:
	.asciz	"\"}\r\n"
no_interrupts:
	.word	0
	.long	0

	FLAT_SEGMENTS 0

	.bss
	.balign	TABLE_BYTES
level4:	.skip	TABLE_BYTES
level3:	.skip	TABLE_BYTES
level2:	.skip	4 * TABLE_BYTES
	.skip	STACK_BYTES
stack_top:
start_tsc:
	.skip	8
	.section .note.GNU-stack, "", @progbits
