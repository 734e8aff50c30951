/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* The processor goes to a dispatcher, and comes back from it. */

#include "cpudriver/dispatch/switch.h"

#include "cpudriver/core.h"

/* SDM vol. 1, 13.4: an XSAVE area whose header says that every component has its initial value; only MXCSR is taken from the area. */
const struct xstate_initial xstate_initial = {.mxcsr = 0x1f80};

static void save_registers(struct registers *to, const struct trap_frame *f)
{
	__builtin_memcpy(to, f, offsetof(struct registers, rip));
	to->rsp = f->rsp;
	to->rip = f->rip;
	to->rflags = f->rflags;
	to->fs_base = read_fs_base();
	to->gs_base = read_gs_base();
}

bool is_enabled(struct dispatcher *d, uint64_t rip)
{
	struct dispatcher_shared *shared = dispatcher_shared(d);

	if (atomic_load_explicit(&shared->disabled, memory_order_relaxed) != 0)
		return false;
	uint64_t low = shared->critical_low, high = shared->critical_high;
	return rip < low || rip >= high;
}

bool save_interrupted(struct dispatcher *d, const struct trap_frame *f)
{
	if (is_enabled(d, f->rip)) {
		struct dispatcher_shared *shared = dispatcher_shared(d);

		save_registers(&shared->enabled, f);
		xsave(shared->enabled_xstate);
		/* The domain may write the shared frame, so the bases that the CPU driver will load are kept apart. */
		d->saved.fs_base = read_fs_base();
		d->saved.gs_base = read_gs_base();
		d->resume = RESUME_UPCALL;
		return true;
	}
	save_registers(&d->saved, f);
	xsave(dispatcher_xstate(d));
	d->resume = RESUME_REGISTERS;
	return false;
}

NORETURN void return_to_caller(struct dispatcher *d, err_t e)
{
	d->saved.rax = e.number;
	resume_call(&d->saved);
}

/* An upcall is entered like a return from a call: its arguments are where results would be. */
NORETURN void upcall(struct dispatcher *d, enum upcall which, uint64_t a, uint64_t b)
{
	struct dispatcher_shared *shared = dispatcher_shared(d);
	uint64_t entry = shared->upcall[which], stack = shared->upcall_stack;

	if (entry >= USER_TOP || stack > USER_TOP) {
		stop(d, STOP_SHARED_FRAME);
		dispatch();
	}
	atomic_store_explicit(&shared->disabled, 1, memory_order_relaxed);
	d->saved.rip = entry;
	d->saved.rsp = stack;
	d->saved.rflags = RFLAGS_IF | RFLAGS_RESERVED1;
	d->saved.rdi = d->shared_address;
	d->saved.rsi = a;
	d->saved.rdx = b;
	d->saved.rax = d->saved.r8 = d->saved.r9 = d->saved.r10 = 0;
	resume_call(&d->saved);
}

static NORETURN void resume_as_it_was(struct dispatcher *d)
{
	xrstor(dispatcher_xstate(d));
	/* Interrupted in its critical section after it had looked at the pending word, perhaps. */
	if (pending(d) != 0)
		recheck_soon();
	resume_all(&d->saved);
}

NORETURN void run(struct dispatcher *d)
{
	turn_begin(d);
	switch_to(d);
	if (d->resume == RESUME_CALL)
		resume_call(&d->saved);
	if (d->resume == RESUME_REGISTERS)
		resume_as_it_was(d);

	uint64_t bits = pending(d);
	upcall(d, bits != 0 ? UPCALL_MESSAGE : UPCALL_RUN, bits, 0);
}

struct dispatcher *next_dispatcher(void)
{
	struct schedule_entry *turn = schedule_take(&core.schedule);

	return turn != NULL ? (struct dispatcher *)((uint8_t *)turn - offsetof(struct dispatcher, turn)) : NULL;
}

/* The monitor, if it waits for a call only until the core is idle (REPLY_UNTIL_IDLE). */
static struct dispatcher *woken_by_idleness(void)
{
	struct dispatcher *d = core.monitor;

	if (d == NULL || !d->until_idle || d->state != DISPATCHER_WAITING_CALL)
		return NULL;
	d->until_idle = false;
	d->state = DISPATCHER_RUNNABLE;
	d->saved.rax = ERR_NUMBER_WOULD_BLOCK;
	return d;
}

NORETURN void dispatch(void)
{
	struct dispatcher *d = next_dispatcher();

	if (d == NULL)
		d = woken_by_idleness();
	if (d != NULL)
		run(d);
	turn_begin(NULL);
	core.current = NULL;
	TRACE(idle, 0, 0, 0, 0);
	idle_wait();
}
