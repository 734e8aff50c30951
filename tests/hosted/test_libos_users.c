// sources: libos/address_space/users.c
/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Who uses what page: against a plain list of what was said. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "libos/address_space/users.h"
#include "libos/memory/memory.h"
#include "libos/span/span.h"
#include "tests/hosted/random.h"

static void *stored[4096];
static unsigned stores;

void *store_alloc(size_t bytes)
{
	return stores == 4096 ? NULL : (stored[stores++] = calloc(1, bytes));
}

static int end(void **state)
{
	(void)state;
	while (stores > 0)
		free(stored[--stores]);
	return 0;
}

/* Some hundred pages at places far apart: the program's data, the beginnings and ends of leaves and of an area. */
#define ROW 64
static const uint64_t rows[] = {USER_PROGRAM, USER_HEAP, USER_HEAP + PAGE_BYTES_LARGE - ROW / 2 * PAGE_BYTES, USER_HEAP + 255 * GIB,
                                USER_HEAP + GIB - ROW / 2 * PAGE_BYTES};
#define ROWS (sizeof rows / sizeof rows[0])
static uint64_t expected[ROWS][ROW];

static void compare(unsigned row, unsigned from, unsigned to)
{
	uint64_t all = 0;

	for (unsigned i = from; i < to; i++)
		all |= expected[row][i];
	assert_true(users_of(rows[row] + from * PAGE_BYTES, rows[row] + to * PAGE_BYTES) == all);
}

/* Answers where the table of level 1 ends, at which a caller stops. */
static unsigned end_of_table(unsigned row, unsigned from, unsigned to)
{
	uint64_t next = ((rows[row] + from * PAGE_BYTES) | (PAGE_BYTES_LARGE - 1)) + 1, most = (next - rows[row]) / PAGE_BYTES;

	return to < most ? to : (unsigned)most;
}

static void random_sequences(void **state)
{
	(void)state;
	random_state = 3;
	assert_true(users_of(0, USER_HEAP + 256 * GIB) == 0);
	for (unsigned step = 0; step < 30000; step++) {
		unsigned row = random_number() % ROWS, from = random_number() % ROW, to = from + 1 + random_number() % (ROW - from);
		unsigned member = random_number() % SPAN_MAX, what = random_number() % 16;
		uint64_t mask = (uint64_t)random_number() << 32 | random_number();
		uint64_t base = rows[row] + from * PAGE_BYTES;

		compare(row, from, to);
		if (what < 8) {
			to = end_of_table(row, from, to);
			assert_true(is_ok(users_add(base, rows[row] + to * PAGE_BYTES, member)));
			for (unsigned i = from; i < to; i++)
				expected[row][i] |= UINT64_C(1) << member;
		} else if (what < 15) {
			users_forget(base, rows[row] + to * PAGE_BYTES, mask);
			for (unsigned i = from; i < to; i++)
				expected[row][i] &= ~mask;
		} else {
			users_forget_everywhere(member);
			for (unsigned i = 0; i < ROWS * ROW; i++)
				expected[i / ROW][i % ROW] &= ~(UINT64_C(1) << member);
		}
		compare(row, 0, ROW);
	}
}

static void without_memory_nobody_is_noted(void **state)
{
	(void)state;
	stores = 4096;
	assert_true(err_is(users_add(USER_HEAP + 100 * GIB, USER_HEAP + 100 * GIB + PAGE_BYTES, 1), ERR_NUMBER_NO_MEMORY));
	stores = 0;
	assert_true(users_of(USER_HEAP + 100 * GIB, USER_HEAP + 100 * GIB + PAGE_BYTES) == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(without_memory_nobody_is_noted),
	    cmocka_unit_test_teardown(random_sequences, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
