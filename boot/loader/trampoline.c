/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#include "boot/loader/trampoline.h"
#include "boot/trampoline/trampoline.h"

#include <string.h>

_Static_assert(PAGE_TABLE4_AT == TRAMPOLINE_PAGE_TABLE4, "the assembly's numbers are the contract's");
_Static_assert(TABLE_AT == TRAMPOLINE_TABLE && ENTRIES == TRAMPOLINE_ENTRIES, "");
_Static_assert(ENTRY_BYTES == sizeof(struct trampoline_entry), "");
_Static_assert(offsetof(struct trampoline_entry, apic) == 0, "");
_Static_assert(offsetof(struct trampoline_entry, passed) == ENTRY_PASSED, "");
_Static_assert(offsetof(struct trampoline_entry, core_boot) == ENTRY_CORE_BOOT, "");
_Static_assert(offsetof(struct core_boot, page_table4) == CORE_BOOT_PAGE_TABLE4, "");
_Static_assert(offsetof(struct core_boot, entry) == CORE_BOOT_ENTRY, "");

extern const uint8_t trampoline_image[PAGE_BYTES];

static void add_to_word(uint8_t *page, uint16_t offset, uint32_t value)
{
	uint32_t word;

	memcpy(&word, page + offset, sizeof(word));
	word += value;
	memcpy(page + offset, &word, sizeof(word));
}

void trampoline_install(uint64_t page, uint64_t page_table4)
{
	uint8_t *to = (uint8_t *)page;

	memcpy(to, trampoline_image, PAGE_BYTES);
	for (const uint16_t *offset = (const uint16_t *)(trampoline_image + RELOCATIONS_AT); *offset; offset++)
		add_to_word(to, *offset, (uint32_t)page);
	add_to_word(to, TRAMPOLINE_PAGE_TABLE4, (uint32_t)page_table4);
}

_Noreturn void trampoline_enter(uint64_t page, uint64_t core_boot)
{
	__asm__ volatile("jmp *%0" : : "r"(page + TAIL_AT), "D"(core_boot) : "memory");
	__builtin_unreachable();
}
