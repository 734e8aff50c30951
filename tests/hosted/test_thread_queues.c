// sources: libos/thread/queue.c libos/thread/futex.c
/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* The lists that threads stand in: order, removal from anywhere, sleepers by deadline, waiters by address. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "libos/thread/futex.h"
#include "libos/thread/queue.h"

static void first_come_first_served(void **state)
{
	struct queue q = {NULL, NULL};
	struct queue_entry e[3];

	(void)state;
	assert_true(queue_is_empty(&q));
	assert_null(queue_take(&q));
	for (unsigned i = 0; i < 3; i++)
		queue_put(&q, &e[i]);
	for (unsigned i = 0; i < 3; i++)
		assert_ptr_equal(queue_take(&q), &e[i]);
	assert_true(queue_is_empty(&q));
	queue_put(&q, &e[2]);
	assert_ptr_equal(queue_take(&q), &e[2]);
}

/* Removing any one of three leaves the other two in order, and the list usable. */
static void anyone_can_leave(void **state)
{
	struct queue_entry e[4];

	(void)state;
	for (unsigned gone = 0; gone < 3; gone++) {
		struct queue q = {NULL, NULL};

		for (unsigned i = 0; i < 3; i++)
			queue_put(&q, &e[i]);
		assert_true(queue_remove(&q, &e[gone]));
		assert_false(queue_remove(&q, &e[gone]));
		queue_put(&q, &e[3]);
		for (unsigned i = 0; i < 4; i++)
			if (i != gone)
				assert_ptr_equal(queue_take(&q), &e[i]);
		assert_null(queue_take(&q));
	}
}

static void the_only_one_can_leave(void **state)
{
	struct queue q = {NULL, NULL};
	struct queue_entry a, b;

	(void)state;
	queue_put(&q, &a);
	assert_true(queue_remove(&q, &a));
	assert_true(queue_is_empty(&q));
	queue_put(&q, &b);
	assert_ptr_equal(queue_take(&q), &b);
}

static void sleepers_wake_by_deadline(void **state)
{
	struct sleeper *list = NULL, a = {0}, b = {0}, c = {0}, d = {0};

	(void)state;
	sleepers_add(&list, &a, 30);
	sleepers_add(&list, &b, 10);
	sleepers_add(&list, &c, 20);
	sleepers_add(&list, &d, 10);
	assert_null(sleepers_take(&list, 9));
	assert_ptr_equal(sleepers_take(&list, 15), &b);
	assert_false(b.asleep);
	assert_ptr_equal(sleepers_take(&list, 15), &d);
	assert_null(sleepers_take(&list, 15));
	sleepers_remove(&list, &c);
	sleepers_remove(&list, &c); /* twice does nothing */
	assert_ptr_equal(sleepers_take(&list, UINT64_MAX), &a);
	assert_null(list);
}

static void a_wake_finds_its_own_address(void **state)
{
	static struct futex_table t;
	struct futex_waiter a, b, c;

	(void)state;
	/* two addresses that share a list */
	futex_add(&t, &a, 0x1000, UINT32_MAX);
	futex_add(&t, &b, 0x1000 + ((uint64_t)FUTEX_LISTS << 12), UINT32_MAX);
	futex_add(&t, &c, 0x1000, UINT32_MAX);
	assert_ptr_equal(futex_take(&t, 0x1000 + ((uint64_t)FUTEX_LISTS << 12), 1), &b);
	assert_ptr_equal(futex_take(&t, 0x1000, 1), &a);
	assert_true(futex_remove(&t, &c));
	assert_false(futex_remove(&t, &c));
	assert_null(futex_take(&t, 0x1000, 1));
}

static void bits_choose_whom_to_wake(void **state)
{
	static struct futex_table t;
	struct futex_waiter a, b;

	(void)state;
	futex_add(&t, &a, 0x2000, 1);
	futex_add(&t, &b, 0x2000, 2);
	assert_null(futex_take(&t, 0x2000, 4));
	assert_ptr_equal(futex_take(&t, 0x2000, 2), &b);
	assert_ptr_equal(futex_take(&t, 0x2000, 3), &a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(first_come_first_served),      cmocka_unit_test(anyone_can_leave),
	    cmocka_unit_test(the_only_one_can_leave),       cmocka_unit_test(sleepers_wake_by_deadline),
	    cmocka_unit_test(a_wake_finds_its_own_address), cmocka_unit_test(bits_choose_whom_to_wake),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
