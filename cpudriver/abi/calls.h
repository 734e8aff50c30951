/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* How user space calls the CPU driver.
 *
 * `syscall` with bit 63 of RAX set is a call; the low bits are its number. Any other RAX is a foreign call, which is reflected to
 * the dispatcher's own foreign_call upcall (dispatcher.h). Calls destroy RCX and R11 (the instruction does: Intel SDM vol. 2,
 * SYSCALL) and every register that returns something; calls that may let another dispatcher run (call, reply_wait, yield) keep
 * only RSP, the FS and GS bases and the flags: the stub says so to the compiler. They also put the x87/SSE state into its
 * initial configuration, so nothing of one domain's vector registers reaches another.
 *
 *   register   invoke            call            reply_wait               yield
 *   RAX        CALL_BIT | CALL_NUMBER_*
 *   RDI        cap | op << 16    endpoint cap    token of the caller      dispatcher cap or 0
 *   RSI        W0                word 0          word 0 (of the reply)    YIELD_*
 *   RDX        W1                word 1          word 1
 *   R10        W2                word 2          word 2
 *   R8         W3                word 3          word 3
 *   R9         W4                CALL_*          REPLY_*
 *   returns
 *   RAX        error             error           error                    error
 *   RDI                                          badge
 *   RSI        V0                word 0          word 0 (of the call)
 *   RDX        V1                word 1          word 1
 *   R10        V2                word 2          word 2
 *   R8                           word 3          word 3
 *   R9                                           token of the caller
 *
 * The CPU driver blocks a whole dispatcher in call, reply_wait and yield(YIELD_WAIT), never a thread: a library OS with other
 * threads to run uses the forms that don't block, and channels. A deadline set with Dispatcher.set_timer ends each of them; whoever sets
 * one for a call stays disabled from then on, or the timer's upcall may take PENDING_TIMER away before the call begins. */

#include "cpudriver/abi/capabilities.h"
#include "cpudriver/abi/errors.h"

#define CALL_BIT (UINT64_C(1) << 63)

enum call_number {
	CALL_NUMBER_INVOKE,
	CALL_NUMBER_CALL,
	CALL_NUMBER_REPLY_WAIT,
	CALL_NUMBER_YIELD,
	CALL_NUMBERS
};

/* call: returns OK with the reply, PEER_GONE, TIMEOUT (the deadline of this dispatcher passed before the reply), or why it could not
 * be made. A server that waits takes it at once; so does one that does not if its door is open (dispatcher.h): the call runs there in the rest
 * of the caller's turn. Any other gets PENDING_CALL, and the caller stands in its queue, first come, first served.
 *
 * A call that may be detached holds only the thread that makes it. As soon as its turn is over, the server waits for something else, or
 * there is something to tell the caller, it returns UNDER_WAY with a number in word 0: the reply comes into `late[number]` of the shared frame.
 * WOULD_BLOCK says that the server has not got it, and the words are as they were: something came while the caller stood in the queue, or it
 * would not stand there. */
enum {
	CALL_DETACH = 1,  /* may be detached, if one of `late` is free */
	CALL_AT_ONCE = 2, /* or not at all */
};
#define CALL_FLAGS (CALL_DETACH | CALL_AT_ONCE)

/* reply_wait: gives the caller named by the token its reply, then takes the next call. Returns OK with a call; NOTIFIED if there is none
 * but the pending word is not 0; else it waits (or returns WOULD_BLOCK). A token stays good until it is used or its owner ends,
 * so a server may answer in any order. NO_CALLER (a stale or false token) is returned at once, before any waiting. */
#define REPLY_NONE UINT64_C(0) /* token: reply to nobody */
enum {
	REPLY_BLOCK = 0,
	REPLY_POLL = 1, /* reply, take a call if there is one, don't wait */
	REPLY_ONLY = 2, /* reply, take nothing */
	REPLY_UNTIL_IDLE = 3, /* the monitor's: like BLOCK, but WOULD_BLOCK as soon as nobody else on this core wants to run */
	/* Reply, and have nothing to go on with: the caller runs on at once, and this dispatcher is entered by an upcall, through its door or
	 * when its turn comes. Returns if there is nobody to run on: OK if the reply came late, or NO_CALLER. */
	REPLY_LEAVE = 4,
	REPLY_ASK = 5, /* no reply: OK if somebody waits for it, or NO_CALLER */
};

/* yield: lets another dispatcher run: the one that is named (own Dispatcher capability, or one on this core with the right to
 * write), else the next. Returns OK when this one's turn comes again; with YIELD_WAIT not before its pending word is non-zero. */
enum {
	YIELD_NOW = 0,
	YIELD_WAIT = 1,
};

enum cap_operation {
#define INVOCATION(type, name, number, rights) OP_##type##_##name = number,
#include "cpudriver/abi/invocations.def"
#undef INVOCATION
};

/* Kernel.install: a further copy of what this core has, whoever owns it. */
#define OWNER_OF_COPIES UINT64_C(0xffff)

/* Kernel.sweep, delete: mappings in page tables that other cores use may go too; the caller has these cores flush theirs before it says that
 * the sweep is done. What is mapped there and lies neither in the object nor is the object itself, but in a container that dies, is in the
 * way still, for it could be used for something new at once: its mapping has ended then, and when the cores have flushed the caller
 * repeats the call. */
enum {
	SWEEP_PLAIN = 0,
	SWEEP_SHARED_TABLES = 1,
};

/* Kernel.find: where, if not in one object; and bits of its answer. Of FIND_ANY there is only the first. */
#define FIND_ANY UINT64_MAX
enum {
	FIND_FOUND = 1,
	FIND_COPIES = 2,  /* another capability to the object */
	FIND_COVERED = 4, /* the object lies in another one */
};

/* Kernel.fetch */
enum {
	FETCH_COPY = 0,
	FETCH_MOVE = 1,
};

/* Kernel.crash: the core stops without an exception, and without a word. */
enum { CRASH_SILENT = 256 };

/* Kernel.watch: what is known of the watched core. */
enum {
	WATCH_MET = 1,  /* it has beaten often enough since it is watched */
	WATCH_OVER = 2, /* it has said that it stops for good */
};

/* Interrupt.bind: how the source signals. */
enum {
	INTERRUPT_EDGE = 0,
	INTERRUPT_LEVEL = 1,
	INTERRUPT_ACTIVE_HIGH = 0,
	INTERRUPT_ACTIVE_LOW = 2,
};

struct call_result {
	err_t error;
	uint64_t value[3];
};

/* Invokes `op` of `cap` with five words. */
static inline struct call_result invoke(cap_t cap, unsigned op, uint64_t w0, uint64_t w1, uint64_t w2, uint64_t w3, uint64_t w4)
{
	uint64_t rax = CALL_BIT | CALL_NUMBER_INVOKE;
	uint64_t rdi = (uint64_t)cap.value | (uint64_t)op << 16;
	register uint64_t r10 __asm__("r10") = w2;
	register uint64_t r8 __asm__("r8") = w3;
	register uint64_t r9 __asm__("r9") = w4;

	__asm__ volatile("syscall"
	                 : "+a"(rax), "+D"(rdi), "+S"(w0), "+d"(w1), "+r"(r10), "+r"(r8), "+r"(r9)
	                 :
	                 : "rcx", "r11", "memory");
	return (struct call_result){{(uint32_t)rax}, {w0, w1, r10}};
}
