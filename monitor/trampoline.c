/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include <stdatomic.h>

#include <atoll/address_space.h>

#include "monitor/trampoline.h"

static struct trampoline_entry *table(const struct monitor *m)
{
	return (struct trampoline_entry *)(m->trampoline + TRAMPOLINE_TABLE);
}

static struct trampoline_entry *find(const struct monitor *m, uint32_t apic)
{
	for (unsigned i = 0; m->trampoline != NULL && i < TRAMPOLINE_ENTRIES; i++)
		if (__atomic_load_n(&table(m)[i].apic, __ATOMIC_SEQ_CST) == apic)
			return &table(m)[i];
	return NULL;
}

/* Intel SDM vol. 3, 10.12: an APIC ID has 32 bits, the table 128 entries. Other starters may look for a place at the same time. */
bool trampoline_enter(struct monitor *m, uint32_t apic, uint64_t core_boot)
{
	void *page;

	if (m->trampoline == NULL) {
		if (is_err(frame_map(CAP(ROOT_TASK, TASK_TRAMPOLINE), 0, PAGE_BYTES, RIGHTS(RIGHT_READ | RIGHT_WRITE), &page)))
			return false;
		m->trampoline = page;
	}
	for (unsigned i = 0; i < TRAMPOLINE_ENTRIES; i++) {
		struct trampoline_entry *entry = &table(m)[(apic + i) % TRAMPOLINE_ENTRIES];
		uint32_t empty = TRAMPOLINE_FREE;

		if (!__atomic_compare_exchange_n(&entry->apic, &empty, apic, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST) && empty != apic)
			continue;
		/* The core itself looks only after its SIPI. */
		__atomic_store_n(&entry->passed, 0, __ATOMIC_SEQ_CST);
		__atomic_store_n(&entry->core_boot, core_boot, __ATOMIC_SEQ_CST);
		return true;
	}
	return false;
}

bool trampoline_passed(const struct monitor *m, uint32_t apic)
{
	struct trampoline_entry *entry = find(m, apic);

	return entry != NULL && __atomic_load_n(&entry->passed, __ATOMIC_SEQ_CST) != 0;
}

void trampoline_leave(struct monitor *m, uint32_t apic)
{
	struct trampoline_entry *entry = find(m, apic);

	if (entry != NULL)
		__atomic_store_n(&entry->apic, TRAMPOLINE_FREE, __ATOMIC_SEQ_CST);
}
