/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Threads of the library OS on the host, for tests of files that wait: each is a thread of the host's, and they hand on a baton, so that
 * one runs at a time and only until it waits or yields. Lists, policy and deadlines are the real ones (libos/thread/queue.c,
 * policy_stealing.c); the clock goes on when nobody can run. A test names those two files among its sources.
 *
 * Who would wait for ever does so: then world_run answers false, and the test says what that means. */

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "libos/thread/thread.h"
#include "libos/upcall/dispatcher.h"

#define WORLD_THREADS 8
#define WORLD_HZ      1000000

struct world_thread {
	struct thread *block;
	void (*function)(void *argument);
	void *argument;
	pthread_t host;
};

struct thread *thread_current; /* has the baton; NULL: the test */
struct run_queue threads_ready;
uint64_t pending_interest;

static struct world_thread world_thread[WORLD_THREADS];
static unsigned world_threads, world_alive;
static struct sleeper *world_sleeping;
static uint64_t world_now;
static void (*world_idle)(void); /* looks for what may make a thread ready, when none is */
static pthread_mutex_t world_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t world_handed_on = PTHREAD_COND_INITIALIZER;

/* ---- The baton ---- */

static void world_wait_for_baton(const struct thread *self)
{
	pthread_mutex_lock(&world_mutex);
	while (thread_current != self)
		pthread_cond_wait(&world_handed_on, &world_mutex);
	pthread_mutex_unlock(&world_mutex);
}

static void world_hand_on(struct thread *next)
{
	pthread_mutex_lock(&world_mutex);
	thread_current = next;
	pthread_cond_broadcast(&world_handed_on);
	pthread_mutex_unlock(&world_mutex);
}

static void world_switch_to(struct thread *next)
{
	const struct thread *self = thread_current;
	const uint32_t disabled = DISPATCHER->disabled;

	if (next == self)
		return;
	world_hand_on(next);
	world_wait_for_baton(self);
	DISPATCHER->disabled = disabled;
}

/* ---- The scheduler's functions ---- */

static void world_add(struct thread *t)
{
	t->ready = true;
	policy_stealing.add(&threads_ready, &t->run);
}

static void world_wake_sleepers(void)
{
	struct sleeper *s;

	while ((s = sleepers_take(&world_sleeping, world_now)) != NULL) {
		struct thread *t = (struct thread *)((char *)s - offsetof(struct thread, sleeper));

		t->waiting = false;
		t->timed_out = true;
		world_add(t);
	}
}

/* NULL: all wait for ever. */
static struct thread *world_next(void)
{
	struct thread *t;

	if (threads_ready.count == 0 && world_idle != NULL)
		world_idle();
	if (threads_ready.count == 0 && world_sleeping != NULL) {
		world_now = world_sleeping->deadline > world_now ? world_sleeping->deadline : world_now;
		world_wake_sleepers();
	}
	if (threads_ready.count == 0)
		return NULL;
	t = thread_of_run(policy_stealing.take(&threads_ready));
	t->ready = false;
	return t;
}

void thread_ready(struct thread *t)
{
	if (!t->waiting)
		return;
	t->waiting = false;
	sleepers_remove(&world_sleeping, &t->sleeper);
	world_add(t);
}

bool thread_wait(uint64_t deadline)
{
	struct thread *self = thread_current;

	self->waiting = true;
	self->timed_out = false;
	if (deadline != THREAD_FOREVER)
		sleepers_add(&world_sleeping, &self->sleeper, deadline);
	world_switch_to(world_next());
	return !self->timed_out;
}

void thread_yield(void)
{
	struct thread *self = thread_current, *next;

	world_now++;
	world_wake_sleepers();
	if (threads_ready.count == 0)
		return;
	next = world_next();
	world_add(self);
	world_switch_to(next);
}

void thread_sleep_until(uint64_t tsc)
{
	(void)thread_wait(tsc);
}

uint64_t time_tsc(void)
{
	return ++world_now;
}

uint64_t time_tsc_hz(void)
{
	return WORLD_HZ;
}

/* ---- For tests ---- */

static void *world_live(void *argument)
{
	const struct world_thread *w = argument;

	world_wait_for_baton(w->block);
	w->function(w->argument);
	world_alive--;
	world_hand_on(world_next());
	return NULL;
}

/* Threads run in this order, as long as none of them waits. */
static inline struct thread *world_begin_with_priority(unsigned priority, void (*function)(void *argument), void *argument)
{
	struct world_thread *w = &world_thread[world_threads++];

	if (w->block == NULL)
		w->block = aligned_alloc(64, sizeof *w->block);
	memset(w->block, 0, sizeof *w->block);
	w->block->run.priority = (uint8_t)priority;
	w->function = function;
	w->argument = argument;
	world_alive++;
	world_add(w->block);
	if (pthread_create(&w->host, NULL, world_live, w) != 0)
		abort();
	return w->block;
}

static inline struct thread *world_begin(void (*function)(void *argument), void *argument)
{
	return world_begin_with_priority(PRIORITY_DEFAULT, function, argument);
}

/* Until all have ended; false: some wait for ever. */
static bool world_run(void)
{
	struct thread *first = world_next();

	world_hand_on(first);
	world_wait_for_baton(NULL);
	for (unsigned i = 0; world_alive == 0 && i < world_threads; i++)
		pthread_join(world_thread[i].host, NULL);
	world_threads = 0;
	return world_alive == 0;
}
