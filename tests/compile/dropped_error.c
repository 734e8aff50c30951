/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
// error: unused.result

/* An error that nobody looks at. */

#include "cpudriver/capability/capability.h"

err_t make(struct capabilities *c, const struct retype *r);

err_t make(struct capabilities *c, const struct retype *r)
{
#ifdef CONTROL
	return slot_retype(c, r);
#else
	slot_retype(c, r);
	return OK;
#endif
}
