// SPDX-License-Identifier: MIT
// Copyright 2026 The Atoll authors
// sources: monitor/patience.c

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "monitor/patience.h"

/* How many of `waits` are looked on, when all looking on is in vain. */
static unsigned looks_in_vain(struct patience *p, unsigned waits)
{
	unsigned looks = 0;

	for (unsigned i = 0; i < waits; i++) {
		if (!patience_has(p))
			continue;
		looks++;
		patience_learn(p, false);
	}
	return looks;
}

static void who_knows_nothing_looks_on(void **state)
{
	struct patience p = {0};

	(void)state;
	assert_true(patience_has(&p));
}

static void success_is_never_given_up(void **state)
{
	struct patience p = {0};

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		assert_true(patience_has(&p));
		patience_learn(&p, true);
	}
}

static void now_and_then_in_vain_is_forgiven(void **state)
{
	struct patience p = {0};

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		assert_true(patience_has(&p));
		patience_learn(&p, i % (PATIENCE_FORGIVEN + 1) == 0);
	}
}

static void rests_double(void **state)
{
	struct patience p = {0};

	(void)state;
	assert_int_equal(looks_in_vain(&p, PATIENCE_FORGIVEN + 1), PATIENCE_FORGIVEN + 1);
	for (unsigned rest = 1; rest <= PATIENCE_RESTS_AT_MOST; rest *= 2) {
		for (unsigned i = 0; i < rest; i++)
			assert_false(patience_has(&p));
		assert_true(patience_has(&p));
		patience_learn(&p, false);
	}
}

/* However long it goes on, it is a small share, and never none. */
static void always_in_vain_is_seldom_tried(void **state)
{
	struct patience p = {0};
	unsigned looks;

	(void)state;
	(void)looks_in_vain(&p, 1000);
	looks = looks_in_vain(&p, 100 * (PATIENCE_RESTS_AT_MOST + 1));
	assert_int_equal(looks, 100);
}

static void one_success_is_believed(void **state)
{
	struct patience p = {0};

	(void)state;
	(void)looks_in_vain(&p, 1000);
	while (!patience_has(&p))
		;
	patience_learn(&p, true);
	for (unsigned i = 0; i <= PATIENCE_FORGIVEN; i++) {
		assert_true(patience_has(&p));
		patience_learn(&p, false);
	}
	assert_false(patience_has(&p));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(who_knows_nothing_looks_on),       cmocka_unit_test(success_is_never_given_up),
	    cmocka_unit_test(now_and_then_in_vain_is_forgiven), cmocka_unit_test(rests_double),
	    cmocka_unit_test(always_in_vain_is_seldom_tried),   cmocka_unit_test(one_success_is_believed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
