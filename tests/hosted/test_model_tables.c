// sources: numa/model/build.c numa/model/check.c numa/model/madt.c numa/model/mcfg.c numa/model/query.c
// sources: numa/model/receive.c numa/model/slit.c numa/model/srat.c numa/model/tables.c numa/model/text.c
// sources: numa/model/timers.c
/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* From the root pointer to the tables, over an imitated physical memory. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "numa/model/tables.h"
#include "tests/hosted/model_tables.h"

enum { MEMORY_BYTES = 65536, RSDP = 0x100, RSDT = 0x1000, XSDT = 0x1100, MADT = 0x2001, SRAT = 0x3003 };

static uint8_t *ram;
static struct machine machine;

static const void *view(void *context, uint64_t physical, size_t bytes)
{
	(void)context;
	return physical <= MEMORY_BYTES && bytes <= MEMORY_BYTES - physical ? ram + physical : NULL;
}

static const struct machine_memory memory = {view, NULL};

static void place(uint64_t physical, struct table_maker *t)
{
	sign(t);
	memcpy(ram + physical, t->bytes, t->length);
}

static void sign_part(uint8_t *at, size_t bytes, size_t checksum)
{
	uint8_t sum = 0;

	at[checksum] = 0;
	for (size_t i = 0; i < bytes; i++)
		sum = (uint8_t)(sum + at[i]);
	at[checksum] = (uint8_t)-sum;
}

static void place_rsdp(uint8_t revision, uint32_t rsdt, uint64_t xsdt)
{
	struct table_maker t = {.length = 36};

	memcpy(t.bytes, "RSD PTR ", 8);
	t.bytes[15] = revision;
	set(&t, 16, rsdt, 4), set(&t, 20, 36, 4), set(&t, 24, xsdt, 8);
	sign_part(t.bytes, 20, 8);
	sign_part(t.bytes, 36, 32);
	memcpy(ram + RSDP, t.bytes, 36);
}

/* RSDT and XSDT that list a hole, an unreachable address, the MADT (two cores) and the SRAT (APIC ID 1 on domain 5). */
static int set_up(void **state)
{
	(void)state;
	static const uint64_t entries[] = {0, 0xfffffff0, MADT, SRAT};
	struct table_maker rsdt = begin_table("RSDT", 1, 0), xsdt = begin_table("XSDT", 1, 0);
	struct table_maker madt = begin_madt(), srat = begin_srat(3);

	ram = calloc(1, MEMORY_BYTES);
	for (unsigned i = 0; i < 4; i++)
		add(&rsdt, entries[i], 4), add(&xsdt, entries[i], 8);
	add_lapic(&madt, 0, 0, 1), add_lapic(&madt, 1, 1, 1);
	add_core_affinity(&srat, 4, 0, 1), add_core_affinity(&srat, 5, 1, 1);
	add_memory_affinity(&srat, 4, 0, 0x100000, 1), add_memory_affinity(&srat, 5, 0x100000, 0x100000, 1);
	place(RSDT, &rsdt), place(XSDT, &xsdt), place(MADT, &madt), place(SRAT, &srat);
	place_rsdp(2, RSDT, XSDT);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	free(ram);
	return 0;
}

static void expect_two_cores_on_two_nodes(void)
{
	struct machine_sources sources = {.boot_apic = 0};

	assert_int_equal(machine_find_sources(&memory, RSDP, &sources), MACHINE_ROOT_GOOD);
	assert_null(sources.slit.at);
	machine_build(&machine, &sources);
	assert_int_equal(machine.note_count, 0);
	assert_int_equal(machine.core_count, 2);
	assert_int_equal(machine.node_count, 2);
	assert_int_equal(machine_node_of_core(&machine, 1), 1);
}

static void test_by_xsdt_and_by_rsdt(void **state)
{
	(void)state;
	expect_two_cores_on_two_nodes();
	place_rsdp(0, RSDT, 0);
	expect_two_cores_on_two_nodes();
}

static void test_rsdt_stands_in_for_a_damaged_xsdt(void **state)
{
	(void)state;
	ram[XSDT + 40] ^= 1;
	expect_two_cores_on_two_nodes();
}

static void test_node_of_apic(void **state)
{
	(void)state;
	assert_int_equal(machine_node_of_apic(&memory, RSDP, 1, &machine), 1);
	assert_int_equal(machine_node_of_address(&machine, 0x180000), 1);
	assert_int_equal(machine_node_of_address(&machine, 0x080000), 0);
	assert_int_equal(machine_node_of_apic(&memory, RSDP, 9, &machine), 0);
	assert_int_equal(machine_node_of_apic(&memory, 0, 1, &machine), 0);
	assert_int_equal(machine.node_count, 1);
	ram[SRAT + 50] ^= 1;
	assert_int_equal(machine_node_of_apic(&memory, RSDP, 1, &machine), 0);
	assert_string_equal(machine.notes[0], "SRAT refused: wrong checksum at offset 9");
}

static void test_no_root(void **state)
{
	(void)state;
	struct machine_sources sources = {.boot_apic = 3};

	assert_int_equal(machine_find_sources(&memory, 0, &sources), MACHINE_ROOT_ABSENT);
	assert_int_equal(machine_find_sources(&memory, MEMORY_BYTES - 4, &sources), MACHINE_ROOT_ABSENT);
	assert_int_equal(machine_find_sources(&memory, RSDP + 1, &sources), MACHINE_ROOT_ABSENT);
	assert_null(sources.madt.at);
}

static void test_damaged_root(void **state)
{
	(void)state;
	struct machine_sources sources = {.boot_apic = 3};

	ram[RSDP + 33] ^= 1; /* only the second checksum covers this */
	assert_int_equal(machine_find_sources(&memory, RSDP, &sources), MACHINE_ROOT_DAMAGED);
	ram[RSDP + 9] ^= 1;
	assert_int_equal(machine_find_sources(&memory, RSDP, &sources), MACHINE_ROOT_DAMAGED);
	place_rsdp(0, 0, 0);
	assert_int_equal(machine_find_sources(&memory, RSDP, &sources), MACHINE_ROOT_DAMAGED);
	place_rsdp(0, MADT, 0); /* a table, but no RSDT */
	assert_int_equal(machine_find_sources(&memory, RSDP, &sources), MACHINE_ROOT_DAMAGED);
	place_rsdp(2, 0, UINT64_MAX - 3);
	assert_int_equal(machine_find_sources(&memory, RSDP, &sources), MACHINE_ROOT_DAMAGED);
	assert_null(sources.madt.at);
}

static void test_a_table_that_reaches_beyond_memory_is_missing(void **state)
{
	(void)state;
	struct machine_sources sources = {.boot_apic = 0};

	memset(ram + SRAT + 4, 0xff, 4);
	memset(ram + MADT + 4, 0, 4);
	assert_int_equal(machine_find_sources(&memory, RSDP, &sources), MACHINE_ROOT_GOOD);
	assert_null(sources.srat.at);
	assert_null(sources.madt.at);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_by_xsdt_and_by_rsdt, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_rsdt_stands_in_for_a_damaged_xsdt, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_node_of_apic, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_no_root, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_damaged_root, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_a_table_that_reaches_beyond_memory_is_missing, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
