/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* The system calls that do not block: invoke, and foreign calls. The others are dispatch/calls.c. */

#include "cpudriver/core.h"
#include "cpudriver/dispatch/dispatch.h"
#include "cpudriver/entry/calls.h"

uint64_t invoke_entry(uint64_t cap_and_operation, uint64_t w0, uint64_t w1, uint64_t w2, uint64_t w3, uint64_t w4)
{
	struct slot *root = core.current->root;
	struct invocation i = {
		.self = cap_slot(root, (cap_t){(uint16_t)cap_and_operation}),
		.word = {w0, w1, w2, w3, w4},
		.root = root,
		.caps = &core.capabilities,
	};
	err_t e = i.self != NULL ? cap_invoke(&i, cap_and_operation >> 16) : ERR(CAP_ADDRESS);

	/* It may have ended or stopped itself. */
	if (core.current == NULL)
		dispatch();
	core.value[0] = i.value[0];
	core.value[1] = i.value[1];
	core.value[2] = i.value[2];
	return e.number;
}

bool foreign_call(void)
{
	struct dispatcher *d = core.current;
	struct dispatcher_shared *shared = dispatcher_shared(d);

	if (!is_enabled(d, core.user_rip))
		return false;

	uint64_t entry = shared->upcall[UPCALL_FOREIGN_CALL], stack = shared->upcall_stack;

	if (entry >= USER_TOP || stack > USER_TOP) {
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

NORETURN void syscall_from_last_page(void)
{
	core.current->saved.rip = core.user_rip;
	stop(core.current, STOP_FAULT);
	dispatch();
}
