/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* The upcalls, after the assembly (entry.S). Each runs disabled, on the upcall stack, with the interrupted thread's state in the shared
 * frame; returning goes on with that state. */

#include "libos/address_space/address_space.h"
#include "libos/ipc/door.h"
#include "libos/ipc/late.h"
#include "libos/ipc/server.h"
#include "libos/ipc/wait.h"
#include "libos/thread/thread.h"
#include "libos/upcall/dispatcher.h"
#include "libos/upcall/entry.h"
#include "libos/upcall/guarded.h"
#include "libos/upcall/report.h"

#define VECTOR_GENERAL_PROTECTION 13 /* Intel SDM vol. 3, table 6-1 */

_Static_assert(SHARED_DISABLED == USER_DISPATCHER + offsetof(struct dispatcher_shared, disabled), "");
_Static_assert(SHARED_PENDING == USER_DISPATCHER + offsetof(struct dispatcher_shared, pending), "");
_Static_assert(SHARED_FOREIGN_RIP == USER_DISPATCHER + offsetof(struct dispatcher_shared, foreign_rip), "");
_Static_assert(SHARED_FOREIGN_RFLAGS == USER_DISPATCHER + offsetof(struct dispatcher_shared, foreign_rflags), "");
_Static_assert(SHARED_FOREIGN_RSP == USER_DISPATCHER + offsetof(struct dispatcher_shared, foreign_rsp), "");
_Static_assert(offsetof(struct dispatcher_shared, enabled) == 192 && offsetof(struct dispatcher_shared, enabled_xstate) == 4096, "");
#define AT(name, NAME) _Static_assert(offsetof(struct registers, name) == REGISTERS_##NAME, "")
AT(rax, RAX);
AT(rbx, RBX);
AT(rcx, RCX);
AT(rdx, RDX);
AT(rsi, RSI);
AT(rdi, RDI);
AT(rbp, RBP);
AT(rsp, RSP);
AT(r8, R8);
AT(r9, R9);
AT(r10, R10);
AT(r11, R11);
AT(r12, R12);
AT(r13, R13);
AT(r14, R14);
AT(r15, R15);
AT(rip, RIP);
AT(rflags, RFLAGS);
AT(fs_base, FS);
AT(gs_base, GS);

uint64_t pending_interest;

void upcalls_start(void)
{
	struct dispatcher_shared *d = DISPATCHER;

	d->upcall[UPCALL_RUN] = (uint64_t)upcall_run_entry;
	d->upcall[UPCALL_MESSAGE] = (uint64_t)upcall_message_entry;
	d->upcall[UPCALL_PAGE_FAULT] = (uint64_t)upcall_page_fault_entry;
	d->upcall[UPCALL_TRAP] = (uint64_t)upcall_trap_entry;
	d->upcall[UPCALL_FOREIGN_CALL] = (uint64_t)upcall_foreign_entry;
	d->upcall[UPCALL_REVOKE] = (uint64_t)upcall_revoke_entry;
	d->upcall_stack = (uint64_t)upcall_stack_top;
	d->critical_low = (uint64_t)critical_begin;
	d->critical_high = (uint64_t)critical_end;
}

void pending_handle(void)
{
	uint64_t bits = pending_take(pending_interest);

	wait_generation++;
	if (bits & PENDING_DOORBELL)
		wait_rung();
	else if (bits & PENDING_TIMER)
		wait_poll();
	if (bits & PENDING_TIMER)
		threads_timer_went_off();
	if (bits & PENDING_REPLY)
		late_arrived();
	if ((bits & PENDING_CALL) != 0 && door != NULL && door->take_calls())
		bits &= ~PENDING_CALL;
	if (bits & ~(PENDING_DOORBELL | PENDING_TIMER | PENDING_REPLY))
		server_notified(bits);
}

void pending_handle_enabled(void)
{
	do {
		atomic_store_explicit(&DISPATCHER->disabled, 1, memory_order_relaxed);
		atomic_signal_fence(memory_order_seq_cst);
		pending_handle();
		threads_end_turn();
		atomic_signal_fence(memory_order_seq_cst);
		atomic_store_explicit(&DISPATCHER->disabled, 0, memory_order_relaxed);
		atomic_signal_fence(memory_order_seq_cst);
	} while ((pending_look() & pending_interest) != 0);
}

/* The processor was taken away and is back: the next thread's turn. */
void upcall_run(struct dispatcher_shared *shared, uint64_t pending)
{
	(void)shared;
	(void)pending;
	pending_handle();
	thread_interrupted();
}

void upcall_message(struct dispatcher_shared *shared, uint64_t pending)
{
	(void)shared;
	(void)pending;
	pending_handle();
	thread_interrupted();
}

void upcall_page_fault(struct dispatcher_shared *shared, uint64_t address, uint64_t code)
{
	struct queue *list = NULL;
	err_t e = page_touch(address, code, &list);

	if (err_is(e, ERR_NUMBER_WOULD_BLOCK))
		thread_wait_interrupted(list);
	if (is_err(e) && (err_is(e, ERR_NUMBER_NO_MEMORY) || !guarded_recover(&shared->enabled)))
		report_page_fault(shared, address, code, e);
}

/* An address that is none at all brings a general protection fault instead (Intel SDM vol. 1, 3.3.7.1). */
void upcall_trap(struct dispatcher_shared *shared, uint64_t vector, uint64_t code)
{
	if (vector != VECTOR_GENERAL_PROTECTION || !guarded_recover(&shared->enabled))
		report_trap(shared, vector, code);
}

/* The CPU driver asks for nothing: it is the monitor that does, by a message (libos/revocation/revocation.h), as it has to agree with
 * other cores. */
void upcall_revoke(struct dispatcher_shared *shared, uint64_t base, uint64_t bytes)
{
	(void)shared;
	(void)base;
	(void)bytes;
}
