/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* The questions that a program asks the model. */

#include "numa/model.h"

unsigned machine_core_by_apic(const struct machine *machine, uint32_t apic)
{
	for (unsigned core = 0; core < machine->core_total; core++)
		if (machine->cores[core].apic == apic)
			return core;
	return MACHINE_NO_CORE;
}

unsigned machine_node_of_core(const struct machine *machine, unsigned core)
{
	return core < machine->core_total ? machine->cores[core].node : (unsigned)MACHINE_NO_NODE;
}

unsigned machine_node_of_address(const struct machine *machine, uint64_t address)
{
	if (machine->node_count == 1)
		return 0;
	unsigned low = 0, high = machine->range_count; /* the answer's index is in [low, high) */
	while (low < high) {
		unsigned middle = (low + high) / 2;
		const struct machine_range *range = &machine->ranges[middle];
		if (address < range->base)
			high = middle;
		else if (address - range->base >= range->size)
			low = middle + 1;
		else
			return range->node;
	}
	return MACHINE_NO_NODE;
}

unsigned machine_cores_of_node(const struct machine *machine, unsigned node, uint16_t *cores, unsigned capacity)
{
	unsigned count = 0;

	for (unsigned core = 0; core < machine->core_count; core++) {
		if (machine->cores[core].node != node)
			continue;
		if (count < capacity)
			cores[count] = (uint16_t)core;
		count++;
	}
	return count;
}

unsigned machine_distance(const struct machine *machine, unsigned from, unsigned to)
{
	if (from >= machine->node_count || to >= machine->node_count)
		return MACHINE_DISTANCE_UNREACHABLE;
	return machine->distances[from][to];
}

unsigned machine_nodes_by_distance(const struct machine *machine, unsigned node, uint16_t order[MACHINE_NODES])
{
	unsigned count = 0;

	if (node >= machine->node_count)
		return 0;
	order[count++] = (uint16_t)node;
	for (unsigned other = 0; other < machine->node_count; other++) {
		if (other == node)
			continue;
		unsigned at = count++;
		for (; at > 1 && machine->distances[node][order[at - 1]] > machine->distances[node][other]; at--)
			order[at] = order[at - 1];
		order[at] = (uint16_t)other;
	}
	return count;
}

struct machine_override machine_isa_interrupt(const struct machine *machine, unsigned isa)
{
	for (unsigned i = 0; i < machine->override_count; i++)
		if (machine->overrides[i].isa == isa)
			return machine->overrides[i];
	return (struct machine_override){
	    .gsi = isa,
	    .isa = (uint8_t)isa,
	    .polarity = MACHINE_POLARITY_HIGH,
	    .trigger = MACHINE_TRIGGER_EDGE,
	};
}
