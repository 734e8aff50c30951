/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Mutexes and conditions. A mutex that is given up while somebody waits is handed over, so nobody starves. They lie in the program's
 * memory, which is touched before the section begins. */

#include "libos/thread/thread.h"
#include "libos/upcall/dispatcher.h"

static void touch(void *memory)
{
	(void)*(volatile char *)memory;
}

/* Waiters are linked through their queue entries; the first one is kept. */
static void append(struct thread **first, struct thread *t)
{
	struct queue_entry **link;

	t->entry.next = NULL;
	if (*first == NULL) {
		*first = t;
		return;
	}
	for (link = &(*first)->entry.next; *link != NULL; link = &(*link)->next)
		;
	*link = &t->entry;
}

static struct thread *take(struct thread **first)
{
	struct thread *t = *first;

	if (t != NULL)
		*first = thread_of(t->entry.next);
	return t;
}

static void lock(struct mutex *m)
{
	if (m->owner == NULL) {
		m->owner = thread_current;
		return;
	}
	append(&m->waiters, thread_current);
	thread_wait(THREAD_FOREVER);
}

static void unlock(struct mutex *m)
{
	m->owner = take(&m->waiters);
	if (m->owner != NULL)
		thread_ready(m->owner);
}

void mutex_lock(struct mutex *m)
{
	bool inside;

	touch(m);
	inside = dispatcher_enter();
	lock(m);
	dispatcher_leave(inside);
}

void mutex_unlock(struct mutex *m)
{
	bool inside;

	touch(m);
	inside = dispatcher_enter();
	unlock(m);
	dispatcher_leave(inside);
}

void condition_wait(struct condition *c, struct mutex *m)
{
	bool inside;

	touch(c);
	touch(m);
	inside = dispatcher_enter();
	unlock(m);
	append(&c->waiters, thread_current);
	thread_wait(THREAD_FOREVER);
	lock(m);
	dispatcher_leave(inside);
}

void condition_signal(struct condition *c)
{
	bool inside;
	struct thread *t;

	touch(c);
	inside = dispatcher_enter();
	t = take(&c->waiters);
	if (t != NULL)
		thread_ready(t);
	dispatcher_leave(inside);
}

void condition_broadcast(struct condition *c)
{
	bool inside;
	struct thread *t;

	touch(c);
	inside = dispatcher_enter();
	while ((t = take(&c->waiters)) != NULL)
		thread_ready(t);
	dispatcher_leave(inside);
}
