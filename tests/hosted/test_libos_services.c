// sources: libos/ipc/server.c libos/ipc/notice.c channels/channel.c channels/park.c libos/trace/trace.c cpudriver/abi/errors.c
// flags: -fomit-frame-pointer -Wno-unused-parameter
/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Several services of one domain: which one a client comes to, how many there may be, and when one is over. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

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
#include "tests/hosted/never.h"

/* ---- The monitor, and connections that are only listed ---- */

struct ipc_connection *connections[CONNECTION_LISTS];
uint64_t pending_interest, wait_generation;
uint32_t polling_limit, wait_goes_on = WAIT_GOES_ON_MOST;
struct run_queue threads_ready;
struct thread *thread_current;

static void (*accept_client)(const uint64_t word[EVENT_WORDS]);
static uint32_t last_number; /* of the service that was offered last */
static err_t offer_answer;
static uint32_t closed;
static unsigned overs;
static void *last_over;

void events_handle(enum monitor_event event, void (*handler)(const uint64_t word[EVENT_WORDS]))
{
	assert_int_equal(event, EVENT_accepted);
	accept_client = handler;
}

err_t service_request(enum monitor_request request, uint64_t tag, const char *name, uint64_t interface, uint64_t word1)
{
	if (request == REQUEST_withdraw)
		return OK;
	assert_int_equal(request, REQUEST_offer);
	assert_int_not_equal(word1, 0);
	last_number = (uint32_t)word1;
	return offer_answer;
}

/* A connection is turned away. */
struct monitor_reply monitor_request(enum monitor_request request, uint64_t tag, uint64_t word1, uint64_t word2, uint64_t word3)
{
	assert_int_equal(request, REQUEST_close);
	closed = (uint32_t)word1;
	return (struct monitor_reply){OK, {0}};
}

err_t connection_open(const struct bound_event *bound, struct ipc_service *service, struct ipc_connection **out)
{
	struct ipc_connection *c = calloc(1, sizeof *c);

	assert_non_null(c);
	c->number = bound->connection;
	c->local = true;
	c->service = service;
	c->next = connections[SERVED];
	connections[SERVED] = c;
	*out = c;
	return OK;
}

void connection_close(struct ipc_connection *c)
{
	struct ipc_connection **link = &connections[SERVED];

	while (*link != c)
		link = &(*link)->next;
	*link = c->next;
	free(c);
}

uint64_t time_tsc(void)
{
	return 0;
}

void thread_ready(struct thread *t) {}
void events_poll(void) {}

NEVER(bool, thread_wait, uint64_t deadline)
NEVER(void, pending_handle_enabled, void)
NEVER(struct ipc_connection *, connection_find, uint32_t number)
NEVER(void, connection_let_another, uint32_t looks)
NEVER(bool, gifts_next, struct ipc_connection *c, struct gift *out)
NEVER(void, gifts_wake, struct ipc_connection *c)
NEVER(err_t, stream_take, struct ipc_connection *c, uint16_t *label, const void **data, size_t *bytes)
NEVER(void, stream_taken, struct ipc_connection *c)
NEVER(void, thread_yield, void)
NEVER(void, threads_set_timer, void)
NEVER(void, wait_let_others, void)
NEVER(void, wait_listen, void)
NEVER(void, wait_look_on, uint32_t looks)
NEVER(bool, wait_park, void)
NEVER(void, wait_unpark, void)

/* ---- Services ---- */

static void over(void *context)
{
	overs++;
	last_over = context;
}

static struct ipc_service *offer(const char *name, void *context)
{
	const struct ipc_server server = {.over = over, .context = context};
	struct ipc_service *s;

	assert_true(is_ok(ipc_offer(name, &server, &s)));
	return s;
}

/* Somebody comes; NULL: he is turned away. */
static struct ipc_connection *client_of(uint32_t service)
{
	static uint32_t number;
	const struct bound_event bound = {.connection = ++number, .over_tag = service};
	uint64_t word[EVENT_WORDS] = {0};

	memcpy(word, &bound, sizeof bound);
	accept_client(word);
	if (closed == number)
		return NULL;
	assert_int_equal(connections[SERVED]->number, number);
	return connections[SERVED];
}

static void client_goes(struct ipc_connection *c)
{
	c->closed = true;
	ipc_serve_once(0);
}

static int set_up(void **state)
{
	(void)state;
	offer_answer = OK;
	overs = 0;
	last_over = NULL;
	return 0;
}

static void test_a_client_comes_to_the_service_that_it_has_asked_for(void **state)
{
	int one, two;
	struct ipc_service *s = offer("one", &one);
	uint32_t first = last_number;
	struct ipc_service *t = offer("two", &two);
	uint32_t second = last_number;
	struct ipc_connection *c = client_of(second), *d = client_of(first);

	(void)state;
	assert_int_not_equal(first, second);
	assert_ptr_equal(c->service, t);
	assert_ptr_equal(d->service, s);
	assert_null(client_of(0));
	assert_null(client_of(second + 1));
	assert_true(is_ok(ipc_withdraw(t)));
	assert_true(err_is(ipc_withdraw(t), ERR_NUMBER_NOT_FOUND));
	assert_int_equal(overs, 0);
	client_goes(d);
	assert_int_equal(overs, 0); /* the other one's */
	client_goes(c);
	assert_int_equal(overs, 1);
	assert_ptr_equal(last_over, &two);
	assert_true(is_ok(ipc_withdraw(s)));
	assert_int_equal(overs, 2);
	assert_ptr_equal(last_over, &one);
}

/* What was offered at the same place before is another service. */
static void test_who_comes_too_late_is_turned_away(void **state)
{
	struct ipc_service *s = offer("one", NULL);
	uint32_t first = last_number;
	struct ipc_connection *c;

	(void)state;
	assert_true(is_ok(ipc_withdraw(s)));
	assert_null(client_of(first));
	s = offer("two", NULL);
	assert_null(client_of(first));
	c = client_of(last_number);
	assert_non_null(c);
	assert_true(is_ok(ipc_withdraw(s)));
	client_goes(c);
	assert_int_equal(overs, 2);
}

static void test_as_many_as_there_is_room_for(void **state)
{
	const struct ipc_server server = {.over = over};
	struct ipc_service *s[IPC_SERVICES_MOST], *more;
	struct ipc_connection *c;
	char name[4];

	(void)state;
	for (unsigned i = 0; i < IPC_SERVICES_MOST; i++) {
		snprintf(name, sizeof name, "n%u", i);
		s[i] = offer(name, NULL);
	}
	assert_true(err_is(ipc_offer("more", &server, &more), ERR_NUMBER_LIMIT));
	assert_null(more);
	c = client_of(last_number);
	assert_true(is_ok(ipc_withdraw(s[IPC_SERVICES_MOST - 1])));
	assert_true(err_is(ipc_offer("more", &server, &more), ERR_NUMBER_LIMIT));
	client_goes(c);
	s[IPC_SERVICES_MOST - 1] = offer("more", NULL);
	for (unsigned i = 0; i < IPC_SERVICES_MOST; i++)
		assert_true(is_ok(ipc_withdraw(s[i])));
	assert_int_equal(overs, IPC_SERVICES_MOST + 1);
}

/* It never began, so it is not over; and its place is free. */
static void test_an_offer_that_is_refused(void **state)
{
	const struct ipc_server server = {.over = over};
	struct ipc_service *s;

	(void)state;
	offer_answer = ERR(EXISTS);
	for (unsigned i = 0; i < 2 * IPC_SERVICES_MOST; i++)
		assert_true(err_is(ipc_offer("taken", &server, &s), ERR_NUMBER_EXISTS));
	assert_null(s);
	assert_int_equal(overs, 0);
	assert_true(err_is(ipc_offer("a-name-that-has-24-bytes", &server, &s), ERR_NUMBER_ARGUMENT));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(test_a_client_comes_to_the_service_that_it_has_asked_for, set_up),
	    cmocka_unit_test_setup(test_who_comes_too_late_is_turned_away, set_up),
	    cmocka_unit_test_setup(test_as_many_as_there_is_room_for, set_up),
	    cmocka_unit_test_setup(test_an_offer_that_is_refused, set_up),
	};
	void *at = mmap(DISPATCHER, PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	if (at != DISPATCHER)
		return EXIT_FAILURE;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
