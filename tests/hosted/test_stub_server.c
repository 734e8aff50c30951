// sources: libos/stubs/server.c libos/stubs/later.c libos/stubs/source.c libos/stubs/receive.c
// sources: channels/channel.c channels/park.c libos/trace/trace.c cpudriver/abi/errors.c
// flags: -fomit-frame-pointer -Wno-unused-parameter
/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* A service's sessions, put-off calls and streams when several threads work at once: what the thread that serves does in the middle of
 * another one's work is done here by the functions that this work calls. The sessions are the heap's, so whoever uses one that has gone is
 * found out. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "libos/address_space/address_space.h"
#include "libos/ipc/serve.h"
#include "libos/ipc/server.h"
#include "libos/memory/memory.h"
#include "libos/stubs/carry.h"
#include "libos/stubs/session.h"
#include "libos/upcall/guarded.h"
#include "tests/hosted/channel_pair.h"
#include "tests/hosted/dispatcher_page.h"
#include "tests/hosted/never.h"

#define IDENTITY 0x5eafu

/* ---- What the files stand on ---- */

uint64_t pending_interest, link_mask;
unsigned server_owes;

static struct ipc_server offered;
static unsigned sessions_there, withdrawn;

err_t ipc_offer_interface(const char *name, uint64_t interface, const struct ipc_server *server, struct ipc_service **out)
{
	offered = *server;
	*out = (struct ipc_service *)&offered;
	return OK;
}

err_t ipc_withdraw(struct ipc_service *service)
{
	withdrawn++;
	return OK;
}

void store_prepare(void) {}

void *store_alloc(size_t bytes)
{
	sessions_there++;
	return calloc(1, bytes);
}

void store_free(void *memory, size_t bytes)
{
	sessions_there--;
	free(memory);
}

bool ipc_is_local(const struct ipc_connection *c)
{
	return c->local;
}

void *ipc_get_data(const struct ipc_connection *c)
{
	return c->data;
}

void ipc_set_data(struct ipc_connection *c, void *data)
{
	c->data = data;
}

NEVER(void, ipc_close, struct ipc_connection *c)
NEVER(err_t, ipc_offer_door, unsigned count)
NEVER(uint32_t, ipc_peer_domain, const struct ipc_connection *c)
NEVER(unsigned, ipc_peer_core, const struct ipc_connection *c)
NEVER(struct ipc_connection *, server_caller, uint64_t badge)
NEVER(void, connection_let_another, uint32_t looks)
NEVER(void, pending_handle_enabled, void)
NEVER(err_t, frame_map, cap_t frame, uint64_t offset, uint64_t bytes, rights_t rights, void **address)
NEVER(err_t, frame_unmap, void *address)
NEVER(err_t, cap_identify, cap_t cap, struct cap_identity *out)
NEVER(bool, server_answer, struct ipc_connection *c, uint64_t token, struct endpoint_message *m)
NEVER(bool, guarded_copy, void *to, const void *from, size_t bytes)
NEVER(err_t, carry_take, struct ipc_connection *connection, struct stub_cap *cap, enum cap_type type)
NEVER(err_t, carry_give, struct ipc_connection *connection, uint32_t tag, struct stub_cap *cap, enum cap_type type, unsigned rights,
      bool move)
NEVER(err_t, carry_name, struct stub_bulk *bulk, unsigned number, const void *buffer, uint32_t buffer_bytes)
NEVER(err_t, carry_find, struct stub_bulk *bulk, void *buffer, uint32_t buffer_bytes)
NEVER(void, stub_drop, struct stub_cap *cap)

/* ---- A service with one stream ---- */

static struct channel_pair pair;
static struct ipc_connection lines;
static unsigned clients, items, ended;
static uint64_t has;                                  /* so many items wait to be sent */
static void (*meanwhile)(struct stub_source *source); /* what others do while an item is made, once */

static void opened(void *context, struct stub_session *s)
{
	clients++;
}

static void closed(void *context, struct stub_session *s)
{
	clients--;
}

static void stream_ended(void *context, struct stub_source *source)
{
	assert_non_null(source->data);
	source->data = NULL;
	ended++;
}

static err_t begin_stream(const void *service, struct stub_call *call, struct stub_source *source, uint64_t *out, uint32_t *count)
{
	source->data = &has;
	return OK;
}

static err_t next_item(const void *service, struct stub_call *call, struct stub_source *source, uint64_t *out, uint32_t *count)
{
	void (*others)(struct stub_source *) = meanwhile;
	const bool any = has != 0;

	items++;
	has -= any;
	out[0] = 0;
	meanwhile = NULL;
	if (others != NULL)
		others(source);
	assert_non_null(source->data);
	return any ? OK : ERR(WOULD_BLOCK);
}

static struct stub_method method = {.name = "items", .serve = begin_stream, .next = next_item};

static struct stub_session *session(void)
{
	return lines.data;
}

/* A client on another core, which has said something. */
static int set_up(void **state)
{
	static const struct stub_interface interface = {.name = "test", .id = 1, .identity = IDENTITY, .methods = 1, .method = &method};
	static const struct stub_events events = {.opened = opened, .closed = closed, .ended = stream_ended};

	(void)state;
	assert_true(is_ok(stub_offer("test", &interface, NULL, &events)));
	method.reply = stub_control(IDENTITY, STUB_REPLY, 0, 1);
	pair_connect(&pair, 16);
	lines = (struct ipc_connection){.channel = pair.side[0]};
	offered.opened(offered.context, &lines);
	session()->told = true;
	items = ended = 0;
	has = 0;
	meanwhile = NULL;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	assert_int_equal(sessions_there, 0);
	offered.over(offered.context);
	return 0;
}

static void client_goes(struct stub_source *source)
{
	(void)source;
	offered.closed(offered.context, &lines);
}

static struct stub_call call_of(uint16_t number)
{
	return (struct stub_call){.session = session(), .header = stub_control(IDENTITY, STUB_OPEN, number, 0), .token = REPLY_NONE};
}

/* The number and kind of the message that the client gets next; -1: there is none. */
static int64_t received(enum stub_kind *kind)
{
	struct channel_message m;

	pair.side[0] = lines.channel;
	if (!channel_ok(channel_try_receive(&pair.side[1], &m)))
		return -1;
	*kind = stub_kind_of(m.words[0]);
	return stub_number_of(m.words[0]);
}

/* ---- Sessions ---- */

static void test_an_endpoint_that_has_become_a_channel_is_closed(void **state)
{
	struct ipc_connection endpoint = {.local = true};

	(void)state;
	clients = 0;
	client_goes(NULL);
	clients = 0;
	offered.opened(offered.context, &endpoint);
	assert_int_equal(clients, 1);
	endpoint.local = false; /* as connection.c does when one of the two moves */
	offered.closed(offered.context, &endpoint);
	assert_int_equal(clients, 0);
	assert_null(((const struct stub_server *)offered.context)->sessions);
}

/* What the loop's cache knows of callers is one service's. */
static void test_only_one_thread_is_in_a_services_loop(void **state)
{
	(void)state;
	withdrawn = 0;
	assert_true(is_ok(stub_begin_loop("test")));
	assert_int_equal(withdrawn, 0);
	assert_true(err_is(stub_begin_loop("test"), ERR_NUMBER_EXISTS));
	assert_int_equal(withdrawn, 1);
	assert_true(err_is(stub_withdraw("test"), ERR_NUMBER_NOT_FOUND));
	client_goes(NULL);
	offered.over(offered.context);
	assert_true(err_is(stub_begin_loop("test"), ERR_NUMBER_EXISTS)); /* it goes on, for others */
}

/* ---- Calls that were put off ---- */

static void test_a_client_goes_while_its_call_is_answered(void **state)
{
	struct stub_call call = call_of(7), taken;
	uint64_t out[2] = {0};
	struct stub_later later;
	struct stub_cap cap = {.tag = 1};

	(void)state;
	assert_true(is_ok(stub_put_off(&call, &later)));
	assert_true(is_ok(stub_later_take(later, &taken)));
	client_goes(NULL);
	assert_true(err_is(stub_answer_cap(&taken, &cap, CAP_Frame, RIGHT_READ, false), ERR_NUMBER_PEER_GONE));
	assert_true(is_ok(stub_later_answer(&taken, method.reply, out, 1, OK)));
}

/* ---- Streams ---- */

/* Another thread has something for the stream, and says so. */
static void one_more(struct stub_source *source)
{
	has++;
	stub_source_ready(source);
}

static void test_an_item_that_comes_while_there_is_none(void **state)
{
	struct stub_call call = call_of(3);
	enum stub_kind kind;

	(void)state;
	meanwhile = one_more;
	source_open(&call, &method);
	assert_int_equal(items, 3); /* none; the one that came; none */
	assert_int_equal(received(&kind), 3);
	assert_int_equal(received(&kind), -1);
	client_goes(NULL);
	assert_int_equal(ended, 1);
}

/* The place is not the next stream's before the item is done with, and the item is not the next stream's. */
static void cancel_and_open(struct stub_source *source)
{
	struct stub_call next = call_of(9);

	assert_true(source_cancel(session(), 4));
	assert_int_equal(ended, 0);
	assert_non_null(source->data);
	source_open(&next, &method);
	assert_int_equal(items, 2);
}

static void test_a_stream_ends_while_an_item_is_made(void **state)
{
	struct stub_call call = call_of(4);
	enum stub_kind kind;

	(void)state;
	has = 1;
	meanwhile = cancel_and_open;
	source_open(&call, &method);
	assert_int_equal(ended, 1);
	assert_int_equal(received(&kind), -1);
	client_goes(NULL);
	assert_int_equal(ended, 2);
}

static void test_a_client_goes_while_an_item_is_made(void **state)
{
	struct stub_call call = call_of(4);

	(void)state;
	has = 1;
	meanwhile = client_goes;
	source_open(&call, &method);
	assert_int_equal(ended, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_an_endpoint_that_has_become_a_channel_is_closed, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_only_one_thread_is_in_a_services_loop, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_a_client_goes_while_its_call_is_answered, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_an_item_that_comes_while_there_is_none, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_a_stream_ends_while_an_item_is_made, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_a_client_goes_while_an_item_is_made, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, map_dispatcher, NULL);
}
