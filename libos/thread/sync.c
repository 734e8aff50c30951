/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* What mutexes and conditions do when somebody has to wait. */

#include "libos/thread/word.h"

void mutex_wait(struct mutex *m)
{
	while (atomic_exchange_explicit(&m->state, MUTEX_WANTED, memory_order_acquire) != MUTEX_FREE)
		(void)!is_ok(word_wait((uint64_t)&m->state, MUTEX_WANTED, THREAD_FOREVER, WORD_ANYBODY));
}

void mutex_wake(struct mutex *m)
{
	word_wake((uint64_t)&m->state, 1, WORD_ANYBODY);
}

/* A signal that comes after the unlock changes the word, and the wait does not begin. */
void condition_wait(struct condition *c, struct mutex *m)
{
	uint32_t signals = atomic_load_explicit(&c->signals, memory_order_relaxed);

	mutex_unlock(m);
	(void)!is_ok(word_wait((uint64_t)&c->signals, signals, THREAD_FOREVER, WORD_ANYBODY));
	mutex_lock(m);
}

void condition_signal(struct condition *c)
{
	atomic_fetch_add_explicit(&c->signals, 1, memory_order_relaxed);
	word_wake((uint64_t)&c->signals, 1, WORD_ANYBODY);
}

void condition_broadcast(struct condition *c)
{
	atomic_fetch_add_explicit(&c->signals, 1, memory_order_relaxed);
	word_wake((uint64_t)&c->signals, UINT64_MAX, WORD_ANYBODY);
}
