/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* SRAT, the system resource affinity table (ACPI 6.4, 5.2.16): which core and which memory belong to which node. */

#include "numa/model/parse.h"

enum {
	SRAT_ENTRIES = 48, /* table 5.56; 12 reserved bytes follow the header */

	CORE_AFFINITY = 0,   /* 5.2.16.1 */
	MEMORY_AFFINITY = 1, /* 5.2.16.2 */
	X2APIC_AFFINITY = 2, /* 5.2.16.3 */

	AFFINITY_ENABLED = 1u << 0, /* the same in all three */
	MEMORY_HOTPLUG = 1u << 1,
	MEMORY_NONVOLATILE = 1u << 2,
};

static const uint8_t least_length[] = {[CORE_AFFINITY] = 16, [MEMORY_AFFINITY] = 40, [X2APIC_AFFINITY] = 24};

/* One entry, decoded. An entry that is not enabled, or of a type that does not concern us, becomes NOTHING. */
struct affinity {
	enum { NOTHING, CORE, MEMORY } kind;
	uint32_t proximity;
	uint32_t apic;
	uint32_t flags;
	uint64_t base, size;
};

static struct affinity decode(const uint8_t *at, uint8_t revision)
{
	struct affinity a = {.kind = NOTHING};

	if (at[0] == CORE_AFFINITY) {
		a = (struct affinity){.kind = CORE, .proximity = at[2], .apic = at[3], .flags = load32(at + 4)};
		a.proximity |= (load32(at + 8) & 0xffffff00u); /* bytes 9..11; byte 8 is the SAPIC EID */
	} else if (at[0] == MEMORY_AFFINITY) {
		a = (struct affinity){
		    .kind = MEMORY, .proximity = load32(at + 2), .base = load64(at + 8), .size = load64(at + 16), .flags = load32(at + 28)};
	} else if (at[0] == X2APIC_AFFINITY) {
		a = (struct affinity){.kind = CORE, .proximity = load32(at + 4), .apic = load32(at + 8), .flags = load32(at + 12)};
	}
	if ((a.flags & AFFINITY_ENABLED) == 0)
		a.kind = NOTHING;
	/* Until revision 2 (ACPI 3.0) a domain had 8 bits; what is above them is whatever the firmware left there. */
	if (revision < 2 && at[0] != X2APIC_AFFINITY)
		a.proximity &= 0xff;
	return a;
}

/* Keeps nodes sorted by proximity domain, so that their numbers do not depend on the order of the entries. */
static bool add_node(struct machine *machine, uint32_t proximity)
{
	unsigned at = 0;

	while (at < machine->node_count && machine->nodes[at].proximity < proximity)
		at++;
	if (at < machine->node_count && machine->nodes[at].proximity == proximity)
		return true;
	if (machine->node_count == MACHINE_NODES)
		return false;
	for (unsigned i = machine->node_count++; i > at; i--)
		machine->nodes[i] = machine->nodes[i - 1];
	machine->nodes[at] = (struct machine_node){.proximity = proximity};
	return true;
}

static uint16_t node_of_proximity(const struct machine *machine, uint32_t proximity)
{
	uint16_t node = 0;

	while (machine->nodes[node].proximity != proximity)
		node++;
	return node;
}

static void remove_range(struct machine *machine, unsigned at)
{
	for (unsigned i = at + 1; i < machine->range_count; i++)
		machine->ranges[i - 1] = machine->ranges[i];
	machine->range_count--;
}

enum range_result machine_add_range(struct machine *machine, const struct machine_range *range)
{
	struct machine_range new = *range;
	uint64_t end = new.base + new.size;
	unsigned at = 0;

	while (at < machine->range_count && machine->ranges[at].base < end) {
		const struct machine_range *old = &machine->ranges[at];
		uint64_t old_end = old->base + old->size;
		if (old_end <= new.base) {
			at++;
			continue;
		}
		if (old->node != new.node)
			return RANGE_OF_ANOTHER_NODE;
		new.base = old->base < new.base ? old->base : new.base;
		end = old_end > end ? old_end : end;
		new.flags &= old->flags;
		remove_range(machine, at);
	}
	if (machine->range_count == MACHINE_RANGES)
		return RANGE_NO_ROOM;

	new.size = end - new.base;
	for (unsigned i = machine->range_count++; i > at; i--)
		machine->ranges[i] = machine->ranges[i - 1];
	machine->ranges[at] = new;
	return RANGE_ADDED;
}

/* NULL, or what is wrong with the memory that this entry describes. */
static const char *add_memory(struct machine *machine, const struct affinity *a)
{
	struct machine_range range = {.base = a->base, .size = a->size, .node = node_of_proximity(machine, a->proximity)};

	if (a->size == 0)
		return NULL;
	if (a->size > UINT64_MAX - a->base)
		return "a memory range that wraps around";
	if (a->flags & MEMORY_HOTPLUG)
		range.flags |= MACHINE_RANGE_HOTPLUG;
	if (a->flags & MEMORY_NONVOLATILE)
		range.flags |= MACHINE_RANGE_NONVOLATILE;
	switch (machine_add_range(machine, &range)) {
	case RANGE_OF_ANOTHER_NODE:
		return "memory that an earlier entry gave to another node";
	case RANGE_NO_ROOM:
		return "more memory ranges than the model can hold";
	case RANGE_ADDED:
		break;
	}
	return NULL;
}

static void set_core_node(struct machine *machine, const struct affinity *a)
{
	unsigned core = machine_core_by_apic(machine, a->apic);

	if (core != MACHINE_NO_CORE)
		machine->cores[core].node = node_of_proximity(machine, a->proximity);
}

/* NULL if all entries could be applied; then *entry is at the end. */
static const char *apply(struct machine *machine, const struct checked *srat, struct entry *entry)
{
	uint8_t revision = srat->at[SDT_REVISION];

	while (machine_next_entry(srat, SRAT_ENTRIES, entry)) {
		struct affinity a = decode(entry->at, revision);
		if (a.kind != NOTHING && !add_node(machine, a.proximity))
			return "more proximity domains than the model can hold";
	}
	for (*entry = (struct entry){0}; machine_next_entry(srat, SRAT_ENTRIES, entry);) {
		struct affinity a = decode(entry->at, revision);
		const char *wrong = a.kind == MEMORY ? add_memory(machine, &a) : NULL;
		if (wrong != NULL)
			return wrong;
		if (a.kind == CORE)
			set_core_node(machine, &a);
	}
	return NULL;
}

/* What holds when no table says anything: every core is on it. */
static void set_one_node(struct machine *machine)
{
	machine->node_count = 1;
	machine->nodes[0] = (struct machine_node){0};
	machine->range_count = 0;
	machine->has_numa = 0;
	for (unsigned core = 0; core < machine->core_total; core++)
		machine->cores[core].node = 0;
}

void machine_read_srat(struct machine *machine, const struct machine_table *table)
{
	struct checked srat;
	struct entry entry = {0};

	set_one_node(machine);
	if (!machine_check_table(machine, table, "SRAT", "SRAT", SRAT_ENTRIES, &srat) ||
	    !machine_check_entries(machine, &srat, SRAT_ENTRIES, least_length, sizeof(least_length)))
		return;

	machine->node_count = 0;
	const char *wrong = apply(machine, &srat, &entry);
	if (wrong != NULL)
		machine_refuse(machine, "SRAT", wrong, entry.offset);
	if (wrong != NULL || machine->node_count == 0)
		set_one_node(machine);
	else
		machine->has_numa = 1;
}
