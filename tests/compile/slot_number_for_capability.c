/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
// error: incompatible type

/* A slot number where a capability address belongs. */

#include "cpudriver/abi/calls.h"

err_t forget(unsigned slot);

err_t forget(unsigned slot)
{
#ifdef CONTROL
	return invoke(CAP(ROOT_SELF, slot), OP_Any_delete, 0, 0, 0, 0, 0).error;
#else
	return invoke(slot, OP_Any_delete, 0, 0, 0, 0, 0).error;
#endif
}
