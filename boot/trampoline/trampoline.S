/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors
 *
 * The page below 1 MiB where every core but the first begins, and through which the first one leaves the loader.
 *
 * Intel SDM vol. 3, 8.4.4.1: on a start-up IPI with vector VV a core begins in real mode at physical address 000VV000: CS = VV00, IP = 0,
 * interrupts off, caches off (CR0.CD and NW set, table 9-1). Several cores may run here at the same time, so the code writes nothing on
 * this page but a word of the core's own entry, and there is no stack.
 *
 * Words that others wrote (offsets in the page; cpudriver/abi/core_boot.h, boot/trampoline/trampoline.h):
 *
 *   gdt_pointer + 2   physical address of gdt               loader, by the relocations
 *   protected_far     physical address of protected         loader, by the relocations
 *   long_far          physical address of long_mode         loader, by the relocations
 *   PAGE_TABLE4_AT    physical address of the level-4 table: identity map, window, this page at DEVICE_TRAMPOLINE     loader
 *   TABLE_AT          128 entries: APIC ID u32, passed u32, physical address of a core_boot u64  starters (monitors)
 *
 * What the CPU driver gets (core_boot.h): long mode, CR3 = the core's page tables, RDI = its core_boot in the window. */

#include "boot/trampoline/trampoline.h"
#include "boot/trampoline/long_mode.inc"
#include "cpudriver/abi/memory_map.h"

	.text
	.globl trampoline
	.code16
trampoline:
	cli
	cld
	mov	%cs, %ax
	mov	%ax, %ds
	movzwl	%ax, %ebx
	shl	$4, %ebx		/* EBX = physical address of this page, from here on */

	/* 9.9.1: protected mode; 9.8.5 continues below. */
	lgdtl	gdt_pointer
	mov	$(CR0_PE | CR0_ET | CR0_NE), %eax
	mov	%eax, %cr0
	ljmpl	*protected_far

	.code32
protected:
	LOAD_DATA_SEGMENTS
	START_LONG_MODE PAGE_TABLE4_AT(%ebx)
	ljmp	*long_far(%ebx)

	.code64
long_mode:
	mov	%ebx, %ebp		/* CPUID destroys EBX: RBP = address of this page */

	/* The APIC ID: 32 bits from leaf 0xB, EDX, if the CPU has it; else 8 bits from leaf 1, EBX (vol. 2, CPUID). */
	xor	%eax, %eax
	cpuid
	cmp	$0xb, %eax
	jb	1f
	mov	$0xb, %eax
	xor	%ecx, %ecx
	cpuid
	test	%ebx, %ebx
	jnz	2f
1:	mov	$1, %eax
	cpuid
	shr	$24, %ebx
	mov	%ebx, %edx
2:
	/* EDX = APIC ID, ECX = entry, ESI = entries left. */
	mov	%edx, %ecx
	mov	$ENTRIES, %esi
3:	and	$(ENTRIES - 1), %ecx
	imul	$ENTRY_BYTES, %ecx, %eax
	cmp	%edx, TABLE_AT(%rbp, %rax)
	je	4f
	inc	%ecx
	dec	%esi
	jnz	3b
5:	hlt				/* nobody wanted this core; INIT starts it again */
	jmp	5b

4:	movl	$1, TABLE_AT + ENTRY_PASSED(%rbp, %rax)
	mov	TABLE_AT + ENTRY_CORE_BOOT(%rbp, %rax), %rdi
	test	%rdi, %rdi
	jz	5b			/* somebody wanted it to stop */
	jmp	tail

	/* The tail of every core's start. RDI = physical address of a core_boot. The next page tables map the window, but not the low
	 * addresses, and the window is not executable: so the code moves to DEVICE_TRAMPOLINE, which is this page before and after. */
	.org	TAIL_AT
tail:
	mov	$WINDOW_BASE, %rax
	add	%rax, %rdi
	mov	CORE_BOOT_PAGE_TABLE4(%rdi), %rcx
	mov	CORE_BOOT_ENTRY(%rdi), %rdx
	mov	$(DEVICE_TRAMPOLINE + (switch_tables - trampoline)), %rax
	jmp	*%rax
switch_tables:
	mov	%rcx, %cr3
	jmp	*%rdx

	FLAT_SEGMENTS trampoline
protected_far:
	.long	protected - trampoline
	.word	SELECTOR_CODE32
long_far:
	.long	long_mode - trampoline
	.word	SELECTOR_CODE64

	.org	RELOCATIONS_AT
	.word	gdt_pointer + 2 - trampoline
	.word	protected_far - trampoline
	.word	long_far - trampoline
	.word	0

	.org	PAGE_TABLE4_AT
	.long	0

	.org	TABLE_AT
	.rept	ENTRIES
	.long	0xffffffff, 0, 0, 0
	.endr
