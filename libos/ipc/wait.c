/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include "libos/ipc/wait.h"

#include "channels/wait.h"
#include "libos/ipc/events.h"
#include "libos/upcall/dispatcher.h"

#define LOOKS_FOR_ONESELF 1024 /* then all sources: nobody rings a bell of ours while we don't sleep, not even for a peer that ends */

uint64_t wait_generation;
unsigned wait_expected;
uint32_t wait_goes_on = WAIT_GOES_ON_MOST;

static struct wait_source *sources, *handled;
static bool looking;

static struct wait_source **list_of(const struct wait_source *s)
{
	return s->handle != NULL ? &handled : &sources;
}

void wait_add(struct wait_source *s)
{
	s->next = *list_of(s);
	*list_of(s) = s;
}

void wait_remove(struct wait_source *s)
{
	for (struct wait_source **link = list_of(s); *link != NULL; link = &(*link)->next) {
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

static bool has_something(const struct wait_source *s)
{
	return channel_poll(s->channel).code != CHANNEL_EMPTY && !s->given_up;
}

static void handle_all(void)
{
	for (struct wait_source *s = handled; s != NULL; s = s->next) {
		if (!has_something(s))
			continue;
		s->given_up = channel_broken(s->channel);
		s->handle(s);
	}
}

bool wait_poll(void)
{
	bool any = wait_expected != 0;

	events_poll();
	handle_all();
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
	for (struct wait_source *s = sources; s != NULL; s = s->next)
		if (s->parked && channel_poll(s->channel).code != CHANNEL_EMPTY)
			return true;
	for (struct wait_source *s = handled; s != NULL; s = s->next)
		if (has_something(s))
			return true;
	return false;
}

/* ---- While threads run ---- */

static void announce_all(void)
{
	for (struct wait_source *s = sources; s != NULL; s = s->next) {
		s->parked = *s->waiter != NULL;
		if (s->parked)
			channel_announce(s->channel);
	}
	for (struct wait_source *s = handled; s != NULL; s = s->next)
		channel_announce(s->channel);
}

/* Nobody rings twice for one announcement, so each begins with taking the last one back. */
static void take_back(void)
{
	for (struct wait_source *s = sources; s != NULL; s = s->next) {
		if (s->parked)
			channel_unpark(s->channel);
		s->parked = false;
	}
	for (struct wait_source *s = handled; s != NULL; s = s->next)
		channel_unpark(s->channel);
}

static bool somebody_listens(void)
{
	if (handled != NULL)
		return true;
	for (struct wait_source *s = sources; s != NULL; s = s->next)
		if (*s->waiter != NULL)
			return true;
	return false;
}

/* Announces anew, until nothing has come in before that. */
void wait_listen(void)
{
	while (!looking && somebody_listens()) {
		take_back();
		announce_all();
		channel_fence();
		if (!anything_there())
			return;
		wait_poll();
	}
}

void wait_begin_looking(void)
{
	looking = true;
	take_back();
}

void wait_end_looking(void)
{
	looking = false;
	wait_listen();
}

void wait_rung(void)
{
	events_listen();
	wait_poll();
	wait_listen();
}

/* ---- Sleep ---- */

bool wait_park(void)
{
	take_back();
	announce_all();
	channel_fence();
	if (!anything_there())
		return true;
	wait_unpark();
	return false;
}

void wait_unpark(void)
{
	wait_generation++;
	take_back();
	wait_listen();
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
