// sources: libos/trace/trace.c channels/channel.c channels/park.c
/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* The ring of a dispatcher: what is written, what a full ring keeps, and that nothing is torn when somebody writes in the middle of
 * another's event, as an upcall does. A signal's handler is the upcall here. */

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include <cmocka.h>

#include "channels/channel.h"
#include "libos/trace/trace.h"
#include "tests/hosted/dispatcher_page.h"

enum { EVENTS = 256, LINES = 8, RING = 0x123000 };

static _Alignas(PAGE_BYTES) uint8_t own[PAGE_BYTES + EVENTS * sizeof(struct trace_event)];
static struct trace_ring *const ring = (struct trace_ring *)own;

static const struct trace_event *event_at(uint64_t slot)
{
	return &ring->event[slot % EVENTS];
}

static int begin(void **state)
{
	(void)state;
	memset(own, 0, sizeof(own));
	trace_ring_begin(ring, sizeof(own));
	trace_use(ring);
	return 0;
}

static void without_a_ring_nothing_is_written(void **state)
{
	(void)state;
	trace_use(NULL);
	trace_mark("a mark", 1);
	trace_count("a count", 2);
	assert_false(trace_is_on());
	assert_int_equal(ring->head, 0);
	assert_int_equal(event_at(0)->number, 0);
}

static void words_are_at_their_places(void **state)
{
	uint64_t before = __builtin_ia32_rdtsc();

	(void)state;
	trace_write(trace_word(TRACE_request, 0x1234, 0x56789abc), 0xc, 0xd);
	assert_int_equal(ring->head, 1);
	assert_int_equal(event_at(0)->number, TRACE_request);
	assert_int_equal(event_at(0)->a, 0x1234);
	assert_int_equal(event_at(0)->b, 0x56789abc);
	assert_int_equal(event_at(0)->c, 0xc);
	assert_int_equal(event_at(0)->d, 0xd);
	assert_true(event_at(0)->time >= before && event_at(0)->time <= __builtin_ia32_rdtsc());
}

static void names_are_cut_and_filled(void **state)
{
	(void)state;
	trace_begin("sort", 7);
	trace_end("a name of more than 16 characters", 8);
	trace_count("waiting", 9);
	assert_memory_equal(&event_at(0)->c, "sort\0\0\0\0\0\0\0\0\0\0\0", 16);
	assert_int_equal(event_at(0)->b, 7);
	assert_memory_equal(&event_at(1)->c, "a name of more t", 16);
	assert_int_equal(event_at(1)->number, TRACE_end);
	assert_int_equal(event_at(2)->c, 9);
	assert_memory_equal(&event_at(2)->d, "waiting", 8);
}

static void a_full_ring_keeps_the_newest(void **state)
{
	const uint32_t count = 3 * EVENTS + 5;

	(void)state;
	for (uint32_t i = 0; i < count; i++)
		trace_mark("x", i);
	assert_int_equal(ring->head, count);
	for (uint32_t i = count - EVENTS; i < count; i++)
		assert_int_equal(event_at(i)->b, i);
}

static volatile uint32_t interrupted;

static void write_checked(uint32_t value)
{
	/* NOLINTNEXTLINE(bugprone-signal-handler): that it may be called there is what is tested */
	trace_write(trace_word(TRACE_mark, (uint16_t)value, value), value * UINT64_C(0x100000001), ~(uint64_t)value);
}

static void interrupt(int number)
{
	(void)number;
	for (unsigned i = 0; i < 3; i++)
		write_checked(0x80000000u + interrupted++);
}

/* Each event has its value four times, so a mixture of two would show. */
static void check_event(const struct trace_event *e)
{
	assert_int_equal(e->number, TRACE_mark);
	assert_int_equal(e->a, (uint16_t)e->b);
	assert_int_equal(e->c, e->b * UINT64_C(0x100000001));
	assert_int_equal(e->d, ~(uint64_t)e->b);
	assert_int_not_equal(e->time, 0);
}

static void an_upcall_in_the_middle_tears_nothing(void **state)
{
	const struct itimerval soon = {.it_interval = {0, 50}, .it_value = {0, 50}}, never = {{0, 0}, {0, 0}};
	uint32_t own_events = 0;

	(void)state;
	interrupted = 0;
	signal(SIGALRM, interrupt);
	setitimer(ITIMER_REAL, &soon, NULL);
	while (interrupted < 3000) {
		for (unsigned i = 0; i < 1000; i++)
			write_checked(own_events++);
		sigset_t alarm, before;
		sigemptyset(&alarm);
		sigaddset(&alarm, SIGALRM);
		sigprocmask(SIG_BLOCK, &alarm, &before);
		assert_int_equal(ring->head, own_events + interrupted);
		for (unsigned i = 0; i < EVENTS; i++)
			check_event(event_at(i));
		sigprocmask(SIG_SETMASK, &before, NULL);
	}
	setitimer(ITIMER_REAL, &never, NULL);
}

/* ---- Messages ---- */

struct pair {
	_Alignas(PAGE_BYTES) struct channel_slot there[LINES], back[LINES];
	struct channel here, peer;
};

static void open_pair(struct pair *p)
{
	memset(p, 0, sizeof(*p));
	assert_true(channel_ok(channel_init(&p->here, p->back, p->there, LINES, NULL, NULL)));
	assert_true(channel_ok(channel_init(&p->peer, p->there, p->back, LINES, NULL, NULL)));
}

/* The two events of a message that was just sent and received. */
static void check_pair(uint16_t type)
{
	const struct trace_event *sent = event_at(ring->head - 2), *received = event_at(ring->head - 1);

	assert_int_equal(sent->number, TRACE_send);
	assert_int_equal(received->number, TRACE_receive);
	assert_int_equal(sent->a, type);
	assert_int_equal(received->a, type);
	assert_int_equal(sent->b, received->b);
	assert_int_equal(sent->c, RING);
	assert_int_equal(received->c, RING);
	assert_true(sent->time <= received->time);
}

static void both_ends_name_the_same_line(void **state)
{
	static struct pair p;
	static const uint8_t text[150];
	uint8_t buffer[200];
	uint16_t type;
	size_t length;

	(void)state;
	open_pair(&p);
	/* More than there are sequences; messages of one to three lines. */
	for (unsigned i = 0; i < 70000; i++) {
		const size_t bytes = i % 3 * 75;

		trace_send(&p.here, RING, TRACE_STREAMS, (uint16_t)i, bytes);
		assert_true(channel_ok(channel_send_bytes(&p.here, (uint16_t)(i % 100 + 1), text, bytes)));
		assert_true(channel_ok(channel_try_receive_bytes(&p.peer, buffer, sizeof(buffer), &type, &length)));
		trace_receive(&p.peer, RING, TRACE_STREAMS, (uint16_t)i);
		check_pair((uint16_t)i);
		(void)channel_ok(channel_try_receive_bytes(&p.here, buffer, sizeof(buffer), &type, &length)); /* acknowledgements */
	}
}

static void what_finds_no_room_was_not_sent(void **state)
{
	static struct pair p;
	const uint64_t words[1] = {0};
	unsigned sent = 0;

	(void)state;
	open_pair(&p);
	for (unsigned i = 0; i < 2 * LINES; i++) {
		trace_send(&p.here, RING, TRACE_CALLS, 1, sizeof(words));
		sent += channel_ok(channel_send(&p.here, 1, words, 1));
		assert_int_equal(ring->head, sent);
	}
	assert_int_equal(sent, LINES - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(without_a_ring_nothing_is_written, begin),
	    cmocka_unit_test_setup(words_are_at_their_places, begin),
	    cmocka_unit_test_setup(names_are_cut_and_filled, begin),
	    cmocka_unit_test_setup(a_full_ring_keeps_the_newest, begin),
	    cmocka_unit_test_setup(an_upcall_in_the_middle_tears_nothing, begin),
	    cmocka_unit_test_setup(both_ends_name_the_same_line, begin),
	    cmocka_unit_test_setup(what_finds_no_room_was_not_sent, begin),
	};

	return cmocka_run_group_tests_name("trace_ring", tests, map_dispatcher, NULL);
}
