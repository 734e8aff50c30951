/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* The system calls that do not block: invoke, and foreign calls. The others are dispatch/calls.c. */

#include "cpudriver/core.h"
#include "cpudriver/dispatch/dispatch.h"
#include "cpudriver/entry/calls.h"

/* Every call comes through here: the order of the lines is the one that makes the fewest instructions. */
err_t invoke_entry(uint64_t cap_and_operation)
{
	struct invocation *i = &core.invocation;
	struct slot *cnode = &i->root[(uint8_t)(cap_and_operation >> 8)];
	uint64_t op = cap_and_operation >> 16;
	handler_t *handler;

	i->value[0] = i->value[1] = i->value[2] = 0;
	if (op >= OPERATION_LIMIT)
		return ERR(OPERATION);
	if (cnode->type != CAP_CNode)
		return ERR(CAP_ADDRESS);
	i->self = &cnode_slots(cnode)[(uint8_t)cap_and_operation];
	err_t e = cap_operation(i, op, &handler);

	if (is_err(e))
		return e;
	return handler(i);
}

bool foreign_call(void)
{
	struct dispatcher *d = core.current;
	struct dispatcher_shared *shared = dispatcher_shared(d);

	if (!is_enabled(d, core.user_rip))
		return false;

	uint64_t entry = shared->upcall[UPCALL_FOREIGN_CALL], stack = shared->upcall_stack;

	if (entry >= USER_TOP || stack > USER_TOP) {
		d->saved.rip = core.user_rip;
		stop(d, STOP_SHARED_FRAME);
		dispatch();
	}
	shared->foreign_rip = core.user_rip;
	shared->foreign_rflags = core.user_rflags;
	shared->foreign_rsp = core.user_rsp;
	atomic_store_explicit(&shared->disabled, 1, memory_order_relaxed);
	core.upcall_rip = entry;
	core.upcall_rsp = stack;
	core.upcall_rcx = d->shared_address;
	return true;
}
