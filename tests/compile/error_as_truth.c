/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
// error: used .* where (a )?scalar|not contextually convertible|requires expression of scalar type|statement requires

/* An error is not a truth value: with 0 for "no error" it would read the wrong way round. */

#include "cpudriver/capability/capability.h"

bool works(struct capabilities *c, const struct retype *r);

bool works(struct capabilities *c, const struct retype *r)
{
#ifdef CONTROL
	if (is_ok(slot_retype(c, r)))
#else
	if (slot_retype(c, r))
#endif
		return true;
	return false;
}
