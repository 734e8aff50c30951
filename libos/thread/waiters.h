/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Lists of threads that wait for the same thing, until a deadline if need be. A thread whose deadline has passed stands in the run queue
 * until its turn comes, and only then takes itself off the list: meanwhile it is in both, so these lists have an entry of their own. Inside
 * sections. */

#include "libos/thread/thread.h"

/* Waits in the list. False: the deadline has passed, and the thread is on the list no longer. */
static inline bool waiters_wait(struct queue *list, uint64_t deadline)
{
	struct queue_entry *entry = &thread_current->waits;

	queue_put(list, entry);
	if (thread_wait(deadline))
		return true;
	(void)queue_remove(list, entry);
	return false;
}

/* All who wait in it go on. */
static inline void waiters_wake(struct queue *list)
{
	struct queue_entry *e;

	while ((e = queue_take(list)) != NULL)
		thread_ready((struct thread *)((char *)e - offsetof(struct thread, waits)));
}
