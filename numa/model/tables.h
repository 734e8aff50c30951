/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Finds ACPI tables from the root pointer on, without ACPICA and without copying.
 *
 * The loader uses this to place the first core's image on that core's own node, and the acpi domain to have the
 * machine model before it starts to interpret AML. Physical memory is reached through `view`, so that the loader
 * (identity map), the domain (mappings made on demand) and the tests (a recorded memory) share the code. */

#include "numa/model.h"

/* How to look at physical memory: the address of `bytes` readable bytes from `physical` on, or NULL if that cannot
 * be seen. Views are not given back; all of them stay valid as long as the tables are in use. */
struct machine_memory {
	const void *(*view)(void *context, uint64_t physical, size_t bytes);
	void *context;
};

enum machine_root_state {
	MACHINE_ROOT_GOOD,
	MACHINE_ROOT_ABSENT,  /* address 0, or no "RSD PTR " there */
	MACHINE_ROOT_DAMAGED, /* a checksum or length of the RSDP, XSDT or RSDT is wrong */
};

/* The RSDT or XSDT behind a root pointer that was checked. */
struct machine_root {
	enum machine_root_state state;
	const uint8_t *entries;
	uint32_t entry_count;
	uint8_t entry_bytes; /* 4 in an RSDT, 8 in an XSDT */
};

/* `rsdp` is the physical address of the root system description pointer (or of the boot loader's copy of it). */
struct machine_root machine_open_root(const struct machine_memory *memory, uint64_t rsdp);

/* All tables that machine_build wants. boot_apic, memory and memory_count of *sources are left as they are.
 * Answers the root's state; unless that is MACHINE_ROOT_GOOD all tables are missing. */
enum machine_root_state machine_find_sources(const struct machine_memory *memory, uint64_t rsdp, struct machine_sources *sources);

/* The short way for the loader: fills *machine from the SRAT alone, so that machine->ranges and
 * machine_node_of_address() are good, and answers the node of the core with this APIC ID. 0 when the tables do not
 * tell, which is right on any machine of one node. */
unsigned machine_node_of_apic(const struct machine_memory *memory, uint64_t rsdp, uint32_t apic, struct machine *machine);
