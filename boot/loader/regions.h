/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Deals all physical addresses out to the kinds of core_boot's regions. Pure.
 *
 *   RAM      what is left of memory, cut where nodes meet; the largest range of the first core's own node comes first, because the CPU
 *            driver makes the monitor's first objects from it
 *   DEVICE   what is not memory, up to the CPU's last physical address, and the page with the copy of the ACPI root pointer
 *
 * The trampoline's page tables are in no region: nobody may ever touch them. */

#include "boot/loader/boot_information.h"
#include "numa/model.h"

struct reserved_memory {
	struct range trampoline, tables, rsdp, image; /* those that are not there are empty */
};

struct region_sources {
	const struct boot_information *information;
	const struct reserved_memory *reserved;
	const struct machine *machine;
	uint64_t address_end; /* of the CPU's physical addresses */
	unsigned node;        /* of the first core */
};

/* Few enough ranges of memory that all regions find a place: the smallest beyond that are given up. True if memory was, or already had been
 * when the ranges were collected. */
MUST_USE bool regions_keep_largest(struct ranges *memory);

/* Fills boot->region and boot->module. */
void regions_build(const struct region_sources *sources, struct core_boot *boot);
