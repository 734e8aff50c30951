/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
// error: incompatible type

/* A capability type where rights belong: both are small numbers. */

#include "cpudriver/capability/capability.h"

void give(struct capabilities *c, struct slot *from, struct slot *to);

void give(struct capabilities *c, struct slot *from, struct slot *to)
{
#ifdef CONTROL
	slot_copy(c, from, to, RIGHTS(RIGHT_READ));
#else
	slot_copy(c, from, to, CAP_RAM);
#endif
}
