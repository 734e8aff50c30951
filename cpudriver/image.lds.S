/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors
 *
 * The CPU driver's image: one segment for each kind of access, and the stack behind a page that stays unmapped. */

#include "cpudriver/abi/memory_map.h"

#define PAGE        0x1000
#define STACK_BYTES 0x2000

ENTRY(core_entry)

PHDRS
{
	text PT_LOAD FLAGS(5);
	rodata PT_LOAD FLAGS(4);
	data PT_LOAD FLAGS(6);
	stack PT_LOAD FLAGS(6);
}

SECTIONS
{
	. = IMAGE_BASE;
	.text : { *(.text.entry) *(.text .text.*) } :text
	. = ALIGN(PAGE);
	.rodata : { *(.rodata .rodata.*) } :rodata
	. = ALIGN(PAGE);
	.data : { *(.data .data.*) } :data
	.bss : { *(.bss .bss.* COMMON) } :data
	. = ALIGN(PAGE) + PAGE;
	.stack (NOLOAD) : { stack_bottom = .; . += STACK_BYTES; stack_first = . - 8; stack_top = .; } :stack

	/DISCARD/ : { *(.comment) *(.eh_frame) *(.note .note.*) }
}
