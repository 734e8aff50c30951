// sources: libos/thread/queue.c libos/thread/policy_stealing.c libos/thread/policy_shares.c
/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* The policies of the run queue: what both must do, whatever is done to them at random; then what each promises. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <atoll/policy.h>
#include "tests/hosted/random.h"

#define MANY 64

static struct run_queue q;
static struct runnable thread[MANY];

static unsigned number_of(const struct runnable *r)
{
	return (unsigned)(r - thread);
}

static void begin(unsigned n)
{
	q = (struct run_queue){0};
	for (unsigned i = 0; i < n; i++)
		thread[i] = (struct runnable){.members = MEMBERS_ALL, .share = SHARE_USUAL, .priority = PRIORITY_DEFAULT};
}

/* ---- Both ---- */

/* Against a set: who is added and not taken is in it, once. */
static void nobody_is_lost_or_doubled(const struct policy *p, uint64_t seed)
{
	bool in[MANY] = {false};
	unsigned inside = 0;

	random_state = seed;
	begin(MANY);
	for (unsigned step = 0; step < 20000; step++) {
		unsigned i = random_number() % MANY;
		struct runnable *r = NULL;

		switch (random_number() % 4) {
		case 0:
		case 1:
			if (in[i])
				continue;
			thread[i].priority = (uint8_t)(random_number() % PRIORITIES);
			thread[i].share = (uint16_t)(SHARE_LEAST + random_number() % SHARE_MOST);
			thread[i].bound = random_number() % 4 == 0;
			thread[i].members = random_number() % 2 ? MEMBERS_ALL : UINT64_C(1) << i;
			p->add(&q, &thread[i]);
			in[i] = true;
			inside++;
			break;
		case 2:
			r = random_number() % 2 ? p->take(&q) : p->give(&q, i);
			break;
		default:
			if (!in[i])
				continue;
			p->remove(&q, &thread[i]);
			in[i] = false;
			inside--;
			break;
		}
		if (r != NULL) {
			assert_true(in[number_of(r)]);
			in[number_of(r)] = false;
			inside--;
		}
		assert_int_equal(q.count, inside);
	}
	while (inside > 0) {
		struct runnable *r = p->take(&q);

		assert_non_null(r);
		assert_true(in[number_of(r)]);
		in[number_of(r)] = false;
		inside--;
	}
	assert_null(p->take(&q));
	assert_null(p->give(&q, 0));
}

static void at_random(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 20; seed++) {
		nobody_is_lost_or_doubled(&policy_stealing, seed);
		nobody_is_lost_or_doubled(&policy_shares, seed);
	}
}

static void thieves_get_only_what_may_move(void **state)
{
	static const struct policy *const policies[] = {&policy_stealing, &policy_shares};

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		begin(4);
		thread[0].bound = true;
		thread[1].members = 1;
		thread[2].members = 1 | 1 << 5;
		for (unsigned t = 0; t < 3; t++)
			policies[i]->add(&q, &thread[t]);
		assert_null(policies[i]->give(&q, 1));
		assert_ptr_equal(policies[i]->give(&q, 5), &thread[2]);
		assert_null(policies[i]->give(&q, 5));
		assert_ptr_equal(policies[i]->give(&q, 0), &thread[1]);
		assert_int_equal(q.count, 1);
	}
}

/* ---- Work stealing ---- */

static void priorities_then_first_come(void **state)
{
	static const uint8_t priority[] = {3, 7, 3, 0, 7};
	static const unsigned order[] = {1, 4, 0, 2, 3};

	(void)state;
	begin(5);
	for (unsigned i = 0; i < 5; i++) {
		thread[i].priority = priority[i];
		policy_stealing.add(&q, &thread[i]);
	}
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(number_of(policy_stealing.take(&q)), order[i]);
}

static void equals_take_turns(void **state)
{
	(void)state;
	begin(3);
	for (unsigned i = 0; i < 3; i++)
		policy_stealing.add(&q, &thread[i]);
	for (unsigned turn = 0; turn < 300; turn++) {
		struct runnable *r = policy_stealing.take(&q);

		assert_int_equal(number_of(r), turn % 3);
		policy_stealing.add(&q, r);
	}
}

/* ---- Shares ---- */

/* After every turn each thread has had its part of the turns so far, give or take one. */
static void check_shares(const uint16_t *share, unsigned n)
{
	uint64_t had[MANY] = {0}, sum = 0;

	begin(n);
	for (unsigned i = 0; i < n; i++) {
		thread[i].share = share[i];
		sum += share[i];
		policy_shares.add(&q, &thread[i]);
	}
	for (uint64_t turn = 1; turn <= 20000; turn++) {
		struct runnable *r = policy_shares.take(&q);

		had[number_of(r)]++;
		policy_shares.add(&q, r);
		for (unsigned i = 0; i < n; i++) {
			double due = (double)turn * share[i] / (double)sum;

			assert_true((double)had[i] > due - 1.001 && (double)had[i] < due + 1.001);
		}
	}
}

static void nobody_is_a_turn_ahead_or_behind(void **state)
{
	(void)state;
	check_shares((uint16_t[]){1}, 1);
	check_shares((uint16_t[]){1, 1000}, 2);
	check_shares((uint16_t[]){100, 200, 300}, 3);
	check_shares((uint16_t[]){618, 382}, 2);
	check_shares((uint16_t[]){7, 7, 7, 7, 7, 7, 7, 51}, 8);
	random_state = 11;
	for (unsigned round = 0; round < 30; round++) {
		uint16_t share[12];

		for (unsigned i = 0; i < 12; i++)
			share[i] = (uint16_t)(SHARE_LEAST + random_number() % SHARE_MOST);
		check_shares(share, 2 + random_number() % 11);
	}
}

/* Of two threads the slower one's k-th turn is number floor(k * S / s), the Beatty sequence, or one beside it. */
static void turns_are_a_beatty_sequence(void **state)
{
	unsigned k = 0;

	(void)state;
	begin(2);
	thread[0].share = 618;
	thread[1].share = 382;
	for (unsigned i = 0; i < 2; i++)
		policy_shares.add(&q, &thread[i]);
	for (unsigned turn = 0; turn < 5000; turn++) {
		struct runnable *r = policy_shares.take(&q);

		if (number_of(r) == 1) {
			unsigned due = k * 1000 / 382;

			assert_true(turn >= due && turn <= due + 2);
			k++;
		}
		policy_shares.add(&q, r);
	}
	assert_int_equal(k, 1910);
}

/* Half of the time for whoever is there; one who sleeps gets nothing for it afterwards. */
static void sleepers_do_not_catch_up(void **state)
{
	unsigned had[2] = {0, 0};

	(void)state;
	begin(2);
	policy_shares.add(&q, &thread[0]);
	for (unsigned turn = 0; turn < 1000; turn++)
		policy_shares.add(&q, policy_shares.take(&q));
	policy_shares.add(&q, &thread[1]);
	for (unsigned turn = 0; turn < 1000; turn++) {
		struct runnable *r = policy_shares.take(&q);

		had[number_of(r)]++;
		policy_shares.add(&q, r);
	}
	assert_in_range(had[0], 499, 501);
	assert_in_range(had[1], 499, 501);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(at_random),
	    cmocka_unit_test(thieves_get_only_what_may_move),
	    cmocka_unit_test(priorities_then_first_come),
	    cmocka_unit_test(equals_take_turns),
	    cmocka_unit_test(nobody_is_a_turn_ahead_or_behind),
	    cmocka_unit_test(turns_are_a_beatty_sequence),
	    cmocka_unit_test(sleepers_do_not_catch_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
