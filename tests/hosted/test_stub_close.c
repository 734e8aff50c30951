// sources: libos/stubs/client.c libos/stubs/calls.c libos/stubs/stream.c libos/ipc/connection.c libos/ipc/late.c libos/ipc/wait.c
// sources: libos/thread/queue.c libos/thread/policy_stealing.c libos/trace/trace.c
// sources: channels/channel.c channels/park.c cpudriver/abi/errors.c
// flags: -fomit-frame-pointer -Wno-unused-parameter
/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* A client of a service that is closed while other threads are in the middle of something with it: all of them learn it, and none uses the
 * connection any more, which is the heap's here. */

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
#include "libos/ipc/events.h"
#include "libos/ipc/gift.h"
#include "libos/ipc/serve.h"
#include "libos/ipc/server.h"
#include "libos/memory/memory.h"
#include "libos/stubs/client.h"
#include "tests/hosted/connection_world.h"
#include "tests/hosted/dispatcher_page.h"
#include "tests/hosted/never.h"
#include "tests/hosted/thread_world.h"

#define LINES  64
#define LATER  100000
#define CALL   (stub_control(7, STUB_CALL, 0, 0))
#define REPLY  (stub_control(7, STUB_REPLY, 0, 0))
#define CREDIT 4

/* ---- What a client stands on ---- */

static struct stub_client *client;

struct monitor_reply monitor_request(enum monitor_request request, uint64_t tag, uint64_t word1, uint64_t word2, uint64_t word3)
{
	assert_int_equal(request, REQUEST_close);
	return (struct monitor_reply){.error = OK};
}

void ipc_close(struct ipc_connection *c)
{
	connection_end(c);
}

cap_t ipc_endpoint(struct ipc_connection *c)
{
	return c->send;
}

void gifts_start(void) {}
void gifts_claim(struct ipc_connection *c) {}
void gifts_drop(struct ipc_connection *c) {}
void gifts_wake(struct ipc_connection *c) {}
void buffers_drop(struct stub_client *c) {}

/* ---- Who binds ---- */

static bool local;
static void (*meanwhile)(void); /* what others do while it binds, once */

static struct ipc_connection *open_connection(void)
{
	const struct bound_event channel = {.connection = 5,
	                                    .kind = CONNECTION_CHANNEL,
	                                    .slot_send = 1,
	                                    .slot_receive = 2,
	                                    .slot_doorbell = 3,
	                                    .ring_slots = LINES},
	                         endpoint = {.connection = 6, .kind = CONNECTION_ENDPOINT, .slot_send = 1};
	struct ipc_connection *c;

	assert_true(is_ok(connection_open(local ? &endpoint : &channel, NULL, &c)));
	return c;
}

err_t connection_bind(const char *name, uint64_t flags, enum greeting greeting, const struct ipc_binding *how, struct ipc_connection **out)
{
	local = local && flags != BIND_STREAM;
	*out = open_connection();
	if (meanwhile != NULL)
		meanwhile();
	meanwhile = NULL;
	return OK;
}

bool ipc_is_local(const struct ipc_connection *c)
{
	return c->local;
}

NEVER(err_t, cap_delete, cap_t cap)
NEVER(err_t, cap_identify, cap_t cap, struct cap_identity *out)
NEVER(void, cap_slot_free, cap_t cap)
NEVER(err_t, frame_exchange, void *address, cap_t frame)
NEVER(void, mutex_wait, struct mutex *mutex)
NEVER(void, mutex_wake, struct mutex *mutex)
NEVER(void, pending_handle_enabled, void)
NEVER(void, server_wake, void)
NEVER(err_t, thread_move, unsigned member)
NEVER(void, threads_set_timer, void)
NEVER(void, threads_set_timer_by, uint64_t deadline)
NEVER(unsigned, words_elsewhere, uint64_t address)

/* ---- The threads ---- */

struct outcome {
	bool back;
	err_t e;
};

static void end(void *argument, err_t e)
{
	*(struct outcome *)argument = (struct outcome){true, e};
}

static void call(void *argument)
{
	uint64_t words[2];

	end(argument, stub_call_line(client, CALL, REPLY, words, 0));
}

static void call_across(void *argument)
{
	struct endpoint_message m = {{CALL}};

	end(argument, stub_call_across(client, REPLY, &m, 0));
}

static void follow_stream(void *argument)
{
	struct stub_item item[CREDIT];
	uint64_t room[CREDIT];
	struct stub_stream s = {.credit = CREDIT, .item = item, .words = room, .item_words = 1};
	uint64_t words[2];
	const uint64_t *at;
	size_t count;
	err_t e = stub_stream_open(client, stub_control(7, STUB_OPEN, 0, 0), stub_control(7, STUB_STREAM_ITEM, 0, 1), words, &s, 0);

	if (is_ok(e))
		e = stub_stream_next(&s, &at, &count, 0);
	end(argument, e);
}

/* More than there is room for. */
static void send_items(void *argument)
{
	uint64_t words[2];
	err_t e = OK;

	for (unsigned i = 0; i < 2 * STUB_ANSWER_LINES && is_ok(e); i++)
		e = stub_send_item(client, stub_control(7, STUB_ITEM, 0, 0), words, 0);
	end(argument, e);
}

static void send_messages(void *argument)
{
	uint64_t words[2];
	err_t e = OK;

	for (unsigned i = 0; i < 2 * LINES && is_ok(e); i++)
		e = stub_send(client, stub_control(7, STUB_ONEWAY, 0, 0), words, 0);
	end(argument, e);
}

static void need_lines(void *argument)
{
	end(argument, client_need_lines(client));
}

static void close_it(void)
{
	stub_close(client);
}

static void close_later(void *unused)
{
	thread_sleep_until(world_now + LATER);
	close_it();
}

static void close_now(void *unused)
{
	close_it();
}

/* ---- Tests ---- */

static void open_client(bool on_this_core)
{
	local = on_this_core;
	pair_connect(&pair, LINES);
	client = malloc(sizeof *client);
	assert_true(is_ok(client_open("echo", 0, 7, 0, client)));
}

/* The client's memory is the program's, and stays until all have come back. */
static void assert_all_are_told(struct outcome *o, unsigned count)
{
	assert_true(world_run());
	for (unsigned i = 0; i < count; i++) {
		assert_true(o[i].back);
		assert_int_equal(o[i].e.number, ERR_NUMBER_PEER_GONE);
	}
	assert_int_equal(stored, 0);
	free(client);
}

static void test_nobody_else_uses_it(void **state)
{
	open_client(false);
	world_begin(close_now, NULL);
	assert_all_are_told(NULL, 0);
}

static void closed_while_all_wait(void (*closer)(void *))
{
	void (*const waiters[])(void *) = {call, call_across, follow_stream, send_items, send_messages, call};
	enum { WAITERS = sizeof waiters / sizeof waiters[0] };
	struct outcome o[WAITERS] = {{0}};

	open_client(false);
	for (unsigned i = 0; i < WAITERS; i++)
		world_begin(waiters[i], &o[i]);
	world_begin(closer, NULL);
	assert_all_are_told(o, WAITERS);
}

static void test_closed_while_others_sleep(void **state)
{
	polling_limit = 0;
	closed_while_all_wait(close_later);
}

/* None of them sleeps: each is in the middle of looking. */
static void test_closed_while_others_look(void **state)
{
	polling_limit = IPC_POLL_ALWAYS;
	closed_while_all_wait(close_now);
	polling_limit = 0;
}

/* Whoever comes too late learns the same. */
static void test_a_closed_client_answers(void **state)
{
	struct outcome o[4] = {{0}};

	open_client(false);
	world_begin(close_now, NULL);
	world_begin(call, &o[0]);
	world_begin(call_across, &o[1]);
	world_begin(follow_stream, &o[2]);
	world_begin(send_items, &o[3]);
	world_begin(close_now, NULL);
	assert_all_are_told(o, 4);
}

static void test_closed_while_it_gets_its_channel(void **state)
{
	struct outcome o = {0};

	open_client(true);
	meanwhile = close_it;
	world_begin(need_lines, &o);
	assert_all_are_told(&o, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_nobody_else_uses_it),
	    cmocka_unit_test(test_closed_while_others_sleep),
	    cmocka_unit_test(test_closed_while_others_look),
	    cmocka_unit_test(test_a_closed_client_answers),
	    cmocka_unit_test(test_closed_while_it_gets_its_channel),
	};

	return cmocka_run_group_tests(tests, map_dispatcher, NULL);
}
