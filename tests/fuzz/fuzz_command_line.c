// sources: boot/loader/command_line.c boot/loader/boot_information.c boot/loader/ranges.c
/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Any bytes as what GRUB leaves in memory, and its command line joined with a piece of the same bytes. */

#include "boot/loader/boot_information.h"
#include "boot/loader/command_line.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

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
	uint64_t *aligned = malloc(bytes + 8); /* as GRUB does: at a multiple of 8 */

	memcpy(aligned, data, bytes);
	struct boot_information_error e = boot_information_read(aligned, bytes, &information);
	check(memchr(e.name, 0, sizeof(e.name)) != NULL);
	if (!e.why)
		check_information(&information);
	check_command_line(e.why ? "" : information.command_line, (const char *)data, bytes);
	free(aligned);
	return 0;
}
