/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Multiboot2 specification, version 2.0. The assembly includes the plain numbers. */

#define MULTIBOOT2_HEADER_MAGIC            0xe85250d6 /* 3.1.1 */
#define MULTIBOOT2_LOADER_MAGIC            0x36d76289 /* 3.3: in EAX */
#define MULTIBOOT2_ARCH_I386               0
#define MULTIBOOT2_HEADER_TAG_END          0
#define MULTIBOOT2_HEADER_TAG_MODULE_ALIGN 6 /* 3.1.11: modules begin at page boundaries */

#ifndef __ASSEMBLER__
#include <stdint.h>

/* 3.6.2: the information starts with its size and 0; tags follow, each at a multiple of 8, until one of type 0. */
struct multiboot2_information {
	uint32_t bytes, reserved;
};

struct multiboot2_tag {
	uint32_t type, bytes; /* with this header, without what aligns the next */
};

enum multiboot2_tag_type {
	MULTIBOOT2_END = 0,
	MULTIBOOT2_COMMAND_LINE = 1, /* 3.6.4 */
	MULTIBOOT2_MODULE = 3,       /* 3.6.6 */
	MULTIBOOT2_MEMORY_MAP = 6,   /* 3.6.8 */
	MULTIBOOT2_ACPI_OLD = 14,    /* 3.6.15 */
	MULTIBOOT2_ACPI_NEW = 15,    /* 3.6.16 */
};

struct multiboot2_module {
	struct multiboot2_tag tag;
	uint32_t start, end; /* the string follows */
};

struct multiboot2_memory_map {
	struct multiboot2_tag tag;
	uint32_t entry_bytes, entry_version; /* the entries follow */
};

struct multiboot2_memory {
	uint64_t base, bytes;
	uint32_t type, reserved;
};
#define MULTIBOOT2_MEMORY_AVAILABLE 1

_Static_assert(sizeof(struct multiboot2_module) == 16, "3.6.6");
_Static_assert(sizeof(struct multiboot2_memory_map) == 16, "3.6.8");
_Static_assert(sizeof(struct multiboot2_memory) == 24, "3.6.8");
#endif
