// sources: monitor/membership.c monitor/heartbeat.c monitor/fence.c monitor/estate.c monitor/trampoline.c monitor/clear.c
// sources: monitor/messages.c numa/model/query.c cpudriver/abi/errors.c
// flags: -Drealloc=world_realloc
/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Who is a member, and what happens to those who are not any more. */

#include "tests/hosted/membership_world.h"

/* ---- Views ---- */

static void test_the_first_view(void **state)
{
	(void)state;
	for (uint32_t core = 0; core < CORES; core++) {
		assert_int_equal(members(core), 0xf);
		assert_int_equal(monitor[core]->membership.view, 1 << 8);
		assert_int_equal(agreed_view[core], 1 << 8);
		assert_int_equal(monitor[core]->membership.heartbeat.watched, (core + 1) % CORES);
		assert_int_equal(monitor[core]->membership.heartbeat.watcher, (core + CORES - 1) % CORES);
	}
	run(5000000);
	assert_int_equal(views[0] + views[1] + views[2] + views[3], 4);
}

static void test_a_silent_core_is_stopped_before_anybody_does_without_it(void **state)
{
	(void)state;
	die(2, 1);
	run(250);
	assert_true(inits[2] > 0);
	for (uint32_t core = 0; core < CORES; core++) {
		if (core == 2)
			continue;
		assert_int_equal(members(core), 0xb);
		assert_int_equal(lost[core][2], 1);
		assert_int_equal(agreed_view[core], 2 << 8);
		assert_int_equal(buried[core][2], 0); /* not before it has passed the trampoline */
	}
	assert_int_equal(monitor[1]->membership.heartbeat.watched, 3);
	assert_int_equal(monitor[3]->membership.heartbeat.watcher, 1);
	nobody_is_silent();
	run(20000);
	for (uint32_t core = 0; core < CORES; core++)
		assert_int_equal(buried[core][2], core != 2);
}

static void test_a_strained_machine_takes_its_time(void **state)
{
	(void)state;
	silence[1] = (struct platform_silence){.silence = 900000, .strain = DELAY_US, .met = true};
	heartbeat_silence(monitor[1]);
	run(100000);
	assert_int_equal(members(0), 0xf);
	silence[1] = (struct platform_silence){.silence = 1900000, .strain = 250000, .met = true};
	run(100000);
	assert_int_equal(members(0), 0xf);
	silence[1].strain = 100; /* calm again: now it is too long */
	run(100000);
	assert_int_equal(members(0), 0xb);
}

static void test_who_has_never_beaten_gets_more_time(void **state)
{
	(void)state;
	silence[1] = (struct platform_silence){.silence = STRAINED_US - 1, .met = false};
	heartbeat_silence(monitor[1]);
	run(100000);
	assert_int_equal(members(0), 0xf);
	silence[1].silence = STRAINED_US;
	run(100000);
	assert_int_equal(members(0), 0xb);
}

static void test_a_last_beat_needs_no_silence(void **state)
{
	(void)state;
	crash(2, 1);
	run(250);
	assert_int_equal(members(3), 0xb);
}

static void test_the_successor_leads(void **state)
{
	(void)state;
	die(0, 3);
	run(1000000);
	assert_int_equal(members(1), 0xf); /* nobody does without the first core before he must */
	silence[3].silence = FIRST_US;
	run(100000);
	for (uint32_t core = 1; core < CORES; core++) {
		assert_int_equal(members(core), 0xe);
		assert_int_equal(monitor[core]->membership.view, 2 << 8 | 1);
	}
	assert_true(inits[0] > 0);
	nobody_is_silent();
	die(3, 2);
	run(100000);
	assert_int_equal(members(1), 0x6);
	assert_int_equal(members(2), 0x6);
}

static void test_two_who_suspect_each_other(void **state)
{
	(void)state;
	running = 1;
	membership_suspect(monitor[1], 2, (struct suspicion){1, 1, 0});
	running = 2;
	membership_suspect(monitor[2], 1, (struct suspicion){1, 1, 0});
	run(250);
	assert_int_equal(members(0), 0xb);
	assert_int_equal(members(1), 0xb);
	assert_int_equal(inits[1], 0);
}

static void test_a_new_leader_learns_of_the_old_ones_last_view(void **state)
{
	struct core_set without_2 = {{0xb}};

	(void)state;
	/* The first core has told core 3 only that 2 is gone. */
	dead[0] = dead[2] = true;
	running = 3;
	handle_view(monitor[3], 0, &(struct message_view){.number = 2 << 8, .alive0 = without_2.word[0]});
	assert_int_equal(lost[3][2], 1);
	running = 1;
	membership_suspect(monitor[1], 0, (struct suspicion){FIRST_US, FIRST_US, 0});
	run(250);
	assert_int_equal(members(1), 0xa);
	assert_int_equal(members(3), 0xa);
	assert_true(monitor[3]->membership.view > (2 << 8));
	assert_int_equal(monitor[3]->membership.view, monitor[1]->membership.view);
	assert_int_equal(lost[3][2], 1);
}

static void test_false_views_are_refused_and_counted(void **state)
{
	const struct message_view wrong[] = {
	    {.number = 1 << 8, .alive0 = 0xf},              /* no later one */
	    {.number = 2 << 8 | 1, .alive0 = 0xe},          /* another's number */
	    {.number = 2 << 8, .alive0 = 0xd},              /* without the receiver */
	    {.number = 2 << 8, .alive0 = 0xe},              /* not led by who says so */
	    {.number = 2 << 8, .alive0 = 0x1f},             /* a core that the machine does not have */
	    {.number = 2 << 8, .alive0 = 0xf, .alive3 = 1}, /* likewise */
	};
	unsigned count = sizeof(wrong) / sizeof(wrong[0]);

	(void)state;
	for (unsigned i = 0; i < count; i++)
		handle_view(monitor[1], 0, &wrong[i]);
	assert_int_equal(peers[1][0].refused, count);
	handle_view(monitor[1], 2, &(struct message_view){.number = 2 << 8 | 2, .alive0 = 0x6});
	assert_int_equal(peers[1][2].refused, 1);
	assert_int_equal(members(1), 0xf);
	handle_view(monitor[3], 1, &(struct message_view){.number = 2 << 8 | 1, .alive0 = 0xe});
	assert_int_equal(members(3), 0xe); /* the first core's successor */
	handle_view(monitor[3], 0, &(struct message_view){.number = 9 << 8, .alive0 = 0xf});
	assert_int_equal(peers[3][0].refused, 1); /* no member any more */
}

static void test_suspicions_of_strangers_and_of_the_past(void **state)
{
	(void)state;
	handle_suspect(monitor[0], 1, &(struct message_suspect){.core = 2, .view = 0});
	handle_suspect(monitor[0], 1, &(struct message_suspect){.core = 0, .view = 1 << 8});
	handle_suspect(monitor[1], 2, &(struct message_suspect){.core = 3, .view = 1 << 8}); /* it does not lead */
	assert_int_equal(inits[0] + inits[1] + inits[2] + inits[3], 0);
	crash(2, 1);
	run(100000);
	handle_suspect(monitor[0], 2, &(struct message_suspect){.core = 1, .view = monitor[0]->membership.view});
	assert_int_equal(inits[1], 0);
}

/* ---- Stopping and starting ---- */

static void test_a_processor_that_does_not_run_is_waited_for(void **state)
{
	(void)state;
	stopped[2] = true;
	die(2, 1);
	run(250);
	nobody_is_silent();
	run(1000000);
	assert_true(inits[2] > 3);
	assert_int_equal(buried[0][2] + buried[1][2] + buried[3][2], 0);
	assert_int_equal(adopted[3], 0);
	stopped[2] = false;
	pass(2);
	run(1000000);
	assert_int_equal(buried[3][2], 1);
	assert_int_equal(adopted[3], PIECE);
	assert_int_equal(starts[2], 1); /* it was only silent */
	assert_int_equal(((struct trampoline_entry *)(trampoline + TRAMPOLINE_TABLE))[2].apic, TRAMPOLINE_FREE);
}

static void come_up(uint32_t core)
{
	make_monitor(core);
	dead[core] = false;
	running = 3;
	monitor[3]->peer[core].state = PEER_CONNECTED;
	mesh_send(monitor[3], 0, MESSAGE_up, &(struct message_up){.core = core});
	deliver();
	run(250);
}

static void test_it_comes_back_as_a_member(void **state)
{
	struct monitor *old = monitor[2];

	(void)state;
	die(2, 1);
	run(250);
	nobody_is_silent();
	run(1000000);
	assert_int_equal(starts[2], 1);
	come_up(2);
	free(old);
	for (uint32_t core = 0; core < CORES; core++) {
		assert_int_equal(members(core), 0xf);
		assert_int_equal(monitor[core]->membership.view, 3 << 8);
		assert_int_equal(agreed_view[core], 3 << 8);
	}
	assert_int_equal(monitor[1]->membership.heartbeat.watched, 2);
}

static void test_who_crashed_stays_out_until_somebody_asks(void **state)
{
	struct monitor *old = monitor[2];

	(void)state;
	crash(2, 1);
	run(250);
	nobody_is_silent();
	run(1000000);
	assert_int_equal(starts[2], 0);
	assert_int_equal(adopted[3], PIECE);
	running = 1;
	assert_true(is_ok(fence_ask(monitor[1], &monitor[1]->domain[0], 5, 2)));
	run(1000);
	assert_int_equal(starts[2], 1);
	assert_int_equal(done_events, 0);
	come_up(2);
	free(old);
	assert_int_equal(done_events, 1);
	assert_int_equal(last_error, ERR_NUMBER_OK);
	/* It is there now. */
	running = 1;
	assert_true(is_ok(fence_ask(monitor[1], &monitor[1]->domain[0], 6, 2)));
	run(1000);
	assert_int_equal(last_error, ERR_NUMBER_STATE);
	assert_true(err_is(fence_ask(monitor[1], &monitor[1]->domain[0], 7, CORES), ERR_NUMBER_CORE_UNKNOWN));
}

static void test_a_start_that_fails_is_told(void **state)
{
	(void)state;
	crash(2, 1);
	run(250);
	nobody_is_silent();
	run(1000000);
	running = 1;
	assert_true(is_ok(fence_ask(monitor[1], &monitor[1]->domain[0], 5, 2)));
	run(1000);
	running = 0;
	fence_failed(monitor[0], 2);
	run(1000);
	assert_int_equal(done_events, 1);
	assert_int_equal(last_error, ERR_NUMBER_CORE_DEAD);
}

static void test_a_starter_that_dies_takes_nothing_along(void **state)
{
	unsigned before;

	(void)state;
	die(2, 1);
	run(250);
	nobody_is_silent();
	run(1000000);
	assert_int_equal(starts[2], 1);
	before = inits[2];
	/* Core 3 has given core 2 memory, and dies. */
	running = 3;
	estate_tell_given(monitor[3], 2, 2 * PIECE, PIECE, 2 * PIECE);
	deliver();
	crash(3, 1);
	machine.cores[2].node = 0; /* where it is started from now on: nobody else is on its node */
	run(250);
	nobody_is_silent();
	run(3000000);
	assert_true(inits[2] > before);
	assert_int_equal(adopted[0] + adopted[1], 2 * PIECE);
	assert_int_equal(starts[2], 2);
}

static void test_silence_is_forgiven_three_times(void **state)
{
	(void)state;
	for (unsigned i = 0; i <= RESTARTS_MAX; i++) {
		struct monitor *old = monitor[2];

		die(2, 1);
		run(250);
		nobody_is_silent();
		run(1000000);
		if (i == RESTARTS_MAX)
			break;
		assert_int_equal(starts[2], i + 1);
		come_up(2);
		free(old);
	}
	assert_int_equal(starts[2], RESTARTS_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_the_first_view),
	    TEST(test_a_silent_core_is_stopped_before_anybody_does_without_it),
	    TEST(test_a_strained_machine_takes_its_time),
	    TEST(test_who_has_never_beaten_gets_more_time),
	    TEST(test_a_last_beat_needs_no_silence),
	    TEST(test_the_successor_leads),
	    TEST(test_two_who_suspect_each_other),
	    TEST(test_a_new_leader_learns_of_the_old_ones_last_view),
	    TEST(test_false_views_are_refused_and_counted),
	    TEST(test_suspicions_of_strangers_and_of_the_past),
	    TEST(test_a_processor_that_does_not_run_is_waited_for),
	    TEST(test_it_comes_back_as_a_member),
	    TEST(test_who_crashed_stays_out_until_somebody_asks),
	    TEST(test_a_start_that_fails_is_told),
	    TEST(test_a_starter_that_dies_takes_nothing_along),
	    TEST(test_silence_is_forgiven_three_times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
