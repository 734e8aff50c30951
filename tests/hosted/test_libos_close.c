// sources: libos/ipc/connection.c libos/ipc/client.c libos/ipc/stream.c libos/ipc/gift.c libos/ipc/late.c libos/ipc/wait.c
// sources: libos/thread/queue.c libos/thread/policy_stealing.c libos/trace/trace.c
// sources: channels/channel.c channels/park.c cpudriver/abi/errors.c
// flags: -fomit-frame-pointer -Wno-unused-parameter
/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Several threads at one connection: all of them are woken, in whatever order they come and go, and one may close it while the others are
 * in the middle of something. Connections are the heap's here, so whoever uses one that has gone is found out. */

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
#include "libos/domain/start.h"
#include "libos/ipc/connection.h"
#include "libos/ipc/events.h"
#include "libos/ipc/gift.h"
#include "libos/ipc/serve.h"
#include "libos/ipc/server.h"
#include "libos/memory/agreement.h"
#include "libos/memory/memory.h"
#include "tests/hosted/connection_world.h"
#include "tests/hosted/dispatcher_page.h"
#include "tests/hosted/never.h"
#include "tests/hosted/thread_world.h"

#define LINES  8
#define NUMBER 5
#define LATER  1000

/* ---- What a connection stands on ---- */

static struct ipc_connection *connection;
static unsigned closings;

struct monitor_reply monitor_request(enum monitor_request request, uint64_t tag, uint64_t word1, uint64_t word2, uint64_t word3)
{
	assert_int_equal(request, REQUEST_close);
	assert_int_equal(word1, NUMBER);
	closings++;
	return (struct monitor_reply){.error = OK};
}

/* All that was given is known. */
bool events_fetch(void)
{
	return false;
}

NEVER(err_t, agreement_ask, const struct capability_request *r)
NEVER(err_t, cap_delete, cap_t cap)
NEVER(bool, cap_forget, cap_t cap)
NEVER(err_t, cap_identify, cap_t cap, struct cap_identity *out)
NEVER(void, cap_slot_free, cap_t cap)
NEVER(void, events_expect, struct event_wait *w)
NEVER(void, events_forget, struct event_wait *w)
NEVER(bool, events_wait, struct event_wait *w, uint64_t deadline)
NEVER(err_t, frame_exchange, void *address, cap_t frame)
NEVER(void, pending_handle_enabled, void)
NEVER(void, server_given, struct ipc_connection *c)
NEVER(void, server_wake, void)
NEVER(err_t, service_request, enum monitor_request request, uint64_t tag, const char *name, uint64_t interface, uint64_t word1)
NEVER(err_t, thread_move, unsigned member)
NEVER(unsigned, words_elsewhere, uint64_t address)

/* ---- The threads ---- */

/* What a thread's wait has come to. */
struct outcome {
	uint64_t deadline, label;
	err_t e;
	bool back;
};

static void end(struct outcome *o, err_t e)
{
	o->e = e;
	o->back = true;
}

static void receive(void *argument)
{
	struct outcome *o = argument;
	uint16_t label = 0;
	uint64_t data[IPC_STREAM_BYTES / sizeof(uint64_t)];
	size_t bytes;
	err_t e = ipc_receive(connection, &label, data, sizeof data, &bytes);

	o->label = label;
	end(o, e);
}

static void send_much(void *argument)
{
	err_t e = OK;

	for (unsigned i = 0; i < 2 * LINES && is_ok(e); i++)
		e = ipc_send(connection, 1, &i, sizeof i);
	end(argument, e);
}

static void call(void *argument)
{
	struct ipc_message m = {.label = 3};

	end(argument, ipc_call(connection, &m, &m));
}

static void take(void *argument)
{
	struct outcome *o = argument;
	cap_t cap;

	end(o, ipc_take(connection, 9, o->deadline, &cap));
}

static void wait_with_deadline(void *argument)
{
	struct outcome *o = argument;
	static const uint32_t constant = 0;

	(void)connection_wait_unless(connection, 0, &constant, 0, o->deadline);
	end(o, OK);
}

static void close_it(void *unused)
{
	ipc_close(connection);
}

/* For who is made last, after all others have come to wait. */
static void close_later(void *unused)
{
	thread_sleep_until(world_now + LATER);
	ipc_close(connection);
}

static void wake_takers(void *unused)
{
	gifts_wake(connection);
}

/* ---- Tests ---- */

static void open_connection(bool stream)
{
	const struct bound_event bound = {
	    .connection = NUMBER, .kind = CONNECTION_CHANNEL, .slot_send = 1, .slot_receive = 2, .slot_doorbell = 3, .ring_slots = LINES};

	pair_connect(&pair, LINES);
	assert_true(is_ok(connection_open(&bound, NULL, &connection)));
	connection->stream = stream;
	closings = 0;
}

static void assert_all_are_told(struct outcome *o, unsigned count)
{
	assert_true(world_run());
	for (unsigned i = 0; i < count; i++) {
		assert_true(o[i].back);
		assert_int_equal(o[i].e.number, ERR_NUMBER_PEER_GONE);
	}
	assert_int_equal(closings, 1);
	assert_int_equal(stored, 0);
}

static void test_nobody_else_uses_it(void **state)
{
	open_connection(true);
	world_begin(close_it, NULL);
	assert_all_are_told(NULL, 0);
}

static void test_closed_while_others_wait_for_messages_and_room(void **state)
{
	struct outcome o[4] = {{0}};

	open_connection(true);
	world_begin(receive, &o[0]);
	world_begin(send_much, &o[1]);
	world_begin(receive, &o[2]);
	world_begin(take, &o[3]);
	world_begin(close_later, NULL);
	assert_all_are_told(o, 4);
}

/* One looks, over and over, and has not come to sleep; so it is with all of them. */
static void test_closed_while_others_look(void **state)
{
	struct outcome o[2] = {{0}};

	polling_limit = IPC_POLL_ALWAYS;
	open_connection(true);
	world_begin(receive, &o[0]);
	world_begin(receive, &o[1]);
	world_begin(close_it, NULL);
	assert_all_are_told(o, 2);
	polling_limit = 0;
}

/* The second one waits for the first one's turn to be over. */
static void test_closed_while_others_call(void **state)
{
	struct outcome o[3] = {{0}};

	open_connection(false);
	for (unsigned i = 0; i < 3; i++)
		world_begin(call, &o[i]);
	world_begin(close_later, NULL);
	assert_all_are_told(o, 3);
}

/* A message that has come does not keep who takes it from learning that the connection is no more. */
static void test_closed_when_a_message_has_come(void **state)
{
	struct outcome o = {0};

	open_connection(true);
	world_begin(receive, &o);
	world_begin(close_later, NULL);
	(void)pair_post(&pair.side[1], 1, 7);
	assert_true(world_run());
	assert_true(is_ok(o.e)); /* before */
	assert_int_equal(o.label, 1);
	assert_int_equal(stored, 0);
}

/* Whose deadline has passed stands in the run queue, too, until its turn comes. */
static void test_a_deadline_leaves_the_others_in_the_list(void **state)
{
	struct outcome o[3] = {{0}};

	open_connection(true);
	o[0].deadline = o[1].deadline = world_now + LATER / 2;
	for (unsigned i = 0; i < 3; i++)
		world_begin(take, &o[i]);
	world_begin(close_later, NULL);
	assert_true(world_run());
	assert_int_equal(o[0].e.number, ERR_NUMBER_TIMEOUT);
	assert_int_equal(o[1].e.number, ERR_NUMBER_TIMEOUT);
	assert_int_equal(o[2].e.number, ERR_NUMBER_PEER_GONE);
	assert_int_equal(stored, 0);
}

/* The one in the middle of the list gives up, and at the same moment the others are woken. */
static void sleep_then_wake(void *argument)
{
	const struct outcome *o = argument;

	thread_sleep_until(o->deadline);
	wake_takers(NULL);
}

static void test_a_deadline_when_all_are_woken(void **state)
{
	struct outcome o[3] = {{0}};

	open_connection(true);
	o[1].deadline = world_now + LATER / 2;
	world_begin(take, &o[0]);
	world_begin(take, &o[1]);
	world_begin(take, &o[2]);
	world_begin(sleep_then_wake, &o[1]);
	world_begin(close_later, NULL);
	assert_true(world_run());
	assert_int_equal(o[1].e.number, ERR_NUMBER_TIMEOUT);
	assert_int_equal(o[0].e.number, ERR_NUMBER_PEER_GONE);
	assert_int_equal(o[2].e.number, ERR_NUMBER_PEER_GONE);
}

static void test_followers_with_deadlines(void **state)
{
	struct outcome o[4] = {{0}};

	open_connection(true);
	world_begin(receive, &o[0]);
	o[1].deadline = o[2].deadline = world_now + LATER / 2;
	o[3].deadline = THREAD_FOREVER;
	for (unsigned i = 1; i < 4; i++)
		world_begin(wait_with_deadline, &o[i]);
	world_begin(close_later, NULL);
	assert_true(world_run());
	for (unsigned i = 0; i < 4; i++)
		assert_true(o[i].back);
	assert_int_equal(o[0].e.number, ERR_NUMBER_PEER_GONE);
	assert_int_equal(stored, 0);
}

/* The first one was woken, but another thread has taken what came, and is the first one now. */
static void wake_and_wait(void *argument)
{
	bool inside;

	thread_sleep_until(world_now + LATER / 2);
	inside = dispatcher_enter();
	connection_wake(connection);
	dispatcher_leave(inside);
	connection_wait(connection);
	end(argument, OK);
}

static void test_who_was_woken_does_not_forget_the_next(void **state)
{
	struct outcome o[2] = {{0}};

	open_connection(true);
	world_begin(receive, &o[0]);
	world_begin(wake_and_wait, &o[1]);
	world_begin(close_later, NULL);
	assert_true(world_run());
	assert_true(o[0].back && o[1].back);
	assert_int_equal(stored, 0);
}

/* Two callers of higher priority wait for a third one's call to end. */
static void answer_calls(void *unused)
{
	struct channel_message m;

	for (unsigned answered = 0; answered < 3;) {
		if (channel_ok(channel_try_receive(&pair.side[1], &m))) {
			assert_true(channel_ok(channel_send(&pair.side[1], m.type, m.words, IPC_WORDS)));
			answered++;
		}
		thread_sleep_until(world_now + LATER);
	}
	ipc_close(connection);
}

static void begin_high(void *argument)
{
	struct outcome *o = argument;

	world_begin_with_priority(6, call, &o[1]);
	world_begin_with_priority(6, call, &o[2]);
	thread_sleep_until(world_now + 10);
}

static void look_at_sources(void)
{
	wait_poll();
}

static void test_a_call_of_low_priority_comes_to_its_end(void **state)
{
	struct outcome o[3] = {{0}};

	open_connection(false);
	world_idle = look_at_sources;
	world_begin_with_priority(7, answer_calls, NULL);
	world_begin_with_priority(2, call, &o[0]);
	world_begin_with_priority(1, begin_high, o);
	assert_true(world_run());
	for (unsigned i = 0; i < 3; i++)
		assert_true(o[i].back && is_ok(o[i].e));
	assert_int_equal(stored, 0);
	world_idle = NULL;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_nobody_else_uses_it),
	    cmocka_unit_test(test_closed_while_others_wait_for_messages_and_room),
	    cmocka_unit_test(test_closed_while_others_look),
	    cmocka_unit_test(test_closed_while_others_call),
	    cmocka_unit_test(test_closed_when_a_message_has_come),
	    cmocka_unit_test(test_a_deadline_leaves_the_others_in_the_list),
	    cmocka_unit_test(test_a_deadline_when_all_are_woken),
	    cmocka_unit_test(test_followers_with_deadlines),
	    cmocka_unit_test(test_who_was_woken_does_not_forget_the_next),
	    cmocka_unit_test(test_a_call_of_low_priority_comes_to_its_end),
	};

	return cmocka_run_group_tests(tests, map_dispatcher, NULL);
}
