/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* The one place where a dispatcher waits: all channels that some thread waits for, and the monitor's event channel. Inside sections.
 *
 * A source is a channel and the thread that wants to know. While nothing can run the scheduler looks at all sources that have a waiter
 * (wait_poll); before it gives the processor away it announces itself on all of them and looks again (wait_park; channels/park.c says
 * why that loses nothing). */

#include "channels/channel.h"
#include "libos/thread/thread.h"

struct wait_source {
	struct channel *channel;
	struct thread **waiter; /* *waiter is NULL: nobody waits */
	struct wait_source *next;
	bool parked;
};

void wait_add(struct wait_source *s);
void wait_remove(struct wait_source *s);

/* Makes the waiters of all sources that have something ready, and takes the monitor's events. Returns whether anybody waited for a source: if
 * nobody did, only the monitor or the clock can wake a thread, and the monitor needs this very processor for it. */
bool wait_poll(void);
/* False: something has come in meanwhile, and nothing is announced. */
bool wait_park(void);
void wait_unpark(void);
/* Counts whenever something may have come in, or what was parked no longer is. */
extern uint64_t wait_generation;

/* For a thread that looks in vain, the how-manieth time. Outside of sections. */
void wait_look_on(uint32_t looks);
