/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* MCFG (PCI Firmware Specification 3.3, 4.1.2): memory-mapped configuration space. */

#include "numa/model/parse.h"

enum {
	MCFG_ENTRIES = 44, /* 8 reserved bytes follow the header */
	MCFG_ENTRY_BYTES = 16,
};

void machine_read_mcfg(struct machine *machine, const struct machine_table *table)
{
	struct checked mcfg;

	if (!machine_check_table(machine, table, "MCFG", "MCFG", MCFG_ENTRIES, &mcfg))
		return;
	if ((mcfg.length - MCFG_ENTRIES) % MCFG_ENTRY_BYTES != 0) {
		machine_refuse(machine, "MCFG", "a length that ends inside an entry", SDT_LENGTH);
		return;
	}
	for (uint32_t offset = MCFG_ENTRIES; offset < mcfg.length; offset += MCFG_ENTRY_BYTES)
		if (mcfg.at[offset + 11] < mcfg.at[offset + 10]) {
			machine_refuse(machine, "MCFG", "a last bus before the first", offset);
			return;
		}

	for (uint32_t offset = MCFG_ENTRIES; offset < mcfg.length && machine->ecam_count < MACHINE_ECAMS; offset += MCFG_ENTRY_BYTES)
		machine->ecams[machine->ecam_count++] = (struct machine_ecam){
		    .address = load64(mcfg.at + offset),
		    .segment = load16(mcfg.at + offset + 8),
		    .first_bus = mcfg.at[offset + 10],
		    .last_bus = mcfg.at[offset + 11],
		};
}
