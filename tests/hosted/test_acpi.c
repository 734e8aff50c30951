// sources: numa/acpi/discover.c numa/acpi/osl.c numa/acpi/osl_sync.c numa/acpi/power.c numa/acpi/routes.c
// sources: numa/model/build.c numa/model/check.c numa/model/madt.c numa/model/mcfg.c numa/model/query.c
// sources: numa/model/receive.c numa/model/slit.c numa/model/srat.c numa/model/tables.c numa/model/text.c
// sources: numa/model/timers.c
/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* ACPICA over our OS services layer, on the host, with the tables that QEMU's firmware made (dump_tables.py) and an imitation of the few
 * registers that matter: PM1 events and control, the SMI command port, the PM timer, and PCI configuration space. Each test runs in a
 * process of its own, since ACPICA can't be started twice. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "numa/acpi/discover.h"
#include "numa/acpi/hardware.h"
#include "numa/acpi/power.h"
#include "numa/acpi/routes.h"

/* ---- The imitated machine ---- */

enum {
	SMI_COMMAND = 0xb2, /* QEMU: writing ACPI_ENABLE there sets SCI_EN */
	PM1_SCI_ENABLE = 1 << 0,
	PM1_SLEEP_ENABLE = 1 << 13,
	PM1_POWER_BUTTON = 1 << 8,
};

struct piece {
	uint64_t at, bytes;
	uint8_t data[];
};

static struct {
	uint8_t *tables; /* the dump */
	size_t bytes;
	uint64_t rsdp;
	uint16_t pm_base; /* of status, enable, control */
	uint16_t status, enable, control;
	uint32_t pci_address;
	uint8_t links[4], links_at;                   /* the PIRQ routing registers of the south bridge, and its device number */
	uint8_t bridge_at, bridge_header, bridge_bus; /* device number, header type, the bus behind it; bridge_at 0: there is none */
	unsigned maps;
	void (*handler)(void *);
	uint32_t interrupt;
	uint64_t clock;
	int reset_writes;
	char printed[4096];
} fake;

static void load(const char *machine)
{
	char path[256];

	if (fake.tables != NULL)
		return;
	snprintf(path, sizeof(path), TABLES "%s.bin", machine);
	FILE *file = fopen(path, "rb");
	assert_non_null(file);
	fake.tables = malloc(1 << 20);
	fake.bytes = fread(fake.tables, 1, 1 << 20, file);
	fclose(file);
	memcpy(&fake.rsdp, fake.tables, 8);
	fake.pm_base = 0x600;
	fake.links_at = strcmp(machine, "pc") == 0 ? 1 : 31;
	memcpy(fake.links, (uint8_t[]){10, 10, 11, 11}, 4);
}

uint64_t hardware_rsdp(void)
{
	return fake.rsdp;
}

void *hardware_map(uint64_t physical, size_t bytes)
{
	for (size_t at = 0; at < fake.bytes;) {
		struct piece head;
		memcpy(&head, fake.tables + at, 16);
		if (physical >= head.at && physical - head.at < head.bytes && bytes <= head.bytes - (physical - head.at)) {
			fake.maps++;
			return fake.tables + at + 16 + (physical - head.at);
		}
		at += 16 + head.bytes;
	}
	return NULL;
}

void hardware_unmap(void *address, size_t bytes)
{
	assert_non_null(address);
	assert_true(bytes > 0);
	fake.maps--;
}

static uint8_t *pci_register(unsigned byte)
{
	uint32_t device = fake.pci_address >> 11 & 31, function = fake.pci_address >> 8 & 7, offset = (fake.pci_address & 0xfc) + byte;

	if (fake.pci_address >> 16 != 0x8000 || function != 0)
		return NULL;
	if (device == fake.links_at && offset >= 0x60 && offset < 0x64)
		return &fake.links[offset - 0x60];
	if (device == fake.bridge_at && offset == 0x0e)
		return &fake.bridge_header;
	return device == fake.bridge_at && offset == 0x19 ? &fake.bridge_bus : NULL;
}

bool hardware_read_port(uint16_t port, unsigned bytes, uint32_t *value)
{
	static uint8_t nothing;

	*value = UINT32_MAX >> (32 - 8 * bytes);
	if (port == fake.pm_base)
		*value = fake.status;
	else if (port == fake.pm_base + 2)
		*value = fake.enable;
	else if (port == fake.pm_base + 4)
		*value = fake.control;
	else if (port >= 0xcfc && port <= 0xcff)
		for (unsigned i = 0; i < bytes; i++) {
			uint8_t *at = pci_register(port - 0xcfc + i);
			nothing = 0xff;
			*value = (*value & ~(0xffu << 8 * i)) | (uint32_t) * (at != NULL ? at : &nothing) << 8 * i;
		}
	return true;
}

bool hardware_write_port(uint16_t port, unsigned bytes, uint32_t value)
{
	if (port == fake.pm_base)
		fake.status &= (uint16_t)~value; /* write one to clear */
	else if (port == fake.pm_base + 2)
		fake.enable = (uint16_t)value;
	else if (port == fake.pm_base + 4)
		fake.control = (uint16_t)((value & ~1u) | (fake.control & 1));
	else if (port == SMI_COMMAND)
		fake.control |= PM1_SCI_ENABLE;
	else if (port == 0xcf8 && bytes == 4)
		fake.pci_address = value;
	else if (port == 0xcf9 && bytes == 1)
		fake.reset_writes += (value & 4) != 0;
	return true;
}

uint64_t hardware_nanoseconds(void)
{
	return fake.clock += 1000;
}

void hardware_wait(uint64_t nanoseconds)
{
	fake.clock += nanoseconds;
}

bool hardware_attach_interrupt(uint32_t isa, void (*handler)(void *), void *context)
{
	assert_null(context);
	fake.interrupt = isa;
	fake.handler = handler;
	return true;
}

void hardware_print(const char *line)
{
	size_t used = strlen(fake.printed);

	snprintf(fake.printed + used, sizeof(fake.printed) - used, "%s\n", line);
}

/* ---- Tests, each in a child ---- */

static struct machine machine;

static void discover(const char *name)
{
	load(name);
	discover_machine(&machine, 0, NULL, 0);
	assert_int_equal(machine.note_count, 0);
	assert_true(machine_check(&machine, sizeof(machine)));
}

static void boot(const char *name)
{
	discover(name);
	const char *wrong = discover_namespace();
	assert_string_equal(wrong != NULL ? wrong : "", "");
	assert_string_equal(fake.printed, "");
}

static void check_model(void)
{
	assert_int_equal(machine.core_count, 4);
	assert_int_equal(machine.node_count, 2);
	assert_int_equal(machine_node_of_core(&machine, 1), 0);
	assert_int_equal(machine_node_of_core(&machine, 2), 1);
	assert_int_equal(machine_distance(&machine, 0, 1), 31);
	assert_int_equal(machine_node_of_address(&machine, 65 << 20), 1);
	assert_int_equal(machine.ioapic_count, 1);
	assert_int_equal(machine.ioapics[0].address, 0xfec00000);
	assert_int_equal(machine.hpet_address, 0xfed00000);
	assert_int_equal(machine.sci_interrupt, 9);
	assert_int_equal(machine.pm_timer_port, 0x608);
	assert_int_equal(machine_isa_interrupt(&machine, 0).gsi, 2);
	assert_int_equal(machine.acpica >> 24, 0x20);
}

static void q35_model(void)
{
	discover("q35");
	check_model();
	assert_int_equal(machine.ecam_count, 1);
	assert_int_equal(machine.ecams[0].address, 0xb0000000);
}

static void pc_model(void)
{
	discover("pc");
	check_model();
	assert_int_equal(machine.ecam_count, 0);
}

/* Non-dense APIC IDs, places for cores that are not there, a node without cores and one without memory. */
static void odd_model(void)
{
	discover("odd");
	assert_int_equal(machine.core_count, 4);
	assert_int_equal(machine.core_total, 9);
	assert_int_equal(machine.cores[2].apic, 2);
	assert_int_equal(machine.cores[3].apic, 4);
	assert_int_equal(machine.cores[8].apic, 10);
	assert_int_equal(machine.cores[8].flags & MACHINE_CORE_ENABLED, 0);
	assert_int_equal(machine.node_count, 3);
	assert_int_equal(machine.nodes[0].core_count, 3);
	assert_int_equal(machine.nodes[1].core_count, 0);
	assert_int_equal(machine.nodes[1].memory_bytes, 64 << 20);
	assert_int_equal(machine.nodes[2].core_count, 1);
	assert_int_equal(machine.nodes[2].memory_bytes, 0);
	assert_int_equal(machine_distance(&machine, 2, 1), 35);
	assert_int_equal(machine_distance(&machine, 1, 0), 15);
}

static void no_acpi(void)
{
	discover_machine(&machine, 5, NULL, 0);
	assert_int_equal(machine.core_count, 1);
	assert_int_equal(machine.cores[0].apic, 5);
	assert_int_equal(machine.node_count, 1);
	assert_int_equal(machine.acpica, 0);
	assert_string_equal(machine.notes[0], "the firmware has no usable ACPI tables: the system runs on one core and one node");
}

/* The list of tables has a wrong checksum: ACPICA or our own check must notice, and one core must remain. */
static void damaged_root(void)
{
	load("q35");
	fake.tables[16 + 17] ^= 1; /* in the root pointer's address of the list */
	discover_machine(&machine, 0, NULL, 0);
	assert_int_equal(machine.core_count, 1);
	assert_int_equal(machine.has_acpi, 0);
	assert_true(machine.note_count >= 1);
}

static void damaged_srat(void)
{
	load("q35");
	for (size_t at = 0; at + 4 < fake.bytes; at++)
		if (memcmp(fake.tables + at, "SRAT", 4) == 0)
			fake.tables[at + 60] ^= 1;
	discover_machine(&machine, 0, NULL, 0);
	assert_int_equal(machine.core_count, 4);
	assert_int_equal(machine.node_count, 1);
	assert_string_equal(machine.notes[0], "SRAT refused: wrong checksum at offset 9");
}

static unsigned presses;

static void pressed(void)
{
	presses++;
}

static void power_button(void)
{
	boot("q35");
	assert_null(power_watch_button(pressed));
	assert_int_equal(fake.interrupt, 9);
	assert_true(fake.control & PM1_SCI_ENABLE);
	assert_true(fake.enable & PM1_POWER_BUTTON);

	fake.handler(NULL); /* somebody else's: nothing happens */
	assert_int_equal(presses, 0);
	fake.status |= PM1_POWER_BUTTON;
	fake.handler(NULL);
	assert_int_equal(presses, 1);
	assert_int_equal(fake.status & PM1_POWER_BUTTON, 0);
	fake.status |= PM1_POWER_BUTTON;
	fake.handler(NULL);
	assert_int_equal(presses, 2);
}

static void switch_off(const char *name)
{
	boot(name);
	assert_true(power_can_switch_off());
	/* The imitated machine stays on, which must be said. */
	assert_string_equal(power_off(), "the machine is still on");
	assert_true(fake.control & PM1_SLEEP_ENABLE);
	assert_int_equal(fake.control >> 10 & 7, 0); /* QEMU's SLP_TYP for S5 */
}

static void q35_switches_off(void)
{
	switch_off("q35");
}

static void pc_switches_off(void)
{
	switch_off("pc");
}

static void restart(void)
{
	boot("pc");
	assert_string_equal(power_reset(), "the machine did not restart");
	assert_true(fake.reset_writes > 0);
}

/* QEMU's q35 in APIC mode wires slot n, pin p to inputs 16..23; see its DSDT, PRTA. */
static void q35_routes(void)
{
	struct route route;

	boot("q35");
	assert_null(routes_read(&machine));
	assert_int_equal(routes_count(), 32 * 4);
	assert_true(routes_find(0, 0, 31, 0, &route));
	assert_in_range(route.gsi, 16, 23);
	assert_true(route.level);
	for (uint8_t device = 0; device < 32; device++)
		for (uint8_t pin = 0; pin < 4; pin++) {
			assert_true(routes_find(0, 0, device, pin, &route));
			assert_in_range(route.gsi, 16, 23);
		}
	assert_false(routes_find(1, 0, 3, 0, &route));
	assert_false(routes_find(0, 7, 3, 0, &route)); /* no bridge leads to bus 7 */
}

/* A pin behind a bridge is one of the bridge's own, turned by the device number. */
static void routes_behind_a_bridge(void)
{
	struct route behind, own;

	load("q35");
	fake.bridge_at = 5, fake.bridge_header = 0x81, fake.bridge_bus = 7;
	boot("q35");
	assert_null(routes_read(&machine));
	for (uint8_t device = 0; device < 32; device++)
		for (uint8_t pin = 0; pin < 4; pin++) {
			assert_true(routes_find(0, 7, device, pin, &behind));
			assert_true(routes_find(0, 0, 5, (uint8_t)((device + pin) % 4), &own));
			assert_int_equal(behind.gsi, own.gsi);
		}
}

/* QEMU's pc wires slot n, pin p to link (n + p + 3) mod 4, and the links lead where the south bridge says. Device 1 is wired to the SCI. */
static void pc_routes(void)
{
	struct route route;

	boot("pc");
	assert_null(routes_read(&machine));
	for (uint8_t device = 2; device < 32; device++)
		for (uint8_t pin = 0; pin < 4; pin++) {
			assert_true(routes_find(0, 0, device, pin, &route));
			assert_int_equal(route.gsi, fake.links[(device + pin + 3) % 4]);
			assert_true(route.level);
			assert_false(route.active_low); /* the MADT's override says so */
		}
}

/* A run of cmocka with the one test in the child, since a failed assertion jumps back into the run that it belongs to. */
static void in_child(void (*test)(void **state))
{
	fflush(NULL);
	pid_t child = fork();

	if (child == 0) {
		const struct CMUnitTest one[] = {{"in the child", test, NULL, NULL, NULL}};
		unsetenv("CMOCKA_MESSAGE_OUTPUT");
		int failed = cmocka_run_group_tests_name("child", one, NULL, NULL);
		fflush(NULL);
		_exit(failed);
	}
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

#define TEST(name)                                                                                                                         \
	static void child_##name(void **state)                                                                                             \
	{                                                                                                                                  \
		(void)state;                                                                                                               \
		name();                                                                                                                    \
	}                                                                                                                                  \
	static void test_##name(void **state)                                                                                              \
	{                                                                                                                                  \
		(void)state;                                                                                                               \
		in_child(child_##name);                                                                                                    \
	}
TEST(q35_model)
TEST(pc_model)
TEST(odd_model)
TEST(no_acpi)
TEST(damaged_root)
TEST(damaged_srat)
TEST(power_button)
TEST(q35_switches_off)
TEST(pc_switches_off)
TEST(restart)
TEST(q35_routes)
TEST(routes_behind_a_bridge)
TEST(pc_routes)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_q35_model),    cmocka_unit_test(test_pc_model),         cmocka_unit_test(test_odd_model),
	    cmocka_unit_test(test_no_acpi),      cmocka_unit_test(test_damaged_root),     cmocka_unit_test(test_damaged_srat),
	    cmocka_unit_test(test_power_button), cmocka_unit_test(test_q35_switches_off), cmocka_unit_test(test_pc_switches_off),
	    cmocka_unit_test(test_restart),      cmocka_unit_test(test_q35_routes),       cmocka_unit_test(test_routes_behind_a_bridge),
	    cmocka_unit_test(test_pc_routes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
