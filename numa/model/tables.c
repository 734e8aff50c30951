/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include "numa/model/tables.h"
#include "numa/model/parse.h"

enum {
	RSDP_LENGTH_1 = 20, /* ACPI 6.4, 5.2.5.3, table 5.3: the part that the first checksum covers */
	RSDP_LENGTH_2 = 36,
	RSDP_REVISION = 15,
	RSDP_RSDT = 16,
	RSDP_LENGTH = 20,
	RSDP_XSDT = 24,
};

static bool same_text(const uint8_t *at, const char *text, unsigned length)
{
	for (unsigned i = 0; i < length; i++)
		if (at[i] != (uint8_t)text[i])
			return false;
	return true;
}

/* The whole table at a physical address, its length taken from its header; { NULL, 0 } if that cannot be viewed. */
static struct machine_table view_table(const struct machine_memory *memory, uint64_t physical)
{
	const uint8_t *header = memory->view(memory->context, physical, SDT_HEADER_BYTES);

	if (physical == 0 || header == NULL)
		return (struct machine_table){NULL, 0};
	uint32_t length = load32(header + SDT_LENGTH);
	const void *whole = length < SDT_HEADER_BYTES ? NULL : memory->view(memory->context, physical, length);
	return whole != NULL ? (struct machine_table){whole, length} : (struct machine_table){NULL, 0};
}

/* 5.2.7 (RSDT) and 5.2.8 (XSDT): addresses of 4 and of 8 bytes behind the header. */
static struct machine_root open_list(const struct machine_memory *memory, uint64_t physical, const char *signature, uint8_t entry_bytes)
{
	struct machine_table table = view_table(memory, physical);
	const uint8_t *at = table.at;

	if (at == NULL || !same_text(at, signature, 4) || byte_sum(at, table.bytes) != 0)
		return (struct machine_root){.state = MACHINE_ROOT_DAMAGED};
	return (struct machine_root){
	    .state = MACHINE_ROOT_GOOD,
	    .entries = at + SDT_HEADER_BYTES,
	    .entry_count = (uint32_t)((table.bytes - SDT_HEADER_BYTES) / entry_bytes),
	    .entry_bytes = entry_bytes,
	};
}

struct machine_root machine_open_root(const struct machine_memory *memory, uint64_t rsdp)
{
	const uint8_t *at = rsdp == 0 ? NULL : memory->view(memory->context, rsdp, RSDP_LENGTH_1);

	if (at == NULL || !same_text(at, "RSD PTR ", 8))
		return (struct machine_root){.state = MACHINE_ROOT_ABSENT};
	if (byte_sum(at, RSDP_LENGTH_1) != 0)
		return (struct machine_root){.state = MACHINE_ROOT_DAMAGED};
	uint64_t rsdt = load32(at + RSDP_RSDT);
	if (at[RSDP_REVISION] < 2)
		return open_list(memory, rsdt, "RSDT", 4);

	at = memory->view(memory->context, rsdp, RSDP_LENGTH_2);
	if (at == NULL || load32(at + RSDP_LENGTH) != RSDP_LENGTH_2 || byte_sum(at, RSDP_LENGTH_2) != 0)
		return (struct machine_root){.state = MACHINE_ROOT_DAMAGED};
	struct machine_root root = open_list(memory, load64(at + RSDP_XSDT), "XSDT", 8);
	/* ACPI prefers the XSDT, but an intact RSDT lists the same tables. */
	return root.state == MACHINE_ROOT_GOOD || rsdt == 0 ? root : open_list(memory, rsdt, "RSDT", 4);
}

/* The first table with this signature, its header readable and its whole length in view. Its checksum is left to whoever parses it.
 * { NULL, 0 } if there is none. */
static struct machine_table find_table(const struct machine_memory *memory, const struct machine_root *root, const char signature[4])
{
	for (uint32_t i = 0; i < root->entry_count; i++) {
		const uint8_t *entry = root->entries + (size_t)i * root->entry_bytes;
		uint64_t physical = root->entry_bytes == 8 ? load64(entry) : load32(entry);
		const uint8_t *name = physical == 0 ? NULL : memory->view(memory->context, physical, 4);
		if (name != NULL && same_text(name, signature, 4))
			return view_table(memory, physical);
	}
	return (struct machine_table){NULL, 0};
}

enum machine_root_state machine_find_sources(const struct machine_memory *memory, uint64_t rsdp, struct machine_sources *sources)
{
	struct machine_root root = machine_open_root(memory, rsdp);

	sources->madt = find_table(memory, &root, "APIC");
	sources->srat = find_table(memory, &root, "SRAT");
	sources->slit = find_table(memory, &root, "SLIT");
	sources->hpet = find_table(memory, &root, "HPET");
	sources->mcfg = find_table(memory, &root, "MCFG");
	sources->fadt = find_table(memory, &root, "FACP");
	return root.state;
}

unsigned machine_node_of_apic(const struct machine_memory *memory, uint64_t rsdp, uint32_t apic, struct machine *machine)
{
	struct machine_root root = machine_open_root(memory, rsdp);
	struct machine_sources sources = {.boot_apic = apic, .srat = find_table(memory, &root, "SRAT")};

	machine_build(machine, &sources);
	return machine->cores[0].node;
}
