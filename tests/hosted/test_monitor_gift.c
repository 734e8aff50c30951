// sources: monitor/capability.c monitor/clear.c monitor/gift.c cpudriver/abi/errors.c
/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Capabilities that domains give to others, on this core or another one, with a connection. */

#include "tests/hosted/capability_requests_world.h"

static void test_a_copy_for_another_core(void **state)
{
	(void)state;
	assert_true(is_ok(ask_gift(CAPABILITY_GIVE, HOME)));
	assert_int_equal(agreement.to, 2);
	assert_int_equal(agreement.rights, RIGHT_READ);
	assert_int_equal(agreement.recipient, (uint64_t)PEER << 32 | GIVE_TAG);
	assert_false(agreement.move);
	assert_true(at_home());
	done(OK);
	assert_told(0, 0, 6);
	assert_true(at_home());
}

static void test_a_move_to_another_core(void **state)
{
	(void)state;
	assert_true(is_ok(ask_gift(CAPABILITY_MOVE, HOME)));
	assert_true(agreement.move);
	assert_false(at_home());
	done(ERR(NO_SLOT));
	assert_told(ERR_NUMBER_NO_SLOT, 0, 6);
	assert_true(at_home());
	assert_true(is_ok(ask_gift(CAPABILITY_MOVE, HOME)));
	own[agreement.cap.value] = (struct cap_identity){0};
	done(OK);
	assert_told(0, 0, 6);
	assert_false(at_home());
}

static void test_gifts_on_the_same_core(void **state)
{
	(void)state;
	connection.peer_core = 1;
	assert_true(is_ok(ask_gift(CAPABILITY_GIVE, HOME)));
	assert_told(0, 0, 0);
	assert_true(given == 1 && at_home());
	give_answer = ERR(NO_SLOT);
	assert_true(err_is(ask_gift(CAPABILITY_MOVE, HOME), ERR_NUMBER_NO_SLOT));
	assert_true(at_home());
	give_answer = OK;
	assert_true(is_ok(ask_gift(CAPABILITY_MOVE, HOME)));
	assert_told(0, 0, 0);
	assert_true(given == 2 && !at_home());
	assert_int_equal(agreement.asked, 0);
}

static void test_somebody_elses_connection(void **state)
{
	const struct capability_request r = {.cap = HOME.value, .operation = CAPABILITY_MOVE, .offset = 0x30001};

	(void)state;
	assert_true(err_is(capability_begin(&m, d, TAG, &r), ERR_NUMBER_NOT_FOUND));
	assert_true(at_home());
}

static void test_the_monitors_memory_stays(void **state)
{
	(void)state;
	has(HOME, CAP_Frame, ROOT + 20 * MIB, PAGE_BYTES); /* in no domain's block */
	assert_true(err_is(ask_gift(CAPABILITY_GIVE, HOME), ERR_NUMBER_PERMISSION));
	assert_true(err_is(ask_gift(CAPABILITY_MOVE, HOME), ERR_NUMBER_PERMISSION));
	assert_true(at_home());
	has(HOME, CAP_Frame, BASE, PAGE_BYTES);
	assert_true(is_ok(ask_gift(CAPABILITY_GIVE, HOME)));
	done(OK);
	has(HOME, CAP_Frame, ROOT + 200 * MIB, PAGE_BYTES); /* not this core's */
	space[HOME.value].owner = 2;
	assert_true(is_ok(ask_gift(CAPABILITY_GIVE, HOME)));
	done(OK);
	space[HOME.value].base = ROOT + 300 * MIB; /* a peer's ring */
	assert_true(err_is(ask_gift(CAPABILITY_GIVE, HOME), ERR_NUMBER_PERMISSION));
}

static void test_an_endpoint_becomes_a_connection(void **state)
{
	(void)state;
	has(HOME, CAP_Endpoint, server.dispatcher_base, DISPATCHER_BYTES);
	assert_true(is_ok(ask_gift(CAPABILITY_GIVE, HOME)));
	assert_int_equal(introduced, 1);
	assert_int_equal(event.count, 0); /* the one who is introduced has not answered yet */
	assert_true(at_home());
	assert_true(err_is(ask_gift(CAPABILITY_MOVE, HOME), ERR_NUMBER_CAP_TYPE));
	assert_true(at_home());
	introduce_answer = ERR(LIMIT);
	assert_true(err_is(ask_gift(CAPABILITY_GIVE, HOME), ERR_NUMBER_LIMIT));
	has(HOME, CAP_Endpoint, 8 * MIB, DISPATCHER_BYTES); /* a monitor's */
	assert_true(err_is(ask_gift(CAPABILITY_GIVE, HOME), ERR_NUMBER_PERMISSION));
	has(HOME, CAP_Endpoint, server.dispatcher_base, DISPATCHER_BYTES);
	space[HOME.value].rights = 0;
	assert_true(err_is(ask_gift(CAPABILITY_GIVE, HOME), ERR_NUMBER_CAP_RIGHTS));
	assert_int_equal(introduced, 1);
}

static void test_delivery(void **state)
{
	cap_t cap;

	(void)state;
	assert_true(is_ok(cap_slot_alloc(&cap)));
	own[cap.value] = (struct cap_identity){.type = CAP_Frame, .base = BASE, .size = PAGE_BYTES};
	assert_true(err_is(agreement_deliver(&m.agreement, (uint64_t)PEER << 32 | GIVE_TAG, cap, 3), ERR_NUMBER_PEER_GONE));
	assert_int_equal(own[cap.value].type, CAP_Frame);
	assert_true(is_ok(agreement_deliver(&m.agreement, (uint64_t)PEER << 32 | GIVE_TAG, cap, 2)));
	cap_slot_free(cap);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_a_copy_for_another_core),
	    TEST(test_a_move_to_another_core),
	    TEST(test_gifts_on_the_same_core),
	    TEST(test_somebody_elses_connection),
	    TEST(test_the_monitors_memory_stays),
	    TEST(test_an_endpoint_becomes_a_connection),
	    TEST(test_delivery),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
