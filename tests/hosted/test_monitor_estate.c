// sources: monitor/membership.c monitor/heartbeat.c monitor/fence.c monitor/estate.c monitor/trampoline.c monitor/clear.c
// sources: monitor/messages.c numa/model/query.c cpudriver/abi/errors.c
// flags: -Drealloc=world_realloc
/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* What becomes of a dead core's memory. */

#include "tests/hosted/membership_world.h"

static void test_what_nobody_has_goes_to_a_core_of_the_node(void **state)
{
	(void)state;
	held[holds++] = (struct range){1, 2 * PIECE + 5 * PAGE_BYTES, 3 * PAGE_BYTES};
	held[holds++] = (struct range){3, 2 * PIECE + 7 * PAGE_BYTES, 2 * PAGE_BYTES};
	held[holds++] = (struct range){0, 3 * PIECE - PAGE_BYTES, PAGE_BYTES};
	crash(2, 1);
	run(250);
	nobody_is_silent();
	run(1000000);
	assert_int_equal(adopted[3], PIECE - 5 * PAGE_BYTES);
	assert_int_equal(adopted[0] + adopted[1], 0);
	assert_int_equal(estate_of(1), PIECE + 3 * PAGE_BYTES);
	assert_int_equal(estate_of(2), 0);
	assert_int_equal(estate_of(3), PIECE + PIECE - 5 * PAGE_BYTES + PAGE_BYTES);
	assert_int_equal(monitor[0]->membership.fence[2].held, 5 * PAGE_BYTES);
	assert_true(swept > 0); /* doorbells of the dead */
	/* What its holder drops goes the same way. */
	holds = 0;
	running = 1;
	estate_tell_dropped(monitor[1], 2 * PIECE + 5 * PAGE_BYTES, 3 * PAGE_BYTES);
	run(1000000);
	assert_int_equal(adopted[3], PIECE - 5 * PAGE_BYTES + 3 * PAGE_BYTES);
}

/* What the leader itself drops goes the same way. */
static void test_what_the_leader_drops(void **state)
{
	(void)state;
	held[holds++] = (struct range){0, 2 * PIECE, PAGE_BYTES};
	crash(2, 1);
	run(250);
	nobody_is_silent();
	run(1000000);
	assert_int_equal(estate_of(0), PAGE_BYTES);
	holds = 0;
	running = 0;
	estate_tell_dropped(monitor[0], 2 * PIECE, PAGE_BYTES);
	run(1000000);
	assert_int_equal(estate_of(0), 0);
	assert_int_equal(adopted[3], PIECE);
}

/* Core 1 gives what it had on to core 3, and nobody tells the leader. Then core 3 dies. */
static void test_what_was_held_is_settled_again_when_somebody_dies(void **state)
{
	(void)state;
	held[holds++] = (struct range){1, 2 * PIECE, PAGE_BYTES};
	crash(2, 1);
	run(250);
	nobody_is_silent();
	run(1000000);
	assert_int_equal(estate_of(1), PIECE + PAGE_BYTES);
	holds = 0;
	crash(3, 1);
	run(250);
	nobody_is_silent();
	run(1000000);
	assert_int_equal(estate_of(1) + estate_of(0), 3 * PIECE);
	assert_int_equal(adopted[0] + adopted[1], 2 * PIECE);
}

static void returned(uint32_t from, uint64_t base, uint64_t bytes)
{
	running = 0;
	handle_returned(monitor[0], from, &(const struct message_returned){.base = base, .bytes = bytes});
}

/* It is noted with the lowest, but another one has it at last. */
static void test_who_has_it_at_last_serves_it(void **state)
{
	(void)state;
	held[holds++] = (struct range){0, 2 * PIECE, 2 * PAGE_BYTES};
	held[holds++] = (struct range){1, 2 * PIECE, PAGE_BYTES};
	crash(2, 1);
	run(250);
	nobody_is_silent();
	run(1000000);
	holds = 0;
	returned(1, PIECE + PIECE / 2, PIECE);       /* partly what core 3 serves */
	returned(1, PIECE - PAGE_BYTES, PAGE_BYTES); /* nothing is known of it */
	assert_int_equal(peers[0][1].refused, 2);
	returned(1, 2 * PIECE, PAGE_BYTES);
	assert_int_equal(peers[0][1].refused, 2);
	assert_int_equal(estate_of(0), PAGE_BYTES);
	assert_int_equal(estate_of(1), PIECE + PAGE_BYTES);
	returned(3, 2 * PIECE, PAGE_BYTES); /* it is core 1's now */
	assert_int_equal(peers[0][3].refused, 1);
}

/* It is not given to anybody else while it is on its way. */
static void test_what_comes_back_while_it_is_being_settled(void **state)
{
	struct settlement *s = &monitor[0]->membership.settlement;

	(void)state;
	monitor[0]->agreement.changing = true;
	crash(2, 1);
	run(250);
	nobody_is_silent();
	run(1000000);
	monitor[0]->agreement.changing = false;
	running = 0;
	membership_step(monitor[0], now);
	assert_int_equal(s->piece.bytes, PIECE);
	returned(1, 2 * PIECE, PAGE_BYTES);
	assert_int_equal(s->piece.bytes, 0);
	run(1000000);
	assert_int_equal(estate_of(1), PIECE + PAGE_BYTES);
	assert_int_equal(adopted[3], PIECE - PAGE_BYTES);
}

/* What a member has said that it has, and drops before the piece is settled, is asked for again. */
static void test_what_is_dropped_while_it_is_being_settled(void **state)
{
	struct settlement *s = &monitor[0]->membership.settlement;

	(void)state;
	s->piece = (struct estate){.base = 2 * PIECE, .bytes = PIECE, .core = 2};
	handle_dropped(monitor[0], 1, &(const struct message_dropped){.base = 3 * PIECE, .bytes = PAGE_BYTES});
	assert_false(s->incomplete);
	handle_dropped(monitor[0], 1, &(const struct message_dropped){.base = 2 * PIECE + PAGE_BYTES, .bytes = PAGE_BYTES});
	assert_true(s->incomplete);
}

/* What a dead core's trace lies in goes to nobody until that core dies again; what it says of others' memory does not count. */
static void test_what_is_kept_goes_to_nobody(void **state)
{
	const struct fence *f = &monitor[0]->membership.fence[2];

	(void)state;
	boot[2].trace_base = 2 * PIECE + 4 * PAGE_BYTES;
	boot[2].trace_bytes = 16 * PAGE_BYTES;
	crash(2, 1);
	run(250);
	nobody_is_silent();
	run(1000000);
	assert_int_equal(adopted[3], PIECE - 16 * PAGE_BYTES);
	assert_int_equal(f->kept.bytes, 16 * PAGE_BYTES);
	assert_int_equal(f->returned + f->kept.bytes, PIECE);
	estate_keep(monitor[0], 2, 2 * PIECE, 2 * PAGE_BYTES); /* core 3's by now */
	assert_int_equal(f->kept.bytes, 0);
	estate_orphan(monitor[0], 2);
	run(1000000);
	assert_int_equal(adopted[3], PIECE);
	estate_keep(monitor[0], 1, PIECE, 2 * PIECE);      /* not all of it is its own */
	estate_keep(monitor[0], 1, PIECE + 1, PAGE_BYTES); /* not whole pages */
	estate_keep(monitor[0], 1, 2 * PIECE - PAGE_BYTES, UINT64_MAX - PAGE_BYTES + 1);
	no_memory = true;
	monitor[0]->membership.settlement.estates_room = monitor[0]->membership.settlement.estates;
	estate_keep(monitor[0], 1, PIECE, PAGE_BYTES);
	no_memory = false;
	assert_int_equal(estate_of(1), PIECE);
	assert_int_equal(monitor[0]->membership.fence[1].kept.bytes, 0);
}

static void test_ones_own_memory_is_never_given_away(void **state)
{
	(void)state;
	/* Core 3 has a root and its image in what core 2 was noted with. */
	monitor[3]->root[0].base = 2 * PIECE + PIECE / 2;
	monitor[3]->root[0].bytes = PIECE / 4;
	monitor[3]->roots = 1;
	held[holds++] = (struct range){3, 2 * PIECE + PIECE / 2, PIECE / 4};
	boot[3].image_base = 2 * PIECE + PIECE / 4;
	boot[3].image_bytes = MIB;
	crash(2, 1);
	run(250);
	nobody_is_silent();
	run(1000000);
	assert_int_equal(adopted[3], PIECE - PIECE / 4 - MIB);
	assert_int_equal(monitor[0]->membership.fence[2].held, PIECE / 4 + MIB);
}

static void test_what_cannot_be_cleared_is_not_used(void **state)
{
	(void)state;
	no_view = true;
	crash(2, 1);
	run(250);
	nobody_is_silent();
	run(1000000);
	no_view = false;
	assert_int_equal(adopted[0] + adopted[1] + adopted[3], 0);
	assert_int_equal(monitor[0]->membership.fence[2].state, FENCE_OUT);
}

static void test_what_lies_elsewhere_is_no_holding(void **state)
{
	struct settlement *s = &monitor[0]->membership.settlement;

	(void)state;
	monitor[0]->agreement.changing = true;
	crash(2, 1);
	run(1000000);
	monitor[0]->agreement.changing = false;
	running = 0;
	membership_step(monitor[0], now);
	handle_holding(monitor[0], 1, &(struct message_holding){.round = s->round, .base = 3 * PIECE, .bytes = PAGE_BYTES});
	handle_holding(monitor[0], 1,
	               &(struct message_holding){.round = s->round, .base = 3 * PIECE - PAGE_BYTES, .bytes = 2 * PAGE_BYTES});
	handle_holding(monitor[0], 1,
	               &(struct message_holding){.round = s->round, .base = 2 * PIECE - PAGE_BYTES, .bytes = 2 * PAGE_BYTES});
	handle_holding(monitor[0], 1, &(struct message_holding){.round = s->round + 1, .base = 2 * PIECE, .bytes = PAGE_BYTES});
	assert_int_equal(s->holdings, 0);
	handle_holding(monitor[0], 1, &(struct message_holding){.round = s->round, .base = 2 * PIECE, .bytes = PAGE_BYTES});
	assert_int_equal(s->holdings, 1);
}

static void test_what_moves_meanwhile_is_not_missed(void **state)
{
	struct settlement *s = &monitor[0]->membership.settlement;

	(void)state;
	monitor[0]->agreement.changing = true;
	crash(2, 1);
	run(1000000);
	held[holds++] = (struct range){3, 2 * PIECE, PAGE_BYTES};
	monitor[0]->agreement.changing = false;
	running = 0;
	membership_step(monitor[0], now);
	assert_int_equal(last, 3);
	/* After core 1 has been asked and before core 3 is, a page goes from 3 to 1. */
	hand_over(&letters[0]);
	hand_over(&letters[1]);
	held[0].core = 1;
	estate_arrival(monitor[1], 2 * PIECE, PAGE_BYTES);
	first = 2;
	deliver();
	assert_int_equal(s->round, 3); /* the second round heard of an arrival that the first had not */
	run(1000000);
	assert_int_equal(adopted[3], PIECE - PAGE_BYTES);
	assert_int_equal(monitor[0]->membership.fence[2].held, PAGE_BYTES);
}

static void test_an_heir_that_dies_has_heirs(void **state)
{
	(void)state;
	crash(2, 1);
	run(250);
	nobody_is_silent();
	while (estate_of(3) == PIECE)
		run(250);
	crash(3, 1);
	run(250);
	nobody_is_silent();
	run(3000000);
	/* Nobody is left on the node: the nearest with a core. */
	assert_int_equal(adopted[0] + adopted[1], 2 * PIECE);
	assert_int_equal(monitor[0]->membership.fence[2].state, FENCE_OUT);
	assert_int_equal(monitor[0]->membership.fence[3].state, FENCE_OUT);
}

static void test_settling_waits_for_the_agreement(void **state)
{
	(void)state;
	monitor[0]->agreement.changing = true;
	crash(2, 1);
	run(250);
	nobody_is_silent();
	run(1000000);
	assert_int_equal(buried[1][2], 1);
	assert_int_equal(adopted[3], 0);
	monitor[0]->agreement.changing = false;
	run(1000000);
	assert_int_equal(adopted[3], PIECE);
}

static void test_only_the_leader_is_told_what_is_where(void **state)
{
	(void)state;
	handle_inventory(monitor[1], 3, &(struct message_inventory){.round = 1, .base = PIECE, .bytes = PIECE});
	handle_inventory(monitor[1], 0, &(struct message_inventory){.round = 1, .base = WINDOW_BYTES - PAGE_BYTES, .bytes = PIECE});
	assert_int_equal(last, 0);
	handle_inherit(monitor[1], 3, &(struct message_inherit){.base = PIECE, .bytes = PIECE});
	assert_null(monitor[1]->membership.legacies);
}

/* ---- The leader's book ---- */

static void given(uint32_t from, uint32_t core, uint64_t base, uint64_t bytes)
{
	running = 0;
	handle_given(monitor[0], from, &(const struct message_given){.core = core, .by = from, .base = base, .bytes = bytes});
}

static void test_who_may_say_whose_memory_is(void **state)
{
	(void)state;
	given(2, 2, PIECE, PIECE);     /* takes what was not its own */
	given(2, 3, 2 * PIECE, PIECE); /* gives to whom it does not start */
	assert_int_equal(estate_of(1), PIECE);
	assert_int_equal(estate_of(2), PIECE);
	assert_int_equal(peers[0][2].refused, 2);
	die(2, 1);
	run(250);
	nobody_is_silent();
	run(1000000);
	assert_int_equal(starts[2], 1); /* core 3 starts it */
	assert_int_equal(estate_of(3), 2 * PIECE);
	given(1, 2, PIECE, PIECE);
	given(3, 2, PIECE, PIECE);
	assert_int_equal(estate_of(2), 0);
	given(3, 2, 2 * PIECE, PIECE);
	assert_int_equal(estate_of(2), PIECE);
	given(3, 3, 2 * PIECE, PIECE); /* it could not be started */
	assert_int_equal(estate_of(3), 2 * PIECE);
	assert_int_equal(peers[0][1].refused, 1);
	assert_int_equal(peers[0][3].refused, 1);
}

/* Core 2 has started core 3, which starts core 1. */
static void test_who_does_not_know_the_first_core_yet_has_it_told(void **state)
{
	struct message_given forged = {.core = 1, .by = 3, .base = 3 * PIECE + PIECE / 2, .bytes = PIECE / 2};
	struct machine_tree tree = {.parent = {0, 3, 0, 2}};

	(void)state;
	for (uint32_t core = 0; core < CORES; core++)
		monitor[core]->membership.view = 0;
	monitor[0]->tree = &tree;
	boot[3].starter = 2;
	peers[3][0].state = PEER_UNKNOWN;
	estate_tell_given(monitor[3], 1, 3 * PIECE, PIECE / 2, 0);
	deliver();
	assert_int_equal(estate_of(1), PIECE + PIECE / 2);
	assert_int_equal(estate_of(3), PIECE / 2);
	handle_given(monitor[0], 1, &forged); /* core 3 is not below it */
	assert_int_equal(peers[0][1].refused, 1);
	monitor[2]->membership.view = 1;
	handle_given(monitor[2], 3, &forged); /* by now it knows the first core */
	assert_int_equal(peers[2][3].refused, 1);
	assert_int_equal(last, 0);
	assert_int_equal(estate_of(3), PIECE / 2);
}

static void test_what_cannot_be_noted_changes_nothing(void **state)
{
	struct settlement *s = &monitor[0]->membership.settlement;
	uint64_t page = 0;

	(void)state;
	no_memory = true;
	while (estate_given(monitor[0], 1, 2 * PIECE + page * PAGE_BYTES, PAGE_BYTES))
		page += 2;
	assert_in_range(page, 2, 200);
	assert_in_range(s->estates, s->estates_room - 1, s->estates_room);
	assert_int_equal(estate_of(1) + estate_of(2), 2 * PIECE);
	assert_int_equal(estate_of(3), PIECE);
	no_memory = false;
	assert_true(estate_given(monitor[0], 1, 2 * PIECE, PIECE));
	assert_int_equal(estate_of(1), 2 * PIECE);
	assert_int_equal(s->estates, 3); /* what adjoins is one, but not across nodes */
}

static void test_without_memory_settling_waits(void **state)
{
	struct settlement *s = &monitor[0]->membership.settlement;

	(void)state;
	held[holds++] = (struct range){1, 2 * PIECE + 5 * PAGE_BYTES, 3 * PAGE_BYTES};
	no_memory = true;
	s->estates_room = s->estates;
	crash(2, 1);
	run(250);
	nobody_is_silent();
	run(1000000);
	assert_int_equal(adopted[3], 0);
	assert_int_equal(estate_of(2), PIECE);
	assert_in_range(s->round, 20, 200); /* not at every step */
	no_memory = false;
	run(1000000);
	assert_int_equal(adopted[3], PIECE - 3 * PAGE_BYTES);
	assert_int_equal(estate_of(1), PIECE + 3 * PAGE_BYTES);
}

static void test_as_many_pieces_are_remembered_as_could_be_given_back(void **state)
{
	const uint64_t holes = sizeof(held) / sizeof(held[0]);
	unsigned count = 0;

	(void)state;
	while (holds < holes) {
		held[holds] = (struct range){1, 2 * PIECE + (2 * holds + 1) * PAGE_BYTES, PAGE_BYTES};
		holds++;
	}
	crash(2, 1);
	run(250);
	nobody_is_silent();
	run(1000000);
	assert_int_equal(adopted[3], PIECE - holes * PAGE_BYTES);
	for (const struct legacy *l = monitor[3]->membership.legacies; l != NULL; l = l->next)
		count++;
	assert_int_equal(count, START_MEMORIES);
	assert_int_equal(monitor[0]->membership.fence[2].state, FENCE_OUT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_what_nobody_has_goes_to_a_core_of_the_node),
	    TEST(test_what_is_dropped_while_it_is_being_settled),
	    TEST(test_what_the_leader_drops),
	    TEST(test_what_was_held_is_settled_again_when_somebody_dies),
	    TEST(test_who_has_it_at_last_serves_it),
	    TEST(test_what_comes_back_while_it_is_being_settled),
	    TEST(test_what_is_kept_goes_to_nobody),
	    TEST(test_ones_own_memory_is_never_given_away),
	    TEST(test_what_cannot_be_cleared_is_not_used),
	    TEST(test_what_lies_elsewhere_is_no_holding),
	    TEST(test_what_moves_meanwhile_is_not_missed),
	    TEST(test_an_heir_that_dies_has_heirs),
	    TEST(test_settling_waits_for_the_agreement),
	    TEST(test_only_the_leader_is_told_what_is_where),
	    TEST(test_who_may_say_whose_memory_is),
	    TEST(test_who_does_not_know_the_first_core_yet_has_it_told),
	    TEST(test_what_cannot_be_noted_changes_nothing),
	    TEST(test_without_memory_settling_waits),
	    TEST(test_as_many_pieces_are_remembered_as_could_be_given_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
