// sources: libos/ipc/connection.c channels/channel.c channels/park.c libos/trace/trace.c cpudriver/abi/errors.c
// flags: -fomit-frame-pointer -Wno-unused-parameter
/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* The monitor places what belongs to a connection in slots of the task CNode, of which there are few. Whatever goes wrong on the way from
 * there, and wherever, they are empty afterwards, and so are the domain's own. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

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
#include "tests/hosted/dispatcher_page.h"
#include "tests/hosted/never.h"

#define LINES 8

uint64_t pending_interest;
uint32_t polling_limit;
struct thread *thread_current, *serving_thread;
struct run_queue threads_ready;

/* ---- What a connection stands on ---- */

static unsigned fails_at, steps; /* the how-manieth step goes wrong; 0: none does */
static bool placed[CNODE_SLOTS]; /* in the task CNode */
static unsigned own_slots, maps, stored;
static _Alignas(LINE_BYTES) struct channel_slot rings[3][LINES];
static void (*handlers[EVENTS])(const uint64_t word[EVENT_WORDS]);
static bool refused;

static bool goes_wrong(void)
{
	return ++steps == fails_at;
}

err_t cap_slot_alloc(cap_t *out)
{
	*out = CAP(1, 1 + own_slots);
	if (goes_wrong())
		return ERR(NO_SLOT);
	own_slots++;
	return OK;
}

void cap_slot_free(cap_t slot)
{
	own_slots--;
}

void cap_slot_drop(cap_t slot)
{
	own_slots--;
}

err_t cap_move(cap_t from, cap_t to)
{
	assert_true(placed[from.value & 0xff]);
	if (goes_wrong())
		return ERR(NEEDS_AGREEMENT);
	placed[from.value & 0xff] = false;
	return OK;
}

err_t cap_delete(cap_t cap)
{
	bool was = placed[cap.value & 0xff];

	assert_int_equal(cap.value >> 8, ROOT_TASK);
	assert_int_not_equal(cap.value & 0xff, 0);
	placed[cap.value & 0xff] = false;
	return was ? OK : ERR(CAP_EMPTY);
}

err_t frame_map(cap_t frame, uint64_t offset, uint64_t bytes, rights_t rights, void **out)
{
	if (goes_wrong())
		return ERR(NO_MEMORY);
	*out = rings[maps++];
	return OK;
}

err_t frame_unmap(void *address)
{
	maps--;
	return OK;
}

void *store_alloc(size_t bytes)
{
	if (goes_wrong())
		return NULL;
	stored++;
	return calloc(1, bytes);
}

void store_free(void *at, size_t bytes)
{
	stored--;
	free(at);
}

void events_handle(enum monitor_event event, void (*handler)(const uint64_t word[EVENT_WORDS]))
{
	handlers[event] = handler;
}

struct monitor_reply monitor_request(enum monitor_request request, uint64_t tag, uint64_t word1, uint64_t word2, uint64_t word3)
{
	refused = request == REQUEST_widened && word2 != 0;
	return (struct monitor_reply){.error = OK};
}

void store_prepare(void) {}
void gifts_start(void) {}
void gifts_claim(struct ipc_connection *c) {}
void gifts_drop(struct ipc_connection *c) {}
void wait_add(struct wait_source *s) {}
void wait_remove(struct wait_source *s) {}

NEVER(err_t, cap_identify, cap_t cap, struct cap_identity *out)
NEVER(err_t, frame_exchange, void *address, cap_t frame)
NEVER(void, gifts_wake, struct ipc_connection *c)
NEVER(void, pending_handle_enabled, void)
NEVER(bool, queue_remove, struct queue *q, struct queue_entry *e)
NEVER(void, server_wake, void)
NEVER(void, late_close, struct late_owner *owner)
NEVER(void, thread_sleep_until, uint64_t tsc)
NEVER(uint64_t, time_tsc, void)
NEVER(uint64_t, time_tsc_hz, void)
NEVER(void, thread_yield, void)
NEVER(void, thread_ready, struct thread *t)
NEVER(bool, thread_wait, uint64_t deadline)
NEVER(void, events_poll, void)
NEVER(void, wait_listen, void)
NEVER(void, wait_look_on, uint32_t looks)

/* ---- The tests ---- */

static struct bound_event placed_for(enum connection_kind kind)
{
	struct bound_event b = {.connection = 5, .kind = (uint16_t)kind, .slot_send = 250};

	placed[250] = true;
	if (kind == CONNECTION_CHANNEL) {
		placed[251] = placed[252] = true;
		b.slot_receive = 251;
		b.slot_doorbell = 252;
		b.ring_slots = LINES;
	}
	return b;
}

static void assert_nothing_placed(void)
{
	for (unsigned i = 0; i < CNODE_SLOTS; i++)
		assert_false(placed[i]);
}

static void assert_nothing_left(void)
{
	assert_nothing_placed();
	assert_int_equal(own_slots + maps + stored, 0);
}

/* False: the connection could be opened; it is closed again. */
static bool open_fails(enum connection_kind kind)
{
	const struct bound_event bound = placed_for(kind);
	struct ipc_connection *c;
	bool failed = is_err(connection_open(&bound, NULL, &c));

	if (!failed)
		connection_close(c);
	assert_nothing_left();
	return failed;
}

static void try_all(enum connection_kind kind, unsigned expected)
{
	unsigned wrong = 0;

	for (fails_at = 1, steps = 0; open_fails(kind); fails_at++, steps = 0)
		wrong++;
	assert_int_equal(wrong, expected);
}

static void test_an_endpoint(void **state)
{
	(void)state;
	try_all(CONNECTION_ENDPOINT, 3);
}

static void test_a_channel(void **state)
{
	(void)state;
	try_all(CONNECTION_CHANNEL, 9);
}

/* An endpoint that is to become a channel: what goes wrong is told, and the connection is what it was. */
static void test_an_endpoint_that_becomes_a_channel(void **state)
{
	const struct bound_event endpoint = placed_for(CONNECTION_ENDPOINT);
	uint64_t words[EVENT_WORDS] = {0};
	struct ipc_connection *c;
	unsigned wrong = 0;

	(void)state;
	connections_start();
	fails_at = steps = 0;
	assert_true(is_ok(connection_open(&endpoint, NULL, &c)));
	for (refused = true, fails_at = 1; refused; fails_at++) {
		const struct bound_event bound = placed_for(CONNECTION_CHANNEL);

		assert_true(c->local);
		memcpy(words, &bound, sizeof bound);
		steps = 0;
		handlers[EVENT_widened](words);
		wrong += refused;
		assert_nothing_placed();
	}
	assert_int_equal(wrong, 8);
	assert_false(c->local);
	connection_close(c);
	assert_nothing_left();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_an_endpoint),
	    cmocka_unit_test(test_a_channel),
	    cmocka_unit_test(test_an_endpoint_that_becomes_a_channel),
	};

	return cmocka_run_group_tests(tests, map_dispatcher, NULL);
}
