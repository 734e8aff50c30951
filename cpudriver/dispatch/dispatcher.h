/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* A dispatcher as the CPU driver sees it: the object of 16 KiB behind a Dispatcher capability.
 *
 *   page 0      struct dispatcher: the CPU driver's alone
 *   page 1      vector registers of a dispatcher that was preempted while disabled, likewise
 *   page 2, 3   struct dispatcher_shared (cpudriver/abi/dispatcher.h): the domain may write all of it at any time
 *
 * States (enum dispatcher_state) and who changes them:
 *
 *                    start                        yield(WAIT)
 *   NEW, STOPPED ───────────▶ RUNNABLE ─────────────────────────▶ WAITING ──────── notify ──────▶ RUNNABLE
 *                               │  ▲ │        reply_wait
 *                               │  │ └──────────────────────────▶ WAITING_CALL ─── call, notify ─▶ RUNNABLE
 *                         call  │  │ reply, timeout, server's end, detached
 *                               ▼  │
 *       CALLING (in the server's queue) ── server takes it, or is entered ──▶ WAITING_REPLY
 *
 *   any ──── stop, fault while disabled, end of the object ────▶ STOPPED
 *
 * A runnable dispatcher is either core.current or in core.schedule, never both. `resume` says how a dispatcher that is not running goes on:
 *
 *   RESUME_UPCALL     its thread's state is in the shared frame: upcall run or message
 *   RESUME_CALL       in a call: `saved` has RIP, RSP, RFLAGS, the FS and GS bases and the call's results
 *   RESUME_REGISTERS  all of `saved`, and page 1 */

#include "cpudriver/abi/dispatcher.h"
#include "cpudriver/capability/capability.h"
#include "cpudriver/dispatch/schedule.h"

enum resume { RESUME_UPCALL, RESUME_CALL, RESUME_REGISTERS };

struct dispatcher {
	/* how it goes on */
	struct registers saved; /* of a caller in a queue: RSI, RDX, R10, R8 are its message, RDI the badge */
	uint8_t state, resume;
	bool alive;              /* false: this memory is no dispatcher any more, only an endpoint or doorbell still names it */
	uint64_t page_table4;    /* physical address, 0: not configured */
	struct slot *root;       /* first slot of its root CNode */
	uint64_t shared_address; /* of the shared frame, in its address space */

	/* calls */
	uint64_t token;            /* of its latest call: its physical address, and a count above */
	uint64_t served;           /* token of the call that it took last, 0 when answered, detached or gone */
	uint8_t call_flags;        /* CALL_*, of its latest call */
	struct dispatcher *server; /* CALLING, WAITING_REPLY: whom it calls */
	struct dispatcher *caller_next;
	struct dispatcher *callers_first, *callers_last; /* who stands in its queue */

	/* time */
	struct schedule_entry turn;
	uint64_t cycles;                  /* run at its expense */
	uint64_t deadline;                /* 0: none */
	struct dispatcher *deadline_next; /* later */

	/* its place on this core */
	struct dispatcher *next, *previous; /* of all */
	struct dispatcher *stopped_next;
	uint32_t doorbell; /* index, 0: none yet */
	uint8_t stop_reason;
	bool until_idle; /* WAITING_CALL: not longer than somebody else on this core wants to run */
	bool reported; /* is in the list of Kernel.next_stopped */
	char name[9];  /* printable, ends with 0 */
	struct {
		uint64_t vector, error, address;
	} fault; /* that stopped it */

	struct slot root_cnode, address_space; /* in a row: the embedded slots */
};
_Static_assert(sizeof(struct dispatcher) <= PAGE_BYTES, "page 0");
_Static_assert(offsetof(struct dispatcher, saved) == 0, "near the object's address");
_Static_assert(offsetof(struct dispatcher, address_space) == offsetof(struct dispatcher, root_cnode) + sizeof(struct slot), "in a row");

enum { DISPATCHER_SLOTS = 2 };

static inline struct dispatcher *dispatcher_at(uint64_t base)
{
	return window(PADDR(base));
}
static inline uint64_t dispatcher_base(const struct dispatcher *d)
{
	return window_paddr(d).value;
}
static inline void *dispatcher_xstate(struct dispatcher *d)
{
	return (uint8_t *)d + PAGE_BYTES;
}
static inline struct dispatcher_shared *dispatcher_shared(struct dispatcher *d)
{
	return (struct dispatcher_shared *)((uint8_t *)d + DISPATCHER_SHARED_OFFSET);
}

/* The pending word: this core's kernel and user code never run at the same time, so one plain read and one plain write are enough. */
static inline uint64_t pending(struct dispatcher *d)
{
	return atomic_load_explicit(&dispatcher_shared(d)->pending, memory_order_relaxed);
}
static inline void pend(struct dispatcher *d, uint64_t bits)
{
	atomic_store_explicit(&dispatcher_shared(d)->pending, pending(d) | bits, memory_order_relaxed);
}
