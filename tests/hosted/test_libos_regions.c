// sources: libos/address_space/regions.c
/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* The regions of an address space: found by any of their addresses, ordered, never overlapping; gaps; pieces. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "libos/address_space/regions.h"

#define MOST 32

static struct vm_region *array[MOST];
static struct vm_region pool[MOST];
static struct region_set set;

static int begin(void **state)
{
	(void)state;
	set = (struct region_set){.at = array, .capacity = MOST};
	return 0;
}

static struct vm_region *region(unsigned i, uint64_t base, uint64_t end)
{
	pool[i] = (struct vm_region){.base = base, .end = end, .shift = 12};
	return &pool[i];
}

static void an_address_finds_its_region(void **state)
{
	(void)state;
	assert_null(regions_find(&set, 0x1000));
	assert_true(is_ok(regions_insert(&set, region(0, 0x5000, 0x8000))));
	assert_true(is_ok(regions_insert(&set, region(1, 0x1000, 0x2000))));
	assert_true(is_ok(regions_insert(&set, region(2, 0x8000, 0x9000))));
	assert_ptr_equal(regions_find(&set, 0x1fff), &pool[1]);
	assert_null(regions_find(&set, 0x2000));
	assert_null(regions_find(&set, 0xfff));
	assert_ptr_equal(regions_find(&set, 0x5000), &pool[0]);
	assert_ptr_equal(regions_find(&set, 0x7fff), &pool[0]);
	assert_ptr_equal(regions_find(&set, 0x8000), &pool[2]);
	assert_null(regions_find(&set, 0x9000));
	assert_ptr_equal(regions_from(&set, 0x2000), &pool[0]);
	assert_ptr_equal(regions_next(&set, &pool[0]), &pool[2]);
	assert_null(regions_next(&set, &pool[2]));
}

static void regions_never_overlap(void **state)
{
	(void)state;
	assert_true(is_ok(regions_insert(&set, region(0, 0x5000, 0x8000))));
	assert_true(err_is(regions_insert(&set, region(1, 0x4000, 0x6000)), ERR_NUMBER_OVERLAP));
	assert_true(err_is(regions_insert(&set, region(1, 0x7000, 0x9000)), ERR_NUMBER_OVERLAP));
	assert_true(err_is(regions_insert(&set, region(1, 0x6000, 0x7000)), ERR_NUMBER_OVERLAP));
	assert_true(err_is(regions_insert(&set, region(1, 0x4000, 0x9000)), ERR_NUMBER_OVERLAP));
	assert_int_equal(set.count, 1);
	assert_true(is_ok(regions_insert(&set, region(1, 0x4000, 0x5000))));
}

static void a_full_set_says_so(void **state)
{
	(void)state;
	for (unsigned i = 0; i < MOST; i++)
		assert_true(is_ok(regions_insert(&set, region(i, 0x10000 - 0x100 * i, 0x10000 - 0x100 * i + 0x80))));
	assert_true(regions_full(&set));
	assert_true(err_is(regions_insert(&set, &(struct vm_region){.base = 0x20000, .end = 0x21000}), ERR_NUMBER_LIMIT));
	for (unsigned i = 1; i < MOST; i++)
		assert_true(array[i - 1]->end <= array[i]->base);
}

static void gaps_are_found_between_and_behind(void **state)
{
	uint64_t base;

	(void)state;
	assert_true(regions_gap(&set, 0x1000, 0x1000, 0, 0x3000, 0x20000, &base));
	assert_int_equal(base, 0x3000);
	assert_true(is_ok(regions_insert(&set, region(0, 0x3000, 0x5000))));
	assert_true(is_ok(regions_insert(&set, region(1, 0x6000, 0x7000))));
	assert_true(regions_gap(&set, 0x1000, 0x1000, 0, 0x3000, 0x20000, &base));
	assert_int_equal(base, 0x5000);
	assert_true(regions_gap(&set, 0x2000, 0x1000, 0, 0x3000, 0x20000, &base));
	assert_int_equal(base, 0x7000);
	assert_true(regions_gap(&set, 0x1000, 0x8000, 0, 0x3000, 0x20000, &base));
	assert_int_equal(base, 0x8000);
	assert_true(regions_gap(&set, 0x1000, 0x8000, 0x2000, 0x3000, 0x20000, &base));
	assert_int_equal(base, 0xa000);
	assert_true(regions_gap(&set, 0x19000, 0x1000, 0, 0x3000, 0x20000, &base));
	assert_false(regions_gap(&set, 0x19001, 0x1000, 0, 0x3000, 0x20000, &base));
	assert_false(regions_gap(&set, 0x1000, 0x1000, 0, 0x3000, 0x5000, &base));
}

static void pieces_cover_a_region_exactly(void **state)
{
	const struct vm_region r = {.base = 0x3000, .end = 0x25000, .shift = 16};

	(void)state;
	assert_int_equal(region_piece_count(&r), 3);
	assert_int_equal(region_piece_base(&r, 0), 0x3000);
	assert_int_equal(region_piece_end(&r, 0), 0x10000);
	assert_int_equal(region_piece_base(&r, 2), 0x20000);
	assert_int_equal(region_piece_end(&r, 2), 0x25000);
	for (uint64_t a = r.base; a < r.end; a += 0x800) {
		uint64_t i = region_piece_index(&r, a);

		assert_true(region_piece_base(&r, i) <= a && a < region_piece_end(&r, i));
	}
}

/* Random inserts, removals and gaps against a map of pages. */
static void random_use_matches_a_map_of_pages(void **state)
{
	enum { PAGES = 128, STEPS = 20000 };
	static bool used[PAGES];
	bool in[MOST] = {false};

	(void)state;
	memset(used, 0, sizeof used);
	srand(11);
	for (unsigned step = 0; step < STEPS; step++) {
		unsigned i = (unsigned)rand() % MOST;
		uint64_t base, pages = 1 + (uint64_t)rand() % 5;

		if (in[i]) {
			regions_remove(&set, &pool[i]);
			for (uint64_t p = pool[i].base / 0x1000; p < pool[i].end / 0x1000; p++)
				used[p] = false;
			in[i] = false;
		} else if (regions_gap(&set, pages * 0x1000, 0x1000, 0, 0, PAGES * 0x1000, &base)) {
			assert_true(is_ok(regions_insert(&set, region(i, base, base + pages * 0x1000))));
			for (uint64_t p = base / 0x1000; p < base / 0x1000 + pages; p++) {
				assert_false(used[p]);
				used[p] = true;
			}
			in[i] = true;
		}
		base = (uint64_t)rand() % PAGES;
		assert_int_equal(regions_find(&set, base * 0x1000) != NULL, used[base]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(an_address_finds_its_region, begin),
	    cmocka_unit_test_setup(regions_never_overlap, begin),
	    cmocka_unit_test_setup(a_full_set_says_so, begin),
	    cmocka_unit_test_setup(gaps_are_found_between_and_behind, begin),
	    cmocka_unit_test_setup(pieces_cover_a_region_exactly, begin),
	    cmocka_unit_test_setup(random_use_matches_a_map_of_pages, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
