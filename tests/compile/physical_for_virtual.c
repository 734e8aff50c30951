/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
// error: incompatible type

/* A physical address where a virtual one belongs. */

#include "cpudriver/capability/capability.h"

void flush(void);

void flush(void)
{
#ifdef CONTROL
	tlb_flush_page(VADDR(0x1000));
#else
	tlb_flush_page(PADDR(0x1000));
#endif
}
