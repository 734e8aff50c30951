// sources: boot/loader/command_line.c boot/loader/boot_information.c boot/loader/ranges.c
/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* What GRUB leaves in memory, in which the input flips bits or which it cuts off, so that the fuzzer begins behind the sizes; and its
 * command line joined with the same input. */

#include "boot/loader/boot_information.h"
#include "boot/loader/command_line.h"
#include "boot/loader/multiboot2.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static const struct {
	struct multiboot2_information head;
	struct multiboot2_tag line;
	char line_text[16];
	struct multiboot2_module module;
	char module_name[8];
	struct multiboot2_module second;
	char second_name[8];
	struct multiboot2_memory_map map;
	struct multiboot2_memory memory[4];
	struct multiboot2_tag rsdp;
	uint8_t rsdp_bytes[40];
	struct multiboot2_tag end;
} sound = {
    .head = {sizeof(sound), 0},
    .line = {MULTIBOOT2_COMMAND_LINE, 8 + 16},
    .line_text = "run=shell app=x",
    .module = {{MULTIBOOT2_MODULE, 24}, 0x1000, 0x2345},
    .module_name = "monitor",
    .second = {{MULTIBOOT2_MODULE, 21}, 0x3000, 0x4000},
    .second_name = "acpi",
    .map = {{MULTIBOOT2_MEMORY_MAP, 16 + 4 * 24}, 24, 0},
    .memory = {{0, 0x9fc00, 1, 0}, {0x100000, 0x8000000, 1, 0}, {0x5000800, 0x1000, 2, 0}, {UINT64_C(1) << 32, 0x10000, 1, 0}},
    .rsdp = {MULTIBOOT2_ACPI_NEW, 8 + 36},
    .end = {MULTIBOOT2_END, 8},
};

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void check_command_line(const char *first, const char *second, size_t bytes)
{
	char line[COMMAND_LINE_BYTES] = "";

	if (command_line_append(line, first, strlen(first)))
		check(line[0] == 0);
	size_t before = strlen(line);
	if (command_line_append(line, second, bytes))
		check(strlen(line) == before);
	check(memchr(line, 0, sizeof(line)) != NULL);
	for (const char *c = line; *c; c++)
		check(*c >= ' ' && *c <= '~');
}

static void check_information(const struct boot_information *information)
{
	const struct ranges *m = &information->memory;

	check(m->count > 0 && information->modules <= MODULES_MAX);
	for (uint32_t i = 0; i < m->count; i++) {
		check(m->range[i].base < m->range[i].end && m->range[i].base % PAGE_BYTES == 0 && m->range[i].end % PAGE_BYTES == 0);
		check(i == 0 || m->range[i - 1].end < m->range[i].base);
	}
	for (uint32_t i = 0; i < information->modules; i++)
		check(boot_information_module(information, information->module[i].name) == &information->module[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	static struct boot_information information;
	uint8_t cut = bytes > 0 ? data[0] : 0;
	size_t size = cut < sizeof(sound) ? sizeof(sound) - cut : 0;
	uint8_t *tags = malloc(size ? size : 1); /* at a multiple of 8, as GRUB does it */

	memcpy(tags, &sound, size);
	for (size_t i = 1; i < bytes && i - 1 < size; i++)
		tags[i - 1] ^= data[i];
	struct boot_information_error e = boot_information_read(tags, size, &information);
	check(memchr(e.name, 0, sizeof(e.name)) != NULL);
	if (!e.why)
		check_information(&information);
	check_command_line(e.why ? "" : information.command_line, (const char *)data, bytes);
	free(tags);
	return 0;
}
