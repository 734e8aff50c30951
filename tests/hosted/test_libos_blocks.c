// sources: libos/memory/blocks.c
/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Free memory of RAM blocks: ranges never overlap, join again, stay inside their block; the store of extents has an end. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "libos/memory/blocks.h"

#define EXTENTS 64

static struct block_list list;
static struct extent extents[EXTENTS];

static void begin(unsigned count)
{
	memset(&list, 0, sizeof list);
	blocks_store(&list, extents, count);
}

static uint64_t take(uint64_t bytes, uint64_t alignment)
{
	struct block_place place = {0, 0};

	assert_true(blocks_find(&list, bytes, alignment, &place));
	assert_int_equal(place.base % alignment, 0);
	assert_true(is_ok(blocks_take(&list, place, bytes)));
	return place.base;
}

static void what_is_used_is_not_given_out(void **state)
{
	struct block_place place = {0, 0};

	(void)state;
	begin(EXTENTS);
	assert_true(is_ok(blocks_add(&list, CAP(1, 6), 0x100000, 0x10000, 0x3000)));
	assert_int_equal(list.free_bytes, 0xd000);
	assert_int_equal(take(0x1000, 0x1000), 0x103000);
	assert_int_equal(take(0xc000, 0x1000), 0x104000);
	assert_false(blocks_find(&list, 0x1000, 0x1000, &place));
	assert_int_equal(list.free_bytes, 0);
}

static void alignment_leaves_the_rest_usable(void **state)
{
	(void)state;
	begin(EXTENTS);
	assert_true(is_ok(blocks_add(&list, CAP(1, 6), 0x101000, 0x20000, 0)));
	assert_int_equal(take(0x4000, 0x10000), 0x110000);
	assert_int_equal(take(0xf000, 0x1000), 0x101000);
	assert_int_equal(take(0x1000, 0x1000), 0x114000);
}

static void the_search_goes_on_behind_a_refused_place(void **state)
{
	struct block_place place = {0, 0};

	(void)state;
	begin(EXTENTS);
	assert_true(is_ok(blocks_add(&list, CAP(1, 6), 0x100000, 0x3000, 0)));
	assert_true(is_ok(blocks_add(&list, CAP(1, 7), 0x200000, 0x3000, 0)));
	assert_true(blocks_find(&list, 0x2000, 0x1000, &place));
	assert_int_equal(place.base, 0x100000);
	place.base += 0x1000;
	assert_true(blocks_find(&list, 0x2000, 0x1000, &place));
	assert_int_equal(place.base, 0x101000);
	place.base += 0x1000;
	assert_true(blocks_find(&list, 0x2000, 0x1000, &place));
	assert_int_equal(place.block, 1);
	assert_int_equal(place.base, 0x200000);
}

static void neighbours_join_but_not_across_blocks(void **state)
{
	struct block_place place = {0, 0};

	(void)state;
	begin(EXTENTS);
	assert_true(is_ok(blocks_add(&list, CAP(1, 6), 0x100000, 0x4000, 0x4000)));
	assert_true(is_ok(blocks_add(&list, CAP(1, 7), 0x104000, 0x4000, 0x4000)));
	assert_true(is_ok(blocks_give(&list, 0x101000, 0x1000)));
	assert_true(is_ok(blocks_give(&list, 0x103000, 0x1000)));
	assert_true(is_ok(blocks_give(&list, 0x102000, 0x1000)));
	assert_true(is_ok(blocks_give(&list, 0x104000, 0x4000)));
	assert_false(blocks_find(&list, 0x5000, 0x1000, &place));
	place = (struct block_place){0, 0};
	assert_true(blocks_find(&list, 0x3000, 0x1000, &place));
	assert_int_equal(place.base, 0x101000);
	assert_int_equal(list.stored, EXTENTS - 2);
}

static void nothing_is_made_of_a_closed_block(void **state)
{
	struct block_place place = {0, 0};

	(void)state;
	begin(EXTENTS);
	assert_true(is_ok(blocks_add(&list, CAP(1, 6), 0x100000, 0x4000, 0x4000)));
	assert_true(is_ok(blocks_add(&list, CAP(1, 7), 0x200000, 0x4000, 0x1000)));
	list.block[1].closed = true;
	assert_false(blocks_find(&list, 0x1000, 0x1000, &place));
	assert_true(is_ok(blocks_give(&list, 0x200000, 0x1000)));
	assert_int_equal(blocks_free_in(&list.block[1]), 0x4000);
	list.block[1].closed = false;
	assert_true(blocks_find(&list, 0x4000, 0x1000, &place));
	assert_int_equal(place.base, 0x200000);
}

static void a_block_that_is_gone_leaves_its_place(void **state)
{
	struct block_place place = {0, 0};

	(void)state;
	begin(EXTENTS);
	assert_true(is_ok(blocks_add(&list, CAP(1, 6), 0x100000, 0x4000, 0x4000)));
	assert_true(is_ok(blocks_add(&list, CAP(1, 7), 0x200000, 0x4000, 0)));
	assert_true(is_ok(blocks_add(&list, CAP(1, 8), 0x300000, 0x4000, 0x4000)));
	(void)take(0x1000, 0x1000);
	blocks_remove(&list, 1);
	assert_int_equal(list.free_bytes, 0);
	assert_int_equal(list.stored, EXTENTS);
	assert_false(blocks_find(&list, 0x1000, 0x1000, &place));
	assert_null(blocks_of(&list, 0x200000, 0x1000));
	assert_true(err_is(blocks_give(&list, 0x200000, 0x1000), ERR_NUMBER_RANGE));
	assert_true(is_ok(blocks_add(&list, CAP(1, 7), 0x500000, 0x8000, 0)));
	assert_int_equal(list.count, 3);
	assert_ptr_equal(blocks_of(&list, 0x500000, 0x8000), &list.block[1]);
	assert_int_equal(take(0x8000, 0x1000), 0x500000);
}

static void nonsense_is_refused(void **state)
{
	(void)state;
	begin(EXTENTS);
	assert_true(is_ok(blocks_add(&list, CAP(1, 6), 0x100000, 0x4000, 0x2000)));
	assert_true(err_is(blocks_give(&list, 0x102000, 0x1000), ERR_NUMBER_RANGE)); /* free already */
	assert_true(err_is(blocks_give(&list, 0x101000, 0x2000), ERR_NUMBER_RANGE)); /* partly */
	assert_true(err_is(blocks_give(&list, 0x103000, 0x2000), ERR_NUMBER_RANGE)); /* out of the block */
	assert_true(err_is(blocks_give(&list, 0xfff000, 0x1000), ERR_NUMBER_RANGE));
	assert_true(err_is(blocks_give(&list, 0x100000, 0), ERR_NUMBER_RANGE));
	assert_true(err_is(blocks_take(&list, (struct block_place){0, 0x100000}, 0x1000), ERR_NUMBER_RANGE));
	assert_true(err_is(blocks_add(&list, CAP(1, 7), 0x200000, 0x1000, 0x2000), ERR_NUMBER_ARGUMENT));
	assert_null(blocks_of(&list, 0x200000, 0x1000));
	assert_non_null(blocks_of(&list, 0x100000, 0x4000));
}

static void an_empty_store_is_an_error_that_changes_nothing(void **state)
{
	struct block_place place = {0, 0};

	(void)state;
	begin(1);
	assert_true(is_ok(blocks_add(&list, CAP(1, 6), 0x100000, 0x4000, 0)));
	assert_true(err_is(blocks_add(&list, CAP(1, 7), 0x200000, 0x4000, 0), ERR_NUMBER_LIMIT));
	assert_int_equal(list.count, 1);
	place.base = 0x101000;
	assert_true(err_is(blocks_take(&list, place, 0x1000), ERR_NUMBER_LIMIT)); /* would cut in two */
	assert_int_equal(list.free_bytes, 0x4000);
	place.base = 0x100000;
	assert_true(is_ok(blocks_take(&list, place, 0x4000)));
	assert_true(is_ok(blocks_give(&list, 0x101000, 0x1000)));
	assert_true(err_is(blocks_give(&list, 0x103000, 0x1000), ERR_NUMBER_LIMIT));
	assert_true(is_ok(blocks_give(&list, 0x102000, 0x1000)));
}

/* Random use against a map of pages. */
static void random_use_matches_a_map_of_pages(void **state)
{
	enum { PAGES = 64, STEPS = 20000 };
	static bool taken[PAGES];
	struct {
		uint64_t base, pages;
	} held[PAGES];
	unsigned count = 0;

	(void)state;
	memset(taken, 0, sizeof taken);
	srand(7);
	begin(EXTENTS);
	assert_true(is_ok(blocks_add(&list, CAP(1, 6), 0x100000, PAGES * 0x1000, 0)));
	for (unsigned step = 0; step < STEPS; step++) {
		struct block_place place = {0, 0};
		uint64_t pages = 1 + (uint64_t)rand() % 6;

		if (rand() % 2 && blocks_find(&list, pages * 0x1000, UINT64_C(0x1000) << rand() % 3, &place)) {
			assert_true(is_ok(blocks_take(&list, place, pages * 0x1000)));
			for (uint64_t i = 0; i < pages; i++) {
				assert_false(taken[(place.base - 0x100000) / 0x1000 + i]);
				taken[(place.base - 0x100000) / 0x1000 + i] = true;
			}
			held[count].base = place.base;
			held[count++].pages = pages;
		} else if (count > 0) {
			unsigned which = (unsigned)rand() % count;

			assert_true(is_ok(blocks_give(&list, held[which].base, held[which].pages * 0x1000)));
			for (uint64_t i = 0; i < held[which].pages; i++)
				taken[(held[which].base - 0x100000) / 0x1000 + i] = false;
			held[which] = held[--count];
		}
	}
	while (count-- > 0)
		assert_true(is_ok(blocks_give(&list, held[count].base, held[count].pages * 0x1000)));
	assert_int_equal(list.free_bytes, PAGES * 0x1000);
	assert_int_equal(list.stored, EXTENTS - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_used_is_not_given_out),
	    cmocka_unit_test(alignment_leaves_the_rest_usable),
	    cmocka_unit_test(the_search_goes_on_behind_a_refused_place),
	    cmocka_unit_test(neighbours_join_but_not_across_blocks),
	    cmocka_unit_test(nothing_is_made_of_a_closed_block),
	    cmocka_unit_test(a_block_that_is_gone_leaves_its_place),
	    cmocka_unit_test(nonsense_is_refused),
	    cmocka_unit_test(an_empty_store_is_an_error_that_changes_nothing),
	    cmocka_unit_test(random_use_matches_a_map_of_pages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
