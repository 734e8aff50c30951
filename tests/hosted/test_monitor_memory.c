// sources: monitor/memory.c
/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "monitor/memory.h"

#define P PAGE_BYTES

static struct ram ram;

static void begin(uint64_t base, uint64_t bytes)
{
	memset(&ram, 0, sizeof(ram));
	assert_true(is_ok(ram_add(&ram, base, bytes)));
}

static uint64_t take(uint64_t bytes, uint64_t alignment)
{
	uint64_t base = 0;

	assert_true(is_ok(ram_take(&ram, bytes, alignment, &base)));
	assert_int_equal(base % alignment, 0);
	return base;
}

static void test_takes_from_the_high_end_and_merges(void **state)
{
	uint64_t a, b, c;

	(void)state;
	begin(16 * P, 16 * P);
	a = take(4 * P, P);
	b = take(4 * P, P);
	c = take(4 * P, P);
	assert_int_equal(a, 28 * P);
	assert_int_equal(b, 24 * P);
	assert_int_equal(c, 20 * P);
	ram_give(&ram, a, 4 * P);
	ram_give(&ram, c, 4 * P);
	assert_int_equal(ram.ranges, 2);
	ram_give(&ram, b, 4 * P);
	assert_int_equal(ram.ranges, 1);
	assert_int_equal(ram.free, 16 * P);
	assert_int_equal(ram.out, 0);
}

static void test_smallest_range_that_fits(void **state)
{
	uint64_t base;

	(void)state;
	begin(0x100 * P, 64 * P);
	assert_true(is_ok(ram_add(&ram, 0x10 * P, 4 * P)));
	assert_true(is_ok(ram_add(&ram, 0x20 * P, 8 * P)));
	base = take(4 * P, P);
	assert_int_equal(base, 0x10 * P);
	base = take(5 * P, P);
	assert_int_equal(base, 0x23 * P);
	assert_int_equal(ram_largest(&ram, 0, UINT64_MAX), 64 * P);
	assert_int_equal(ram_largest(&ram, 0, 0x100 * P), 3 * P);
}

static void test_within(void **state)
{
	uint64_t base;

	(void)state;
	begin(0, 64 * P);
	assert_true(is_ok(ram_take_within(&ram, 8 * P, P, 16 * P, 32 * P, &base)));
	assert_int_equal(base, 24 * P);
	assert_true(err_is(ram_take_within(&ram, 9 * P, P, 16 * P, 32 * P, &base), ERR_NUMBER_NO_MEMORY));
	ram_part_with(&ram, base, 8 * P);
	assert_int_equal(ram.total, 56 * P);
	assert_int_equal(ram.free, 56 * P);
}

static void test_no_block_crosses_a_border(void **state)
{
	uint64_t a, b, base;

	(void)state;
	begin(0, 8 * P);
	assert_true(is_ok(ram_add(&ram, 8 * P, 8 * P)));
	assert_true(err_is(ram_take(&ram, 9 * P, P, &base), ERR_NUMBER_NO_MEMORY));
	a = take(8 * P, P);
	b = take(8 * P, P);
	ram_give(&ram, a, 8 * P);
	ram_give(&ram, b, 8 * P);
	assert_int_equal(ram.ranges, 2);
	assert_true(err_is(ram_take(&ram, 9 * P, P, &base), ERR_NUMBER_NO_MEMORY));
}

/* Cores die and come back, thousands of times, each time with other pieces. */
static void test_borders_go_with_their_block(void **state)
{
	unsigned before;

	(void)state;
	begin(0, 8 * P);
	before = ram.borders;
	for (uint64_t round = 1; round < 2 * MEMORY_BORDERS; round++) {
		uint64_t base = 16 * P * round, taken;

		assert_true(is_ok(ram_add(&ram, base, 4 * P)));
		assert_true(is_ok(ram_take_within(&ram, 4 * P, P, base, base + 4 * P, &taken)));
		ram_part_with(&ram, taken, 4 * P);
	}
	assert_int_equal(ram.borders, before);
	assert_int_equal(ram.total, 8 * P);
}

static void test_refusals(void **state)
{
	uint64_t base;

	(void)state;
	begin(16 * P, 16 * P);
	assert_true(err_is(ram_add(&ram, 1, P), ERR_NUMBER_ALIGNMENT));
	assert_true(err_is(ram_add(&ram, 0, 0), ERR_NUMBER_ALIGNMENT));
	assert_true(err_is(ram_add(&ram, 31 * P, 2 * P), ERR_NUMBER_OVERLAP));
	assert_true(err_is(ram_add(&ram, 15 * P, 2 * P), ERR_NUMBER_OVERLAP));
	assert_true(err_is(ram_take(&ram, 0, P, &base), ERR_NUMBER_ALIGNMENT));
	assert_true(err_is(ram_take(&ram, P, 3 * P, &base), ERR_NUMBER_ALIGNMENT));
	assert_true(err_is(ram_take(&ram, 17 * P, P, &base), ERR_NUMBER_NO_MEMORY));
	assert_true(err_is(ram_take(&ram, P, 64 * P, &base), ERR_NUMBER_NO_MEMORY));
}

/* Giving back never lacks room, however many pieces there are. */
static void test_limit(void **state)
{
	static uint64_t bases[MEMORY_RANGES];
	unsigned taken = 0;
	err_t e = OK;

	(void)state;
	begin(0, 4 * MEMORY_RANGES * P);
	while (is_ok(e) && taken < MEMORY_RANGES) {
		e = ram_take(&ram, P, 2 * P, &bases[taken]);
		taken += is_ok(e);
	}
	assert_true(err_is(e, ERR_NUMBER_LIMIT));
	assert_in_range(taken, MEMORY_RANGES / 3, MEMORY_RANGES);
	for (unsigned i = 0; i < taken; i++)
		ram_give(&ram, bases[(i * 7919) % taken], P), bases[(i * 7919) % taken] = UINT64_MAX;
	for (unsigned i = 0; i < taken; i++)
		assert_int_equal(bases[i], UINT64_MAX);
	assert_int_equal(ram.ranges, 1);
	assert_int_equal(ram.free, 4 * MEMORY_RANGES * P);
}

/* Against one flag for each page. */
static void test_random(void **state)
{
	enum { PAGES = 512, BLOCKS = 64 };
	static uint8_t used[PAGES];
	static struct {
		uint64_t base, pages;
	} block[BLOCKS];
	unsigned free_pages = PAGES;

	(void)state;
	memset(used, 0, sizeof(used));
	memset(block, 0, sizeof(block));
	begin(0, PAGES * P);
	srand(1);
	for (unsigned step = 0; step < 20000; step++) {
		unsigned i = (unsigned)rand() % BLOCKS;
		uint64_t pages = 1 + (uint64_t)rand() % 24;

		if (block[i].pages != 0) {
			memset(used + block[i].base, 0, block[i].pages);
			free_pages += (unsigned)block[i].pages;
			ram_give(&ram, block[i].base * P, block[i].pages * P);
			block[i].pages = 0;
		} else if (is_ok(ram_take(&ram, pages * P, P << rand() % 3, &block[i].base))) {
			block[i].base /= P;
			block[i].pages = pages;
			for (uint64_t page = 0; page < pages; page++)
				assert_false(used[block[i].base + page]);
			memset(used + block[i].base, 1, pages);
			free_pages -= (unsigned)pages;
		}
		assert_int_equal(ram.free, free_pages * P);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_takes_from_the_high_end_and_merges),
	    cmocka_unit_test(test_smallest_range_that_fits),
	    cmocka_unit_test(test_within),
	    cmocka_unit_test(test_no_block_crosses_a_border),
	    cmocka_unit_test(test_borders_go_with_their_block),
	    cmocka_unit_test(test_refusals),
	    cmocka_unit_test(test_limit),
	    cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
