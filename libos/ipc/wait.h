/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* The one place where a dispatcher waits: all channels that some thread waits for. Inside sections.
 *
 * A source is a channel and the thread that wants to know. While nothing can run the scheduler looks at all sources that have a waiter
 * (wait_poll); before it gives the processor away it announces itself on all of them and looks again (wait_park; channels/park.c says
 * why that loses nothing).
 *
 * A source with a handler is nobody's in particular: what comes is handled at once, whichever thread runs. While threads run the dispatcher
 * is announced on these, and on those that some other thread waits for, and is rung; only while it has nothing to run does it look by itself
 * (wait_begin_looking .. wait_end_looking). Each ring is followed by a new announcement, and that by a look. So a thread that only computes
 * keeps nobody from his messages, nor from the monitor's events, which are announced at all times (events.h).
 *
 * Something may be able to run for ever: a thread that looks for its own message and yields in between, one that always finds what it looks
 * for, several that compute. The others' sources, and the monitor's events, are looked at all the same: at one of so many yields, at one of
 * so many finds, and at the end of each turn that the timer ends. */

#include "channels/channel.h"
#include "libos/thread/thread.h"

struct wait_source {
	struct channel *channel;
	struct thread **waiter;                /* *waiter is NULL: nobody waits */
	void (*handle)(struct wait_source *s); /* not NULL: takes what has come; may not remove sources */
	struct wait_source *next;
	bool parked;
	bool given_up; /* its channel is broken, and the handler has seen it */
};

void wait_add(struct wait_source *s);
void wait_remove(struct wait_source *s);

/* Makes the waiters of all sources that have something ready, and takes the monitor's events. Returns whether anybody waited for a source:
 * if nobody did, only the monitor or the clock can wake a thread, and the monitor needs this very processor for it. */
bool wait_poll(void);
/* False: something has come in meanwhile, and nothing is announced. */
bool wait_park(void);
void wait_unpark(void);
/* So many threads wait for what a handler will bring soon: worth looking for before the dispatcher sleeps. */
extern unsigned wait_expected;
/* Nothing can run: messages for handlers are looked for from now on, and ring no more; and back. */
void wait_begin_looking(void);
void wait_end_looking(void);
/* A thread begins to wait while others run. */
void wait_listen(void);
/* The doorbell was rung. */
void wait_rung(void);
/* Counts whenever something may have come in, or what was parked no longer is. */
extern uint64_t wait_generation;

/* For a thread that looks in vain, the how-manieth time. Outside of sections. */
void wait_look_on(uint32_t looks);

/* A thread goes on without a sleep: true if it is time to look at what the others wait for. */
extern uint32_t wait_goes_on;
#define WAIT_GOES_ON_MOST 64
static inline bool wait_is_due(void)
{
	if (__builtin_expect(--wait_goes_on != 0, 1))
		return false;
	wait_goes_on = WAIT_GOES_ON_MOST;
	return true;
}

/* It has found what it looked for. Outside of sections. */
void wait_let_others(void);
static inline void wait_found(void)
{
	if (wait_is_due())
		wait_let_others();
}
