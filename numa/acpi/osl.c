/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* ACPICA's OS services layer: memory, ports, PCI configuration, time, interrupts, messages. The names and what each function owes to
 * ACPICA are in its User Guide and Programmer Reference, chapter 9. Synchronisation is in osl_sync.c. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <acpi/acpi.h>

#include "numa/acpi/hardware.h"
#include "numa/acpi/osl.h"

acpi_status acpi_os_initialize(void)
{
	return AE_OK;
}

acpi_status acpi_os_terminate(void)
{
	return AE_OK;
}

acpi_physical_address acpi_os_get_root_pointer(void)
{
	return hardware_rsdp();
}

/* ---- Tables and names are taken as the firmware has them ---- */

acpi_status acpi_os_predefined_override(const struct acpi_predefined_names *name, acpi_string *value)
{
	(void)name;
	*value = NULL;
	return AE_OK;
}

acpi_status acpi_os_table_override(struct acpi_table_header *existing, struct acpi_table_header **replacement)
{
	(void)existing;
	*replacement = NULL;
	return AE_OK;
}

acpi_status acpi_os_physical_table_override(struct acpi_table_header *existing, acpi_physical_address *address, u32 *length)
{
	(void)existing;
	*address = 0;
	*length = 0;
	return AE_OK;
}

/* ---- Memory ---- */

void *acpi_os_allocate(acpi_size bytes)
{
	return malloc(bytes);
}

void acpi_os_free(void *memory)
{
	free(memory);
}

void *acpi_os_map_memory(acpi_physical_address physical, acpi_size bytes)
{
	void *address = hardware_map(physical, bytes);

	if (address == NULL)
		acpi_os_printf("ACPI: physical memory 0x%llx is not the acpi domain's to see\n", (unsigned long long)physical);
	return address;
}

void acpi_os_unmap_memory(void *address, acpi_size bytes)
{
	hardware_unmap(address, bytes);
}

enum direction { FROM_MEMORY, TO_MEMORY };

/* One access of just that width: these may be registers. */
static acpi_status access_memory(acpi_physical_address physical, u64 *value, u32 bits, enum direction direction)
{
	volatile void *at = hardware_map(physical, bits / 8);

#define ACCESS(type)                                                                                                                       \
	do {                                                                                                                               \
		if (direction == TO_MEMORY)                                                                                                \
			*(volatile type *)at = (type)*value;                                                                               \
		else                                                                                                                       \
			*value = *(const volatile type *)at;                                                                               \
	} while (0)

	if (at == NULL)
		return AE_BAD_ADDRESS;
	switch (bits) {
	case 8:
		ACCESS(u8);
		break;
	case 16:
		ACCESS(u16);
		break;
	case 32:
		ACCESS(u32);
		break;
	default:
		ACCESS(u64);
		break;
	}
#undef ACCESS
	hardware_unmap((void *)(uintptr_t)at, bits / 8);
	return AE_OK;
}

acpi_status acpi_os_read_memory(acpi_physical_address physical, u64 *value, u32 bits)
{
	return access_memory(physical, value, bits, FROM_MEMORY);
}

acpi_status acpi_os_write_memory(acpi_physical_address physical, u64 value, u32 bits)
{
	return access_memory(physical, &value, bits, TO_MEMORY);
}

/* ---- Ports ---- */

acpi_status acpi_os_read_port(acpi_io_address port, u32 *value, u32 bits)
{
	if (port <= UINT16_MAX && hardware_read_port((uint16_t)port, bits / 8, value))
		return AE_OK;
	*value = UINT32_MAX >> (32 - bits); /* what a bus without a device reads as */
	return AE_BAD_ADDRESS;
}

acpi_status acpi_os_write_port(acpi_io_address port, u32 value, u32 bits)
{
	return port <= UINT16_MAX && hardware_write_port((uint16_t)port, bits / 8, value) ? AE_OK : AE_BAD_ADDRESS;
}

/* ---- PCI configuration space: PCI Local Bus Specification 3.0, 3.2.2.3.2, mechanism 1 ---- */

enum {
	PCI_ADDRESS_PORT = 0xcf8,
	PCI_DATA_PORT = 0xcfc,
	PCI_CONFIG_BYTES = 256,
};
#define PCI_ADDRESS_ENABLE 0x80000000u

static bool select_pci(const struct acpi_pci_id *id, u32 offset)
{
	u32 address = PCI_ADDRESS_ENABLE | (u32)id->bus << 16 | (u32)id->device << 11 | (u32)id->function << 8 | (offset & 0xfc);

	return id->segment == 0 && offset < PCI_CONFIG_BYTES && hardware_write_port(PCI_ADDRESS_PORT, 4, address);
}

acpi_status acpi_os_read_pci_configuration(struct acpi_pci_id *id, u32 offset, u64 *value, u32 bits)
{
	u32 low = 0, high = 0, bytes = bits > 32 ? 4 : bits / 8;

	*value = 0;
	if (!select_pci(id, offset) || !hardware_read_port((uint16_t)(PCI_DATA_PORT + (offset & 3)), bytes, &low))
		return AE_BAD_ADDRESS;
	if (bits == 64 && (!select_pci(id, offset + 4) || !hardware_read_port(PCI_DATA_PORT, 4, &high)))
		return AE_BAD_ADDRESS;
	*value = (u64)high << 32 | low;
	return AE_OK;
}

acpi_status acpi_os_write_pci_configuration(struct acpi_pci_id *id, u32 offset, u64 value, u32 bits)
{
	u32 bytes = bits > 32 ? 4 : bits / 8;

	if (!select_pci(id, offset) || !hardware_write_port((uint16_t)(PCI_DATA_PORT + (offset & 3)), bytes, (u32)value))
		return AE_BAD_ADDRESS;
	if (bits == 64 && (!select_pci(id, offset + 4) || !hardware_write_port(PCI_DATA_PORT, 4, (u32)(value >> 32))))
		return AE_BAD_ADDRESS;
	return AE_OK;
}

/* ---- Time ---- */

u64 acpi_os_get_timer(void)
{
	return hardware_nanoseconds() / 100;
}

void acpi_os_sleep(u64 milliseconds)
{
	hardware_wait(milliseconds * 1000000);
}

void acpi_os_stall(u32 microseconds)
{
	hardware_wait((u64)microseconds * 1000);
}

/* ---- The system control interrupt ---- */

static struct {
	u32 number;
	acpi_osd_handler routine;
	void *context;
} sci;

static void handle_sci(void *unused)
{
	(void)unused;
	if (sci.routine != NULL)
		sci.routine(sci.context);
	osl_run_queue();
}

acpi_status acpi_os_install_interrupt_handler(u32 number, acpi_osd_handler routine, void *context)
{
	if (sci.routine != NULL)
		return AE_ALREADY_EXISTS;
	if (routine == NULL)
		return AE_BAD_PARAMETER;
	if (!hardware_attach_interrupt(number, handle_sci, NULL))
		return AE_NOT_ACQUIRED;
	sci.number = number;
	sci.routine = routine;
	sci.context = context;
	return AE_OK;
}

acpi_status acpi_os_remove_interrupt_handler(u32 number, acpi_osd_handler routine)
{
	if (sci.routine != routine || sci.number != number)
		return AE_NOT_EXIST;
	sci.routine = NULL;
	return AE_OK;
}

/* ---- Messages ---- */

/* ACPICA prints a line in pieces. Those that merely inform are dropped: what they say is in the machine model, and a serial line is slow.
 */
void acpi_os_vprintf(const char *format, va_list arguments)
{
	static char line[256];
	static size_t used;
	int more = vsnprintf(line + used, sizeof(line) - used, format, arguments);

	if (more < 0)
		return;
	used += (size_t)more;
	if (used >= sizeof(line))
		used = sizeof(line) - 1;
	if (used == sizeof(line) - 1 || (used > 0 && line[used - 1] == '\n')) {
		line[used - (line[used - 1] == '\n')] = '\0';
		if (strncmp(line, ACPI_MSG_INFO, strlen(ACPI_MSG_INFO)) != 0)
			hardware_print(line);
		used = 0;
	}
}

void acpi_os_printf(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	acpi_os_vprintf(format, arguments);
	va_end(arguments);
}

acpi_status acpi_os_signal(u32 function, void *info)
{
	if (function == ACPI_SIGNAL_FATAL) {
		const struct acpi_signal_fatal_info *fatal = info;
		acpi_os_printf("AML reports a fatal condition: type %u, code %u, argument %u\n", fatal->type, fatal->code, fatal->argument);
	}
	return AE_OK;
}
