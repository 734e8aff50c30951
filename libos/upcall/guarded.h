/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Copying from and to addresses that nobody has vouched for, such as a foreign call's arguments. Pages of the domain's come at the first
 * touch as ever; if an address is nobody's, may not be read or written so, or is none at all, the copy ends there and says so, where any
 * other touch would end the program. Nothing is looked up beforehand, so it costs no more than a copy, and it is true at the moment of the
 * touch, whatever other threads unmap.
 *
 * Not inside a section: page faults end the domain there (dispatcher.h). */

#include "cpudriver/abi/dispatcher.h"

/* False: a part of it could not be copied; what came before it may have been. */
MUST_USE bool guarded_copy(void *to, const void *from, uint64_t bytes);

extern const char guarded_begin[], guarded_fault[];

/* For the upcalls: whether the fault at these registers was guarded_copy's, which then goes on with them. */
static inline bool guarded_recover(struct registers *r)
{
	if (r->rip < (uint64_t)guarded_begin || r->rip >= (uint64_t)guarded_fault)
		return false;
	r->rip = (uint64_t)guarded_fault;
	return true;
}
