/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* The dispatcher and its discipline.
 *
 * Everything that the library OS shares between its threads and its upcalls (run queue, regions, slots, memory) is touched only while
 * the dispatcher is *disabled*: then no upcall comes, so nothing else of this domain runs. There is no other lock.
 *
 *      bool inside = dispatcher_enter();
 *      ...
 *      dispatcher_leave(inside);
 *
 * Sections nest, and code that runs inside an upcall is inside already. Two rules make them safe:
 *
 *  - A page fault while disabled ends the domain, for its own pager can't be called. So inside a section only memory that is mapped for
 *    certain may be touched: the program's segments, the library OS's own memory, and what was touched right before entering.
 *  - The stack is such memory because dispatcher_enter reads it DISABLED_STACK_BYTES ahead: the fault, if any, happens before.
 *    A section may not use more stack than that.
 *
 * Leaving looks at `pending`, since a notification that came inside brought no upcall. */

#include "cpudriver/abi/dispatcher.h"
#include "cpudriver/abi/memory_map.h"

#define DISPATCHER ((struct dispatcher_shared *)USER_DISPATCHER)

#define DISABLED_STACK_BYTES 4096

/* Bits of the pending word that the library OS takes care of; a monitor, which reads them itself, has none. */
extern uint64_t pending_interest;

/* Takes care of what is pending; disabled before and after. Threads may have become ready. */
void pending_handle(void);
/* The same for code that is enabled. */
void pending_handle_enabled(void);

/* Clears the bits of `mask` and answers which of them were set. */
static inline uint64_t pending_take(uint64_t mask)
{
	return atomic_fetch_and_explicit(&DISPATCHER->pending, ~mask, memory_order_seq_cst) & mask;
}

static inline uint64_t pending_look(void)
{
	return atomic_load_explicit(&DISPATCHER->pending, memory_order_relaxed);
}

static inline bool dispatcher_enter(void)
{
	bool inside = atomic_load_explicit(&DISPATCHER->disabled, memory_order_relaxed) != 0;

	if (!inside) {
		__asm__ volatile("testb $0, %c0(%%rsp)" : : "i"(-DISABLED_STACK_BYTES) : "cc", "memory");
		atomic_store_explicit(&DISPATCHER->disabled, 1, memory_order_relaxed);
		atomic_signal_fence(memory_order_seq_cst);
	}
	return inside;
}

/* The same for a function that has entered before, at no less depth of the stack, and has left. */
static inline void dispatcher_enter_again(void)
{
	atomic_store_explicit(&DISPATCHER->disabled, 1, memory_order_relaxed);
	atomic_signal_fence(memory_order_seq_cst);
}

static inline void dispatcher_leave(bool inside)
{
	if (inside)
		return;
	atomic_signal_fence(memory_order_seq_cst);
	atomic_store_explicit(&DISPATCHER->disabled, 0, memory_order_relaxed);
	atomic_signal_fence(memory_order_seq_cst);
	if (__builtin_expect((pending_look() & pending_interest) != 0, 0))
		pending_handle_enabled();
}
