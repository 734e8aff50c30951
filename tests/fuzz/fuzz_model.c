// sources: numa/model/build.c numa/model/check.c numa/model/madt.c numa/model/mcfg.c numa/model/query.c
// sources: numa/model/receive.c numa/model/slit.c numa/model/srat.c numa/model/tables.c numa/model/text.c
// sources: numa/model/timers.c numa/model/topology_json.c numa/model/tree.c numa/model/levels.c numa/model/hwloc_xml.c
/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Arbitrary bytes as ACPI tables. The input is a sequence of tables: one byte says which, two how long, then the bytes
 * behind the header. Header, length and checksum are made good (one input bit leaves them bad), since random bytes
 * would hardly ever pass those and the parsers would stay untouched. Whatever comes, the model must be sound and every
 * question about it must be answered. */

#include <stdlib.h>
#include <string.h>

#include "numa/hwloc_xml.h"
#include "numa/model/tables.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char signatures[6][5] = {"APIC", "SRAT", "SLIT", "HPET", "MCFG", "FACP"};

static struct machine machine;

/* Takes one table off the input. The copy has exactly the table's size, so that a read behind it is found. */
static void take_table(const uint8_t **data, size_t *size, struct machine_table tables[6])
{
	uint8_t which = (*data)[0];
	size_t body = (*data)[1] | (size_t)((*data)[2] & 15) << 8;

	*data += 3, *size -= 3;
	body = body < *size ? body : *size;
	uint8_t *table = calloc(1, 36 + body);
	memcpy(table + 36, *data, body);
	*data += body, *size -= body;
	memcpy(table, signatures[which % 6], 4);
	uint32_t length = (uint32_t)(36 + body);
	memcpy(table + 4, &length, 4);
	table[8] = which >> 6;
	for (size_t i = 0; (which & 32) == 0 && i < length; i++)
		table[9] = (uint8_t)(table[9] - (i == 9 ? 0 : table[i]));
	free((void *)tables[which % 6].at);
	tables[which % 6] = (struct machine_table){table, length};
}

static void ask_everything(uint32_t seed)
{
	static char json[65536];
	static struct machine_tree tree;
	uint16_t order[MACHINE_NODES], cores[MACHINE_CORES];

	for (unsigned i = 0; i < 4; i++, seed = seed * 1664525u + 1013904223u) {
		machine_node_of_address(&machine, (uint64_t)seed << (seed & 31));
		machine_nodes_by_distance(&machine, seed % MACHINE_NODES, order);
		machine_cores_of_node(&machine, seed % MACHINE_NODES, cores, MACHINE_CORES);
		machine_start_tree(&machine, seed % machine.core_count, seed % 5, &tree);
		if (tree.count != machine.core_count)
			abort();
	}
	if (machine_print_topology_json(&machine, json, sizeof(json)) >= sizeof(json))
		abort();
}

/* ---- The walker: a good root pointer and a good list whose addresses, and what lies there, are the input ---- */

enum { RSDP_AT = 16, RSDT_AT = 64, MEMORY_LEAST = 256 };

static uint8_t *ram;
static size_t ram_bytes;

static const void *view(void *context, uint64_t physical, size_t bytes)
{
	(void)context;
	return physical <= ram_bytes && bytes <= ram_bytes - physical ? ram + physical : NULL;
}

static void sign(uint8_t *at, size_t bytes, size_t checksum)
{
	at[checksum] = 0;
	for (size_t i = 0, sum = 0; i < bytes; i++, at[checksum] = (uint8_t)-sum)
		sum += i == checksum ? 0 : at[i];
}

static void walk(const uint8_t *data, size_t size)
{
	static const uint8_t rsdp[20] = {'R', 'S', 'D', ' ', 'P', 'T', 'R', ' ', [16] = RSDT_AT};

	ram_bytes = size < MEMORY_LEAST ? MEMORY_LEAST : size;
	ram = calloc(1, ram_bytes);
	if (size > 0)
		memcpy(ram, data, size);
	memcpy(ram + RSDP_AT, rsdp, sizeof(rsdp));
	sign(ram + RSDP_AT, sizeof(rsdp), 8);
	memcpy(ram + RSDT_AT, &(uint8_t[8]){'R', 'S', 'D', 'T', 36 + 16}, 8);
	sign(ram + RSDT_AT, 36 + 16, 9);

	machine_node_of_apic(&(struct machine_memory){view, NULL}, RSDP_AT, 0, &machine);
	if (!machine_check(&machine, sizeof(machine)))
		abort();
	free(ram);
}

/* ---- What CPUID says: any bytes ---- */

static void count_text(void *context, const char *text)
{
	*(size_t *)context += strlen(text);
}

static void say_levels(const uint8_t *data, size_t size)
{
	static const uint32_t names[4] = {0x4, 0xb, 0x1f, 0x8000001d};
	struct machine_leaf leaves[16];
	size_t count = size / sizeof(leaves[0]) < 16 ? size / sizeof(leaves[0]) : 16, written = 0;

	if (count > 0)
		memcpy(leaves, data, count * sizeof(leaves[0]));
	for (size_t i = 0; i < count; i++) {
		leaves[i].leaf = names[leaves[i].leaf % 4];
		leaves[i].subleaf %= 4;
	}
	machine_read_levels(&machine, leaves, count);
	if (!machine_check(&machine, sizeof(machine)))
		abort();
	machine_write_hwloc_xml(&machine, NULL, 0, count_text, &written);
	if (written == 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *all = data;
	size_t all_bytes = size;
	struct machine_table tables[6] = {{NULL, 0}};

	walk(data, size);
	uint32_t seed = size > 0 ? data[0] : 0;
	while (size >= 3)
		take_table(&data, &size, tables);
	machine_build(&machine, &(struct machine_sources){.boot_apic = seed & 7,
	                                                  .madt = tables[0],
	                                                  .srat = tables[1],
	                                                  .slit = tables[2],
	                                                  .hpet = tables[3],
	                                                  .mcfg = tables[4],
	                                                  .fadt = tables[5]});
	if (!machine_check(&machine, sizeof(machine)))
		abort();
	ask_everything(seed);
	say_levels(all, all_bytes);
	for (unsigned i = 0; i < 6; i++)
		free((void *)tables[i].at);
	return 0;
}
