/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* The switch between dispatchers, inline because each direction of a call goes through it. */

#include "cpudriver/core.h"
#include "cpudriver/dispatch/dispatch.h"
#include "cpudriver/trace.h"

struct xstate_initial {
	_Alignas(LINE_BYTES) uint8_t x87[24];
	uint32_t mxcsr;
	uint8_t rest[512 + 64 - 28]; /* of the legacy region and the header */
};
_Static_assert(offsetof(struct xstate_initial, mxcsr) == 24 && sizeof(struct xstate_initial) == 576, "SDM vol. 1, 13.4.1 and 13.4.2");
extern const struct xstate_initial xstate_initial;

/* The running dispatcher is in a call that may block: saves what goes on in it. */
__attribute__((always_inline)) static inline void save_call(struct dispatcher *d)
{
	d->saved.rip = core.user_rip;
	d->saved.rsp = core.user_rsp;
	d->saved.rflags = core.user_rflags;
	d->saved.fs_base = read_fs_base();
	d->saved.gs_base = read_gs_base();
	d->resume = RESUME_CALL;
}

static inline void load_page_table(uint64_t page_table4)
{
	if (core.page_table4 == page_table4)
		return;
	core.page_table4 = page_table4;
	write_cr3(page_table4);
}

/* The vector registers get their initial values, so nothing of the one before shows. */
static inline void load_dispatcher(struct dispatcher *d)
{
	core.current = d;
	core.invocation.root = d->root;
	load_page_table(d->page_table4);
	write_fs_base(d->saved.fs_base);
	write_gs_base(d->saved.gs_base);
	xrstor(&xstate_initial);
}

static inline void switch_to(struct dispatcher *d)
{
	load_dispatcher(d);
	TRACE_SWITCH(trace_switch_entry);
}

/* The same, to a server that has just got a call. */
static inline void switch_to_server(struct dispatcher *d)
{
	load_dispatcher(d);
	TRACE_SWITCH(trace_enter_entry);
}

/* The same, to a caller that has just got the reply. */
static inline void switch_to_caller(struct dispatcher *d)
{
	load_dispatcher(d);
	TRACE_SWITCH(trace_leave_entry);
}
