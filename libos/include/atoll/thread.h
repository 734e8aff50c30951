/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* User-level threads of one dispatcher. They switch without the CPU driver; when none can run, the dispatcher waits. */

#include "cpudriver/abi/errors.h"

struct thread;

MUST_USE err_t thread_create(void (*function)(void *), void *argument, uint64_t stack_bytes, struct thread **out);
void thread_yield(void);
_Noreturn void thread_exit(void);
MUST_USE err_t thread_join(struct thread *thread);
struct thread *thread_self(void);

struct mutex {
	struct thread *owner, *waiters;
};
struct condition {
	struct thread *waiters;
};
void mutex_lock(struct mutex *m);
void mutex_unlock(struct mutex *m);
void condition_wait(struct condition *c, struct mutex *m);
void condition_signal(struct condition *c);
void condition_broadcast(struct condition *c);

/* Sleeps until `tsc` (time-stamp counter). */
void thread_sleep_until(uint64_t tsc);
