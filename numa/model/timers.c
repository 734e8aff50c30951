/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* HPET and FADT: where the clocks of known frequency are, and ACPI's own interrupt. */

#include "numa/model/parse.h"

enum {
	GAS_SPACE = 0, /* ACPI 6.4, 5.2.3.2: generic address structure */
	GAS_ADDRESS = 4,
	GAS_MEMORY = 0,
	GAS_IO = 1,

	HPET_BLOCK = 40, /* IA-PC HPET specification 1.0a, 3.2.4; a generic address */
	HPET_MIN_TICK = 53,
	HPET_ID = 36,
	HPET_BYTES = 56,

	FADT_SCI = 46, /* ACPI 6.4, 5.2.9, table 5.9 */
	FADT_PM_TIMER = 76,
	FADT_PM_TIMER_BYTES = 91,
	FADT_FLAGS = 112,
	FADT_LEAST = 116, /* the length in ACPI 1.0 */
	FADT_X_PM_TIMER = 208,
	FADT_TIMER_32_BITS = 1u << 8, /* TMR_VAL_EXT */
};

void machine_read_hpet(struct machine *machine, const struct machine_table *table)
{
	struct checked hpet;

	if (!machine_check_table(machine, table, "HPET", "HPET", HPET_BYTES, &hpet))
		return;
	if (hpet.at[HPET_BLOCK + GAS_SPACE] != GAS_MEMORY) {
		machine_refuse(machine, "HPET", "registers that are not in memory", HPET_BLOCK);
		return;
	}
	machine->hpet_address = load64(hpet.at + HPET_BLOCK + GAS_ADDRESS);
	machine->hpet_min_tick = load16(hpet.at + HPET_MIN_TICK);
	machine->hpet_timers = (uint8_t)((load32(hpet.at + HPET_ID) >> 8 & 0x1f) + 1); /* bits 8..12: the last one */
}

/* The extended address wins if it is there (5.2.9, X_PM_TMR_BLK). 0: no timer in I/O space. */
static uint32_t pm_timer_port(const struct checked *fadt)
{
	const uint8_t *extended = fadt->at + FADT_X_PM_TIMER;

	if (fadt->length >= FADT_X_PM_TIMER + 12 && load64(extended + GAS_ADDRESS) != 0)
		return extended[GAS_SPACE] == GAS_IO && load64(extended + GAS_ADDRESS) <= UINT16_MAX - 3u ? load32(extended + GAS_ADDRESS)
		                                                                                          : 0;
	uint32_t port = load32(fadt->at + FADT_PM_TIMER);
	return fadt->at[FADT_PM_TIMER_BYTES] == 4 && port <= UINT16_MAX - 3u ? port : 0;
}

void machine_read_fadt(struct machine *machine, const struct machine_table *table)
{
	struct checked fadt;

	if (!machine_check_table(machine, table, "FACP", "FADT", FADT_LEAST, &fadt))
		return;
	machine->sci_interrupt = load16(fadt.at + FADT_SCI);
	machine->pm_timer_port = (uint16_t)pm_timer_port(&fadt);
	if (machine->pm_timer_port != 0)
		machine->pm_timer_bits = load32(fadt.at + FADT_FLAGS) & FADT_TIMER_32_BITS ? 32 : 24;
}
