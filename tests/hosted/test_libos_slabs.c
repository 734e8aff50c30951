// sources: libos/address_space/slabs.c
/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Pages of slabs: nobody gets a page twice, all come back, powers of two are aligned; and the tree along which members hear of a change. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "libos/address_space/slabs.h"
#include "libos/span/tree.h"
#include "tests/hosted/random.h"

#define SLABS 8
#define MOST  1000

static struct slab pool[SLABS];
static uint64_t bits[SLABS][16];
static struct slab *array[SLABS];
static struct slab_set set;
static unsigned taker[SLABS][MOST]; /* of each page; 0: free */

static int begin(void **state)
{
	(void)state;
	set = (struct slab_set){.at = array, .capacity = SLABS};
	memset(taker, 0, sizeof taker);
	memset(bits, 0xa5, sizeof bits);
	return 0;
}

static uint16_t add(unsigned i, uint32_t pages)
{
	uint16_t number = UINT16_MAX;

	pool[i] = (struct slab){.pages = pages, .taken = bits[i]};
	assert_true(is_ok(slabs_add(&set, &pool[i], &number)));
	return number;
}

static void runs_are_aligned_and_disjoint(void **state)
{
	struct run a, b, c;

	(void)state;
	add(0, 100);
	assert_true(slabs_take(&set, 1, &a) && a.page == 0 && a.pages == 1);
	assert_true(slabs_take(&set, 16, &b) && b.page == 16);
	assert_true(slabs_take(&set, 15, &c) && c.page == 1); /* not a power of two: anywhere */
	assert_int_equal(set.free_pages, 68);
	assert_false(slabs_take(&set, 69, &a));
	assert_true(slabs_take(&set, 68, &a) && a.page == 32);
	assert_false(slabs_take(&set, 1, &b));
	assert_false(slabs_take(&set, 0, &b));
}

static void a_closed_slab_only_takes_back(void **state)
{
	struct run run, other;

	(void)state;
	add(0, 64);
	add(1, 64);
	assert_true(slabs_take(&set, 8, &run) && run.slab == 0);
	slabs_close(&set, 0, true);
	slabs_close(&set, 0, true);
	assert_int_equal(set.free_pages, 64);
	assert_true(slabs_take(&set, 8, &other) && other.slab == 1);
	assert_true(is_ok(slabs_give(&set, run)));
	assert_int_equal(set.free_pages, 56);
	assert_int_equal(pool[0].free, 64);
	slabs_close(&set, 0, false);
	assert_int_equal(set.free_pages, 120);
	assert_true(slabs_take(&set, 64, &run) && run.slab == 0);
	slabs_close(&set, 0, true);
	slabs_remove(&set, 0); /* with all that was given out */
	assert_int_equal(set.free_pages, 56);
	assert_true(slabs_take(&set, 8, &run) && run.slab == 1);
}

static void only_what_was_taken_can_be_given(void **state)
{
	struct run run;

	(void)state;
	add(0, 70);
	assert_true(slabs_take(&set, 8, &run));
	assert_true(err_is(slabs_give(&set, (struct run){0, 4, 8}), ERR_NUMBER_RANGE));
	assert_true(err_is(slabs_give(&set, (struct run){1, 0, 1}), ERR_NUMBER_RANGE));
	assert_true(err_is(slabs_give(&set, (struct run){0, 70, 1}), ERR_NUMBER_RANGE));
	assert_true(err_is(slabs_give(&set, (struct run){0, 69, UINT32_MAX}), ERR_NUMBER_RANGE));
	assert_true(err_is(slabs_give(&set, (struct run){0, 0, 0}), ERR_NUMBER_RANGE));
	assert_int_equal(set.free_pages, 62);
	assert_true(is_ok(slabs_give(&set, (struct run){0, 2, 3}))); /* a part of it */
	assert_true(err_is(slabs_give(&set, run), ERR_NUMBER_RANGE));
	assert_true(is_ok(slabs_give(&set, (struct run){0, 0, 2})) && is_ok(slabs_give(&set, (struct run){0, 5, 3})));
	assert_int_equal(set.free_pages, 70);
}

static void numbers_are_used_again(void **state)
{
	uint16_t number;

	(void)state;
	for (unsigned i = 0; i < SLABS; i++)
		assert_int_equal(add(i, 10), i);
	assert_true(err_is(slabs_add(&set, &pool[0], &number), ERR_NUMBER_LIMIT));
	slabs_remove(&set, 3);
	slabs_remove(&set, 7);
	assert_int_equal(set.free_pages, 60);
	assert_int_equal(add(3, 20), 3);
	assert_int_equal(set.free_pages, 80);
	assert_int_equal(add(7, 1), 7);
}

/* ---- Random sequences, against who has what ---- */

static void take_one(struct run *out, unsigned who)
{
	uint32_t pages = 1 + random_number() % (random_number() % 4 == 0 ? 64 : 4);

	out->pages = 0;
	if (!slabs_take(&set, pages, out))
		return;
	assert_int_equal(out->pages, pages);
	assert_true(out->slab < SLABS && out->page + pages <= pool[out->slab].pages);
	assert_true((pages & (pages - 1)) != 0 || out->page % pages == 0);
	for (uint32_t i = 0; i < pages; i++) {
		assert_int_equal(taker[out->slab][out->page + i], 0);
		taker[out->slab][out->page + i] = who;
	}
}

static void give_one(struct run *run, unsigned who)
{
	for (uint32_t i = 0; i < run->pages; i++) {
		assert_int_equal(taker[run->slab][run->page + i], who);
		taker[run->slab][run->page + i] = 0;
	}
	assert_true(is_ok(slabs_give(&set, *run)));
	run->pages = 0;
}

static void nobody_gets_a_page_twice(void **state)
{
	static struct run runs[200];
	uint64_t all = 0;

	(void)state;
	random_state = 11;
	memset(runs, 0, sizeof runs);
	for (unsigned i = 0; i < SLABS; i++) {
		add(i, 1 + random_number() % MOST);
		all += pool[i].pages;
	}
	for (unsigned step = 0; step < 100000; step++) {
		unsigned who = random_number() % 200;

		if (runs[who].pages == 0)
			take_one(&runs[who], who + 1);
		else
			give_one(&runs[who], who + 1);
	}
	for (unsigned who = 0; who < 200; who++)
		if (runs[who].pages != 0)
			give_one(&runs[who], who + 1);
	assert_int_equal(set.free_pages, all);
	for (unsigned i = 0; i < SLABS; i++)
		assert_int_equal(pool[i].free, pool[i].pages);
}

/* ---- The tree ---- */

/* Answers how many messages one behind the other the last member waits for; each member is told once. */
static unsigned tell(uint64_t members, uint64_t *told)
{
	struct tree_part part[TREE_CHILDREN];
	unsigned parts = tree_split(members, part), deepest = 0;

	for (unsigned i = 0; i < parts; i++) {
		unsigned depth;

		assert_true((members >> part[i].child & 1) != 0 && (*told >> part[i].child & 1) == 0);
		assert_int_equal(part[i].below & ~members, 0);
		*told |= UINT64_C(1) << part[i].child;
		depth = 1 + i + tell(part[i].below, told); /* the second child waits for the first message */
		if (depth > deepest)
			deepest = depth;
	}
	return deepest;
}

static void all_hear_of_it_once_and_soon(void **state)
{
	(void)state;
	random_state = 5;
	for (unsigned round = 0; round < 20000; round++) {
		uint64_t members = (uint64_t)random_number() << 32 | random_number(), told = 0;
		unsigned depth, log = 0;

		if (round % 2 == 0)
			members &= (uint64_t)random_number() << 32 | random_number();
		depth = tell(members, &told);
		assert_true(told == members);
		while ((1 << log) <= __builtin_popcountll(members))
			log++;
		assert_true(depth <= 2 * log);
	}
}

static void eight_hear_after_few(void **state)
{
	static const unsigned depth[] = {0, 1, 2, 2, 3, 3, 3, 4, 4};

	(void)state;
	for (unsigned k = 0; k <= 8; k++) {
		uint64_t told = 0;

		assert_true(tell((UINT64_C(1) << k) - 1, &told) <= depth[k] + 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(runs_are_aligned_and_disjoint, begin),
	    cmocka_unit_test_setup(a_closed_slab_only_takes_back, begin),
	    cmocka_unit_test_setup(only_what_was_taken_can_be_given, begin),
	    cmocka_unit_test_setup(numbers_are_used_again, begin),
	    cmocka_unit_test_setup(nobody_gets_a_page_twice, begin),
	    cmocka_unit_test(all_hear_of_it_once_and_soon),
	    cmocka_unit_test(eight_hear_after_few),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
