/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Threads inside the library OS.
 *
 * A thread that is not running is in one of two states. It was *interrupted*: all its registers lie in `frame` and `xstate`. Or it
 * *switched* by itself, inside a section (libos/upcall/dispatcher.h): what a function call keeps lies on its stack at `sp`.
 *
 * Each thread has a *service stack* on which its foreign calls run (libos/linux): the program's own stack may have a live red zone below
 * RSP, and pages that were never touched. A program has values in vector registers across a foreign call, so a thread that switches during
 * one has these saved too.
 *
 * Waiting: inside a section a thread puts itself on some list, then calls thread_wait; whoever takes it off the list calls
 * thread_ready. A thread that nobody can ever make ready again just waits; that is the program's own deadlock. */

#include <atoll/policy.h>
#include <atoll/thread.h>

#include "cpudriver/abi/dispatcher.h"
#include "libos/thread/futex.h"
#include "libos/thread/queue.h"
#include "libos/upcall/offsets.h"

#define THREAD_BYTES   (5 * PAGE_BYTES) /* with save area and service stack */
#define THREAD_FOREVER UINT64_MAX

struct thread {
	uint64_t service_top; /* first: the assembly knows */
	uint64_t sp;
	uint64_t fs_base, gs_base;
	bool interrupted; /* not running: see above */
	bool in_service;  /* in a foreign call */
	bool waiting;     /* in thread_wait, and nobody has made it ready yet */
	bool timed_out;
	bool ready; /* in the run queue */
	bool kept;  /* thread_create's: somebody joins it */
	bool ended; /* and nobody has joined it yet */
	bool spare; /* goes on with another function when it has been joined (create.c) */

	bool word_done; /* libos/span/words.c: the answer has come */
	uint8_t birth;  /* the member where it began: there it counts */
	uint8_t away;   /* moved, or on its way: the member where it is, and one; 0: it is here */
	bool lost;      /* with a core that died */
	uint16_t moves; /* from its beginning until it came here, or, if it is away, to where it was heard of last */
	uint8_t below;  /* functions of the program that the library OS has called, and that have not returned yet */
	bool creates;   /* in thread_create: the next clone makes the thread that somebody joins */
	err_t word_error;
	struct thread *created;
	uint64_t created_members;
	struct thread *origin; /* one that has moved here: what who waits for its end knows it by, at its birth's member */

	struct runnable run;      /* its entry is in the run queue, or in one list of waiters who have no deadline */
	struct sleeper sleeper;   /* while a deadline is set */
	struct queue_entry waits; /* in one list of waiters who may have a deadline: waiters.h */
	struct queue joiners;

	uint64_t fault_page; /* a page that it could not touch, */
	err_t fault_error;   /* and why not: libos/address_space/remote.c */

	struct thread *known_next;
	uint32_t number;        /* 0: the block is nobody's */
	uint64_t clear_on_exit; /* Linux: set_tid_address, 0: none */
	struct futex_waiter futex;

	struct registers frame;
	_Alignas(64) uint8_t xstate[XSTATE_BYTES];
	uint8_t service_stack[];
};
_Static_assert(offsetof(struct thread, service_top) == THREAD_SERVICE_TOP, "");
_Static_assert(sizeof(struct thread) + 3 * PAGE_BYTES <= THREAD_BYTES, "room for the service stack and DISABLED_STACK_BYTES");

extern struct thread *thread_current;
/* Every block that there is, also of threads that are gone: where a debugger begins (boot/gdb/threads.py). */
extern struct thread *threads_known;

static inline struct thread *thread_of(struct queue_entry *e)
{
	return e == NULL ? NULL : (struct thread *)((char *)e - offsetof(struct thread, run.entry));
}

static inline struct thread *thread_of_run(struct runnable *r)
{
	return (struct thread *)((char *)r - offsetof(struct thread, run));
}

/* The shared frame holds nobody's registers: the last thread to run has left by door_leave (libos/upcall/door_entry.h). */
extern bool threads_left;

/* Makes the calling context thread 0. */
void threads_start(void);
/* A new thread whose registers are in `frame`; it waits, and the caller completes it and calls thread_ready. NULL: no memory. */
struct thread *thread_new(const struct registers *frame);
/* The thread's registers are to be these, and it waits. Inside a section. */
void thread_set(struct thread *t, const struct registers *frame);
/* Where a spare thread begins again (create.c): function(argument), with nothing on its stack; NULL: it ends. */
_Noreturn void thread_again(void (*function)(void *), void *argument, uint64_t base);
/* Whoever joins it goes on. Inside a section. */
void thread_joiners_ready(struct thread *t);
/* It has ended and was joined: another function may run on it. Inside a section. */
void thread_put_spare(struct thread *t);
/* Ends the calling thread, which is on its service stack. Disabled. */
_Noreturn void thread_end(void);
/* Goes on with the next thread and never comes back. */
_Noreturn void thread_leave_for_next(void);
/* Where a new thread that runs library OS code only may begin: function(argument) on its service stack. */
MUST_USE err_t thread_start_service(void (*function)(void *), void *argument);

/* ---- Inside a section ---- */

/* Does nothing if the thread is not waiting (any more). */
void thread_ready(struct thread *t);
/* Lets others run until thread_ready is called for this one, or the deadline passes: then false, and the thread must take itself off
 * the list that it is on. */
bool thread_wait(uint64_t deadline);
extern struct run_queue threads_ready;
extern const struct policy *threads_policy;
/* There are other members of the span (now, or no longer), to which threads may go. */
void threads_among_others(bool others);
static inline bool thread_others_ready(void)
{
	return *(volatile unsigned *)&threads_ready.count != 0;
}
/* Nothing runs here but the loop that looks for something. */
extern bool threads_idle;
/* Threads that began here and have something to do or may have again. A new one counts before it is ready; false: it can't. When the last
 * one of all members has ended, so does the domain. thread_count is for threads, not inside sections. */
extern unsigned threads_alive;
bool thread_count(void);
void thread_uncount(struct thread *t);
bool thread_is_last(void);
/* It has moved to another member; what is left of it here goes, or stays for who joins it. */
void thread_gone(struct thread *t);
/* It never came to be. */
void thread_forget(struct thread *t);
/* One that began here, is joined here and has moved there; NULL: none. */
struct thread *thread_away_at(unsigned member);
/* What is left of one that began here, is joined here and has moved; NULL: it was joined, and its block may be another's. */
struct thread *thread_stub(uint64_t thread, uint32_t number);
/* Lets others run until it is ready again, here or at the member that it has been moved to. */
void thread_wait_to_move(void);
/* Numbers are the C library's thread identities: 30 bits, of which the upper ones say the member. */
#define THREAD_NUMBER_BITS 24
/* The current thread was interrupted (its state is in the shared frame): lets the next one have its turn, if there is one. */
void thread_interrupted(void);
/* The current thread was interrupted, unless it has left: that one, which waits, goes on instead. */
_Noreturn void thread_enter(struct thread *t);
/* The current thread was interrupted: it waits in that list, and others run. */
_Noreturn void thread_wait_interrupted(struct queue *list);
/* The deadline that has been passed makes threads ready. */
void threads_wake_sleepers(void);
/* Takes care that the CPU driver's timer is set to the first deadline. */
void threads_set_timer(void);
/* And for now, that it goes off then at the latest; threads_set_timer afterwards. */
void threads_set_timer_by(uint64_t deadline);
/* No deadline of a sleeper ends the next call to an endpoint; threads_set_timer afterwards. */
void threads_stop_timer(void);
void threads_timer_went_off(void);
/* If it went off at the end of the current thread's turn, the next one has its turn. */
void threads_end_turn(void);

/* The library OS calls a function of the program, which must return here: the thread does not move meanwhile. */
static inline void program_enter(void)
{
	thread_current->below++;
}
static inline void program_leave(void)
{
	thread_current->below--;
}

/* How many times to look for something before the dispatcher waits. */
extern uint32_t polling_limit;
