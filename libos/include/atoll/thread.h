/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* User-level threads. They switch without the CPU driver; when none can run, the dispatcher waits. The C library's own, <threads.h> and
 * <pthread.h>, are the same threads; these here are cheaper to make. */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "cpudriver/abi/errors.h"

struct thread;
struct policy;

/* Runs function(argument) on a stack of `stack_bytes` (0: the usual size). Who creates a thread joins it. Errors: ARGUMENT, NO_MEMORY. */
MUST_USE err_t thread_create(void (*function)(void *), void *argument, uint64_t stack_bytes, struct thread **out);
/* Others that can run have their turn first. */
void thread_yield(void);
/* The rest of the caller's turn is that thread's. Errors: STATE (it can't run now), ARGUMENT. */
MUST_USE err_t thread_yield_to(struct thread *thread);
/* Ends the calling thread. */
_Noreturn void thread_exit(void);
/* Waits for the end of a thread that thread_create has made; then it must not be named again. Errors: ARGUMENT (it is joined already,
 * nobody may join it, or it is the caller), PEER_GONE (it is lost with the core where
 * it ran). */
MUST_USE err_t thread_join(struct thread *thread);
/* The calling thread. */
struct thread *thread_self(void);

/* What the policy goes by (<atoll/policy.h>): 0..PRIORITIES - 1, the higher first; SHARE_LEAST..SHARE_MOST. Errors: RANGE, ARGUMENT. */
MUST_USE err_t thread_set_priority(struct thread *thread, unsigned priority);
MUST_USE err_t thread_set_share(struct thread *thread, unsigned share);
/* Another policy for this member's threads, now and from now on; NULL: the default. */
void thread_set_policy(const struct policy *policy);

/* Where threads run, in a domain that spans several cores (<atoll/span.h>): `members` has a bit for each member of the span where the
 * thread may run, all at first but for the domain's first thread, which stays where it is. thread_create_among says so from the beginning.
 * A thread that uses capabilities or connections is pinned, since they belong to a member. thread_move takes the caller to a member where
 * it may run; its own handle is another one there. Errors: ARGUMENT, PEER_GONE (no such member), NO_MEMORY (of that member's), STATE (it
 * may not run there, or is called by the library OS; thread_set_members: it is at another member at the moment). */
MUST_USE err_t thread_create_among(uint64_t members, void (*function)(void *), void *argument, uint64_t stack_bytes, struct thread **out);
MUST_USE err_t thread_set_members(struct thread *thread, uint64_t members);
void thread_pin(void);
MUST_USE err_t thread_move(unsigned member);

/* Mutexes and conditions: words that threads wait on, as futexes do (Drepper, "Futexes are tricky", 2011). All zero is one that nobody has.
 * They may be shared by all threads of the domain; who is woken competes with who comes by. */
struct mutex {
	_Atomic uint32_t state; /* MUTEX_FREE ... */
};
struct condition {
	_Atomic uint32_t signals;
};
enum { MUTEX_FREE, MUTEX_TAKEN, MUTEX_WANTED };

/* The slow halves of lock and unlock. */
void mutex_wait(struct mutex *m);
void mutex_wake(struct mutex *m);

/* Takes the mutex; false: somebody has it. */
static inline bool mutex_try_lock(struct mutex *m)
{
	uint32_t free = MUTEX_FREE;

	return atomic_compare_exchange_strong_explicit(&m->state, &free, MUTEX_TAKEN, memory_order_acquire, memory_order_relaxed);
}
/* Takes the mutex, and waits for it if need be. Who has it must not lock it again. */
static inline void mutex_lock(struct mutex *m)
{
	if (__builtin_expect(!mutex_try_lock(m), 0))
		mutex_wait(m);
}
/* Gives it back, and wakes one who waits. */
static inline void mutex_unlock(struct mutex *m)
{
	if (__builtin_expect(atomic_exchange_explicit(&m->state, MUTEX_FREE, memory_order_release) == MUTEX_WANTED, 0))
		mutex_wake(m);
}

/* Waits for a signal without the mutex, which the caller has, and has again afterwards; it may also wake without a signal, so what was
 * waited for is to be looked at again. A signal wakes one who waits, a broadcast all. */
void condition_wait(struct condition *c, struct mutex *m);
void condition_signal(struct condition *c);
void condition_broadcast(struct condition *c);

/* Sleeps until `tsc` (time-stamp counter). */
void thread_sleep_until(uint64_t tsc);
