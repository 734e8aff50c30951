/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* The two halves of discovery. The tables are read first and alone, since that takes a moment only and is all that the start of the other
 * cores waits for. The namespace with its AML follows while they start. */

#include <stdio.h>

#include <acpi/acpi.h>

#include "numa/acpi/discover.h"
#include "numa/acpi/hardware.h"
#include "numa/acpi/osl.h"
#include "numa/model/tables.h"

enum { ROOT_TABLES = 32 }; /* first size of ACPICA's list of tables; it grows */

static struct machine_table find(char *signature)
{
	struct acpi_table_header *table;

	if (ACPI_FAILURE(acpi_get_table(signature, 1, &table)))
		return (struct machine_table){NULL, 0};
	return (struct machine_table){table, table->length};
}

/* An acpi_get_table has its acpi_put_table, or ACPICA would keep the table mapped. */
static void put(struct machine_table table)
{
	if (table.at != NULL)
		acpi_put_table((struct acpi_table_header *)(uintptr_t)table.at);
}

/* These few views stay for good. */
static const void *view(void *context, uint64_t physical, size_t bytes)
{
	(void)context;
	return hardware_map(physical, bytes);
}

/* ACPICA believes whatever the root pointer that it is given says, so that is checked before. NULL, or what is wrong. */
static const char *start_table_manager(void)
{
	struct machine_root root = machine_open_root(&(struct machine_memory){view, NULL}, hardware_rsdp());

	if (root.state == MACHINE_ROOT_ABSENT)
		return "there is no ACPI root pointer where the boot loader said";
	if (root.state == MACHINE_ROOT_DAMAGED)
		return "the ACPI root pointer or the list of tables behind it is damaged";
	if (ACPI_FAILURE(acpi_initialize_subsystem()))
		return "ACPICA can't be initialised";
	if (ACPI_FAILURE(acpi_initialize_tables(NULL, ROOT_TABLES, TRUE)))
		return "the ACPI tables can't be listed";
	return NULL;
}

void discover_machine(struct machine *machine, uint32_t boot_apic, const struct machine_span *memory, size_t memory_count)
{
	struct machine_sources sources = {.boot_apic = boot_apic, .memory = memory, .memory_count = memory_count};

	if (hardware_rsdp() == 0) {
		machine_build(machine, &sources);
		return;
	}
	const char *wrong = start_table_manager();
	if (wrong == NULL) {
		sources.madt = find(ACPI_SIG_MADT);
		sources.srat = find(ACPI_SIG_SRAT);
		sources.slit = find(ACPI_SIG_SLIT);
		sources.hpet = find(ACPI_SIG_HPET);
		sources.mcfg = find(ACPI_SIG_MCFG);
		sources.fadt = find(ACPI_SIG_FADT);
	}
	machine_build(machine, &sources);
	machine->acpica = ACPI_CA_VERSION;
	if (wrong != NULL && machine->note_count < MACHINE_NOTES)
		snprintf(machine->notes[machine->note_count++], MACHINE_NOTE_BYTES, "%s", wrong);

	put(sources.madt), put(sources.srat), put(sources.slit), put(sources.hpet), put(sources.mcfg), put(sources.fadt);
}

/* Tells AML that interrupts go through I/O APICs, so that _PRT answers with their inputs (ACPI 6.4, 5.8.1). Firmware need not have it. */
static void choose_apic_mode(void)
{
	union acpi_object mode = {.integer = {.type = ACPI_TYPE_INTEGER, .value = 1}};
	struct acpi_object_list arguments = {1, &mode};

	acpi_evaluate_object(NULL, "\\_PIC", &arguments, NULL);
}

const char *discover_namespace(void)
{
	if (ACPI_FAILURE(acpi_load_tables()))
		return "the DSDT can't be loaded";
	if (ACPI_FAILURE(acpi_enable_subsystem(ACPI_FULL_INITIALIZATION)))
		return "the machine can't be switched to ACPI mode";
	if (ACPI_FAILURE(acpi_initialize_objects(ACPI_FULL_INITIALIZATION)))
		return "the objects of the namespace can't be initialised";
	choose_apic_mode();
	if (ACPI_FAILURE(acpi_update_all_gpes()))
		return "the general purpose events can't be enabled";
	osl_run_queue();
	return NULL;
}
