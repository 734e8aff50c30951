/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* MADT, the multiple APIC description table (ACPI 6.4, 5.2.12): cores and interrupt controllers. */

#include "numa/model/parse.h"

enum {
	MADT_LAPIC_ADDRESS = 36, /* table 5.19 */
	MADT_FLAGS = 40,
	MADT_ENTRIES = 44,
	MADT_HAS_8259 = 1u << 0, /* table 5.20, PCAT_COMPAT */

	LOCAL_APIC = 0,             /* 5.2.12.2 */
	IO_APIC = 1,                /* 5.2.12.3 */
	OVERRIDE = 2,               /* 5.2.12.5 */
	LAPIC_ADDRESS_OVERRIDE = 5, /* 5.2.12.8 */
	LOCAL_X2APIC = 9,           /* 5.2.12.12 */
};

static const uint8_t least_length[] = {
    [LOCAL_APIC] = 8, [IO_APIC] = 12, [OVERRIDE] = 10, [LAPIC_ADDRESS_OVERRIDE] = 12, [LOCAL_X2APIC] = 16,
};

/* Some firmware lists a core twice, with and without x2APIC, so the APIC ID decides which core it is. All ones is the
 * broadcast address in both modes and describes no core; the caller leaves that out. false: no room. */
static bool add_core(struct machine *machine, uint32_t apic, uint32_t uid, uint32_t flags)
{
	unsigned core = machine_core_by_apic(machine, apic);

	if (core == MACHINE_NO_CORE) {
		if (machine->core_total == MACHINE_CORES)
			return false;
		core = machine->core_total++;
		machine->cores[core].apic = apic;
		machine->cores[core].uid = UINT32_MAX;
	}
	if (machine->cores[core].uid == UINT32_MAX)
		machine->cores[core].uid = uid;
	/* The two flags have the same place in both kinds of entry and in our model (table 5.22). */
	machine->cores[core].flags |= flags & (MACHINE_CORE_ENABLED | MACHINE_CORE_ONLINE_CAPABLE);
	return true;
}

static void add_io_apic(struct machine *machine, const uint8_t *entry)
{
	if (machine->ioapic_count < MACHINE_IOAPICS)
		machine->ioapics[machine->ioapic_count++] =
		    (struct machine_ioapic){.id = entry[2], .address = load32(entry + 4), .first_gsi = load32(entry + 8)};
}

static void add_override(struct machine *machine, const uint8_t *entry)
{
	uint16_t flags = load16(entry + 8);
	struct machine_override new = {
	    .isa = entry[3],
	    .gsi = load32(entry + 4),
	    .polarity = flags & 3,
	    .trigger = flags >> 2 & 3,
	};

	for (unsigned i = 0; i < machine->override_count; i++)
		if (machine->overrides[i].isa == new.isa)
			return;
	if (machine->override_count < MACHINE_OVERRIDES)
		machine->overrides[machine->override_count++] = new;
}

static void note_cores_left_out(struct machine *machine, unsigned count)
{
	struct text note = machine_note(machine);

	text_string(&note, "MADT lists ");
	text_decimal(&note, count);
	text_string(&note, " cores more than the system can use");
}

void machine_read_madt(struct machine *machine, const struct machine_table *table)
{
	struct checked madt;
	unsigned left_out = 0;

	if (!machine_check_table(machine, table, "APIC", "MADT", MADT_ENTRIES, &madt) ||
	    !machine_check_entries(machine, &madt, MADT_ENTRIES, least_length, sizeof(least_length)))
		return;

	machine->lapic_address = load32(madt.at + MADT_LAPIC_ADDRESS);
	machine->has_8259 = (load32(madt.at + MADT_FLAGS) & MADT_HAS_8259) != 0;
	for (struct entry entry = {0}; machine_next_entry(&madt, MADT_ENTRIES, &entry);) {
		const uint8_t *at = entry.at;
		if (at[0] == LOCAL_APIC && at[3] != UINT8_MAX)
			left_out += !add_core(machine, at[3], at[2], load32(at + 4));
		else if (at[0] == LOCAL_X2APIC && load32(at + 4) != UINT32_MAX)
			left_out += !add_core(machine, load32(at + 4), load32(at + 12), load32(at + 8));
		else if (at[0] == IO_APIC)
			add_io_apic(machine, at);
		else if (at[0] == OVERRIDE)
			add_override(machine, at);
		else if (at[0] == LAPIC_ADDRESS_OVERRIDE)
			machine->lapic_address = load64(at + 4);
	}
	if (left_out > 0)
		note_cores_left_out(machine, left_out);
}
