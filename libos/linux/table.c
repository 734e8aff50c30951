/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Which call has which answer. Everything else is ENOSYS, and counted. */

#include <errno.h>

#include <atoll/domain.h>

#include "libos/linux/linux.h"
#include "libos/linux/process.h"
#include "libos/thread/thread.h"
#include "libos/upcall/dispatcher.h"

static linux_call_fn *const calls[LINUX_CALLS] = {
#define LINUX_CALL(number, name) [number] = linux_##name,
#include "libos/linux/calls.def"
#undef LINUX_CALL
};

linux_quick_fn *const linux_quick[QUICK_CALLS] = {
    [39] = linux_getpid, [102] = linux_zero, /* getuid */
    [104] = linux_zero,                      /* getgid */
    [107] = linux_zero,                      /* geteuid */
    [108] = linux_zero,                      /* getegid */
    [110] = linux_zero,                      /* getppid: the domain's parent is not a process */
};

static uint64_t unknown[LINUX_CALLS + 1]; /* the last one: all higher numbers */

uint64_t foreign_unknown_count(void)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i <= LINUX_CALLS; i++)
		sum += unknown[i];
	return sum;
}

void linux_call(struct linux_frame *f)
{
	uint64_t number = f->rax;
	linux_call_fn *call = number < LINUX_CALLS ? calls[number] : NULL;

	thread_current->in_service = true;
	dispatcher_leave(false);
	if (call != NULL) {
		f->rax = (uint64_t)call(f);
	} else {
		unknown[number < LINUX_CALLS ? number : LINUX_CALLS]++;
		f->rax = (uint64_t)-ENOSYS;
	}
	(void)dispatcher_enter();
	thread_current->in_service = false;
}
