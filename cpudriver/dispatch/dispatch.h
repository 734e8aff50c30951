/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Running dispatchers: what the rest of the CPU driver may ask for. */

#include "cpudriver/abi/counters.h"
#include "cpudriver/dispatch/dispatcher.h"
#include "cpudriver/entry/trap.h"

/* ---- run.c: the processor goes to somebody ---- */

/* Gives the processor to whoever's turn it is, or waits for an interrupt. core.current may be anything; it goes on only if it is in
 * core.schedule. */
NORETURN void dispatch(void);
/* Takes the next one out of core.schedule, NULL: nobody wants to run. */
struct dispatcher *next_dispatcher(void);
/* Gives the processor to one that was taken out of core.schedule. */
NORETURN void run(struct dispatcher *d);
/* Goes on in the running dispatcher with the result of its call, which save_call has saved. */
NORETURN void return_to_caller(struct dispatcher *d, err_t e);
/* Starts an upcall of the running dispatcher; its own state is saved already. */
NORETURN void upcall(struct dispatcher *d, enum upcall which, uint64_t a, uint64_t b);

/* The running dispatcher was interrupted. Returns whether it was enabled, so that an upcall may follow. */
bool save_interrupted(struct dispatcher *d, const struct trap_frame *f);
/* Whether an upcall may interrupt it at this instruction. */
bool is_enabled(struct dispatcher *d, uint64_t rip);

/* ---- wake.c: somebody wants the processor ---- */

void make_runnable(struct dispatcher *d);
/* Sets bits of its pending word, and ends its waiting if it waits for something to happen. */
void notify(struct dispatcher *d, uint64_t bits);

/* ---- time.c: turns and deadlines ---- */

uint64_t cycles_run(const struct dispatcher *d);
uint64_t counted_by(struct dispatcher *d, enum core_counter which); /* what it has contributed so far; 0: others count that */
void turn_begin(struct dispatcher *d);
void turn_share(void); /* somebody else wants to run: the running turn gets an end */
void set_deadline(struct dispatcher *d, uint64_t tsc);
void recheck_soon(void);
/* The timer's interrupt comes at that time at the latest. */
void want_timer(uint64_t tsc);
/* After the timer's interrupt. */
void timer_expired(void);
bool turn_is_over(void);

/* ---- doors.c ---- */

/* There is something to tell a dispatcher that calls: its call is detached, if it may be. False: it waits on. */
bool detach_call(struct dispatcher *caller);
/* The dispatcher ends the turn that it was lent: those whose calls it serves go on, as far as they may. */
void end_lending(struct dispatcher *server);

/* ---- calls.c ---- */

/* If the dispatcher calls somebody, it no longer does. */
void leave_call(struct dispatcher *caller);
/* What call returns to this dispatcher, which waits for it. It becomes runnable. */
void end_call(struct dispatcher *caller, err_t e);
/* The server has ended: all its callers get PEER_GONE. */
void end_callers(struct dispatcher *server);

/* ---- stop.c ---- */

/* Takes a dispatcher out of everything that it waits for. If it is running, the caller dispatches next. */
void stop(struct dispatcher *d, enum stop_reason reason);
/* The next one that the CPU driver has stopped, NULL: none. */
struct dispatcher *next_stopped(void);

/* ---- interrupts.c ---- */

MUST_USE err_t interrupt_bind(uint32_t interrupt, struct dispatcher *d, uint8_t bit, bool level, bool active_low, uint64_t *serial);
MUST_USE err_t interrupt_acknowledge(uint32_t interrupt);
MUST_USE err_t interrupt_unbind(uint32_t interrupt);
void interrupts_unbind_all(struct dispatcher *d);
void interrupt_arrived(unsigned vector);
MUST_USE err_t io_apic_add(uint64_t base, uint32_t first);
/* The page-table entry of an address in the devices' area. */
uint64_t *device_entry(uint64_t address);
