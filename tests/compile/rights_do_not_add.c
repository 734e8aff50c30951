/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
// error: incompatible type|invalid operands

/* Rights are not numbers that add up. */

#include "cpudriver/abi/capabilities.h"

rights_t both(rights_t a, rights_t b);

rights_t both(rights_t a, rights_t b)
{
#ifdef CONTROL
	return RIGHTS(a.bits | b.bits);
#else
	return a + b;
#endif
}
