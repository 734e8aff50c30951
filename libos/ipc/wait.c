/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include "libos/ipc/wait.h"

#include "channels/wait.h"
#include "libos/ipc/events.h"
#include "libos/upcall/dispatcher.h"

#define LOOKS_FOR_ONESELF 1024 /* then all sources: nobody rings a bell of ours while we don't sleep, not even for a peer that ends */

uint64_t wait_generation;
uint32_t wait_goes_on;

static struct wait_source *sources;

void wait_add(struct wait_source *s)
{
	s->next = sources;
	sources = s;
}

void wait_remove(struct wait_source *s)
{
	for (struct wait_source **link = &sources; *link != NULL; link = &(*link)->next) {
		if (*link == s) {
			*link = s->next;
			return;
		}
	}
}

static void wake(struct wait_source *s)
{
	struct thread *t = *s->waiter;

	*s->waiter = NULL;
	thread_ready(t);
}

bool wait_poll(void)
{
	bool any = false;

	events_poll();
	for (struct wait_source *s = sources; s != NULL; s = s->next) {
		if (*s->waiter == NULL)
			continue;
		any = true;
		if (channel_poll(s->channel).code != CHANNEL_EMPTY)
			wake(s);
	}
	return any;
}

static bool anything_there(void)
{
	struct channel *events = events_channel();

	if (events != NULL && channel_poll(events).code == CHANNEL_OK)
		return true;
	for (struct wait_source *s = sources; s != NULL; s = s->next)
		if (s->parked && channel_poll(s->channel).code != CHANNEL_EMPTY)
			return true;
	return false;
}

bool wait_park(void)
{
	struct channel *events = events_channel();

	if (events != NULL)
		channel_announce(events);
	for (struct wait_source *s = sources; s != NULL; s = s->next) {
		s->parked = *s->waiter != NULL;
		if (s->parked)
			channel_announce(s->channel);
	}
	channel_fence();
	if (!anything_there())
		return true;
	wait_unpark();
	return false;
}

void wait_unpark(void)
{
	struct channel *events = events_channel();

	wait_generation++;
	if (events != NULL)
		channel_unpark(events);
	for (struct wait_source *s = sources; s != NULL; s = s->next) {
		if (s->parked)
			channel_unpark(s->channel);
		s->parked = false;
	}
}

static struct channel_wait polling;

void wait_look_on(uint32_t looks)
{
	bool inside;

	channel_wait(&polling);
	if (looks % LOOKS_FOR_ONESELF != LOOKS_FOR_ONESELF - 1)
		return;
	inside = dispatcher_enter();
	wait_poll();
	dispatcher_leave(inside);
}

void wait_let_others(void)
{
	bool inside = dispatcher_enter();

	wait_poll();
	dispatcher_leave(inside);
	if (thread_others_ready())
		thread_yield();
}
