/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* What cpudriver/capability asks of the rest of the CPU driver. There are no dispatchers here but for their doorbells. */

#include "tests/explore/world.h"

/* Operations that belong to other parts of the CPU driver; the real ones replace these. */
#define INVOCATION(type, name, number, rights)                                                                                             \
	__attribute__((weak)) err_t op_##type##_##name(struct invocation *i)                                                               \
	{                                                                                                                                  \
		(void)i;                                                                                                                   \
		return ERR(NOT_SUPPORTED);                                                                                                 \
	}
#include "cpudriver/abi/invocations.def"
#undef INVOCATION

void tlb_flush_page(vaddr_t page)
{
	(void)page;
}

paddr_t running_page_table4(void)
{
	return PADDR(core_memory(core_number(here)).value + TABLE_LOADED);
}

void dispatcher_begin(paddr_t dispatcher)
{
	(void)dispatcher;
}

void dispatcher_end(paddr_t dispatcher)
{
	(void)dispatcher;
}

struct slot *dispatcher_slots(paddr_t dispatcher, unsigned *count)
{
	*count = 0;
	return window(dispatcher);
}

void dispatcher_binding_lost(struct slot *slot)
{
	(void)slot;
}

err_t dispatcher_doorbell_index(paddr_t dispatcher, uint64_t *index)
{
	*index = dispatcher.value / PAGE_BYTES;
	return OK;
}

void interrupt_binding_lost(struct slot *interrupt)
{
	(void)interrupt;
}
