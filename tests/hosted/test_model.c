// sources: numa/model/build.c numa/model/check.c numa/model/madt.c numa/model/mcfg.c numa/model/query.c
// sources: numa/model/receive.c numa/model/slit.c numa/model/srat.c numa/model/text.c numa/model/timers.c
// sources: numa/model/topology_json.c
/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* From the bytes of ACPI tables to the machine model. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/hosted/model_tables.h"

enum { ENABLED = 1, HOTPLUG = 2, ONLINE_CAPABLE = 2 };
static const uint64_t MiB = 1u << 20;

static struct machine machine;

/* Builds the model from these sources, checks that it holds together, and gives the tables back. */
static void build(struct machine_sources sources)
{
	struct machine_table *tables[] = {&sources.madt, &sources.srat, &sources.slit, &sources.hpet, &sources.mcfg, &sources.fadt};

	machine_build(&machine, &sources);
	assert_true(machine_check(&machine, sizeof(machine)));
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		free((void *)tables[i]->at);
}

static void assert_only_note(const char *sentence)
{
	assert_int_equal(machine.note_count, 1);
	assert_string_equal(machine.notes[0], sentence);
}

static struct table_maker madt_of(unsigned cores)
{
	struct table_maker t = begin_madt();

	for (unsigned i = 0; i < cores; i++)
		add_lapic(&t, (uint8_t)i, (uint8_t)i, ENABLED);
	return t;
}

static void test_no_tables(void **state)
{
	(void)state;
	build((struct machine_sources){.boot_apic = 7});
	assert_int_equal(machine.core_count, 1);
	assert_int_equal(machine.core_total, 1);
	assert_int_equal(machine.node_count, 1);
	assert_int_equal(machine.cores[0].apic, 7);
	assert_int_equal(machine.nodes[0].core_count, 1);
	assert_int_equal(machine_distance(&machine, 0, 0), 10);
	assert_int_equal(machine_node_of_address(&machine, 12345), 0);
	assert_int_equal(machine.lapic_address, 0xfee00000);
	assert_only_note("the firmware has no usable ACPI tables: the system runs on one core and one node");
}

static void test_cores_are_numbered_by_apic_after_the_boot_core(void **state)
{
	(void)state;
	struct table_maker t = begin_madt();

	add_lapic(&t, 10, 8, ENABLED);
	add_lapic(&t, 11, 2, ENABLED);
	add_lapic(&t, 12, 5, 0);
	add_lapic(&t, 13, 4, ENABLED);
	add_x2apic(&t, 1000, 100000, ENABLED);
	add_lapic(&t, 14, 1, ONLINE_CAPABLE);
	add_lapic(&t, 15, 255, ENABLED);         /* broadcast, not a core */
	add_x2apic(&t, 16, UINT32_MAX, ENABLED); /* likewise */
	build((struct machine_sources){.boot_apic = 4, .madt = finish_table(&t)});

	static const struct {
		uint32_t apic, uid;
		uint8_t flags;
	} want[] = {
	    {4, 13, 1}, {2, 11, 1}, {8, 10, 1}, {100000, 1000, 1}, {1, 14, 2}, {5, 12, 0},
	};
	assert_int_equal(machine.core_count, 4);
	assert_int_equal(machine.core_total, 6);
	for (unsigned i = 0; i < 6; i++) {
		assert_int_equal(machine.cores[i].apic, want[i].apic);
		assert_int_equal(machine.cores[i].uid, want[i].uid);
		assert_int_equal(machine.cores[i].flags, want[i].flags);
		assert_int_equal(machine_core_by_apic(&machine, want[i].apic), i);
	}
	assert_int_equal(machine_core_by_apic(&machine, 255), MACHINE_NO_CORE);
	assert_int_equal(machine_node_of_core(&machine, 5), 0);
	assert_int_equal(machine_node_of_core(&machine, 6), MACHINE_NO_NODE);
	assert_int_equal(machine.note_count, 0);
}

static void test_a_core_listed_twice_is_one_core(void **state)
{
	(void)state;
	struct table_maker t = madt_of(2);

	add_x2apic(&t, 0, 0, ENABLED);
	add_x2apic(&t, 1, 1, ENABLED);
	build((struct machine_sources){.madt = finish_table(&t)});
	assert_int_equal(machine.core_count, 2);
	assert_int_equal(machine.note_count, 0);
}

static void test_boot_core_that_the_madt_forgot(void **state)
{
	(void)state;
	struct table_maker t = madt_of(2);

	build((struct machine_sources){.boot_apic = 9, .madt = finish_table(&t)});
	assert_int_equal(machine.core_count, 3);
	assert_int_equal(machine.cores[0].apic, 9);
	assert_only_note("MADT does not list the core that runs now, APIC ID 9");
}

static void test_more_cores_than_the_model_holds(void **state)
{
	(void)state;
	struct table_maker t = begin_madt();

	for (unsigned i = 0; i < MACHINE_CORES + 3; i++)
		add_x2apic(&t, i, 2 * i, ENABLED);
	build((struct machine_sources){.madt = finish_table(&t)});
	assert_int_equal(machine.core_count, MACHINE_CORES);
	assert_int_equal(machine.cores[MACHINE_CORES - 1].apic, 2 * (MACHINE_CORES - 1));
	assert_only_note("MADT lists 3 cores more than the system can use");
}

static void test_interrupt_controllers(void **state)
{
	(void)state;
	struct table_maker t = madt_of(1);

	add_ioapic(&t, 3, 0xfec00000, 0);
	add_ioapic(&t, 4, 0xfec10000, 24);
	add_isa_override(&t, 0, 2, 0);
	add_isa_override(&t, 9, 9, 0x000d); /* high, level */
	add_isa_override(&t, 0, 20, 0);     /* contradicts the first, which stays */
	add(&t, 0x0c05, 2), add(&t, 0, 2), add(&t, 0x1fee00000, 8);
	add(&t, 0x0677, 2), add(&t, 0, 4); /* a type that nobody knows is skipped */
	build((struct machine_sources){.madt = finish_table(&t)});

	assert_int_equal(machine.ioapic_count, 2);
	assert_int_equal(machine.ioapics[1].id, 4);
	assert_int_equal(machine.ioapics[1].address, 0xfec10000);
	assert_int_equal(machine.ioapics[1].first_gsi, 24);
	assert_int_equal(machine.override_count, 2);
	assert_int_equal(machine_isa_interrupt(&machine, 0).gsi, 2);
	assert_int_equal(machine_isa_interrupt(&machine, 9).trigger, MACHINE_TRIGGER_LEVEL);
	assert_int_equal(machine_isa_interrupt(&machine, 9).polarity, MACHINE_POLARITY_HIGH);
	assert_int_equal(machine_isa_interrupt(&machine, 4).gsi, 4);
	assert_int_equal(machine_isa_interrupt(&machine, 4).trigger, MACHINE_TRIGGER_EDGE);
	assert_int_equal(machine.lapic_address, 0x1fee00000);
	assert_int_equal(machine.has_8259, 1);
	assert_int_equal(machine.note_count, 0);
}

static struct machine_sources two_nodes(void)
{
	struct table_maker madt = madt_of(4), srat = begin_srat(3);

	/* Domains 7 and 300 become nodes 0 and 1, though 300 comes first and has two digits more. */
	add_core_affinity(&srat, 300, 0, ENABLED);
	add_core_affinity(&srat, 300, 1, ENABLED);
	add_core_affinity(&srat, 7, 2, ENABLED);
	add_x2apic_affinity(&srat, 7, 3, ENABLED);
	add_core_affinity(&srat, 99, 3, 0); /* not enabled: no node 99 */
	add_memory_affinity(&srat, 300, 1024 * MiB, 1024 * MiB, ENABLED);
	add_memory_affinity(&srat, 7, 0, 640 * 1024, ENABLED);
	add_memory_affinity(&srat, 7, MiB, 1023 * MiB, ENABLED);
	add_memory_affinity(&srat, 7, 4096 * MiB, 4096 * MiB, ENABLED | HOTPLUG);
	add_memory_affinity(&srat, 0, 0, 0, 0);
	return (struct machine_sources){.madt = finish_table(&madt), .srat = finish_table(&srat)};
}

static void test_nodes(void **state)
{
	(void)state;
	build(two_nodes());
	assert_int_equal(machine.note_count, 0);
	assert_int_equal(machine.has_numa, 1);
	assert_int_equal(machine.node_count, 2);
	assert_int_equal(machine.nodes[0].proximity, 7);
	assert_int_equal(machine.nodes[1].proximity, 300);
	assert_int_equal(machine.nodes[0].memory_bytes, 1023 * MiB + 640 * 1024);
	assert_int_equal(machine.nodes[1].memory_bytes, 1024 * MiB);
	assert_int_equal(machine.nodes[0].core_count, 2);
	assert_int_equal(machine_node_of_core(&machine, 0), 1);
	assert_int_equal(machine_node_of_core(&machine, 3), 0);

	uint16_t cores[4];
	assert_int_equal(machine_cores_of_node(&machine, 0, cores, 4), 2);
	assert_int_equal(cores[0], 2);
	assert_int_equal(cores[1], 3);
	assert_int_equal(machine_cores_of_node(&machine, 1, cores, 1), 2);

	assert_int_equal(machine.range_count, 4);
	assert_int_equal(machine_node_of_address(&machine, 0), 0);
	assert_int_equal(machine_node_of_address(&machine, 640 * 1024 - 1), 0);
	assert_int_equal(machine_node_of_address(&machine, 640 * 1024), MACHINE_NO_NODE);
	assert_int_equal(machine_node_of_address(&machine, 1024 * MiB - 1), 0);
	assert_int_equal(machine_node_of_address(&machine, 1024 * MiB), 1);
	assert_int_equal(machine_node_of_address(&machine, 2048 * MiB), MACHINE_NO_NODE);
	assert_int_equal(machine_node_of_address(&machine, 8191 * MiB), 0);
	assert_int_equal(machine_node_of_address(&machine, UINT64_MAX), MACHINE_NO_NODE);
	assert_int_equal(machine.ranges[3].flags, MACHINE_RANGE_HOTPLUG);

	assert_int_equal(machine_distance(&machine, 0, 1), 20);
	assert_int_equal(machine_distance(&machine, 1, 1), 10);
	assert_int_equal(machine_distance(&machine, 0, 2), 255);
}

static void test_memory_map_decides_what_is_there(void **state)
{
	(void)state;
	static const struct machine_span map[] = {
	    {1024 * 1048576ull, 1000 * 1048576ull},
	    {0, 640 * 1024},
	    {1048576, 1024 * 1048576ull - 1048576},
	    {2048 * 1048576ull, 1048576}, /* in no range of the SRAT */
	    {UINT64_MAX - 1, 1048576},    /* wraps around: ignored */
	};
	struct machine_sources sources = two_nodes();

	sources.memory = map;
	sources.memory_count = sizeof(map) / sizeof(map[0]);
	build(sources);
	assert_int_equal(machine.nodes[0].memory_bytes, 1024 * MiB + 640 * 1024);
	assert_int_equal(machine.nodes[1].memory_bytes, 1000 * MiB);
	assert_int_equal(machine_node_of_address(&machine, 2048 * MiB), 0);
	assert_only_note("SRAT leaves out 1048576 bytes of RAM; node 0 gets them");
}

static void test_a_span_across_ranges_and_gaps(void **state)
{
	(void)state;
	static const struct machine_span map[] = {{0, 3 * 1048576 * 1024ull}};
	struct machine_sources sources = two_nodes();

	sources.memory = map;
	sources.memory_count = 1;
	build(sources);
	assert_int_equal(machine.nodes[0].memory_bytes, 2048 * MiB);
	assert_int_equal(machine.nodes[1].memory_bytes, 1024 * MiB);
	assert_int_equal(machine_node_of_address(&machine, 700 * 1024), 0);
}

static void test_memory_map_without_srat(void **state)
{
	(void)state;
	static const struct machine_span map[] = {{1048576, 127 * 1048576}, {0, 640 * 1024}};
	struct table_maker madt = madt_of(2);

	build((struct machine_sources){.madt = finish_table(&madt), .memory = map, .memory_count = 2});
	assert_int_equal(machine.note_count, 0);
	assert_int_equal(machine.has_numa, 0);
	assert_int_equal(machine.range_count, 2);
	assert_int_equal(machine.ranges[0].base, 0);
	assert_int_equal(machine.nodes[0].memory_bytes, 127 * MiB + 640 * 1024);
	assert_int_equal(machine.nodes[0].core_count, 2);
}

static void test_overlapping_ranges_of_one_node_unite(void **state)
{
	(void)state;
	struct table_maker srat = begin_srat(3);

	add_memory_affinity(&srat, 0, 10 * MiB, 10 * MiB, ENABLED);
	add_memory_affinity(&srat, 0, 30 * MiB, 10 * MiB, ENABLED | HOTPLUG);
	add_memory_affinity(&srat, 0, 15 * MiB, 20 * MiB, ENABLED | HOTPLUG);
	add_memory_affinity(&srat, 0, 15 * MiB, 20 * MiB, ENABLED | HOTPLUG);
	add_memory_affinity(&srat, 1, 40 * MiB, 1, ENABLED);
	build((struct machine_sources){.srat = finish_table(&srat)});
	assert_int_equal(machine.note_count, 0);
	assert_int_equal(machine.range_count, 2);
	assert_int_equal(machine.ranges[0].base, 10 * MiB);
	assert_int_equal(machine.ranges[0].size, 30 * MiB);
	assert_int_equal(machine.ranges[0].flags, 0);
	assert_int_equal(machine.nodes[1].core_count, 0); /* a node with memory only */
}

static void test_a_node_without_memory(void **state)
{
	(void)state;
	struct table_maker madt = madt_of(2), srat = begin_srat(3);

	add_core_affinity(&srat, 0, 0, ENABLED);
	add_core_affinity(&srat, 1, 1, ENABLED);
	add_core_affinity(&srat, 1, 77, ENABLED); /* not in the MADT */
	add_memory_affinity(&srat, 0, 0, 64 * MiB, ENABLED);
	build((struct machine_sources){.madt = finish_table(&madt), .srat = finish_table(&srat)});
	assert_int_equal(machine.node_count, 2);
	assert_int_equal(machine.nodes[1].memory_bytes, 0);
	assert_int_equal(machine.nodes[1].core_count, 1);
}

static void test_domains_have_eight_bits_in_old_tables(void **state)
{
	(void)state;
	struct table_maker srat = begin_srat(1);

	add_core_affinity(&srat, 0xabcdef01, 0, ENABLED);
	add_memory_affinity(&srat, 0x12345601, 0, MiB, ENABLED);
	build((struct machine_sources){.srat = finish_table(&srat)});
	assert_int_equal(machine.node_count, 1);
	assert_int_equal(machine.nodes[0].proximity, 1);
}

/* Builds from a SRAT alone and expects that it is refused with this sentence. */
static void assert_srat_refused(struct machine_table srat, const char *sentence)
{
	build((struct machine_sources){.srat = srat});
	assert_string_equal(machine.notes[0], sentence);
	assert_int_equal(machine.node_count, 1);
	assert_int_equal(machine.range_count, 0);
	assert_int_equal(machine.has_numa, 0);
	assert_int_equal(machine.nodes[0].memory_bytes, 0);
}

static void test_srat_that_contradicts_itself(void **state)
{
	(void)state;
	struct table_maker t = begin_srat(3);

	add_memory_affinity(&t, 0, 0, 64 * MiB, ENABLED);
	add_memory_affinity(&t, 1, 63 * MiB, 64 * MiB, ENABLED);
	assert_srat_refused(finish_table(&t), "SRAT refused: memory that an earlier entry gave to another node at offset 88");

	t = begin_srat(3);
	add_memory_affinity(&t, 0, UINT64_MAX - 10, 64, ENABLED);
	assert_srat_refused(finish_table(&t), "SRAT refused: a memory range that wraps around at offset 48");

	t = begin_srat(3);
	for (unsigned i = 0; i <= MACHINE_NODES; i++)
		add_core_affinity(&t, i, 0, ENABLED);
	assert_srat_refused(finish_table(&t), "SRAT refused: more proximity domains than the model can hold at offset 1072");

	t = begin_srat(3);
	for (unsigned i = 0; i <= MACHINE_RANGES; i++)
		add_memory_affinity(&t, 0, 2 * i * MiB, MiB, ENABLED);
	assert_srat_refused(finish_table(&t), "SRAT refused: more memory ranges than the model can hold at offset 10288");
}

static void test_damaged_tables_are_refused_by_name_and_offset(void **state)
{
	(void)state;
	struct table_maker good = begin_srat(3), t;

	add_core_affinity(&good, 1, 0, ENABLED);
	add_memory_affinity(&good, 1, 0, MiB, ENABLED);
	sign(&good);

	t = good, t.bytes[60] ^= 1;
	assert_srat_refused(raw_table(&t), "SRAT refused: wrong checksum at offset 9");
	t = good, t.length = 20;
	assert_srat_refused(raw_table(&t), "SRAT refused: the header is cut off at offset 20");
	t = good, t.length -= 1;
	assert_srat_refused(raw_table(&t), "SRAT refused: a length beyond the table's end at offset 4");
	t = good, set(&t, 4, 47, 4);
	assert_srat_refused(raw_table(&t), "SRAT refused: too short a length at offset 4");
	t = good, t.bytes[0] = 'X';
	assert_srat_refused(raw_table(&t), "SRAT refused: the signature is another one at offset 0");
	t = good, t.bytes[49] = 15;
	assert_srat_refused(finish_table(&t), "SRAT refused: an entry shorter than its type needs at offset 48");
	t = good, t.bytes[49] = 0;
	assert_srat_refused(finish_table(&t), "SRAT refused: an entry shorter than its type needs at offset 48");
	t = good, t.bytes[65] = 41;
	assert_srat_refused(finish_table(&t), "SRAT refused: an entry beyond the table's end at offset 64");
	t = good, add(&t, 0, 1);
	assert_srat_refused(finish_table(&t), "SRAT refused: half an entry at offset 104");
}

static void test_damaged_madt_leaves_one_core(void **state)
{
	(void)state;
	struct table_maker t = madt_of(4);

	t.bytes[53] = 7;
	build((struct machine_sources){.boot_apic = 2, .madt = finish_table(&t)});
	assert_string_equal(machine.notes[0], "MADT refused: an entry shorter than its type needs at offset 52");
	assert_int_equal(machine.core_count, 1);
	assert_int_equal(machine.cores[0].apic, 2);
}

/* Every table cut at every length, and with every single byte inverted: never a read outside, always a sound model. */
/* A table that ends at a byte, and one in which that byte is another; signed, so that the damage is found by reading, where it leaves the
 * checksum alone. */
static void damage(const struct table_maker *sound, size_t at, struct table_maker *cut, struct table_maker *bent)
{
	*cut = *bent = *sound;
	cut->length = at;
	if (at >= 36)
		sign(cut);
	bent->bytes[at] ^= 0xff;
	if (at >= 10)
		sign(bent);
}

static void test_every_damage_is_survived(void **state)
{
	(void)state;
	struct table_maker madt = madt_of(3), srat = begin_srat(3);

	add_x2apic(&madt, 9, 9, ENABLED);
	add_ioapic(&madt, 0, 0xfec00000, 0);
	add_core_affinity(&srat, 1, 0, ENABLED);
	add_x2apic_affinity(&srat, 2, 9, ENABLED);
	add_memory_affinity(&srat, 1, 0, MiB, ENABLED);
	for (size_t at = 0; at < madt.length; at++) {
		struct table_maker cut, bent;

		damage(&madt, at, &cut, &bent);
		build((struct machine_sources){.madt = raw_table(&cut)});
		build((struct machine_sources){.madt = raw_table(&bent)});
	}
	for (size_t at = 0; at < srat.length; at++) {
		struct table_maker cut, bent;

		damage(&srat, at, &cut, &bent);
		build((struct machine_sources){.srat = raw_table(&cut), .madt = finish_table(&madt)});
		build((struct machine_sources){.srat = raw_table(&bent), .madt = finish_table(&madt)});
	}
}

static struct machine_table srat_of_domains_1_and_2(void)
{
	struct table_maker srat = begin_srat(3);

	add_memory_affinity(&srat, 1, 0, MiB, ENABLED);
	add_memory_affinity(&srat, 2, 16 * MiB, MiB, ENABLED);
	return finish_table(&srat);
}

static void test_distances_are_found_by_domain(void **state)
{
	(void)state;
	static const uint8_t cells[] = {10, 40, 41, 42, 10, 21, 43, 31, 10};
	struct table_maker slit = make_slit(cells, 3);

	build((struct machine_sources){.srat = srat_of_domains_1_and_2(), .slit = finish_table(&slit)});
	assert_int_equal(machine.note_count, 0);
	assert_int_equal(machine_distance(&machine, 0, 1), 21);
	assert_int_equal(machine_distance(&machine, 1, 0), 31);
	assert_int_equal(machine_distance(&machine, 0, 0), 10);
}

static void test_damaged_slit_leaves_default_distances(void **state)
{
	(void)state;
	static const uint8_t near_self[] = {10, 20, 20, 11}, below_ten[] = {10, 9, 20, 10}, small[] = {10};
	struct table_maker t;

	t = make_slit(near_self, 2);
	build((struct machine_sources){.srat = srat_of_domains_1_and_2(), .slit = finish_table(&t)});
	assert_only_note("SLIT refused: a node's distance to itself that is not 10 at offset 47");
	t = make_slit(below_ten, 2);
	build((struct machine_sources){.srat = srat_of_domains_1_and_2(), .slit = finish_table(&t)});
	assert_only_note("SLIT refused: a distance below 10 at offset 45");
	t = make_slit(small, 1), set(&t, 36, 1ull << 32, 8);
	build((struct machine_sources){.srat = srat_of_domains_1_and_2(), .slit = finish_table(&t)});
	assert_only_note("SLIT refused: more localities than the table has room for at offset 36");
	assert_int_equal(machine_distance(&machine, 0, 1), 20);
	t = make_slit(small, 1); /* sound, but it does not know domains 1 and 2 */
	build((struct machine_sources){.srat = srat_of_domains_1_and_2(), .slit = finish_table(&t)});
	assert_int_equal(machine.note_count, 0);
	assert_int_equal(machine_distance(&machine, 0, 1), 20);
}

static void test_nodes_by_distance(void **state)
{
	(void)state;
	static const uint8_t cells[] = {10, 30, 20, 20, 30, 10, 25, 15, 20, 25, 10, 99, 20, 15, 99, 10};
	struct table_maker slit = make_slit(cells, 4), srat = begin_srat(3);
	uint16_t order[MACHINE_NODES];

	for (unsigned i = 0; i < 4; i++)
		add_memory_affinity(&srat, i, i * 16 * MiB, MiB, ENABLED);
	build((struct machine_sources){.srat = finish_table(&srat), .slit = finish_table(&slit)});
	assert_int_equal(machine_nodes_by_distance(&machine, 0, order), 4);
	assert_memory_equal(order, ((uint16_t[]){0, 2, 3, 1}), 8);
	assert_int_equal(machine_nodes_by_distance(&machine, 3, order), 4);
	assert_memory_equal(order, ((uint16_t[]){3, 1, 0, 2}), 8);
	assert_int_equal(machine_nodes_by_distance(&machine, 4, order), 0);
}

static void test_timers_and_pci(void **state)
{
	(void)state;
	struct table_maker hpet = begin_table("HPET", 1, 20), mcfg = begin_table("MCFG", 1, 24), fadt = begin_table("FACP", 6, 276 - 36);

	set(&hpet, 36, 0x8086a201, 4), set(&hpet, 44, 0xfed00000, 8), set(&hpet, 53, 100, 2);
	set(&mcfg, 44, 0xb0000000, 8), set(&mcfg, 52, 0, 2), set(&mcfg, 54, 0, 1), set(&mcfg, 55, 255, 1);
	set(&fadt, 46, 9, 2), set(&fadt, 76, 0x608, 4), set(&fadt, 91, 4, 1), set(&fadt, 112, 1u << 8, 4);
	build((struct machine_sources){.hpet = finish_table(&hpet), .mcfg = finish_table(&mcfg), .fadt = finish_table(&fadt)});
	assert_int_equal(machine.note_count, 0);
	assert_int_equal(machine.hpet_address, 0xfed00000);
	assert_int_equal(machine.hpet_timers, 3);
	assert_int_equal(machine.hpet_min_tick, 100);
	assert_int_equal(machine.ecam_count, 1);
	assert_int_equal(machine.ecams[0].address, 0xb0000000);
	assert_int_equal(machine.ecams[0].last_bus, 255);
	assert_int_equal(machine.sci_interrupt, 9);
	assert_int_equal(machine.pm_timer_port, 0x608);
	assert_int_equal(machine.pm_timer_bits, 32);

	set(&fadt, 112, 0, 4), set(&fadt, 208, 1, 1), set(&fadt, 212, 0xb008, 8);
	build((struct machine_sources){.fadt = finish_table(&fadt)});
	assert_int_equal(machine.pm_timer_port, 0xb008);
	assert_int_equal(machine.pm_timer_bits, 24);

	set(&fadt, 208, 0, 1); /* in memory: not a port */
	build((struct machine_sources){.fadt = finish_table(&fadt)});
	assert_int_equal(machine.pm_timer_bits, 0);
}

static void test_damaged_timers_and_pci(void **state)
{
	(void)state;
	struct table_maker hpet = begin_table("HPET", 1, 20), mcfg = begin_table("MCFG", 1, 24);

	set(&hpet, 40, 1, 1), set(&hpet, 44, 0xfed00000, 8);
	build((struct machine_sources){.hpet = finish_table(&hpet)});
	assert_only_note("HPET refused: registers that are not in memory at offset 40");
	assert_int_equal(machine.hpet_address, 0);
	set(&mcfg, 54, 4, 1), set(&mcfg, 55, 3, 1);
	build((struct machine_sources){.mcfg = finish_table(&mcfg)});
	assert_only_note("MCFG refused: a last bus before the first at offset 44");
	mcfg.length--;
	build((struct machine_sources){.mcfg = finish_table(&mcfg)});
	assert_only_note("MCFG refused: a length that ends inside an entry at offset 4");
}

static void test_topology_line(void **state)
{
	(void)state;
	static const char want[] = "{\"cores\":[{\"core\":0,\"apic\":0,\"node\":1},{\"core\":1,\"apic\":1,\"node\":1},"
	                           "{\"core\":2,\"apic\":2,\"node\":0},{\"core\":3,\"apic\":3,\"node\":0}],"
	                           "\"nodes\":[{\"node\":0,\"memory\":1073348608},{\"node\":1,\"memory\":1073741824}],"
	                           "\"distances\":[[10,20],[20,10]],\"acpica\":\"20220331\"}";
	char text[1024], cut[10], none[1] = {'x'};

	build(two_nodes());
	machine.acpica = 0x20220331;
	assert_int_equal(machine_print_topology_json(&machine, text, sizeof(text)), strlen(want));
	assert_string_equal(text, want);
	assert_int_equal(machine_print_topology_json(&machine, cut, sizeof(cut)), strlen(want));
	assert_string_equal(cut, "{\"cores\":");
	assert_int_equal(machine_print_topology_json(&machine, none, 0), strlen(want));
	assert_int_equal(none[0], 'x');
}

static void test_receiver_refuses_what_leads_outside(void **state)
{
	(void)state;
	struct machine good, bad;

	build(two_nodes());
	good = machine;
	assert_false(machine_check(&good, sizeof(good) - 1));
#define ASSERT_REFUSED(change) bad = good, bad.change, assert_false(machine_check(&bad, sizeof(bad)))
	ASSERT_REFUSED(version++);
	ASSERT_REFUSED(bytes--);
	ASSERT_REFUSED(core_count = 0);
	ASSERT_REFUSED(core_count = 5);
	ASSERT_REFUSED(core_total = MACHINE_CORES + 1);
	ASSERT_REFUSED(node_count = 0);
	ASSERT_REFUSED(node_count = MACHINE_NODES + 1);
	ASSERT_REFUSED(range_count = MACHINE_RANGES + 1);
	ASSERT_REFUSED(ioapic_count = MACHINE_IOAPICS + 1);
	ASSERT_REFUSED(override_count = MACHINE_OVERRIDES + 1);
	ASSERT_REFUSED(ecam_count = MACHINE_ECAMS + 1);
	ASSERT_REFUSED(note_count = MACHINE_NOTES + 1);
	ASSERT_REFUSED(cache_count = MACHINE_CACHES + 1);
	ASSERT_REFUSED(core_shift = 1);
	ASSERT_REFUSED(die_shift = 1);
	ASSERT_REFUSED(package_shift = MACHINE_SHIFT_MOST + 1);
	ASSERT_REFUSED(cache_count = 1); /* of kind 0 */
	ASSERT_REFUSED(cores[3].node = 2);
	ASSERT_REFUSED(ranges[1].node = 2);
	ASSERT_REFUSED(ranges[1].base = 0);
	ASSERT_REFUSED(ranges[3].size = UINT64_MAX);
	bad = good;
	bad.note_count = 1;
	memset(bad.notes[0], 'x', MACHINE_NOTE_BYTES);
	assert_false(machine_check(&bad, sizeof(bad)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_no_tables),
	    cmocka_unit_test(test_cores_are_numbered_by_apic_after_the_boot_core),
	    cmocka_unit_test(test_a_core_listed_twice_is_one_core),
	    cmocka_unit_test(test_boot_core_that_the_madt_forgot),
	    cmocka_unit_test(test_more_cores_than_the_model_holds),
	    cmocka_unit_test(test_interrupt_controllers),
	    cmocka_unit_test(test_nodes),
	    cmocka_unit_test(test_memory_map_decides_what_is_there),
	    cmocka_unit_test(test_a_span_across_ranges_and_gaps),
	    cmocka_unit_test(test_memory_map_without_srat),
	    cmocka_unit_test(test_overlapping_ranges_of_one_node_unite),
	    cmocka_unit_test(test_a_node_without_memory),
	    cmocka_unit_test(test_domains_have_eight_bits_in_old_tables),
	    cmocka_unit_test(test_srat_that_contradicts_itself),
	    cmocka_unit_test(test_damaged_tables_are_refused_by_name_and_offset),
	    cmocka_unit_test(test_damaged_madt_leaves_one_core),
	    cmocka_unit_test(test_every_damage_is_survived),
	    cmocka_unit_test(test_distances_are_found_by_domain),
	    cmocka_unit_test(test_damaged_slit_leaves_default_distances),
	    cmocka_unit_test(test_nodes_by_distance),
	    cmocka_unit_test(test_timers_and_pci),
	    cmocka_unit_test(test_damaged_timers_and_pci),
	    cmocka_unit_test(test_topology_line),
	    cmocka_unit_test(test_receiver_refuses_what_leads_outside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
