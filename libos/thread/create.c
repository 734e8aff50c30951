/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Threads of programs. The C library sets them up, because printf, errno and the like need its thread-local storage; what it asks for in
 * turn (memory for the stack, clone) the Linux personality answers. */

#include <errno.h>
#include <pthread.h>

#include "libos/thread/thread.h"

struct beginning {
	void (*function)(void *);
	void *argument;
	struct thread *volatile thread; /* set by the new one: then the beginning may go */
};

static void *begin(void *argument)
{
	struct beginning *shared = argument;
	struct beginning own = {shared->function, shared->argument, NULL};

	thread_self()->kept = true;
	shared->thread = thread_self();
	own.function(own.argument);
	return NULL;
}

err_t thread_create(void (*function)(void *), void *argument, uint64_t stack_bytes, struct thread **out)
{
	struct beginning beginning = {function, argument, NULL};
	pthread_attr_t attributes;
	pthread_t id;
	int failed;

	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	failed = stack_bytes != 0 ? pthread_attr_setstacksize(&attributes, stack_bytes) : 0;
	if (failed)
		return ERR(ARGUMENT);
	failed = pthread_create(&id, &attributes, begin, &beginning);
	if (failed)
		return ERR(NO_MEMORY);
	while (beginning.thread == NULL)
		thread_yield();
	*out = beginning.thread;
	return OK;
}

void thread_exit(void)
{
	pthread_exit(NULL);
}
