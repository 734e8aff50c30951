/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors
 *
 * A program: what can't change, which every dispatcher of the domain has a copy of near itself; what the program writes to, which they have in
 * common; and from USER_PRIVATE on the library OS's own data, of which each has its own (libos/span/span.h). A program is linked for one
 * place, so tables of addresses, constructors and the initial values of thread-local variables don't change either. */

#include "cpudriver/abi/memory_map.h"

#define PAGE 0x1000

ENTRY(atoll_start)

PHDRS
{
	rodata PT_LOAD FILEHDR PHDRS FLAGS(4);
	text PT_LOAD FLAGS(5);
	common PT_LOAD FLAGS(6);
	private PT_LOAD FLAGS(6);
	tls PT_TLS FLAGS(4);
}

SECTIONS
{
	. = USER_PROGRAM + SIZEOF_HEADERS;
	.rodata : { *(.rodata .rodata.*) } :rodata
	.eh_frame : { KEEP(*(.eh_frame)) } :rodata
	.tdata : { *(.tdata .tdata.*) } :rodata :tls
	.tbss : { *(.tbss .tbss.*) } :rodata :tls
	.init_array : {
		PROVIDE_HIDDEN(__preinit_array_start = .);
		KEEP(*(.preinit_array))
		PROVIDE_HIDDEN(__preinit_array_end = .);
		PROVIDE_HIDDEN(__init_array_start = .);
		KEEP(*(SORT_BY_INIT_PRIORITY(.init_array.*)))
		KEEP(*(.init_array))
		PROVIDE_HIDDEN(__init_array_end = .);
	} :rodata
	.fini_array : {
		PROVIDE_HIDDEN(__fini_array_start = .);
		KEEP(*(SORT_BY_INIT_PRIORITY(.fini_array.*)))
		KEEP(*(.fini_array))
		PROVIDE_HIDDEN(__fini_array_end = .);
	} :rodata
	.data.rel.ro : { *(.data.rel.ro .data.rel.ro.*) *(.got .got.plt) } :rodata

	. = ALIGN(PAGE);
	/* The library OS's, and what it calls of the C library's: there a thread may have its member's own data in its hands (libos/span/move.c). */
	.text : {
		KEEP(*(.init))
		/* What calls go through lies together, in as few pages as can be. */
		*(EXCLUDE_FILE(*libatoll.a:*) .text.hot EXCLUDE_FILE(*libatoll.a:*) .text.hot.*)
		libos_text_begin = .;
		*libatoll.a:*(.text.hot .text.hot.*)
		*libatoll.a:*(.text .text.*)
		*libc.a:mem*(.text .text.*)
		*libc.a:str*(.text .text.*)
		libos_text_end = .;
		*(.text .text.*)
		KEEP(*(.fini))
	} :text

	. = ALIGN(PAGE);
	.data : { *(EXCLUDE_FILE(*libatoll.a:*) .data EXCLUDE_FILE(*libatoll.a:*) .data.*) } :common
	.bss : { *(EXCLUDE_FILE(*libatoll.a:*) .bss EXCLUDE_FILE(*libatoll.a:*) .bss.* EXCLUDE_FILE(*libatoll.a:*) COMMON) } :common
	PROVIDE(_end = .);
	PROVIDE(end = .);

	. = USER_PRIVATE;
	.private_data : { *libatoll.a:*(.data .data.*) } :private
	.private_bss : { *libatoll.a:*(.bss .bss.* COMMON) } :private
	ASSERT(. <= USER_START_PAGE, "the library OS's data reach into the start page")

	/DISCARD/ : { *(.comment) *(.note .note.*) }
}
ASSERT(_end <= USER_PRIVATE, "the program's data reach into the library OS's")
