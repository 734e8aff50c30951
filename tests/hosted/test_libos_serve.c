// sources: libos/ipc/server.c libos/ipc/notice.c channels/channel.c channels/park.c libos/trace/trace.c cpudriver/abi/errors.c
// flags: -fomit-frame-pointer -Wno-unused-parameter
/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* The loop that serves, and interrupts: none is lost, whenever it comes. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <atoll/domain.h>

#include "libos/domain/start.h"
#include "libos/ipc/connection.h"
#include "libos/ipc/events.h"
#include "libos/ipc/gift.h"
#include "libos/ipc/serve.h"
#include "libos/ipc/server.h"
#include "libos/ipc/stream.h"
#include "libos/upcall/dispatcher.h"
#include "tests/hosted/dispatcher_page.h"
#include "tests/hosted/never.h"

#define SERIAL_LINE PENDING_INTERRUPT(0)

/* ---- What the loop stands on: no connection, and one thread ---- */

struct ipc_connection *connections[CONNECTION_LISTS];
uint64_t pending_interest, wait_generation;
uint32_t polling_limit, wait_goes_on = WAIT_GOES_ON_MOST;
struct run_queue threads_ready;
struct thread *thread_current;

static uint64_t wanted, handled;
static uint64_t now;

uint64_t time_tsc(void)
{
	return ++now;
}

void thread_yield(void)
{
	threads_ready.count = 0; /* the others have run */
}

/* Nobody wakes it but its deadline. */
bool thread_wait(uint64_t deadline)
{
	if (deadline == THREAD_FOREVER)
		fail_msg("the loop sleeps for ever");
	now = deadline;
	threads_ready.count = 0;
	return false;
}

void thread_ready(struct thread *t) {}

/* Threads that something else has woken at that moment. */
static bool others_come;

void events_poll(void)
{
	threads_ready.count += others_come;
}

/* Whoever rings is heard from now on; or something was there already. */
static unsigned listened;
static bool comes_before;

void wait_listen(void)
{
	listened++;
	if (comes_before)
		server_notified(SERIAL_LINE);
}

NEVER(void, pending_handle_enabled, void)
NEVER(void, connection_close, struct ipc_connection *c)
NEVER(void, connection_let_another, uint32_t looks)
NEVER(struct ipc_connection *, connection_find, uint32_t number)
NEVER(err_t, connection_open, const struct bound_event *bound, struct ipc_service *service, struct ipc_connection **out)
NEVER(void, events_handle, enum monitor_event event, void (*handler)(const uint64_t word[EVENT_WORDS]))
NEVER(bool, gifts_next, struct ipc_connection *c, struct gift *out)
NEVER(void, gifts_wake, struct ipc_connection *c)
NEVER(struct monitor_reply, monitor_request, enum monitor_request request, uint64_t tag, uint64_t word1, uint64_t word2, uint64_t word3)
NEVER(err_t, service_request, enum monitor_request request, uint64_t tag, const char *name, uint64_t interface, uint64_t word1)
NEVER(err_t, stream_take, struct ipc_connection *c, uint16_t *label, const void **data, size_t *bytes)
NEVER(void, stream_taken, struct ipc_connection *c)
NEVER(void, threads_set_timer, void)
NEVER(void, wait_let_others, void)
NEVER(void, wait_look_on, uint32_t looks)
NEVER(bool, wait_park, void)
NEVER(void, wait_unpark, void)

/* ---- A device ---- */

/* While its handler runs, and after that has looked at the device for the last time, the next interrupt comes. */
static bool handle_interrupts(void)
{
	const uint64_t arrived = server_take(DEVICE_NOTICES);

	if (!(arrived & SERIAL_LINE))
		return false;
	handled++;
	if (handled < wanted)
		server_notified(SERIAL_LINE);
	return true;
}

static int set_up(void **state)
{
	(void)state;
	serve_devices = handle_interrupts;
	server_notices = handled = now = 0;
	listened = threads_ready.count = 0;
	others_come = comes_before = false;
	return 0;
}

static void test_an_interrupt_while_the_last_one_is_handled(void **state)
{
	(void)state;
	wanted = 5;
	server_notified(SERIAL_LINE);
	for (unsigned k = 0; k < wanted; k++)
		ipc_serve_once(0);
	assert_int_equal(handled, wanted);
	assert_false(server_has_notices());
}

/* What nobody takes must not keep the loop awake. */
static void test_what_nobody_attached_to_goes(void **state)
{
	(void)state;
	serve_devices = NULL;
	server_notified(SERIAL_LINE | PENDING_SILENCE);
	ipc_serve_once(10);
	assert_false(server_has_notices());
	serve_devices = handle_interrupts;
	wanted = 1;
	server_notified(SERIAL_LINE << 1 | SERIAL_LINE | PENDING_SILENCE);
	ipc_serve_once(0);
	assert_false(server_has_notices());
	assert_int_equal(handled, 1);
}

/* Others run, for how long nobody knows, and none of them looks for clients' messages. */
static void test_it_is_to_be_heard_while_others_run(void **state)
{
	(void)state;
	ipc_serve_once(10);
	assert_int_equal(listened, 0);
	now = 0;
	others_come = true;
	ipc_serve_once(10);
	assert_int_not_equal(listened, 0);
}

/* Who does not wait yet can't be woken. */
static void test_what_comes_before_it_is_to_be_heard(void **state)
{
	(void)state;
	others_come = comes_before = true;
	wanted = 1;
	ipc_serve_once(0);
	assert_int_equal(handled, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(test_an_interrupt_while_the_last_one_is_handled, set_up),
	    cmocka_unit_test_setup(test_what_nobody_attached_to_goes, set_up),
	    cmocka_unit_test_setup(test_it_is_to_be_heard_while_others_run, set_up),
	    cmocka_unit_test_setup(test_what_comes_before_it_is_to_be_heard, set_up),
	};

	return cmocka_run_group_tests(tests, map_dispatcher, NULL);
}
