/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* What the monitor tells this domain (monitor/abi/events.def): completions of requests go to the thread that waits for their tag, the rest
 * to a handler for its kind. */

#include <atoll/domain.h>

#include "channels/channel.h"
#include "libos/thread/thread.h"

#define EVENT_WORDS CHANNEL_WORDS

/* Never called in a monitor: nobody tells it anything this way. */
void events_start(void *receive, void *send);
/* The monitor rings for what comes from now on. It always does: on one core the two never run at once, so there is no time in which this
 * domain could look instead, and a thread that only computes would keep the others from what they wait for. */
void events_listen(void);
void events_poll(void);
/* The line of the ring in which the next one will be, as the monitor counts them. */
uint32_t events_next(void);
/* The monitor keeps what the full ring can't take, and is asked for it here. False: there is nothing of which this domain has not heard. */
bool events_fetch(void);

struct event_wait {
	uint64_t tag;
	uint64_t word[EVENT_WORDS];
	bool done;
	struct thread *waiter;
	struct event_wait *next;
};

/* A request whose completion the caller waits for: expect before the request, then wait, or forget if the request failed. */
void events_expect(struct event_wait *w);
void events_forget(struct event_wait *w);
/* False: the deadline passed, and the completion will be dropped. */
bool events_wait(struct event_wait *w, uint64_t deadline);

/* Called, inside a section, with each event of that kind that completes no request. */
void events_handle(enum monitor_event event, void (*handler)(const uint64_t word[EVENT_WORDS]));
