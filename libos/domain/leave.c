/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* The domain's part in its move to another core (monitor/move.h is the whole).
 *
 * Everything that a thread, the heap or the library OS knows lies in memory, which comes along at the same addresses, and in the slots of
 * the capability space, which come along too. So little is left to do: to leave at a moment when nothing is under way, and on arrival to
 * look where the memory lies now, and how the connections are called.
 *
 *   old core                                          new core
 *     event leave
 *     a thread of its own asks `leave`, until the       start_domain finds that the domain has moved: domain_arrive
 *     monitor agrees; it is the only one that runs,       where blocks, slabs and frames lie
 *     the others have been saved, and does not come       connections' numbers: events renumbered, then arrived
 *     back from that call: the thread's stack from          sources are looked at, the timer is set
 *     its top on is where the domain goes on            arrived: the thread ends, and others run
 *
 * The monitor says AGAIN while an answer of its own is under way, or one of a peer's. Calls to and from endpoints become messages in
 * channels first (event widened, libos/ipc/connection.c): nobody can call an endpoint from another core. Its patience bounds how long this
 * goes on. */

#include <atoll/address_space.h>
#include <atoll/domain.h>

#include "libos/address_space/address_space.h"
#include "libos/address_space/supply.h"
#include "libos/domain/start.h"
#include "libos/ipc/connection.h"
#include "libos/ipc/endpoint.h"
#include "libos/ipc/events.h"
#include "libos/ipc/late.h"
#include "libos/ipc/serve.h"
#include "libos/memory/memory.h"
#include "libos/span/span.h"
#include "libos/thread/thread.h"
#include "libos/upcall/dispatcher.h"

#define ATTEMPTS_A_SECOND 2000

static bool there; /* the last event of the arrival has come */

/* ---- Leaving ---- */

/* A call to or from an endpoint is under way. */
static bool is_called(void)
{
	return server_answers || server_owes != 0 || late_is_under_way();
}

static void ask_to_leave(void *argument)
{
	bool inside = dispatcher_enter();
	err_t e;

	(void)argument;
	do {
		events_poll();
		e = is_called() ? ERR(AGAIN) : monitor_request(REQUEST_leave, 0, events_next(), 0, 0).error;
		if (err_is(e, ERR_NUMBER_AGAIN))
			thread_wait(time_tsc() + time_tsc_hz() / ATTEMPTS_A_SECOND);
	} while (err_is(e, ERR_NUMBER_AGAIN));
	dispatcher_leave(inside);
}

static void leave(const uint64_t word[EVENT_WORDS])
{
	(void)word;
	/* Without memory for a thread it stays; the monitor does not wait for ever. */
	(void)!is_ok(service_begin(ask_to_leave, NULL, 0));
}

/* ---- Arriving ---- */

static void renumbered(const uint64_t word[EVENT_WORDS])
{
	connections_renumber((uint32_t)word[2], (uint32_t)word[3]);
}

static void arrived(const uint64_t word[EVENT_WORDS])
{
	(void)word;
	there = true;
}

void domain_arrive(void)
{
	memory_moved();
	supply_moved();
	frames_moved();
	there = false;
	connections_renumber_begin();
	events_start((void *)DOMAIN_EVENT_RING, (void *)DOMAIN_EVENT_RETURN);
	for (events_poll(); !there; events_poll())
		(void)!is_ok(endpoint_yield(CAP_NULL, YIELD_NOW));
	wait_rung();
	threads_wake_sleepers();
	threads_set_timer();
}

_Noreturn void domain_go_on(void)
{
	(void)dispatcher_enter();
	thread_end();
}

void leave_start(void)
{
	events_handle(EVENT_leave, leave);
	events_handle(EVENT_renumbered, renumbered);
	events_handle(EVENT_arrived, arrived);
	connections_start();
}

/* ---- Asking for a move ---- */

#define MOVE_ATTEMPTS 12 /* each after twice the time of the one before: two seconds in all */

err_t domain_move(uint32_t domain, unsigned core)
{
	uint64_t pause = time_tsc_hz() / ATTEMPTS_A_SECOND;
	struct event_wait w;
	err_t e = request_and_wait(REQUEST_move, domain, core, 0, &w);

	for (unsigned i = 0; i < MOVE_ATTEMPTS && err_is(e, ERR_NUMBER_AGAIN); i++, pause *= 2) {
		thread_sleep_until(time_tsc() + pause);
		e = request_and_wait(REQUEST_move, domain, core, 0, &w);
	}
	return e;
}
