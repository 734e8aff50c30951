/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
// error: incompatible type

/* A plain number where a physical address belongs: a size, say. */

#include "cpudriver/capability/window.h"

void *see(uint64_t size);

void *see(uint64_t size)
{
#ifdef CONTROL
	return window(PADDR(size));
#else
	return window(size);
#endif
}
