/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#include "boot/loader/boot_information.h"
#include "boot/loader/multiboot2.h"

#include <string.h>

#define RSDP_BYTES_MAX 64 /* ACPI 6.4, 5.2.5.3 needs 36 */

/* A string that must end within `bytes`; NULL if it does not. */
static const char *ended_string(const char *s, size_t bytes)
{
	return memchr(s, 0, bytes) ? s : NULL;
}

/* The first word of a module's string is its name. */
static const char *read_name(const char *string, char *name, size_t bytes)
{
	size_t length = strcspn(string, " ");

	if (length == 0)
		return "a boot module has no name; it is the word after the file's path in GRUB's menu";
	if (length >= bytes)
		return "the name of a boot module has more than 23 characters";
	memset(name, 0, bytes);
	memcpy(name, string, length);
	return NULL;
}

static const char *read_module(const struct multiboot2_tag *tag, struct boot_information *out, char *name, size_t name_bytes)
{
	const struct multiboot2_module *m = (const struct multiboot2_module *)tag;

	if (tag->bytes <= sizeof(*m))
		return "GRUB's tag of a boot module is too short";
	const char *string = ended_string((const char *)(m + 1), tag->bytes - sizeof(*m));
	if (!string)
		return "the string of a boot module does not end";
	const char *why = read_name(string, name, name_bytes);
	if (why)
		return why;
	if (m->end <= m->start)
		return "is empty";
	if (m->start % PAGE_BYTES != 0)
		return "was not loaded to a page boundary";
	if (boot_information_module(out, name))
		return "is there twice";
	if (out->modules == MODULES_MAX)
		return "is one more than the 8 boot modules that there may be";

	struct boot_module *to = &out->module[out->modules++];
	memcpy(to->name, name, sizeof(to->name));
	to->base = m->start;
	to->bytes = m->end - m->start;
	return NULL;
}

/* Adds what is available, in whole pages, then takes away what another entry calls unavailable, if firmware says both. Page 0 holds the
 * BIOS data area, and physical address 0 means "none" all over. */
static const char *read_memory_map(const struct multiboot2_tag *tag, struct ranges *memory)
{
	const struct multiboot2_memory_map *map = (const struct multiboot2_memory_map *)tag;

	if (tag->bytes < sizeof(*map) || map->entry_bytes < sizeof(struct multiboot2_memory) || map->entry_bytes % 8 != 0)
		return "GRUB's memory map is damaged";
	uint32_t count = (tag->bytes - (uint32_t)sizeof(*map)) / map->entry_bytes;
	for (int available = 1; available >= 0; available--) {
		for (uint32_t i = 0; i < count; i++) {
			struct multiboot2_memory m;
			memcpy(&m, (const uint8_t *)(map + 1) + (size_t)i * map->entry_bytes, sizeof(m));
			if (m.base >= WINDOW_BYTES || (m.type == MULTIBOOT2_MEMORY_AVAILABLE) != available)
				continue;
			uint64_t end = m.bytes < WINDOW_BYTES - m.base ? m.base + m.bytes : WINDOW_BYTES;
			if (available)
				ranges_add(memory, page_up(m.base), page_down(end));
			else if (m.base < end)
				ranges_remove(memory, page_down(m.base), page_up(end));
		}
	}
	ranges_remove(memory, 0, PAGE_BYTES);
	return NULL;
}

static void read_rsdp(const struct multiboot2_tag *tag, struct boot_information *out)
{
	uint32_t bytes = tag->bytes - (uint32_t)sizeof(*tag);

	if (bytes > out->rsdp_bytes && bytes <= RSDP_BYTES_MAX) {
		out->rsdp = (const uint8_t *)(tag + 1);
		out->rsdp_bytes = bytes;
	}
}

static const char *read_tag(const struct multiboot2_tag *tag, struct boot_information *out, char *name, size_t name_bytes)
{
	switch (tag->type) {
	case MULTIBOOT2_COMMAND_LINE:
		out->command_line = ended_string((const char *)(tag + 1), tag->bytes - sizeof(*tag));
		return out->command_line ? NULL : "GRUB's command line does not end";
	case MULTIBOOT2_MODULE:
		return read_module(tag, out, name, name_bytes);
	case MULTIBOOT2_MEMORY_MAP:
		return read_memory_map(tag, &out->memory);
	case MULTIBOOT2_ACPI_OLD:
	case MULTIBOOT2_ACPI_NEW:
		read_rsdp(tag, out);
		return NULL;
	default:
		return NULL;
	}
}

struct boot_information_error boot_information_read(const void *information, size_t bytes, struct boot_information *out)
{
	struct boot_information_error e = {0};
	const struct multiboot2_information *head = information;
	const uint8_t *at = information;

	*out = (struct boot_information){.command_line = ""};
	if (bytes < sizeof(*head) || head->bytes > bytes || head->bytes < sizeof(*head)) {
		e.why = "GRUB's boot information has a wrong size";
		return e;
	}
	for (uint64_t offset = sizeof(*head);;) {
		const struct multiboot2_tag *tag = (const struct multiboot2_tag *)(at + offset);
		if (offset + sizeof(*tag) > head->bytes || tag->bytes < sizeof(*tag) || tag->bytes > head->bytes - offset) {
			e.why = "GRUB's boot information has a damaged tag";
			return e;
		}
		if (tag->type == MULTIBOOT2_END)
			break;
		memset(e.name, 0, sizeof(e.name));
		e.why = read_tag(tag, out, e.name, sizeof(e.name));
		if (e.why)
			return e;
		offset += (tag->bytes + 7u) & ~7u;
	}
	memset(e.name, 0, sizeof(e.name));
	if (out->memory.count == 0)
		e.why = "GRUB gave no memory map, or one without available memory";
	return e;
}

const struct boot_module *boot_information_module(const struct boot_information *information, const char *name)
{
	for (uint32_t i = 0; i < information->modules; i++)
		if (strcmp(information->module[i].name, name) == 0)
			return &information->module[i];
	return NULL;
}
