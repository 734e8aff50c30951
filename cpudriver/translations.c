/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* What the capability code needs of the processor's translations (capability.h). Address spaces are told apart by nothing but the page
 * table (no PCIDs), so loading one forgets every other's translations. */

#include "cpudriver/core.h"

void tlb_flush_all(void)
{
	write_cr3(core.page_table4);
}
void tlb_flush_page(vaddr_t page)
{
	invlpg(page.value);
}
paddr_t running_page_table4(void)
{
	return PADDR(core.page_table4);
}
