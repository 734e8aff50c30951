// sources: cpudriver/dispatch/beat.c
/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Signs of life between two cores: when silence is noticed, and what is no silence. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "cpudriver/dispatch/beat.h"

#define PERIOD 25
#define LIMIT  65
#define EVER   1000000

static struct beat_line there, here;
static struct beat beat;

static int begin(void **state)
{
	const struct beat_orders orders = {&there, &here, PERIOD, LIMIT, EVER};

	(void)state;
	there = here = (struct beat_line){0};
	beat = (struct beat){0};
	beat_order(&beat, &orders, 1000);
	return 0;
}

static void test_beats_go_to_the_watcher(void **state)
{
	(void)state;
	assert_int_equal(beat.next, 1000);
	for (uint64_t n = 1; n < 10; n++) {
		here.count++;
		assert_false(beat_step(&beat, beat.next));
		assert_int_equal(there.count, n);
		assert_int_equal(beat.next, 1000 + n * PERIOD);
		assert_int_equal(beat.heard, n);
	}
	assert_int_equal(there.strain, 0);
}

static void test_silence_is_noticed_at_the_limit_and_told_once(void **state)
{
	uint64_t seen;

	(void)state;
	here.count = 7;
	assert_false(beat_step(&beat, 1000));
	seen = 1000;
	while (!beat_step(&beat, beat.next))
		assert_in_range(beat.next, seen, seen + LIMIT);
	assert_int_equal(beat.looked, seen + LIMIT);
	assert_int_equal(beat.silence, LIMIT);
	for (unsigned i = 0; i < 100; i++)
		assert_false(beat_step(&beat, beat.next));
	beat_order(&beat, &(struct beat_orders){&there, &here, PERIOD, LIMIT, EVER}, beat.looked);
	assert_true(beat_step(&beat, beat.next)); /* who wants to be told again is */
	here.count++;
	assert_false(beat_step(&beat, beat.next));
	assert_int_equal(beat.silence, 0);
}

static void test_own_absence_is_nobody_elses_silence(void **state)
{
	(void)state;
	here.count = 1;
	assert_false(beat_step(&beat, 1000));
	assert_false(beat_step(&beat, 5000)); /* this core was stopped meanwhile, and so may have been the other */
	assert_int_equal(beat.silence, 2 * PERIOD);
	here.count = 2;
	assert_false(beat_step(&beat, beat.next));
	assert_int_equal(beat.silence, 0);
}

static void test_delays_are_told_and_fade(void **state)
{
	(void)state;
	here.count = 1;
	assert_false(beat_step(&beat, 1000));
	here.count = 2;
	assert_false(beat_step(&beat, beat.next + 320)); /* late */
	assert_int_equal(beat.strain, 320);
	assert_int_equal(there.strain, 320);
	here.count = 3;
	assert_false(beat_step(&beat, beat.next));
	assert_int_equal(beat.strain, 315);
	for (unsigned i = 0; i < 200; i++) {
		here.count++;
		assert_false(beat_step(&beat, beat.next));
	}
	assert_in_range(beat.strain, 0, 63); /* less than a 64th is not lost any more */
}

/* The watched core itself is what is late, and does not know it; this one has a processor of its own. */
static void test_late_beats_are_remembered(void **state)
{
	(void)state;
	here.count = 1;
	assert_false(beat_step(&beat, 1000));
	for (unsigned i = 0; i < 20; i++) {
		assert_false(beat_step(&beat, beat.next)); /* just missed it */
		assert_int_equal(beat.silence, PERIOD);
		here.count++;
		assert_false(beat_step(&beat, beat.next));
		assert_int_equal(beat.strain, 0);
	}
	assert_false(beat_step(&beat, beat.next));
	assert_false(beat_step(&beat, beat.next));
	here.count++;
	assert_false(beat_step(&beat, beat.next));
	assert_int_equal(beat.strain, PERIOD);
	assert_int_equal(there.strain, 0); /* to be told with the next beat */
	here.count++;
	assert_false(beat_step(&beat, beat.next));
	assert_int_equal(there.strain, PERIOD);
}

static void test_it_takes_a_while_to_know_somebody(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2 * BEATS_TO_KNOW; i++) {
		assert_int_equal(beat.heard, i < BEATS_TO_KNOW ? i : BEATS_TO_KNOW);
		here.count++;
		assert_false(beat_step(&beat, beat.next));
	}
}

static void test_what_the_other_tells_counts_less(void **state)
{
	(void)state;
	here = (struct beat_line){1, 800};
	assert_false(beat_step(&beat, 1000));
	assert_int_equal(beat.strain, 700);
	here = (struct beat_line){2, UINT64_MAX}; /* a lie does not overflow */
	assert_false(beat_step(&beat, beat.next));
	assert_in_range(beat.strain, 700, UINT64_C(100000) * PERIOD);
	here.strain = 5; /* without a beat it is not heard */
	assert_false(beat_step(&beat, beat.next));
	assert_in_range(beat.strain, 700, UINT64_C(100000) * PERIOD);
}

static void test_a_last_beat_is_believed_at_once(void **state)
{
	(void)state;
	here.count = 1;
	assert_false(beat_step(&beat, 1000));
	here.count = BEAT_LAST;
	assert_false(beat.over);
	assert_true(beat_step(&beat, beat.next));
	assert_true(beat.over);
}

static void test_who_stops_says_so(void **state)
{
	(void)state;
	assert_false(beat_step(&beat, 1000));
	beat_end(&beat);
	assert_int_equal(there.count, BEAT_LAST);
	assert_int_equal(beat.next, 0);
}

static void test_without_a_lease_no_beats(void **state)
{
	(void)state;
	beat_order(&beat, &(struct beat_orders){&there, &here, PERIOD, LIMIT, 1030}, 1000);
	assert_false(beat_step(&beat, 1000));
	here.count++;
	assert_false(beat_step(&beat, 1025));
	assert_int_equal(there.count, 2);
	for (unsigned i = 0; i < 10; i++) {
		here.count++;
		assert_false(beat_step(&beat, beat.next));
	}
	assert_int_equal(there.count, 2); /* but it goes on looking */
	assert_int_equal(beat.silence, 0);
}

static void test_a_new_core_to_watch_starts_afresh(void **state)
{
	struct beat_line other = {.count = 42};

	(void)state;
	here.count = 1;
	assert_false(beat_step(&beat, 1000));
	assert_false(beat_step(&beat, beat.next));
	assert_int_equal(beat.silence, PERIOD);
	beat_order(&beat, &(struct beat_orders){&there, &other, PERIOD, LIMIT, EVER}, beat.looked);
	assert_int_equal(beat.silence, 0);
	assert_int_equal(beat.heard, 0);
	assert_false(beat_step(&beat, beat.next));
	assert_int_equal(beat.heard, 0); /* what it had counted before is no beat */
	other.count++;
	assert_false(beat_step(&beat, beat.next));
	assert_int_equal(beat.heard, 1);
}

static void test_nobody_to_watch(void **state)
{
	(void)state;
	beat_order(&beat, &(struct beat_orders){0}, 1000);
	assert_int_equal(beat.next, 0);
	beat_end(&beat);
	assert_int_equal(there.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(test_beats_go_to_the_watcher, begin),
	    cmocka_unit_test_setup(test_silence_is_noticed_at_the_limit_and_told_once, begin),
	    cmocka_unit_test_setup(test_own_absence_is_nobody_elses_silence, begin),
	    cmocka_unit_test_setup(test_delays_are_told_and_fade, begin),
	    cmocka_unit_test_setup(test_late_beats_are_remembered, begin),
	    cmocka_unit_test_setup(test_it_takes_a_while_to_know_somebody, begin),
	    cmocka_unit_test_setup(test_what_the_other_tells_counts_less, begin),
	    cmocka_unit_test_setup(test_a_last_beat_is_believed_at_once, begin),
	    cmocka_unit_test_setup(test_who_stops_says_so, begin),
	    cmocka_unit_test_setup(test_without_a_lease_no_beats, begin),
	    cmocka_unit_test_setup(test_a_new_core_to_watch_starts_afresh, begin),
	    cmocka_unit_test_setup(test_nobody_to_watch, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
