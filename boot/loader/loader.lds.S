/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors
 *
 * The loader at 1 MiB, where GRUB puts it. The multiboot2 header must lie in the first 32 KiB of the file (Multiboot2 2.0, 3.1). */

ENTRY(start)

PHDRS
{
	text PT_LOAD FLAGS(5);
	data PT_LOAD FLAGS(6);
}

SECTIONS
{
	. = 0x100000;
	loader_start = .;
	.text : { *(.multiboot) *(.text .text.*) *(.rodata .rodata.*) } :text
	. = ALIGN(0x1000);
	.data : { *(.data .data.*) } :data
	.bss : { *(.bss .bss.* COMMON) } :data
	. = ALIGN(0x1000);
	loader_end = .;

	/DISCARD/ : { *(.comment) *(.eh_frame) *(.note .note.*) }
}
