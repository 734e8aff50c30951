/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include <string.h>

#include "libos/ipc/events.h"
#include "libos/trace/trace.h"
#include "libos/upcall/dispatcher.h"

static struct channel channel;
static bool started;
static struct event_wait *expected;
static uint64_t last_tag;
static void (*handlers[EVENTS])(const uint64_t *);

void events_start(void *receive, void *send)
{
	started = channel_ok(channel_init(&channel, receive, send, DOMAIN_EVENT_SLOTS, NULL, NULL));
	events_listen();
}

void events_listen(void)
{
	if (!started)
		return;
	channel_unpark(&channel);
	channel_announce(&channel);
	channel_fence();
}

uint32_t events_next(void)
{
	return channel.next_in;
}

/* Tags are not 0 and fit the request word (monitor/abi/requests.def: bits 16..47). */
void events_expect(struct event_wait *w)
{
	bool inside = dispatcher_enter();

	last_tag = last_tag % 0xffffffff + 1;
	*w = (struct event_wait){.tag = last_tag, .next = expected};
	expected = w;
	dispatcher_leave(inside);
}

void events_forget(struct event_wait *w)
{
	bool inside = dispatcher_enter();

	for (struct event_wait **link = &expected; *link != NULL; link = &(*link)->next) {
		if (*link == w) {
			*link = w->next;
			break;
		}
	}
	dispatcher_leave(inside);
}

bool events_wait(struct event_wait *w, uint64_t deadline)
{
	bool inside = dispatcher_enter(), done;

	w->waiter = thread_current;
	while (!w->done && thread_wait(deadline))
		;
	done = w->done;
	events_forget(w);
	dispatcher_leave(inside);
	return done;
}

void events_handle(enum monitor_event event, void (*handler)(const uint64_t word[EVENT_WORDS]))
{
	handlers[event] = handler;
}

static void deliver(const struct channel_message *message)
{
	uint64_t tag = message->words[0] & 0xffffffff;

	for (struct event_wait *w = expected; w != NULL && tag != 0; w = w->next) {
		if (w->tag != tag || w->done)
			continue;
		memcpy(w->word, message->words, sizeof w->word);
		w->done = true;
		if (w->waiter != NULL)
			thread_ready(w->waiter);
		return;
	}
	if (message->type < EVENTS && handlers[message->type] != NULL)
		handlers[message->type](message->words);
}

static bool take_events(void)
{
	struct channel_message message;
	bool any = false;

	for (; started && channel_ok(channel_try_receive(&channel, &message)); any = true) {
		if (trace_is_on())
			trace_received(&channel, trace_tidings_ring(domain_self()->domain), TRACE_TIDINGS, message.type);
		deliver(&message);
	}
	return any;
}

void events_poll(void)
{
	(void)take_events();
}

bool events_fetch(void)
{
	return is_ok(monitor_request(REQUEST_events, 0, 0, 0, 0).error) && take_events();
}
