// sources: libos/memory/slots.c
/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Free slots of the capability space: none given twice, rows within one CNode, full and freed again. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "libos/memory/slots.h"

static struct slot_space space;

static unsigned add_cnode(void)
{
	unsigned root;

	assert_true(is_ok(slot_space_next(&space, &root)));
	slot_space_add(&space, root);
	return root;
}

static void without_cnodes_there_are_no_slots(void **state)
{
	cap_t first;

	(void)state;
	slot_space_init(&space, ROOT_FREE);
	assert_true(err_is(slot_space_take(&space, 1, &first), ERR_NUMBER_NO_SLOT));
	assert_true(err_is(slot_space_take(&space, 0, &first), ERR_NUMBER_ARGUMENT));
	assert_true(err_is(slot_space_take(&space, CNODE_SLOTS + 1, &first), ERR_NUMBER_ARGUMENT));
}

static void every_slot_is_given_once(void **state)
{
	static bool seen[1 << 16];
	cap_t slot;

	(void)state;
	memset(seen, 0, sizeof seen);
	slot_space_init(&space, ROOT_FREE);
	assert_int_equal(add_cnode(), ROOT_FREE);
	assert_int_equal(add_cnode(), ROOT_FREE + 1);
	for (unsigned i = 0; i < 2 * CNODE_SLOTS; i++) {
		assert_true(is_ok(slot_space_take(&space, 1, &slot)));
		assert_false(seen[slot.value]);
		assert_in_range(slot.value >> 8, ROOT_FREE, ROOT_FREE + 1);
		seen[slot.value] = true;
	}
	assert_true(err_is(slot_space_take(&space, 1, &slot), ERR_NUMBER_NO_SLOT));
}

static void what_is_given_back_is_found_again(void **state)
{
	cap_t slot;

	(void)state;
	slot_space_init(&space, ROOT_FREE);
	add_cnode();
	add_cnode();
	for (unsigned i = 0; i < 2 * CNODE_SLOTS; i++)
		assert_true(is_ok(slot_space_take(&space, 1, &slot)));
	assert_true(slot_space_give(&space, CAP(ROOT_FREE, 77)));
	assert_false(slot_space_give(&space, CAP(ROOT_FREE, 77)));
	assert_false(slot_space_give(&space, CAP(ROOT_FREE + 2, 0)));
	assert_true(is_ok(slot_space_take(&space, 1, &slot)));
	assert_int_equal(slot.value, CAP(ROOT_FREE, 77).value);
}

static void a_row_lies_in_one_cnode(void **state)
{
	cap_t first, second, third;

	(void)state;
	slot_space_init(&space, ROOT_FREE);
	add_cnode();
	assert_true(is_ok(slot_space_take(&space, 200, &first)));
	assert_true(err_is(slot_space_take(&space, 100, &second), ERR_NUMBER_NO_SLOT));
	add_cnode();
	assert_true(is_ok(slot_space_take(&space, 100, &second)));
	assert_int_equal(second.value >> 8, ROOT_FREE + 1);
	assert_true(is_ok(slot_space_take(&space, 56, &third)));
	assert_int_equal(third.value, CAP(ROOT_FREE, 200).value);
	assert_true(is_ok(slot_space_take(&space, 156, &third)));
	assert_int_equal(third.value, CAP(ROOT_FREE + 1, 100).value);
}

static void the_root_has_an_end(void **state)
{
	unsigned root;

	(void)state;
	slot_space_init(&space, ROOT_FREE);
	for (unsigned i = ROOT_FREE; i < CNODE_SLOTS; i++)
		add_cnode();
	assert_true(err_is(slot_space_next(&space, &root), ERR_NUMBER_NO_SLOT));
}

/* Random takes and gives against a plain list of who has what. */
static void random_use_matches_a_plain_model(void **state)
{
	static bool taken[1 << 16];
	static cap_t held[2000];
	unsigned count = 0;

	(void)state;
	memset(taken, 0, sizeof taken);
	srand(5);
	slot_space_init(&space, ROOT_FREE);
	for (unsigned i = 0; i < 6; i++)
		add_cnode();
	for (unsigned step = 0; step < 20000; step++) {
		cap_t slot;

		if (rand() % 5 < 3 && count < 6 * CNODE_SLOTS) {
			assert_true(is_ok(slot_space_take(&space, 1, &slot)));
			assert_false(taken[slot.value]);
			taken[slot.value] = true;
			held[count++] = slot;
		} else if (count > 0) {
			unsigned which = (unsigned)rand() % count;

			assert_true(slot_space_give(&space, held[which]));
			taken[held[which].value] = false;
			held[which] = held[--count];
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(without_cnodes_there_are_no_slots),
	    cmocka_unit_test(every_slot_is_given_once),
	    cmocka_unit_test(what_is_given_back_is_found_again),
	    cmocka_unit_test(a_row_lies_in_one_cnode),
	    cmocka_unit_test(the_root_has_an_end),
	    cmocka_unit_test(random_use_matches_a_plain_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
