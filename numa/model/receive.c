/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* What a receiver of a model checks once. The giver may be a hostile program: after this check no count and no index
 * in the model leads outside of it. The frame must be read-only for the giver too by then, or have been copied. */

#include "numa/model.h"

static bool counts_fit(const struct machine *m)
{
	return m->core_count >= 1 && m->core_count <= m->core_total && m->core_total <= MACHINE_CORES && m->node_count >= 1 &&
	       m->node_count <= MACHINE_NODES && m->range_count <= MACHINE_RANGES && m->ioapic_count <= MACHINE_IOAPICS &&
	       m->override_count <= MACHINE_OVERRIDES && m->ecam_count <= MACHINE_ECAMS && m->note_count <= MACHINE_NOTES &&
	       m->cache_count <= MACHINE_CACHES;
}

static bool ranges_sorted(const struct machine *m)
{
	uint64_t end = 0;

	for (unsigned i = 0; i < m->range_count; i++) {
		const struct machine_range *range = &m->ranges[i];
		if (range->node >= m->node_count || range->base < end || range->size > UINT64_MAX - range->base)
			return false;
		end = range->base + range->size;
	}
	return true;
}

static bool levels_nest(const struct machine *m)
{
	if (m->core_shift > m->die_shift || m->die_shift > m->package_shift || m->package_shift > MACHINE_SHIFT_MOST)
		return false;
	for (unsigned i = 0; i < m->cache_count; i++)
		if (m->caches[i].shift > MACHINE_SHIFT_MOST || m->caches[i].kind < MACHINE_CACHE_DATA ||
		    m->caches[i].kind > MACHINE_CACHE_UNIFIED)
			return false;
	return true;
}

bool machine_check(const struct machine *machine, size_t bytes)
{
	if (bytes < sizeof(*machine) || machine->version != MACHINE_VERSION || machine->bytes != sizeof(*machine) || !counts_fit(machine) ||
	    !ranges_sorted(machine) || !levels_nest(machine))
		return false;
	for (unsigned core = 0; core < machine->core_total; core++)
		if (machine->cores[core].node >= machine->node_count)
			return false;
	for (unsigned note = 0; note < machine->note_count; note++)
		if (machine->notes[note][MACHINE_NOTE_BYTES - 1] != '\0')
			return false;
	return true;
}
