/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Puts the model together. The order matters: cores before nodes (the SRAT names cores), nodes before distances,
 * and the final numbering of the cores last. */

#include "numa/model/parse.h"

enum { LAPIC_DEFAULT = 0xfee00000u }; /* Intel SDM vol. 3, 11.4.1: where the local APIC is after a reset */

static void add_boot_core(struct machine *machine, uint32_t apic)
{
	machine->cores[0] = (struct machine_core){.apic = apic, .uid = UINT32_MAX, .flags = MACHINE_CORE_ENABLED};
	machine->core_total = 1;
}

static void note_if_boot_core_unlisted(struct machine *machine)
{
	if (machine->core_total == 1 || machine->cores[0].uid != UINT32_MAX)
		return;
	struct text note = machine_note(machine);
	text_string(&note, "MADT does not list the core that runs now, APIC ID ");
	text_decimal(&note, machine->cores[0].apic);
}

static bool comes_before(const struct machine_core *a, const struct machine_core *b)
{
	bool a_enabled = a->flags & MACHINE_CORE_ENABLED, b_enabled = b->flags & MACHINE_CORE_ENABLED;

	return a_enabled != b_enabled ? a_enabled : a->apic < b->apic;
}

/* Core 0 stays. An insertion sort, since firmware mostly lists cores in order already. */
static void number_cores(struct machine *machine)
{
	for (unsigned i = 2; i < machine->core_total; i++) {
		struct machine_core core = machine->cores[i];
		unsigned at = i;
		for (; at > 1 && comes_before(&core, &machine->cores[at - 1]); at--)
			machine->cores[at] = machine->cores[at - 1];
		machine->cores[at] = core;
	}
	for (unsigned i = 0; i < machine->core_total; i++)
		if (machine->cores[i].flags & MACHINE_CORE_ENABLED) {
			machine->core_count++;
			machine->nodes[machine->cores[i].node].core_count++;
		}
}

/* Makes [base, end), which no range has, part of node 0. */
static void adopt(struct machine *machine, uint64_t base, uint64_t end, uint64_t *adopted)
{
	struct machine_range range = {.base = base, .size = end - base};

	machine->nodes[0].memory_bytes += range.size;
	*adopted += range.size;
	if (machine_add_range(machine, &range) != RANGE_ADDED) {
		struct text note = machine_note(machine);
		text_string(&note, "the memory map has more pieces than the model can hold, first left out: 0x");
		text_hex(&note, base, 1);
	}
}

/* Counts [base, end) to the nodes whose ranges it touches, and has the gaps adopted. */
static void count_span(struct machine *machine, uint64_t base, uint64_t end, uint64_t *adopted)
{
	unsigned at = 0;

	while (base < end) {
		while (at < machine->range_count && machine->ranges[at].base + machine->ranges[at].size <= base)
			at++;
		bool in_gap = at == machine->range_count || machine->ranges[at].base > base;
		uint64_t stop = end;
		if (at < machine->range_count) {
			const struct machine_range *range = &machine->ranges[at];
			uint64_t edge = in_gap ? range->base : range->base + range->size;
			stop = edge < end ? edge : end;
		}
		if (in_gap)
			adopt(machine, base, stop, adopted);
		else
			machine->nodes[machine->ranges[at].node].memory_bytes += stop - base;
		base = stop;
	}
}

/* Sums up each node's RAM, and gives RAM that the SRAT forgot to node 0. */
static void count_memory(struct machine *machine, const struct machine_span *memory, size_t count)
{
	uint64_t adopted = 0;

	if (memory == NULL) {
		for (unsigned i = 0; i < machine->range_count; i++)
			if ((machine->ranges[i].flags & MACHINE_RANGE_HOTPLUG) == 0)
				machine->nodes[machine->ranges[i].node].memory_bytes += machine->ranges[i].size;
		return;
	}
	for (size_t i = 0; i < count; i++)
		if (memory[i].size <= UINT64_MAX - memory[i].base)
			count_span(machine, memory[i].base, memory[i].base + memory[i].size, &adopted);
	if (adopted == 0 || !machine->has_numa)
		return;
	struct text note = machine_note(machine);
	text_string(&note, "SRAT leaves out ");
	text_decimal(&note, adopted);
	text_string(&note, " bytes of RAM; node 0 gets them");
}

void machine_build(struct machine *machine, const struct machine_sources *sources)
{
	*machine = (struct machine){.version = MACHINE_VERSION, .bytes = sizeof(*machine)};
	machine->lapic_address = LAPIC_DEFAULT;
	add_boot_core(machine, sources->boot_apic);
	machine_read_madt(machine, &sources->madt);
	note_if_boot_core_unlisted(machine);
	machine_read_srat(machine, &sources->srat);
	machine_read_slit(machine, &sources->slit);
	machine_read_hpet(machine, &sources->hpet);
	machine_read_mcfg(machine, &sources->mcfg);
	machine_read_fadt(machine, &sources->fadt);
	count_memory(machine, sources->memory, sources->memory_count);
	number_cores(machine);
	if (!machine->has_acpi) {
		struct text note = machine_note(machine);
		text_string(&note, "the firmware has no usable ACPI tables: the system runs on one core and one node");
	}
}
