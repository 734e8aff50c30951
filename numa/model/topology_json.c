/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* The object of the @topology line. */

#include "numa/model.h"
#include "numa/model/text.h"

static void put_cores(struct text *text, const struct machine *machine)
{
	for (unsigned core = 0; core < machine->core_count; core++) {
		text_string(text, core == 0 ? "{\"core\":" : ",{\"core\":");
		text_decimal(text, core);
		text_string(text, ",\"apic\":");
		text_decimal(text, machine->cores[core].apic);
		text_string(text, ",\"node\":");
		text_decimal(text, machine->cores[core].node);
		text_string(text, "}");
	}
}

static void put_nodes(struct text *text, const struct machine *machine)
{
	for (unsigned node = 0; node < machine->node_count; node++) {
		text_string(text, node == 0 ? "{\"node\":" : ",{\"node\":");
		text_decimal(text, node);
		text_string(text, ",\"memory\":");
		text_decimal(text, machine->nodes[node].memory_bytes);
		text_string(text, "}");
	}
}

static void put_distances(struct text *text, const struct machine *machine)
{
	for (unsigned from = 0; from < machine->node_count; from++) {
		text_string(text, from == 0 ? "[" : ",[");
		for (unsigned to = 0; to < machine->node_count; to++) {
			text_string(text, to == 0 ? "" : ",");
			text_decimal(text, machine->distances[from][to]);
		}
		text_string(text, "]");
	}
}

size_t machine_print_topology_json(const struct machine *machine, char *text, size_t bytes)
{
	struct text out = text_begin(text, bytes);

	text_string(&out, "{\"cores\":[");
	put_cores(&out, machine);
	text_string(&out, "],\"nodes\":[");
	put_nodes(&out, machine);
	text_string(&out, "],\"distances\":[");
	put_distances(&out, machine);
	text_string(&out, "],\"acpica\":\"");
	if (machine->acpica != 0)
		text_hex(&out, machine->acpica, 8);
	text_string(&out, "\"}");
	return out.length;
}
