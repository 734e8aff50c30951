// sources: libos/ipc/late.c libos/thread/queue.c libos/thread/policy_stealing.c cpudriver/abi/errors.c
// flags: -fomit-frame-pointer -Wno-unused-parameter
/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Calls that were detached: between the end of its turn and its coming to wait other threads run, and do what they like. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <atoll/domain.h>

#include "libos/ipc/late.h"
#include "tests/hosted/dispatcher_page.h"
#include "tests/hosted/never.h"
#include "tests/hosted/thread_world.h"

NEVER(void, pending_handle_enabled, void)

/* ---- Calls, as the CPU driver detaches and answers them ---- */

#define SERVER 77

static struct late_owner owners[3];

struct call {
	const struct late_owner *owner;
	unsigned place, yields; /* before it comes to wait */
	uint64_t deadline;
	err_t e;
	uint64_t word;
};
#define CALL(owner_, place_, yields_)                                                                                                      \
	{                                                                                                                                  \
		.owner = &owners[owner_], .place = (place_), .yields = (yields_)                                                           \
	}

static void detach(unsigned place)
{
	static uint64_t tokens;

	assert_int_equal(DISPATCHER->late[place].token, 0);
	DISPATCHER->late[place] = (struct late_reply){.token = ++tokens, .server = SERVER};
}

static void reply(unsigned place, uint64_t word)
{
	struct late_reply *late = &DISPATCHER->late[place];

	late->word[0] = word;
	late->server = 0;
	late_arrived();
}

static void make_call(void *argument)
{
	struct call *call = argument;
	struct endpoint_message m = {{call->place}};

	detach(call->place);
	for (unsigned i = 0; i < call->yields; i++)
		thread_yield();
	call->e = late_wait(&m, call->deadline, call->owner);
	call->word = m.word[0];
}

/* ---- What the others do ---- */

static void cancel_first_two(void *unused)
{
	late_cancel(&owners[0], ERR(CANCELLED));
	late_cancel(&owners[1], ERR(STATE));
}

static void cancel_third(void *unused)
{
	late_cancel(&owners[2], ERR(CANCELLED));
}

static void close_first(void *unused)
{
	late_close(&owners[0]);
}

static void reply_to_all(void *unused)
{
	for (unsigned i = 0; i < LATE_REPLIES; i++)
		if (DISPATCHER->late[i].server != 0)
			reply(i, 100 + i);
}

/* ---- Tests ---- */

static int set_up(void **state)
{
	memset(owners, 0, sizeof owners);
	memset(DISPATCHER->late, 0, sizeof DISPATCHER->late);
	return 0;
}

static void assert_cancelled(const struct call *c, uint32_t number)
{
	assert_int_equal(c->e.number, number);
	assert_int_equal(DISPATCHER->late[c->place].token, 0);
}

static void cancel_two(struct call a, struct call b)
{
	world_begin(make_call, &a);
	world_begin(make_call, &b);
	world_begin(cancel_first_two, NULL);
	assert_true(world_run());
	assert_cancelled(&a, ERR_NUMBER_CANCELLED);
	assert_cancelled(&b, ERR_NUMBER_STATE);
	assert_int_equal(late_waiting, 0);
}

static void test_two_are_cancelled_before_they_wait(void **state)
{
	cancel_two((struct call)CALL(0, 0, 1), (struct call)CALL(1, 1, 1));
}

static void test_two_are_cancelled_while_they_wait(void **state)
{
	cancel_two((struct call)CALL(0, 0, 0), (struct call)CALL(1, 1, 0));
}

static void test_what_is_said_to_others_is_nothing_to_it(void **state)
{
	struct call a = CALL(0, 0, 1), b = CALL(1, 1, 0);

	world_begin(make_call, &a);
	world_begin(make_call, &b);
	world_begin(cancel_third, NULL);
	world_begin(reply_to_all, NULL);
	assert_true(world_run());
	assert_true(is_ok(a.e) && is_ok(b.e));
	assert_int_equal(a.word, 100);
	assert_int_equal(b.word, 101);
}

/* Neither in the place where one was cancelled, nor where another owner's was under way. */
static void test_the_next_call_is_not_cancelled(void **state)
{
	struct call first[] = {CALL(0, 0, 1), CALL(2, 1, 1)}, next[] = {CALL(0, 0, 1), CALL(0, 1, 1)};

	for (unsigned i = 0; i < 2; i++)
		world_begin(make_call, &first[i]);
	world_begin(cancel_first_two, NULL);
	world_begin(reply_to_all, NULL);
	assert_true(world_run());
	assert_int_equal(first[0].e.number, ERR_NUMBER_OK); /* the reply was there before it had come */
	assert_true(is_ok(first[1].e));
	for (unsigned i = 0; i < 2; i++)
		world_begin(make_call, &next[i]);
	world_begin(reply_to_all, NULL);
	assert_true(world_run());
	assert_true(is_ok(next[0].e) && is_ok(next[1].e));
}

static void test_with_nothing_under_way_nothing_is_cancelled(void **state)
{
	struct call a = CALL(0, 0, 0);

	cancel_first_two(NULL);
	world_begin(make_call, &a);
	world_begin(reply_to_all, NULL);
	assert_true(world_run());
	assert_true(is_ok(a.e));
}

static void test_a_deadline_gives_the_place_free(void **state)
{
	struct call a = CALL(0, 3, 1);

	a.deadline = world_now + 1000;
	world_begin(make_call, &a);
	assert_true(world_run());
	assert_cancelled(&a, ERR_NUMBER_TIMEOUT);
}

/* Also by who must know that before anybody waits: whoever moves this dispatcher to another core. */
static void test_a_call_is_under_way_from_its_detachment(void **state)
{
	struct call a = CALL(0, 5, 1);

	assert_false(late_is_under_way());
	detach(5);
	assert_true(late_is_under_way());
	DISPATCHER->late[5].token = 0;
	world_begin(make_call, &a);
	world_begin(close_first, NULL);
	assert_true(world_run());
	assert_cancelled(&a, ERR_NUMBER_PEER_GONE);
	assert_false(late_is_under_way());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(test_two_are_cancelled_before_they_wait, set_up),
	    cmocka_unit_test_setup(test_two_are_cancelled_while_they_wait, set_up),
	    cmocka_unit_test_setup(test_what_is_said_to_others_is_nothing_to_it, set_up),
	    cmocka_unit_test_setup(test_the_next_call_is_not_cancelled, set_up),
	    cmocka_unit_test_setup(test_with_nothing_under_way_nothing_is_cancelled, set_up),
	    cmocka_unit_test_setup(test_a_deadline_gives_the_place_free, set_up),
	    cmocka_unit_test_setup(test_a_call_is_under_way_from_its_detachment, set_up),
	};

	return cmocka_run_group_tests(tests, map_dispatcher, NULL);
}
