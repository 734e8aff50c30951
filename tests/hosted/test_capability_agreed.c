/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
// sources: cpudriver/capability/any.c cpudriver/capability/arguments.c cpudriver/capability/database.c
// sources: cpudriver/capability/delete.c cpudriver/capability/kernel.c cpudriver/capability/mapping.c cpudriver/capability/nesting.c
// sources: cpudriver/capability/paging.c cpudriver/capability/retype.c cpudriver/capability/spaces.c cpudriver/capability/split.c
// sources: cpudriver/capability/table.c cpudriver/capability/types.c
// flags: -DWINDOW_START=0x200000000000 -Wno-unused-function

/* What a core does to its capabilities after several have agreed: install, find, next, doorbells, mark, retype. What goes then is in
 * test_capability_sweep.c. */

#include "tests/hosted/capability_test.h"

/* ---- install ------------------------------------------------------------------------------------ */

/* A monitor that knows an obstacle's name only. */
static void install_a_copy_of_whatever_is_here(void **state)
{
	const uint64_t anybody = OWNER_OF_COPIES;

	(void)state;
	MAKE(10, Frame, 1, MIB, PAGE_BYTES);
	MAKE(11, CNode, 1, 0, 0);
	assert_ok(install(20, CAP_Frame, ELSEWHERE, MIB, PAGE_BYTES));
	assert_ok(install(21, CAP_Frame, anybody, MIB, PAGE_BYTES));
	assert_int_equal(root(21)->owner, ELSEWHERE);
	assert_int_equal(root(21)->flags, CAP_FLAG_FOREIGN);
	MARK(10, CAP_FLAG_REMOTE, THIS_CORE);
	assert_ok(install(22, CAP_Frame, anybody, RAM_BASE + MIB, PAGE_BYTES));
	assert_int_equal(root(22)->owner, THIS_CORE);
	assert_int_equal(root(22)->flags, CAP_FLAG_REMOTE);
	assert_ok(install(23, CAP_CNode, anybody, RAM_BASE, CNODE_BYTES)); /* it need not cross */
	assert_int_equal(another_copy(root(23)) == root(11), true);
	MUST(slot_make(&world.caps, root(30), CAP_IoPorts, 0x60, 5, RIGHTS(RIGHTS_ALL)));
	assert_ok(install(31, CAP_IoPorts, anybody, 0x60, 5));
	assert_int_equal(another_copy(root(31)) == root(30), true);
	assert_err(install(32, CAP_IoPorts, anybody, 0x60, 4), STATE);
	assert_err(install(32, CAP_Frame, anybody, MIB + PAGE_BYTES, PAGE_BYTES), STATE);
	assert_err(install(32, CAP_PageTable1, anybody, 64 * MIB, PAGE_TABLE_BYTES), STATE);
	assert_ok(CALL(ROOT_SLOT(21), Any_delete));
	assert_ok(CALL(KERNEL, Kernel_surrender, ROOT_SLOT(20).value));
}

/* ---- find --------------------------------------------------------------------------------------- */

static void assert_found(uint64_t base, uint64_t size, uint64_t within, uint64_t found, uint64_t found_base, enum cap_type type)
{
	assert_ok(CALL(KERNEL, Kernel_find, base, size, within));
	assert_int_equal(world.last.value[0] & FIND_FOUND, found);
	assert_int_equal(world.last.value[1], found_base);
	assert_int_equal(world.last.value[2], type);
}

static void find_within(void **state)
{
	const uint64_t ram = ROOT_SLOT(10).value, frame = ROOT_SLOT(11).value;

	(void)state;
	MAKE(10, RAM, 1, 0, MIB);
	MAKE_OF(10, 11, Frame, 1, 64 * KIB, 64 * KIB);
	MAKE_OF(11, 12, Frame, 1, 4 * PAGE_BYTES, PAGE_BYTES);
	MAKE(13, Frame, 1, MIB, PAGE_BYTES);
	assert_ok(CALL(ROOT_SLOT(10), Any_copy, IN_ROOT, 14));
	assert_found(RAM_BASE, 64 * KIB, ram, 0, 0, CAP_Null); /* its copies don't count */
	assert_found(RAM_BASE, 64 * KIB + 1, ram, 1, RAM_BASE + 64 * KIB, CAP_Frame);
	assert_found(RAM_BASE + 127 * KIB, MIB, ram, 1, RAM_BASE + 64 * KIB, CAP_Frame);
	assert_found(RAM_BASE + 128 * KIB, MIB, ram, 0, 0, CAP_Null);         /* what lies beyond is none of its memory's */
	assert_found(RAM_BASE + 64 * KIB, PAGE_BYTES, frame, 0, 0, CAP_Null); /* what is around it neither */
	assert_found(RAM_BASE, MIB, frame, 1, RAM_BASE + 64 * KIB + 4 * PAGE_BYTES, CAP_Frame);
	assert_found(RAM_BASE + MIB, PAGE_BYTES, ROOT_SLOT(13).value, 0, 0, CAP_Null);
	assert_found(RAM_BASE + 64 * KIB, PAGE_BYTES, FIND_ANY, 1, RAM_BASE, CAP_RAM);
	assert_found(0, WINDOW_BYTES, KERNEL.value, 0, 0, CAP_Null);
	assert_err(CALL(KERNEL, Kernel_find, RAM_BASE, MIB, ROOT_SLOT(99).value), CAP_EMPTY);
	assert_err(CALL(KERNEL, Kernel_find, RAM_BASE, MIB, UINT16_MAX + 1), CAP_ADDRESS);
}

static uint64_t relations(unsigned slot)
{
	const struct slot *s = root(slot);

	assert_ok(CALL(KERNEL, Kernel_find, slot_number(s), s->size ? s->size : 1, ROOT_SLOT(slot).value));
	return world.last.value[0];
}

static void find_tells_relations(void **state)
{
	(void)state;
	MUST(slot_make(&world.caps, root(10), CAP_Frame, MIB, 64 * KIB, RIGHTS(RIGHTS_ALL)));
	assert_int_equal(relations(10), 0);
	assert_ok(CALL(ROOT_SLOT(10), Any_copy, IN_ROOT, 11));
	assert_int_equal(relations(10), FIND_COPIES);
	MAKE_OF(10, 12, Frame, 1, 0, PAGE_BYTES);
	assert_int_equal(relations(11), FIND_COPIES | FIND_FOUND);
	assert_int_equal(relations(12), FIND_COVERED);
	assert_ok(CALL(ROOT_SLOT(12), Any_copy, IN_ROOT, 13));
	assert_int_equal(relations(12), FIND_COVERED | FIND_COPIES);
	MAKE(14, RAM, 1, 0, MIB);
	MAKE_OF(14, 15, Frame, 1, 0, MIB);
	MAKE_OF(15, 16, Frame, 1, 0, PAGE_BYTES);
	assert_int_equal(relations(14), FIND_COVERED | FIND_FOUND);
	assert_int_equal(relations(15), FIND_COVERED | FIND_FOUND); /* covered by RAM of the same range */
	assert_int_equal(relations(ROOT_RAM), FIND_FOUND);
	assert_int_equal(relations(ROOT_KERNEL), 0);
	MUST(slot_make(&world.caps, root(20), CAP_IoPorts, 0x60, 8, RIGHTS(RIGHTS_ALL)));
	assert_int_equal(relations(20), 0);
	MAKE_OF(20, 21, IoPorts, 1, 4, 1);
	assert_int_equal(relations(20), FIND_FOUND);
	assert_int_equal(relations(21), FIND_COVERED);
	assert_ok(CALL(ROOT_SLOT(11), Any_delete));
}

/* A CNode of which only the memory is left to clear is not in anybody's way for long. */
static void find_waits_for_deletions(void **state)
{
	err_t e;
	unsigned calls = 0;

	(void)state;
	MAKE(10, RAM, 1, 0, MIB);
	MAKE_OF(10, 11, CNode, 1, 0, 0);
	for (unsigned k = 0; k < 200; k++)
		assert_ok(CALL(ROOT_SLOT(ROOT_RAM), Any_copy, ROOT_SLOT(11).value, k));
	assert_err(CALL(ROOT_SLOT(11), Any_delete), AGAIN);
	do
		e = CALL(KERNEL, Kernel_find, RAM_BASE, PAGE_BYTES, ROOT_SLOT(10).value);
	while (calls++, err_is(e, ERR_NUMBER_AGAIN));
	assert_ok(e);
	assert_int_equal(world.last.value[0] & FIND_FOUND, 0);
	assert_in_range(calls, 2, 5);
}

/* ---- next --------------------------------------------------------------------------------------- */

static err_t install_bell(unsigned slot, uint64_t owner, uint64_t base)
{
	return CALL(KERNEL, Kernel_install, IN_ROOT, slot | CAP_Doorbell << 8 | (RIGHT_WRITE | RIGHT_CONTROL) << 16 | owner << 32, base,
	            PAGE_BYTES, 7);
}

static void next_foreign_object(void **state)
{
	uint64_t v[3] = {0};
	unsigned calls = 0, found = 0;

	(void)state;
	MAKE(10, CNode, 1, 0, 0);
	MAKE(20, Frame, 200, MIB, PAGE_BYTES); /* more than one call looks at */
	assert_ok(install(11, CAP_RAM, ELSEWHERE, MIB, 16 * PAGE_BYTES));
	assert_ok(install(12, CAP_Frame, ELSEWHERE + 1, MIB, 16 * PAGE_BYTES));
	assert_ok(install(13, CAP_Frame, ELSEWHERE, 128 * MIB, PAGE_BYTES));
	for (unsigned k = 0; k < 100; k++)
		assert_ok(CALL(ROOT_SLOT(12), Any_copy, ROOT_SLOT(10).value, k));
	assert_ok(CALL(KERNEL, Kernel_install, IN_ROOT, 14 | CAP_Doorbell << 8 | (uint64_t)ELSEWHERE << 32, MIB, DISPATCHER_BYTES, 7));
	assert_ok(install_bell(15, ELSEWHERE, MIB));
	do {
		assert_ok(CALL(KERNEL, Kernel_next, v[0], v[1], v[2]));
		memcpy(v, world.last.value, sizeof v);
		found += (v[0] >> 16 & CAP_FLAG_FOREIGN) != 0;
	} while (v[0] && ++calls < 100);
	assert_int_equal(found, 4); /* the doorbell of a page, not that of a whole dispatcher */
	assert_in_range(calls, 5, 10);
	assert_err(CALL(KERNEL, Kernel_next, CAP_TYPES, 0, 0), ARGUMENT);
	assert_ok(sweep_all(11, SWEEP_PLAIN));
	assert_ok(CALL(KERNEL, Kernel_surrender, ROOT_SLOT(11).value));
	assert_ok(CALL(KERNEL, Kernel_surrender, ROOT_SLOT(13).value));
	assert_ok(CALL(ROOT_SLOT(14), Any_delete));
	assert_ok(CALL(KERNEL, Kernel_surrender, ROOT_SLOT(15).value));
}

/* ---- doorbells ---------------------------------------------------------------------------------- */

static err_t install_doorbell(unsigned slot, uint64_t owner, uint64_t base, uint64_t index)
{
	return CALL(KERNEL, Kernel_install, IN_ROOT, slot | CAP_Doorbell << 8 | RIGHT_WRITE << 16 | owner << 32, base, DISPATCHER_BYTES,
	            index);
}

/* Nobody is told when a dispatcher of another core ends: whoever keeps its doorbell keeps nobody from using the memory again. */
static void stale_doorbells_are_in_nobodys_way(void **state)
{
	(void)state;
	assert_ok(install_doorbell(10, ELSEWHERE, MIB, 7));
	assert_ok(CALL(ROOT_SLOT(10), Any_identify));
	assert_int_equal(world.last.value[0] >> 48, 7);
	assert_int_equal(world.last.value[1], MIB);
	assert_int_equal(world.last.value[2], DISPATCHER_BYTES);
	assert_ok(CALL(KERNEL, Kernel_find, 0, RAM_BASE, FIND_ANY));
	assert_int_not_equal(world.last.value[1], MIB);
	/* neither other objects in that place, nor one around it that is cut there, nor a new dispatcher with another index */
	assert_ok(install(11, CAP_Frame, ELSEWHERE, MIB + PAGE_BYTES, PAGE_BYTES));
	assert_ok(install(12, CAP_RAM, ELSEWHERE + 1, MIB - PAGE_BYTES, 4 * PAGE_BYTES));
	assert_ok(CALL(KERNEL, Kernel_retype, ROOT_SLOT(12).value, IN_ROOT, 13 | CAP_Frame << 8 | 1 << 16, 0, 2 * PAGE_BYTES));
	assert_ok(install_doorbell(14, ELSEWHERE, MIB, 8));
	assert_int_equal(root(14)->extra, 8);
	check_world();
	assert_ok(sweep_all(12, SWEEP_PLAIN));
	assert_int_equal(root(10)->extra, 7);
	assert_ok(CALL(ROOT_SLOT(10), Any_delete));
	assert_ok(CALL(KERNEL, Kernel_surrender, ROOT_SLOT(14).value));
	assert_ok(CALL(KERNEL, Kernel_surrender, ROOT_SLOT(12).value));
}

static void a_doorbell_comes_home(void **state)
{
	(void)state;
	MAKE(10, Dispatcher, 1, 0, 0);
	assert_ok(install_doorbell(11, THIS_CORE, RAM_BASE, 7)); /* its dispatcher is there, though no other doorbell */
	assert_int_equal(root(11)->flags, 0);
	assert_ok(install_doorbell(12, THIS_CORE, RAM_BASE, 7));
	assert_ok(CALL(ROOT_SLOT(10), Any_delete));
	assert_int_equal(root(11)->type, CAP_Null);
	assert_err(install_doorbell(11, THIS_CORE, RAM_BASE, 7), STATE);
	MAKE(10, Frame, 1, 0, DISPATCHER_BYTES);
	assert_err(install_doorbell(11, THIS_CORE, RAM_BASE, 7), OVERLAP);
}

/* A numbered one is an object like others: its last copy goes with its owner's knowledge. */
static void a_doorbell_is_shared(void **state)
{
	(void)state;
	assert_ok(install_doorbell(10, ELSEWHERE, MIB, 7));
	assert_ok(install_bell(11, ELSEWHERE, MIB));
	assert_ok(install_bell(12, ELSEWHERE, MIB));
	assert_ok(install_bell(13, ELSEWHERE, MIB + PAGE_BYTES));
	check_world();
	assert_ok(CALL(ROOT_SLOT(10), Any_delete)); /* nobody has to be asked */
	assert_ok(CALL(ROOT_SLOT(11), Any_delete));
	assert_err(CALL(ROOT_SLOT(12), Any_delete), NEEDS_AGREEMENT);
	assert_int_equal(world.last.value[0], CAP_Doorbell);
	assert_int_equal(world.last.value[1], MIB);
	assert_int_equal(world.last.value[2], PAGE_BYTES);
	assert_err(CALL(ROOT_SLOT(12), Any_revoke), NEEDS_AGREEMENT);
	assert_ok(install_bell(11, OWNER_OF_COPIES, MIB));
	assert_int_equal(root(11)->owner, ELSEWHERE);
	assert_ok(sweep_all(11, SWEEP_PLAIN));
	assert_int_equal(root(12)->type, CAP_Null);
	assert_int_equal(root(13)->type, CAP_Doorbell);
	assert_ok(CALL(KERNEL, Kernel_surrender, ROOT_SLOT(11).value));
	assert_ok(CALL(KERNEL, Kernel_surrender, ROOT_SLOT(13).value));
}

/* Its owner's dispatcher does not go before the others have heard. */
static void a_shared_doorbell_keeps_its_dispatcher(void **state)
{
	(void)state;
	MAKE(10, Dispatcher, 1, 0, 0);
	assert_err(install_bell(11, THIS_CORE, RAM_BASE), STATE);
	assert_ok(CALL(ROOT_SLOT(10), Any_retype, IN_ROOT, 11, TYPE_COUNT(Doorbell, 1), 1));
	assert_ok(CALL(ROOT_SLOT(10), Any_retype, IN_ROOT, 12, TYPE_COUNT(Doorbell, 1)));
	MARK(11, CAP_FLAG_REMOTE, THIS_CORE);
	assert_err(CALL(KERNEL, Kernel_mark, ROOT_SLOT(11).value, 0, ELSEWHERE), STATE);
	assert_ok(install_bell(13, OWNER_OF_COPIES, RAM_BASE));
	assert_int_equal(root(13)->owner, THIS_CORE);
	assert_int_equal(root(13)->flags, CAP_FLAG_REMOTE);
	assert_ok(CALL(ROOT_SLOT(13), Any_delete));
	assert_err(CALL(ROOT_SLOT(10), Any_delete), NEEDS_AGREEMENT);
	assert_int_equal(world.last.value[0], CAP_Doorbell);
	MARK(11, 0, THIS_CORE);
	assert_ok(CALL(ROOT_SLOT(10), Any_delete));
	assert_int_equal(root(11)->type, CAP_Null);
}

/* It would lead to another dispatcher then. */
static void a_doorbell_keeps_its_owner(void **state)
{
	(void)state;
	MAKE(10, Dispatcher, 1, 0, 0);
	assert_ok(CALL(ROOT_SLOT(10), Any_retype, IN_ROOT, 11, TYPE_COUNT(Doorbell, 1)));
	assert_err(CALL(KERNEL, Kernel_mark, ROOT_SLOT(11).value, 0, ELSEWHERE), STATE);
	MARK(11, CAP_FLAG_REMOTE, THIS_CORE);
	MARK(11, 0, THIS_CORE);
	assert_ok(install_doorbell(12, ELSEWHERE, MIB, 7));
	assert_err(CALL(KERNEL, Kernel_mark, ROOT_SLOT(12).value, 0, THIS_CORE), STATE);
	assert_err(CALL(KERNEL, Kernel_mark, ROOT_SLOT(12).value, 0, ELSEWHERE + 1), STATE);
	MARK(12, 0, ELSEWHERE);
	assert_ok(CALL(ROOT_SLOT(12), Any_delete));
}

/* ---- mark --------------------------------------------------------------------------------------- */

/* Copies that are made while others are still being marked. */
static void mark_finds_new_copies(void **state)
{
	unsigned calls = 0, next = 0;
	err_t e;

	(void)state;
	MAKE(10, Frame, 1, MIB, PAGE_BYTES);
	MAKE(20, CNode, 8, 0, 0);
	for (unsigned n = 0; n < 900; n++, next++)
		assert_ok(CALL(ROOT_SLOT(10), Any_copy, ROOT_SLOT(20 + next / 256).value, next % 256));
	do {
		e = CALL(KERNEL, Kernel_mark, ROOT_SLOT(10).value, CAP_FLAG_REMOTE, THIS_CORE);
		for (unsigned n = 0; n < 20 && err_is(e, ERR_NUMBER_AGAIN); n++, next++) {
			uint64_t from = next * 37 % 900;

			assert_ok(CALL(CAP(20 + from / 256, from % 256), Any_copy, ROOT_SLOT(20 + next / 256).value, next % 256));
		}
		if (calls == 5)
			assert_ok(install(30, CAP_Frame, THIS_CORE, RAM_BASE + MIB, PAGE_BYTES));
	} while (calls++, err_is(e, ERR_NUMBER_AGAIN));
	assert_ok(e);
	assert_in_range(calls, 900 / WORK_PER_CALL, 1500 / WORK_PER_CALL);
	for (unsigned n = 0; n < next; n++)
		assert_int_equal(cap_slot(root_slots(), CAP(20 + n / 256, n % 256))->flags, CAP_FLAG_REMOTE);
	assert_int_equal(root(10)->flags, CAP_FLAG_REMOTE);
	assert_int_equal(root(30)->flags, CAP_FLAG_REMOTE);
	while (err_is(CALL(KERNEL, Kernel_mark, ROOT_SLOT(10).value, 0, THIS_CORE), ERR_NUMBER_AGAIN))
		;
}

/* All of an object as what it is: another way to make a copy, here of the one that is marked first. It must not hide those behind. */
static void mark_finds_those_behind_new_copies(void **state)
{
	(void)state;
	for (unsigned copies = WORK_PER_CALL; copies < 2 * WORK_PER_CALL; copies++) {
		err_t e;

		MAKE(10, Frame, 1, MIB, PAGE_BYTES);
		for (unsigned n = 0; n < copies; n++)
			assert_ok(CALL(ROOT_SLOT(10), Any_copy, IN_ROOT, 20 + n));
		assert_err(CALL(KERNEL, Kernel_mark, ROOT_SLOT(10).value, CAP_FLAG_REMOTE, THIS_CORE), AGAIN);
		assert_int_equal(root(10)->flags, CAP_FLAG_REMOTE);
		for (unsigned n = 20 + copies; n < 256; n++)
			assert_ok(CALL(KERNEL, Kernel_retype, ROOT_SLOT(10).value, IN_ROOT, n | CAP_Frame << 8 | 1 << 16, 0, PAGE_BYTES));
		do
			e = CALL(KERNEL, Kernel_mark, ROOT_SLOT(10).value, CAP_FLAG_REMOTE, THIS_CORE);
		while (err_is(e, ERR_NUMBER_AGAIN));
		assert_ok(e);
		for (unsigned n = 20; n < 256; n++)
			assert_int_equal(root(n)->flags, CAP_FLAG_REMOTE);
		assert_ok(sweep_all(10, SWEEP_PLAIN));
		MARK(10, 0, THIS_CORE);
		assert_ok(CALL(ROOT_SLOT(10), Any_delete));
	}
}

/* ---- retype ------------------------------------------------------------------------------------- */

static void agreed_retype(void **state)
{
	(void)state;
	assert_ok(install(10, CAP_RAM, ELSEWHERE, MIB, 512 * KIB));
	assert_err(CALL(ROOT_SLOT(10), Any_retype, IN_ROOT, 11, TYPE_COUNT(Frame, 1), 0, PAGE_BYTES), NEEDS_AGREEMENT);
	assert_ok(CALL(KERNEL, Kernel_retype, ROOT_SLOT(10).value, IN_ROOT, 11 | CAP_PageTable1 << 8 | 2 << 16, 0, 0));
	for (unsigned n = 11; n < 13; n++) {
		assert_int_equal(root(n)->owner, THIS_CORE);
		assert_int_equal(root(n)->flags, 0);
		assert_int_equal(root(n)->base, MIB + (n - 11) * PAGE_TABLE_BYTES);
	}
	/* it is no more allowed than without agreement */
	assert_err(CALL(KERNEL, Kernel_retype, ROOT_SLOT(10).value, IN_ROOT, 13 | CAP_Frame << 8 | 1 << 16, PAGE_BYTES, PAGE_BYTES),
	           OVERLAP);
	assert_err(CALL(KERNEL, Kernel_retype, ROOT_SLOT(10).value, IN_ROOT, 13 | CAP_Frame << 8 | 1 << 16, 512 * KIB, PAGE_BYTES), RANGE);
	assert_err(CALL(KERNEL, Kernel_retype, ROOT_SLOT(10).value, IN_ROOT, 11 | CAP_Frame << 8 | 1 << 16, 64 * KIB, PAGE_BYTES),
	           SLOT_IN_USE);
	assert_err(CALL(KERNEL, Kernel_retype, ROOT_SLOT(10).value, IN_ROOT, 13 | CAP_Frame << 8, 64 * KIB, PAGE_BYTES), ARGUMENT);
	assert_err(CALL(KERNEL, Kernel_retype, ROOT_SLOT(10).value, IN_ROOT, 13 | CAP_TYPES << 8 | 1 << 16, 64 * KIB, PAGE_BYTES),
	           ARGUMENT);
	assert_err(CALL(KERNEL, Kernel_retype, ROOT_SLOT(10).value, IN_ROOT, 13 | CAP_Kernel << 8 | 1 << 16, 64 * KIB, PAGE_BYTES), RETYPE);
	assert_err(CALL(KERNEL, Kernel_retype, ROOT_SLOT(10).value, IN_ROOT, 13 | CAP_Frame << 8 | UINT64_MAX << 16, 0, PAGE_BYTES),
	           ARGUMENT);
	assert_err(CALL(KERNEL, Kernel_retype, ROOT_SLOT(99).value, IN_ROOT, 13 | CAP_Frame << 8 | 1 << 16, 0, PAGE_BYTES), CAP_EMPTY);
	assert_ok(CALL(ROOT_SLOT(10), Any_mint, IN_ROOT, 14, RIGHT_READ | RIGHT_WRITE));
	assert_err(CALL(KERNEL, Kernel_retype, ROOT_SLOT(14).value, IN_ROOT, 13 | CAP_Frame << 8 | 1 << 16, 64 * KIB, PAGE_BYTES),
	           CAP_RIGHTS);
	/* all of an object as what it is: a further copy, which makes nobody else its owner */
	assert_ok(install(15, CAP_Frame, ELSEWHERE, 2 * MIB, 64 * KIB));
	assert_ok(CALL(KERNEL, Kernel_retype, ROOT_SLOT(15).value, IN_ROOT, 16 | CAP_Frame << 8 | 1 << 16, 0, 64 * KIB));
	assert_int_equal(root(16)->owner, ELSEWHERE);
	assert_int_equal(root(16)->flags, CAP_FLAG_FOREIGN);
	assert_ok(sweep_all(15, SWEEP_PLAIN));
	assert_int_equal(root(16)->type, CAP_Null);
	assert_ok(CALL(KERNEL, Kernel_surrender, ROOT_SLOT(15).value));
	/* a shared object of this core's own, and the rights of the source */
	MAKE(20, RAM, 1, 0, MIB);
	MARK(20, CAP_FLAG_REMOTE, THIS_CORE);
	assert_ok(CALL(ROOT_SLOT(20), Any_mint, IN_ROOT, 21, RIGHT_READ | RIGHT_CONTROL));
	assert_ok(CALL(KERNEL, Kernel_retype, ROOT_SLOT(21).value, IN_ROOT, 22 | CAP_Frame << 8 | 1 << 16, 0, PAGE_BYTES));
	assert_int_equal(root(22)->rights, RIGHT_READ | RIGHT_CONTROL);
	assert_int_equal(root(22)->flags, 0);
	MARK(20, 0, THIS_CORE);
	assert_ok(sweep_all(10, SWEEP_PLAIN));
	assert_ok(CALL(KERNEL, Kernel_surrender, ROOT_SLOT(10).value));
}

static void flush(void **state)
{
	(void)state;
	world.flushes = 0;
	assert_ok(CALL(KERNEL, Kernel_flush));
	assert_int_equal(world.flushes, 1);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    T(install_a_copy_of_whatever_is_here),
	    T(find_within),
	    T(find_tells_relations),
	    T(next_foreign_object),
	    T(stale_doorbells_are_in_nobodys_way),
	    T(a_doorbell_comes_home),
	    T(a_doorbell_keeps_its_owner),
	    T(a_doorbell_is_shared),
	    T(a_shared_doorbell_keeps_its_dispatcher),
	    T(mark_finds_new_copies),
	    T(mark_finds_those_behind_new_copies),
	    T(find_waits_for_deletions),
	    T(agreed_retype),
	    T(flush),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
