/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* What GRUB tells, out of its list of tags. Pure: the hosted tests feed it damaged lists. */

#include "boot/loader/ranges.h"
#include "cpudriver/abi/core_boot.h"

struct boot_information {
	const char *command_line; /* "" if there is none */
	uint32_t modules;
	struct boot_module module[MODULES_MAX];
	const uint8_t *rsdp; /* GRUB's copy of the ACPI root pointer; NULL: none */
	uint32_t rsdp_bytes;
	struct ranges memory; /* available, in whole pages */
};

/* Why the information can't be used; `name` is the module at fault or NULL. */
struct boot_information_error {
	const char *why; /* NULL: none */
	char name[24];
};

/* Reads at most `bytes` of it. */
MUST_USE struct boot_information_error boot_information_read(const void *information, size_t bytes, struct boot_information *out);

const struct boot_module *boot_information_module(const struct boot_information *information, const char *name);
