/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
// sources: cpudriver/dispatch/schedule.c

/* The order in which dispatchers get the processor. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cpudriver/dispatch/schedule.h"

#define MANY 8

static struct schedule s;
static struct schedule_entry entry[MANY];

static void begin(const uint32_t *shares, unsigned n)
{
	s = (struct schedule){0};
	for (unsigned i = 0; i < n; i++) {
		schedule_entry_init(&entry[i], shares[i]);
		schedule_add(&s, &entry[i]);
	}
}

static unsigned number_of(const struct schedule_entry *e)
{
	return (unsigned)(e - entry);
}

/* One turn of whoever is next; it wants another one. */
static unsigned turn(void)
{
	struct schedule_entry *e = schedule_take(&s);

	assert_non_null(e);
	assert_false(e->queued);
	schedule_add(&s, e);
	return number_of(e);
}

static void nobody(void **state)
{
	(void)state;
	begin(NULL, 0);
	assert_true(schedule_is_empty(&s));
	assert_null(schedule_take(&s));
}

static void one_gets_everything(void **state)
{
	(void)state;
	begin((uint32_t[]){1}, 1);
	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(turn(), 0);
}

static void equal_shares_are_a_round_robin(void **state)
{
	(void)state;
	begin((uint32_t[]){100, 100, 100, 100}, 4);
	for (unsigned i = 0; i < 400; i++)
		assert_int_equal(turn(), i % 4);
}

/* After every turn, what each has had differs from its share by at most `bound` turns. */
static void check_shares(const uint32_t *shares, unsigned n, double bound)
{
	unsigned had[MANY] = {0};
	double sum = 0;

	for (unsigned i = 0; i < n; i++)
		sum += shares[i];
	begin(shares, n);
	for (unsigned t = 1; t <= 20000; t++) {
		had[turn()]++;
		for (unsigned i = 0; i < n; i++) {
			double due = t * shares[i] / sum;

			assert_true(had[i] < due + bound && had[i] > due - bound);
		}
	}
}

static void shares_are_kept_within_two_turns(void **state)
{
	(void)state;
	check_shares((uint32_t[]){400, 100, 100, 100, 100}, 5, 2);
	check_shares((uint32_t[]){500, 300, 200}, 3, 2);
	check_shares((uint32_t[]){1000, 1}, 2, 2);
	check_shares((uint32_t[]){7, 11, 13, 17, 19, 23, 29, 31}, 8, 2);
}

/* Four of eight turns, but never three in a row: bursts would let others wait. */
static void a_large_share_is_spread(void **state)
{
	unsigned row = 0;

	(void)state;
	begin((uint32_t[]){400, 100, 100, 100, 100}, 5);
	for (unsigned i = 0; i < 800; i++) {
		row = turn() == 0 ? row + 1 : 0;
		assert_true(row < 3);
	}
}

static void sleeping_earns_no_credit(void **state)
{
	unsigned had = 0;

	(void)state;
	begin((uint32_t[]){100, 100, 100}, 3);
	schedule_remove(&s, &entry[2]);
	for (unsigned i = 0; i < 1000; i++)
		turn();
	schedule_add(&s, &entry[2]);
	for (unsigned i = 0; i < 30; i++)
		had += turn() == 2;
	assert_in_range(had, 10, 11);
}

static void a_changed_share_counts_at_once(void **state)
{
	unsigned had = 0;

	(void)state;
	begin((uint32_t[]){100, 100}, 2);
	for (unsigned i = 0; i < 10; i++)
		turn();
	schedule_set_share(&s, &entry[1], 300);
	for (unsigned i = 0; i < 400; i++)
		had += turn() == 1;
	assert_in_range(had, 297, 303);
}

static void out_of_turn_is_charged(void **state)
{
	unsigned had = 0;

	(void)state;
	begin((uint32_t[]){100, 100}, 2);
	for (unsigned i = 0; i < 5; i++) {
		schedule_take_this(&s, &entry[1]);
		schedule_add(&s, &entry[1]);
	}
	for (unsigned i = 0; i < 15; i++)
		had += turn() == 0;
	assert_in_range(had, 9, 11);
}

static void virtual_time_wraps_around(void **state)
{
	(void)state;
	begin(NULL, 0);
	s.time = UINT64_MAX - 3 * (SCHEDULE_UNIT / 100);
	for (unsigned i = 0; i < 3; i++) {
		schedule_entry_init(&entry[i], 100);
		entry[i].start = s.time;
		schedule_add(&s, &entry[i]);
	}
	for (unsigned i = 0; i < 60; i++)
		assert_int_equal(turn(), i % 3);
	assert_true(s.time < UINT64_MAX / 2);
}

static void removal_from_anywhere(void **state)
{
	(void)state;
	begin((uint32_t[]){100, 100, 100, 100}, 4);
	schedule_remove(&s, &entry[0]);
	schedule_remove(&s, &entry[3]);
	schedule_remove(&s, &entry[1]);
	assert_ptr_equal(s.first, &entry[2]);
	assert_ptr_equal(s.last, &entry[2]);
	assert_int_equal(s.shares, 100);
	schedule_remove(&s, &entry[2]);
	assert_true(schedule_is_empty(&s));
	assert_null(s.last);
	assert_int_equal(s.shares, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(nobody),
	    cmocka_unit_test(one_gets_everything),
	    cmocka_unit_test(equal_shares_are_a_round_robin),
	    cmocka_unit_test(shares_are_kept_within_two_turns),
	    cmocka_unit_test(a_large_share_is_spread),
	    cmocka_unit_test(sleeping_earns_no_credit),
	    cmocka_unit_test(a_changed_share_counts_at_once),
	    cmocka_unit_test(out_of_turn_is_charged),
	    cmocka_unit_test(virtual_time_wraps_around),
	    cmocka_unit_test(removal_from_anywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
