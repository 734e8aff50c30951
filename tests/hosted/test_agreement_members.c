// sources: monitor/agreement/agreement.c monitor/agreement/anchors.c monitor/agreement/copy.c monitor/agreement/course.c
// sources: monitor/agreement/delete.c monitor/agreement/members.c monitor/agreement/messages.c monitor/agreement/retype.c
// sources: monitor/agreement/revoke.c monitor/agreement/shared.c monitor/agreement/sweep.c monitor/agreement/transfer.c
// flags: -DSHARED_MAX=8 -DOPERATIONS_MAX=16
/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* A core dies, or joins. */

#include "tests/hosted/agreement_world.h"

static const uint32_t three[] = {1, 2, 3};
static uint32_t view;

static void forget_messages(uint32_t number)
{
	unsigned kept = 0;

	for (unsigned k = 0; k < in_flight; k++)
		if (sent[k].from != number && sent[k].to != number)
			sent[kept++] = sent[k];
	in_flight = kept;
}

/* All members hear of it before anything else arrives. */
static void new_view(const struct core_set *alive)
{
	view++;
	SET_FOR_EACH (member, alive)
		agreement_view(&on(member)->agreement, view, alive);
}

static void die(uint32_t number)
{
	struct core_set alive = core[number == 0].agreement.alive;

	forget_messages(number);
	memset(&core[number], 0, sizeof(core[number]));
	set_remove(&alive, number);
	new_view(&alive);
}

static void assert_settled(uint32_t dead)
{
	for (uint32_t i = 0; i < CORES; i++)
		if (i != dead) {
			assert_false(core[i].agreement.changing);
			assert_int_equal(core[i].agreement.view, view);
		}
	assert_quiet();
}

/* ---- Ownership ---- */

static void test_the_lowest_holder_inherits(void **state)
{
	(void)state;
	shared_frame(0, 16, three, 3);
	die(0);
	assert_true(core[2].agreement.changing);
	run();
	assert_settled(0);
	for (uint32_t i = 1; i < CORES; i++)
		assert_int_equal(core[i].slot[USERS].what.owner, 1);
	assert_int_equal(core[1].slot[USERS].flags, CAP_FLAG_REMOTE);
	assert_int_equal(set_count(&entry(1, CAP_Frame, 16)->holders), 2);
	assert_int_equal(sent_of(AGREEMENT_adopt), 0); /* it is the leader itself */
	assert_int_equal(sent_of(AGREEMENT_new_owner), 2);
}

/* What users share leaves room for that. */
static void test_a_leader_that_shares_all_it_can_decides_claims(void **state)
{
	const cap_t more = user(1, USERS - 1, CAP_Frame, 62, 1, 1);

	(void)state;
	shared_frame(0, 2, three, 3);
	for (unsigned k = 0; k < SHARED_MAX - SHARED_RESERVED; k++)
		assert_true(is_ok(agreement_copy(&on(1)->agreement, 1, fetch(1, user(1, 2 + k, CAP_Frame, 16 + 2 * k, 1, 1), false),
		                                 RIGHT_READ, 2, RECIPIENT_USER, false)));
	run();
	result_count = 0;
	assert_true(is_ok(agreement_copy(&on(1)->agreement, 1, fetch(1, more, false), RIGHT_READ, 2, RECIPIENT_USER, false)));
	run();
	assert_int_equal(only_result()->error, ERR_NUMBER_LIMIT);
	die(0);
	run();
	assert_settled(0);
	for (uint32_t i = 1; i < CORES; i++)
		assert_int_equal(core[i].slot[users_of(i, CAP_Frame, 2).value & 0xff].what.owner, 1);
	assert_int_equal(set_count(&entry(1, CAP_Frame, 2)->holders), 2);
}

static void test_the_leader_need_not_have_it(void **state)
{
	static const uint32_t last[] = {3};

	(void)state;
	const cap_t frame = user(1, 0, CAP_Frame, 16, 2, 1), cap = fetch(1, frame, false);

	assert_true(is_ok(agreement_copy(&on(1)->agreement, 1, cap, RIGHTS_ALL, last[0], RECIPIENT_USER, false)));
	run();
	die(1);
	run();
	assert_settled(1);
	assert_int_equal(core[3].slot[USERS].what.owner, 3);
	assert_int_equal(core[3].slot[USERS].flags, 0); /* nobody else has it */
	assert_null(entry(3, CAP_Frame, 16));
	assert_null(entry(0, CAP_Frame, 16));
	assert_int_equal(sent_of(AGREEMENT_adopt), 1);
}

static void test_owner_forgets_a_dead_holder(void **state)
{
	(void)state;
	shared_frame(0, 16, three, 1);
	die(1);
	run();
	assert_settled(1);
	assert_int_equal(core[0].slot[USERS].flags, 0);
	assert_null(entry(0, CAP_Frame, 16));
}

static void test_heir_gets_what_lies_around(void **state)
{
	(void)state;
	const cap_t ram = user(0, 0, CAP_RAM, 16, 8, 0), cap = fetch(0, ram, false);

	assert_true(is_ok(agreement_copy(&on(0)->agreement, 1, cap, RIGHTS_ALL, 1, RECIPIENT_USER, false)));
	run();
	give_back(0, cap);
	const cap_t made = fetch(1, user(1, 5, CAP_Frame, 16, 2, 1), false);

	assert_true(is_ok(agreement_copy(&on(1)->agreement, 2, made, RIGHTS_ALL, 3, RECIPIENT_USER, false)));
	run();
	assert_int_equal(held(3, CAP_RAM, 16, 8), 0);
	die(1);
	run();
	assert_settled(1);
	assert_int_equal(core[3].slot[USERS].what.owner, 3);
	assert_int_equal(held(3, CAP_RAM, 16, 8), 1); /* an anchor: core 0 must find what is made of its memory */
	assert_true(set_has(&entry(0, CAP_RAM, 16)->holders, 3));
}

static void test_a_dead_cores_table_goes(void **state)
{
	const cap_t cap = fetch(0, user(0, 0, CAP_PageTable1, 16, 2, 0), false);

	(void)state;
	assert_true(is_ok(agreement_copy(&on(0)->agreement, 1, cap, RIGHTS_ALL, 2, RECIPIENT_USER, false)));
	run();
	die(0);
	run();
	assert_settled(0);
	assert_int_equal(held(2, CAP_PageTable1, 16, 2), 0);
	assert_true(core[1].flushes > 0 && core[2].flushes > 0 && core[3].flushes > 0);
}

static void test_a_dead_cores_doorbell_goes_others_are_counted(void **state)
{
	const cap_t cap = fetch(0, user(0, 0, CAP_Doorbell, 16, 1, 0), false), other = fetch(1, user(1, 0, CAP_Doorbell, 24, 1, 1), false);

	(void)state;
	assert_true(is_ok(agreement_copy(&on(0)->agreement, 1, cap, RIGHT_WRITE, 2, RECIPIENT_USER, false)));
	assert_true(is_ok(agreement_copy(&on(1)->agreement, 1, other, RIGHT_WRITE, 2, RECIPIENT_USER, false)));
	assert_true(is_ok(agreement_copy(&on(1)->agreement, 1, fetch(1, other, false), RIGHT_WRITE, 3, RECIPIENT_USER, false)));
	run();
	on(3);
	clear(at(users_of(3, CAP_Doorbell, 24))); /* in a sweep that nobody was told of */
	die(0);
	run();
	assert_settled(0);
	assert_int_equal(held(2, CAP_Doorbell, 16, 1), 0);
	assert_int_equal(held(2, CAP_Doorbell, 24, 1), 1);
	assert_true(set_has(&entry(1, CAP_Doorbell, 24)->holders, 2));
	assert_false(set_has(&entry(1, CAP_Doorbell, 24)->holders, 3));
}

/* ---- Operations under way ---- */

static void test_asker_of_a_dead_owner(void **state)
{
	(void)state;
	shared_frame(0, 16, three, 3);
	result_count = 0;
	const cap_t copied = fetch(1, users_of(1, CAP_Frame, 16), false), revoked = fetch(2, users_of(2, CAP_Frame, 16), true);

	assert_true(is_ok(agreement_copy(&on(1)->agreement, 1, copied, RIGHTS_ALL, 3, RECIPIENT_USER, false)));
	assert_true(is_ok(agreement_revoke(&on(2)->agreement, 2, revoked)));
	step_all();
	die(0);
	run();
	assert_settled(0);
	assert_int_equal(result_count, 2);
	assert_int_equal(results[0].error, ERR_NUMBER_CORE_DEAD);
	assert_int_equal(results[1].error, ERR_NUMBER_CORE_DEAD);
}

static void test_receiver_dies(void **state)
{
	const cap_t cap = fetch(0, user(0, 0, CAP_Frame, 16, 2, 0), false);

	(void)state;
	assert_true(is_ok(agreement_copy(&on(0)->agreement, 1, cap, RIGHTS_ALL, 2, RECIPIENT_USER, false)));
	step_all();
	die(2);
	run();
	assert_settled(2);
	assert_int_equal(only_result()->error, ERR_NUMBER_CORE_DEAD);
	assert_null(entry(0, CAP_Frame, 16));
}

static void test_holder_dies_before_it_has_looked(void **state)
{
	const cap_t frame = shared_frame(0, 16, three, 3);

	(void)state;
	assert_true(is_ok(agreement_retype(&on(0)->agreement, 1, fetch(0, frame, false), 16 * PAGE, PAGE)));
	step_all();
	die(2);
	run();
	assert_settled(2);
	assert_int_equal(only_result()->error, ERR_NUMBER_OK);
}

static void test_asker_dies_with_a_grant(void **state)
{
	(void)state;
	shared_frame(0, 16, three, 3);
	assert_true(is_ok(agreement_retype(&on(1)->agreement, 1, fetch(1, users_of(1, CAP_Frame, 16), false), 16 * PAGE, PAGE)));
	(void)run_until(AGREEMENT_retype_answer);
	die(1);
	run();
	assert_settled(1);
}

static void test_head_of_the_tree_dies(void **state)
{
	const cap_t frame = shared_frame(0, 16, three, 3);

	(void)state;
	assert_true(is_ok(agreement_revoke(&on(0)->agreement, 1, fetch(0, frame, true))));
	const struct sent sweep = run_until(AGREEMENT_sweep);

	assert_int_equal(sweep.to, 1); /* it was to pass it on to another */
	die(1);
	run();
	assert_settled(1);
	assert_int_equal(only_result()->error, ERR_NUMBER_OK);
	assert_int_equal(held(2, CAP_Frame, 16, 2) + held(3, CAP_Frame, 16, 2), 0);
}

static void test_new_owner_dies_before_it_answers(void **state)
{
	const cap_t frame = shared_frame(0, 16, three, 3);

	(void)state;
	assert_true(is_ok(agreement_delete(&on(0)->agreement, 1, fetch(0, frame, true))));
	(void)run_until(AGREEMENT_take_over);
	die(1);
	run();
	assert_settled(1);
	assert_int_equal(only_result()->error, ERR_NUMBER_OK);
	assert_int_equal(core[3].slot[USERS].what.owner, 2);
	assert_int_equal(core[2].slot[USERS].what.owner, 2);
}

static void test_old_owner_dies_when_only_some_know(void **state)
{
	const cap_t frame = shared_frame(0, 16, three, 3);

	(void)state;
	assert_true(is_ok(agreement_delete(&on(0)->agreement, 1, fetch(0, frame, true))));
	const struct sent told = run_until(AGREEMENT_new_owner);

	deliver(&told);
	die(0);
	run();
	assert_settled(0);
	for (uint32_t i = 1; i < CORES; i++)
		assert_int_equal(core[i].slot[USERS].what.owner, 1);
	assert_int_equal(set_count(&entry(1, CAP_Frame, 16)->holders), 2);
}

/* ---- Views ---- */

static void test_nothing_begins_in_between(void **state)
{
	const cap_t cap = fetch(1, user(1, 0, CAP_Frame, 16, 2, 1), false);
	struct core_set alive = core[1].agreement.alive;

	(void)state;
	set_remove(&alive, 3);
	new_view(&alive);
	assert_true(is_ok(agreement_copy(&on(1)->agreement, 1, cap, RIGHTS_ALL, 2, RECIPIENT_USER, false)));
	assert_false(agreement_step(&on(1)->agreement));
	run();
	assert_int_equal(only_result()->error, ERR_NUMBER_OK);
	assert_int_equal(held(2, CAP_Frame, 16, 2), 1);
}

static void test_messages_of_the_dead_and_of_older_views(void **state)
{
	union agreement_message m;

	(void)state;
	shared_frame(0, 16, three, 3);
	assert_true(is_ok(agreement_delete(&on(2)->agreement, 1, fetch(2, users_of(2, CAP_Frame, 16), true))));
	step_all();
	const struct sent gone = take(); /* of the old view, of a survivor */

	die(3);
	memset(&m, 0, sizeof(m));
	m.head = gone.message.head;
	m.gone.core = 3;
	agreement_receive(&on(0)->agreement, 3, AGREEMENT_gone, m.words);
	assert_int_equal(here->agreement.statistics.refused, 1);
	deliver(&gone);
	assert_int_equal(here->agreement.statistics.refused, 1);
	assert_false(set_has(&entry(0, CAP_Frame, 16)->holders, 2));
	run();
	assert_settled(3);
	deliver(&gone); /* again, and too late */
	assert_int_equal(here->agreement.statistics.refused, 2);
}

static void test_second_death_before_the_first_is_settled(void **state)
{
	(void)state;
	shared_frame(0, 16, three, 3);
	die(0);
	(void)run_until(AGREEMENT_settled);
	struct core_set alive = core[2].agreement.alive;

	forget_messages(1);
	set_remove(&alive, 1);
	new_view(&alive);
	run();
	assert_int_equal(core[2].slot[USERS].what.owner, 2);
	assert_int_equal(core[3].slot[USERS].what.owner, 2);
	assert_int_equal(set_count(&entry(2, CAP_Frame, 16)->holders), 1);
	assert_false(core[2].agreement.changing || core[3].agreement.changing);
}

static void test_a_core_joins(void **state)
{
	struct core_set alive = core[0].agreement.alive;

	(void)state;
	die(3);
	run();
	agreement_start(&on(3)->agreement, 3, CORES);
	new_view(&alive);
	run();
	for (uint32_t i = 0; i < CORES; i++)
		assert_false(core[i].agreement.changing);
	shared_frame(0, 16, three, 3);
	assert_int_equal(held(3, CAP_Frame, 16, 2), 1);
}

/* A core that has died may be back before that is settled: then a monitor has a page of it already, which is not the dead one's. */
static void test_what_monitors_have_of_each_other_is_no_heritage(void **state)
{
	struct core_set alive = core[1].agreement.alive;
	cap_t page, ring;

	(void)state;
	die(3);
	agreement_start(&on(3)->agreement, 3, CORES);
	page = user(2, 5, CAP_Frame, 60, 1, 3);
	ring = user(2, 6, CAP_Frame, 62, 1, 3);
	private_base = 60 * PAGE;
	new_view(&alive);
	run();
	assert_settled(CORES);
	assert_int_equal(core[2].slot[page.value & 0xff].what.owner, 3);
	assert_int_equal(core[2].slot[ring.value & 0xff].what.owner, 2); /* as anything else is */
}

static void test_the_last_one(void **state)
{
	struct core_set alive = {0};

	(void)state;
	shared_frame(0, 16, three, 3);
	set_add(&alive, 2);
	in_flight = 0;
	new_view(&alive);
	assert_false(core[2].agreement.changing);
	assert_int_equal(core[2].slot[USERS].what.owner, 2);
	assert_int_equal(core[2].slot[USERS].flags, 0);
}

static int set_up(void **state)
{
	(void)state;
	view = 0;
	world_begin();
	return 0;
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_the_lowest_holder_inherits),
	    TEST(test_a_leader_that_shares_all_it_can_decides_claims),
	    TEST(test_the_leader_need_not_have_it),
	    TEST(test_owner_forgets_a_dead_holder),
	    TEST(test_heir_gets_what_lies_around),
	    TEST(test_a_dead_cores_table_goes),
	    TEST(test_a_dead_cores_doorbell_goes_others_are_counted),
	    TEST(test_asker_of_a_dead_owner),
	    TEST(test_receiver_dies),
	    TEST(test_holder_dies_before_it_has_looked),
	    TEST(test_asker_dies_with_a_grant),
	    TEST(test_head_of_the_tree_dies),
	    TEST(test_new_owner_dies_before_it_answers),
	    TEST(test_old_owner_dies_when_only_some_know),
	    TEST(test_nothing_begins_in_between),
	    TEST(test_messages_of_the_dead_and_of_older_views),
	    TEST(test_second_death_before_the_first_is_settled),
	    TEST(test_a_core_joins),
	    TEST(test_what_monitors_have_of_each_other_is_no_heritage),
	    TEST(test_the_last_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
