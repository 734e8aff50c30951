/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
// sources: cpudriver/capability/any.c cpudriver/capability/arguments.c cpudriver/capability/database.c
// sources: cpudriver/capability/delete.c cpudriver/capability/kernel.c cpudriver/capability/mapping.c cpudriver/capability/nesting.c
// sources: cpudriver/capability/paging.c cpudriver/capability/retype.c cpudriver/capability/spaces.c cpudriver/capability/split.c
// sources: cpudriver/capability/table.c cpudriver/capability/types.c
// flags: -DWINDOW_START=0x200000000000 -Wno-unused-function

/* Kernel.split. */

#include "tests/hosted/capability_test.h"

#define SPLIT(slot, offset, to) CALL(KERNEL, Kernel_split, ROOT_SLOT(slot).value, offset, IN_ROOT, to)

static void halves(void **state)
{
	(void)state;
	MAKE(10, RAM, 1, MIB, MIB);
	MAKE_OF(10, 11, Frame, 4, 0, 64 * KIB); /* up to the cut */
	MAKE_OF(10, 15, Frame, 4, 256 * KIB, 64 * KIB);
	MAKE_OF(11, 19, Frame, 1, 0, PAGE_BYTES);
	assert_ok(SPLIT(10, 256 * KIB, 20));
	assert_int_equal(root(10)->base, RAM_BASE + MIB);
	assert_int_equal(root(10)->size, 256 * KIB);
	assert_int_equal(root(20)->base, RAM_BASE + MIB + 256 * KIB);
	assert_int_equal(root(20)->size, 768 * KIB);
	assert_int_equal(root(20)->type, CAP_RAM);
	assert_int_equal(root(20)->rights, RIGHTS_ALL);
	assert_int_equal(root(20)->owner, THIS_CORE);
	assert_int_equal(root(20)->flags, 0);
	check_world();
	/* each half has what lies in it */
	assert_ok(repeat(ROOT_SLOT(10), OP_Any_revoke, 0));
	for (unsigned n = 11; n < 20; n++)
		assert_int_equal(root(n)->type, n < 15 || n == 19 ? CAP_Null : CAP_Frame);
	MAKE_OF(10, 11, Frame, 1, 192 * KIB, 64 * KIB);
	assert_err(CALL(ROOT_SLOT(10), Any_retype, IN_ROOT, 12, TYPE_COUNT(Frame, 1), 192 * KIB, 128 * KIB), RANGE);
	assert_ok(repeat(ROOT_SLOT(20), OP_Any_revoke, 0));
	for (unsigned n = 15; n < 19; n++)
		assert_int_equal(root(n)->type, CAP_Null);
	assert_ok(CALL(ROOT_SLOT(20), Any_delete));
	MAKE(20, Frame, 1, MIB + 256 * KIB, 768 * KIB);
}

/* All the way down to single pages, in the order of a random walk: the tree stays a tree. */
static void to_the_last_page(void **state)
{
	unsigned slots = 1, pages = 200;

	(void)state;
	MAKE(20, RAM, 1, 0, pages * PAGE_BYTES);
	while (slots < pages) {
		unsigned n = (slots * 7919 + 13) % slots;

		while (root(20 + n)->size == PAGE_BYTES)
			n = (n + 1) % slots;
		assert_ok(SPLIT(20 + n, root(20 + n)->size / 2 & ~(PAGE_BYTES - 1), 20 + slots));
		slots++;
		check_world();
	}
	for (unsigned n = 0; n < pages; n++)
		assert_int_equal(root(20 + n)->size, PAGE_BYTES);
}

/* Halves that exist already become copies; nobody could tell them apart. */
static void halves_that_exist(void **state)
{
	(void)state;
	MAKE(10, RAM, 1, 0, MIB);
	MAKE_OF(10, 11, RAM, 1, 0, 256 * KIB);
	MAKE_OF(10, 12, RAM, 1, 256 * KIB, 768 * KIB);
	assert_ok(SPLIT(10, 256 * KIB, 13));
	assert_ptr_equal(another_copy(root(11)), root(10));
	assert_ptr_equal(another_copy(root(12)), root(13));
	assert_ok(CALL(ROOT_SLOT(13), Any_delete));
	assert_ok(CALL(ROOT_SLOT(10), Any_delete));
	assert_err(SPLIT(10, PAGE_BYTES, 14), CAP_EMPTY);
	/* but one that others know can't become equal to one that they don't */
	MAKE(10, RAM, 1, MIB, MIB);
	MAKE_OF(10, 14, RAM, 1, 0, 256 * KIB);
	MARK(14, CAP_FLAG_REMOTE, THIS_CORE);
	assert_err(SPLIT(10, 256 * KIB, 15), NEEDS_AGREEMENT);
	assert_ok(SPLIT(10, 512 * KIB, 15));
	assert_int_equal(root(10)->size, 512 * KIB);
	MARK(14, 0, ELSEWHERE);
	assert_err(SPLIT(10, 256 * KIB, 16), NEEDS_AGREEMENT);
	MARK(14, 0, THIS_CORE);
	assert_ok(SPLIT(10, 256 * KIB, 16));
}

static void checks(void **state)
{
	(void)state;
	MAKE(10, RAM, 1, 0, MIB);
	MAKE_OF(10, 11, Frame, 1, 64 * KIB, 64 * KIB);
	assert_err(SPLIT(10, 0, 20), RANGE);
	assert_err(SPLIT(10, MIB, 20), RANGE);
	assert_err(SPLIT(10, 2 * MIB, 20), RANGE);
	assert_err(SPLIT(10, UINT64_MAX & ~(PAGE_BYTES - 1), 20), RANGE);
	assert_err(SPLIT(10, PAGE_BYTES + 1, 20), ALIGNMENT);
	assert_err(SPLIT(10, 96 * KIB, 20), OVERLAP);
	assert_err(SPLIT(11, PAGE_BYTES, 20), CAP_TYPE);
	assert_err(SPLIT(99, PAGE_BYTES, 20), CAP_EMPTY);
	assert_err(SPLIT(10, PAGE_BYTES, 11), SLOT_IN_USE);
	assert_err(SPLIT(10, PAGE_BYTES, 256), ARGUMENT);
	assert_err(CALL(KERNEL, Kernel_split, ROOT_SLOT(10).value, PAGE_BYTES, ROOT_SLOT(11).value, 20), CAP_TYPE);
	assert_ok(CALL(ROOT_SLOT(10), Any_copy, IN_ROOT, 12));
	assert_err(SPLIT(10, PAGE_BYTES, 20), STATE);
	assert_ok(CALL(ROOT_SLOT(12), Any_delete));
	MARK(10, CAP_FLAG_REMOTE, THIS_CORE);
	assert_err(SPLIT(10, PAGE_BYTES, 20), NEEDS_AGREEMENT);
	MARK(10, 0, ELSEWHERE);
	assert_err(SPLIT(10, PAGE_BYTES, 20), NEEDS_AGREEMENT);
	MARK(10, 0, THIS_CORE);
	assert_ok(SPLIT(10, 64 * KIB, 20));
	assert_ok(SPLIT(20, 64 * KIB, 21));
	assert_err(SPLIT(20, PAGE_BYTES, 22), OVERLAP); /* a frame all over it */
	/* a copy that is mapped, bound or minted is one all the same */
	assert_ok(CALL(KERNEL, Any_mint, IN_ROOT, 30, RIGHT_READ));
	assert_err(CALL(ROOT_SLOT(30), Kernel_split, ROOT_SLOT(10).value, PAGE_BYTES, IN_ROOT, 31), CAP_RIGHTS);
}

/* Rights stay as few as they are, inside what is around them. */
static void split_of_a_part(void **state)
{
	(void)state;
	MAKE(10, RAM, 1, 0, MIB);
	assert_ok(CALL(ROOT_SLOT(10), Any_mint, IN_ROOT, 11, RIGHT_READ));
	assert_ok(CALL(ROOT_SLOT(10), Any_delete));
	assert_ok(SPLIT(11, 256 * KIB, 12));
	assert_int_equal(root(11)->rights, RIGHT_READ);
	assert_int_equal(root(12)->rights, RIGHT_READ);
	assert_err(SPLIT(ROOT_RAM, 128 * KIB, 13), OVERLAP);
	assert_ok(SPLIT(ROOT_RAM, 256 * KIB, 13)); /* along the cut that is there */
}

/* What is being taken apart lies across the cut only for a while. */
static void split_waits_for_deletions(void **state)
{
	unsigned calls = 0;
	err_t e;

	(void)state;
	MAKE(10, RAM, 1, 0, MIB);
	MAKE_OF(10, 11, CNode, 1, 0, 0);
	for (unsigned k = 0; k < 200; k++)
		assert_ok(CALL(ROOT_SLOT(ROOT_RAM), Any_copy, ROOT_SLOT(11).value, k));
	assert_err(CALL(ROOT_SLOT(11), Any_delete), AGAIN);
	do
		e = SPLIT(10, PAGE_BYTES, 12);
	while (calls++, err_is(e, ERR_NUMBER_AGAIN));
	assert_ok(e);
	assert_in_range(calls, 2, 5);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    T(halves), T(to_the_last_page), T(halves_that_exist), T(checks), T(split_of_a_part), T(split_waits_for_deletions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
