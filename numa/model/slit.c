/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* SLIT, the system locality distance information table (ACPI 6.4, 5.2.17): a square of relative distances. */

#include "numa/model/parse.h"

enum {
	SLIT_COUNT = 36, /* table 5.63 */
	SLIT_MATRIX = 44,
};

/* What holds when no table says anything. */
static void set_default_distances(struct machine *machine)
{
	for (unsigned from = 0; from < machine->node_count; from++)
		for (unsigned to = 0; to < machine->node_count; to++)
			machine->distances[from][to] = from == to ? MACHINE_DISTANCE_LOCAL : MACHINE_DISTANCE_DEFAULT;
}

/* NULL, or what is wrong with the entry that *offset then names. Distances below 10 have no meaning. */
static const char *check_matrix(const struct checked *slit, uint32_t count, uint32_t *offset)
{
	for (uint32_t i = 0; i < count * count; i++) {
		uint8_t distance = slit->at[SLIT_MATRIX + i];
		*offset = SLIT_MATRIX + i;
		if (i % (count + 1) == 0 && distance != MACHINE_DISTANCE_LOCAL)
			return "a node's distance to itself that is not 10";
		if (distance < MACHINE_DISTANCE_LOCAL)
			return "a distance below 10";
	}
	return NULL;
}

void machine_read_slit(struct machine *machine, const struct machine_table *table)
{
	struct checked slit;
	uint32_t offset;

	set_default_distances(machine);
	if (!machine->has_numa || !machine_check_table(machine, table, "SLIT", "SLIT", SLIT_MATRIX, &slit))
		return;
	uint64_t localities = load64(slit.at + SLIT_COUNT);
	uint32_t cells = slit.length - SLIT_MATRIX;
	if (localities > UINT16_MAX || localities * localities > cells) {
		machine_refuse(machine, "SLIT", "more localities than the table has room for", SLIT_COUNT);
		return;
	}
	uint32_t count = (uint32_t)localities;
	const char *wrong = check_matrix(&slit, count, &offset);
	if (wrong != NULL) {
		machine_refuse(machine, "SLIT", wrong, offset);
		return;
	}

	for (unsigned from = 0; from < machine->node_count; from++)
		for (unsigned to = 0; to < machine->node_count; to++) {
			uint32_t row = machine->nodes[from].proximity, column = machine->nodes[to].proximity;
			if (row < count && column < count)
				machine->distances[from][to] = slit.at[SLIT_MATRIX + row * count + column];
		}
}
