/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* PCI interrupt routing: which global system interrupt a device's pin is wired to.
 *
 * A bus that AML describes has _PRT, a list of (device, pin) with either a global system interrupt or the name of a *link*, a little
 * router whose present setting is in its _CRS (ACPI 6.4, 6.2.13). A bus behind a bridge that AML does not describe has its pins wired
 * to the bridge's own, turned by the device number. All lists are read once, at start. */

#include <stdlib.h>

#include <acpi/acpi.h>

#include "numa/acpi/routes.h"

enum {
	ROUTES = 1024,
	PINS = 4,
	BUSES = 256,
	PCI_DEVICES = 32,
	PCI_FUNCTIONS = 8,
	PCI_HEADER_TYPE = 0x0e, /* PCI Local Bus Specification 3.0, 6.1 */
	PCI_HEADER_BRIDGE = 1,
	PCI_SECONDARY_BUS = 0x19, /* PCI-to-PCI Bridge Architecture Specification 1.2, 3.2 */
};

static struct entry {
	uint16_t segment;
	uint8_t bus, device, pin;
	struct route route;
} entries[ROUTES];
static unsigned count;
static const struct machine *model;

unsigned routes_count(void)
{
	return count;
}

/* ---- Links ---- */

static acpi_status take_interrupt(struct acpi_resource *resource, void *context)
{
	struct route *route = context;

	if (resource->type == ACPI_RESOURCE_TYPE_IRQ && resource->data.irq.interrupt_count > 0) {
		/* An ISA interrupt: it may arrive elsewhere, and with another polarity, than its number says. */
		struct machine_override at = machine_isa_interrupt(model, resource->data.irq.interrupts[0]);
		route->gsi = at.gsi;
		route->level = at.trigger == MACHINE_TRIGGER_LEVEL || resource->data.irq.triggering == ACPI_LEVEL_SENSITIVE;
		route->active_low = at.trigger == MACHINE_TRIGGER_LEVEL ? at.polarity == MACHINE_POLARITY_LOW
		                                                        : resource->data.irq.polarity == ACPI_ACTIVE_LOW;
		return AE_CTRL_TERMINATE;
	}
	if (resource->type == ACPI_RESOURCE_TYPE_EXTENDED_IRQ && resource->data.extended_irq.interrupt_count > 0) {
		route->gsi = resource->data.extended_irq.interrupts[0];
		route->level = resource->data.extended_irq.triggering == ACPI_LEVEL_SENSITIVE;
		route->active_low = resource->data.extended_irq.polarity == ACPI_ACTIVE_LOW;
		return AE_CTRL_TERMINATE;
	}
	return AE_OK;
}

/* What the link is set to now. The firmware sets every link that it uses; one without a setting (interrupt 0) leads nowhere. */
static bool read_link(acpi_handle bridge, char *name, struct route *route)
{
	acpi_handle link;

	route->gsi = 0;
	return ACPI_SUCCESS(acpi_get_handle(bridge, name, &link)) &&
	       ACPI_SUCCESS(acpi_walk_resources(link, METHOD_NAME__CRS, take_interrupt, route)) && route->gsi != 0;
}

/* ---- Lists ---- */

static void add_entry(acpi_handle bridge, uint16_t segment, uint8_t bus, struct acpi_pci_routing_table *row)
{
	/* Without a link a PCI interrupt is level and low (ACPI 6.4, 6.2.13). */
	struct entry entry = {segment, bus, (uint8_t)(row->address >> 16), (uint8_t)row->pin, {row->source_index, true, true}};

	if (count == ROUTES || row->pin >= PINS || (row->source[0] != '\0' && !read_link(bridge, row->source, &entry.route)))
		return;
	entries[count++] = entry;
}

static void read_list(acpi_handle bridge, uint16_t segment, uint8_t bus)
{
	struct acpi_buffer buffer = {ACPI_ALLOCATE_BUFFER, NULL};

	if (ACPI_FAILURE(acpi_get_irq_routing_table(bridge, &buffer)))
		return;
	struct acpi_pci_routing_table *row = buffer.pointer;
	for (; row->length != 0; row = (struct acpi_pci_routing_table *)((char *)row + row->length))
		add_entry(bridge, segment, bus, row);
	free(buffer.pointer);
}

/* ---- Buses ---- */

static uint64_t integer(acpi_handle device, char *name)
{
	union acpi_object value;
	struct acpi_buffer buffer = {sizeof(value), &value};

	if (ACPI_FAILURE(acpi_evaluate_object_typed(device, name, NULL, &buffer, ACPI_TYPE_INTEGER)))
		return 0;
	return value.integer.value;
}

static uint8_t config8(uint16_t segment, uint8_t bus, uint8_t device, uint8_t function, uint32_t offset)
{
	struct acpi_pci_id id = {segment, bus, device, function};
	uint64_t value;

	return ACPI_SUCCESS(acpi_os_read_pci_configuration(&id, offset, &value, 8)) ? (uint8_t)value : UINT8_MAX;
}

static bool is_bridge(uint16_t segment, uint8_t bus, uint8_t device, uint8_t function)
{
	uint8_t type = config8(segment, bus, device, function, PCI_HEADER_TYPE);

	return type != UINT8_MAX && (type & 0x7f) == PCI_HEADER_BRIDGE;
}

struct bus {
	uint16_t segment;
	uint8_t number;
	unsigned depth;
};

/* Reads the lists of the bridges that AML describes below `parent`. Their address says device and function; the bus behind them is in
 * configuration space. */
static void read_bridges_below(acpi_handle parent, struct bus bus)
{
	acpi_handle child = NULL;

	if (bus.depth == BUSES)
		return;
	while (ACPI_SUCCESS(acpi_get_next_object(ACPI_TYPE_DEVICE, parent, child, &child))) {
		acpi_handle address;
		if (ACPI_FAILURE(acpi_get_handle(child, METHOD_NAME__ADR, &address)))
			continue;
		uint64_t where = integer(child, METHOD_NAME__ADR);
		uint8_t device = (uint8_t)(where >> 16 & 31), function = (uint8_t)(where & 7);
		if (!is_bridge(bus.segment, bus.number, device, function))
			continue;
		struct bus below = {bus.segment, config8(bus.segment, bus.number, device, function, PCI_SECONDARY_BUS), bus.depth + 1};
		read_list(child, below.segment, below.number);
		read_bridges_below(child, below);
	}
}

static acpi_status read_root(acpi_handle bridge, u32 depth, void *unused, void **result)
{
	struct bus bus = {(uint16_t)integer(bridge, METHOD_NAME__SEG), (uint8_t)integer(bridge, METHOD_NAME__BBN), 0};

	(void)depth;
	(void)unused;
	(void)result;
	read_list(bridge, bus.segment, bus.number);
	read_bridges_below(bridge, bus);
	return AE_OK;
}

const char *routes_read(const struct machine *machine)
{
	count = 0;
	model = machine;
	/* A PCI Express root has PNP0A08 with PNP0A03 as its compatible ID (PCI Firmware Specification 3.3, 4.2), so one search finds both.
	 */
	if (ACPI_FAILURE(acpi_get_devices("PNP0A03", read_root, NULL, NULL)))
		return "the PCI root bridges can't be listed";
	return NULL;
}

/* ---- Questions ---- */

static const struct entry *lookup(uint16_t segment, uint8_t bus, uint8_t device, uint8_t pin)
{
	for (unsigned i = 0; i < count; i++)
		if (entries[i].segment == segment && entries[i].bus == bus && entries[i].device == device && entries[i].pin == pin)
			return &entries[i];
	return NULL;
}

/* The bridge whose secondary bus is `bus`. */
static bool find_bridge(uint16_t segment, uint8_t bus, uint8_t *parent, uint8_t *device)
{
	for (unsigned above = 0; above < bus; above++)
		for (unsigned at = 0; at < PCI_DEVICES * PCI_FUNCTIONS; at++) {
			uint8_t d = (uint8_t)(at / PCI_FUNCTIONS), f = (uint8_t)(at % PCI_FUNCTIONS);
			if (is_bridge(segment, (uint8_t)above, d, f) && config8(segment, (uint8_t)above, d, f, PCI_SECONDARY_BUS) == bus) {
				*parent = (uint8_t)above;
				*device = d;
				return true;
			}
		}
	return false;
}

bool routes_find(uint16_t segment, uint8_t bus, uint8_t device, uint8_t pin, struct route *route)
{
	/* A bus has a higher number than the one above it, so this ends. */
	for (;;) {
		const struct entry *entry = lookup(segment, bus, device, pin);
		uint8_t bridge;
		if (entry != NULL) {
			*route = entry->route;
			return true;
		}
		if (!find_bridge(segment, bus, &bus, &bridge))
			return false;
		pin = (uint8_t)((pin + device) % PINS);
		device = bridge;
	}
}
