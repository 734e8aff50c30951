// sources: libos/ipc/connection.c libos/ipc/wait.c libos/trace/trace.c channels/channel.c channels/park.c cpudriver/abi/errors.c
// flags: -fomit-frame-pointer -Wno-unused-parameter
// libs: -Wl,--wrap=channel_announce
/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* A thread that waits for a message while others run: it is woken, whenever the message comes. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <atoll/address_space.h>
#include <atoll/capability.h>
#include <atoll/domain.h>

#include "libos/address_space/address_space.h"
#include "libos/ipc/connection.h"
#include "libos/ipc/events.h"
#include "libos/ipc/gift.h"
#include "libos/ipc/serve.h"
#include "libos/ipc/server.h"
#include "libos/memory/memory.h"
#include "libos/upcall/dispatcher.h"
#include "tests/hosted/channel_pair.h"
#include "tests/hosted/dispatcher_page.h"
#include "tests/hosted/never.h"

static struct thread self;
static struct channel_pair pair;
static struct ipc_connection connection;

/* ---- What a wait stands on ---- */

struct thread *thread_current = &self, *serving_thread;
struct run_queue threads_ready = {.count = 1};
uint64_t pending_interest;
uint32_t polling_limit;

/* When the message comes. */
static enum moment { BEFORE, WHILE_ANNOUNCED, ASLEEP, IT_HAS_COME } moment;
static unsigned slept;

static void come(enum moment now)
{
	if (now != moment)
		return;
	assert_int_equal(pair_post(&pair.side[1], 1, 7), CHANNEL_OK);
	moment = IT_HAS_COME;
}

void events_poll(void)
{
	if (slept == 0 && channel_poll(&connection.channel).code == CHANNEL_EMPTY)
		come(BEFORE);
}

void __real_channel_announce(struct channel *ch);

void __wrap_channel_announce(struct channel *ch)
{
	__real_channel_announce(ch);
	come(WHILE_ANNOUNCED);
}

/* The monitor says nothing. */
void events_listen(void) {}

/* As the scheduler has it: who doesn't wait is not made ready. */
void thread_ready(struct thread *t)
{
	t->waiting = false;
}

bool thread_wait(uint64_t deadline)
{
	(void)deadline;
	slept++;
	self.waiting = true;
	come(ASLEEP);
	wait_rung();
	if (self.waiting)
		fail_msg("it sleeps for ever");
	return true;
}

NEVER(err_t, cap_delete, cap_t cap)
NEVER(err_t, cap_identify, cap_t cap, struct cap_identity *out)
NEVER(err_t, cap_move, cap_t from, cap_t to)
NEVER(err_t, cap_slot_alloc, cap_t *out)
NEVER(void, cap_slot_drop, cap_t cap)
NEVER(void, cap_slot_free, cap_t cap)
NEVER(void, events_handle, enum monitor_event event, void (*handler)(const uint64_t word[EVENT_WORDS]))
NEVER(err_t, frame_exchange, void *address, cap_t frame)
NEVER(err_t, frame_map, cap_t frame, uint64_t offset, uint64_t bytes, rights_t rights, void **out)
NEVER(err_t, frame_unmap, void *address)
NEVER(void, gifts_claim, struct ipc_connection *c)
NEVER(void, gifts_drop, struct ipc_connection *c)
NEVER(void, gifts_start, void)
NEVER(void, gifts_wake, struct ipc_connection *c)
NEVER(struct monitor_reply, monitor_request, enum monitor_request request, uint64_t tag, uint64_t word1, uint64_t word2, uint64_t word3)
NEVER(void, pending_handle_enabled, void)
NEVER(bool, queue_remove, struct queue *q, struct queue_entry *e)
NEVER(void, server_wake, void)
NEVER(void *, store_alloc, size_t bytes)
NEVER(void, store_free, void *at, size_t bytes)
NEVER(void, store_prepare, void)
NEVER(void, thread_sleep_until, uint64_t tsc)
NEVER(uint64_t, time_tsc, void)
NEVER(uint64_t, time_tsc_hz, void)
NEVER(void, late_close, struct late_owner *owner)
NEVER(void, thread_yield, void)

/* ---- Tests ---- */

static void wait_for_it(enum moment when)
{
	wait_remove(&connection.source); /* of a test that failed */
	pair_connect(&pair, 8);
	connection =
	    (struct ipc_connection){.channel = pair.side[0], .source = {.channel = &connection.channel, .waiter = &connection.waiter}};
	self = (struct thread){0};
	slept = 0;
	moment = when;
	wait_add(&connection.source);
	connection_wait(&connection);
	assert_int_equal(channel_poll(&connection.channel).code, CHANNEL_OK);
	assert_null(connection.waiter);
}

static void test_a_message_before_it_waits(void **state)
{
	(void)state;
	wait_for_it(BEFORE);
	assert_int_equal(slept, 0);
}

static void test_a_message_while_it_announces_that_it_will(void **state)
{
	(void)state;
	wait_for_it(WHILE_ANNOUNCED);
	assert_int_equal(slept, 0);
}

static void test_a_message_in_its_sleep(void **state)
{
	(void)state;
	wait_for_it(ASLEEP);
	assert_int_equal(slept, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_a_message_before_it_waits),
	    cmocka_unit_test(test_a_message_while_it_announces_that_it_will),
	    cmocka_unit_test(test_a_message_in_its_sleep),
	};

	return cmocka_run_group_tests(tests, map_dispatcher, NULL);
}
