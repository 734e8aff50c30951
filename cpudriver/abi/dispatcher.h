/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* A dispatcher, as its domain sees it: the frame that it shares with the CPU driver, and the upcalls.
 *
 * A dispatcher is *disabled* while its `disabled` word is not 0, or its RIP lies in [critical_low, critical_high) (the few instructions
 * that load a thread's registers). What the CPU driver does when it takes the processor from a dispatcher, or has something to tell:
 *
 *   taken from    where its state goes                        how it goes on
 *   enabled       `enabled` and `enabled_xstate` below        upcall run or message; the library OS picks a thread
 *   disabled      the CPU driver's own memory                 exactly where it was
 *   in a call     the call's few registers, likewise          the call returns
 *
 *   event         while enabled                               while disabled
 *   page fault    state as above, upcall page_fault           the domain is stopped (STOP_FAULT)
 *   exception     state as above, upcall trap                 the domain is stopped (STOP_FAULT)
 *   foreign call  upcall foreign_call, registers untouched    answered with Linux's -ENOSYS
 *   notification  bit in `pending`; upcall message when the   bit in `pending`
 *                 dispatcher runs next
 *   call          upcall door, if it has an entry             the caller waits in a queue, bit in `pending`
 *
 * An upcall sets `disabled`, and starts at upcall[number] with RSP = upcall_stack, RDI = address of this frame, RSI and RDX = the
 * arguments below, the direction flag clear, FS and GS base as they were. A foreign call instead keeps all registers but RSP (its old
 * value is in foreign_rsp), RCX (the address of this frame; the return address is in foreign_rip) and R11 (flags, in foreign_rflags).
 *
 * Before a library OS waits or goes on with a thread it looks at `pending`; the CPU driver sets bits there, the domain clears them
 * with one instruction (xchg, or lock and), both on the same core. A notification that comes inside the critical range, where the look has
 * been done already, is followed by another interrupt 20 us later.
 *
 * The door is open while upcall[UPCALL_DOOR] is not 0. Then a call enters a dispatcher that is enabled and does not run: with the registers
 * that reply_wait would return, but for RSP; the address of this frame is not among them.
 *
 * The domain may write all of the frame at any time, so the CPU driver reads a word once, then checks it, and trusts nothing here. */

#include <stdatomic.h>

#include "cpudriver/abi/types.h"

enum upcall {
	UPCALL_RUN,          /* RSI pending word */
	UPCALL_MESSAGE,      /* RSI pending word, not 0 */
	UPCALL_PAGE_FAULT,   /* RSI virtual address, RDX error code of the exception (Intel SDM vol. 3, 4.7) */
	UPCALL_TRAP,         /* RSI vector, RDX error code */
	UPCALL_FOREIGN_CALL, /* see above */
	UPCALL_REVOKE,       /* RSI base, RDX size: of what the system asks back */
	UPCALL_DOOR,         /* see above */
	UPCALLS
};

/* Bits of the pending word; the upper half belongs to Interrupt.bind. */
#define PENDING_DOORBELL (UINT64_C(1) << 0)
#define PENDING_TIMER    (UINT64_C(1) << 1)
#define PENDING_CALL     (UINT64_C(1) << 2) /* a caller stands in the queue of this dispatcher */
#define PENDING_STOPPED  (UINT64_C(1) << 3) /* monitors only: Kernel.next_stopped has something */
#define PENDING_SILENCE  (UINT64_C(1) << 4) /* monitors only: the core that this one watches (Kernel.watch) has been silent for too long */
#define PENDING_REPLY    (UINT64_C(1) << 5) /* a late reply has come */
#define PENDING_INTERRUPT(bit) (UINT64_C(1) << (32 + (bit)))

enum dispatcher_state {
	DISPATCHER_NEW,
	DISPATCHER_RUNNABLE,
	DISPATCHER_WAITING,        /* yield(YIELD_WAIT) */
	DISPATCHER_WAITING_CALL,   /* reply_wait */
	DISPATCHER_CALLING,        /* in a server's queue */
	DISPATCHER_WAITING_REPLY,  /* a server has its call */
	DISPATCHER_STOPPED
};

enum stop_reason {
	STOP_REQUESTED,
	STOP_FAULT,         /* page fault or exception while disabled */
	STOP_SHARED_FRAME,  /* an upcall entry or stack that no user address can be */
	STOP_ADDRESS_SPACE, /* its address space or capability space was revoked */
};

/* Registers of an interrupted thread. */
struct registers {
	uint64_t rax, rbx, rcx, rdx, rsi, rdi, rbp, rsp;
	uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
	uint64_t rip, rflags, fs_base, gs_base;
};
_Static_assert(sizeof(struct registers) == 160, "the assembly saves exactly this");

#define DISPATCHER_SHARED_OFFSET 0x2000 /* of the shared frame in the dispatcher object */
#define DISPATCHER_SHARED_BYTES  0x2000
#define XSTATE_BYTES             0x1000 /* x87, SSE, AVX, AVX-512, PKRU: 2,696 bytes (Intel SDM vol. 1, 13.4) */

/* A call that has been detached (calls.h). The domain gives the place free by putting `token` to 0, whether the reply has come or not: one
 * that comes afterwards finds nobody. */
struct late_reply {
	uint64_t token;    /* of the call, 0: free */
	uint64_t server;   /* the physical address of its dispatcher; 0: it has answered, or gone */
	uint32_t error;    /* OK or PEER_GONE */
	uint32_t reserved;
	uint64_t word[4];
	uint64_t reserved1;
};
_Static_assert(sizeof(struct late_reply) == LINE_BYTES, "");
#define LATE_REPLIES 8

struct dispatcher_shared {
	/* written by the domain */
	_Atomic uint32_t disabled;
	uint32_t reserved0;
	uint64_t critical_low, critical_high;
	uint64_t upcall[UPCALLS];
	uint64_t upcall_stack;
	uint64_t sent, received; /* messages through channels: for whoever wants to know (counters.h) */
	uint64_t reserved1[2];

	/* written by both, bit by bit */
	_Alignas(LINE_BYTES) _Atomic uint64_t pending;

	/* written by the CPU driver */
	uint64_t foreign_rip, foreign_rflags, foreign_rsp;
	uint32_t core;         /* core ID */
	uint32_t xstate_bytes; /* bytes of an XSAVE area with the features below */
	uint64_t xstate_mask;  /* XCR0 */
	uint64_t tsc_hz;       /* time-stamp counter ticks per second */
	uint64_t reserved2;
	_Alignas(LINE_BYTES) struct registers enabled;

	/* written by both, one after the other */
	_Alignas(LINE_BYTES) struct late_reply late[LATE_REPLIES];

	_Alignas(PAGE_BYTES) uint8_t enabled_xstate[XSTATE_BYTES];
};
_Static_assert(sizeof(struct dispatcher_shared) == DISPATCHER_SHARED_BYTES, "two pages");
_Static_assert(offsetof(struct dispatcher_shared, pending) == 128, "");
_Static_assert(offsetof(struct dispatcher_shared, enabled) == 192, "");
_Static_assert(offsetof(struct dispatcher_shared, late) == 384, "");
