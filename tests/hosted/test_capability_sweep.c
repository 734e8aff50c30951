/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
// sources: cpudriver/capability/any.c cpudriver/capability/arguments.c cpudriver/capability/database.c
// sources: cpudriver/capability/delete.c cpudriver/capability/kernel.c cpudriver/capability/mapping.c cpudriver/capability/nesting.c
// sources: cpudriver/capability/paging.c cpudriver/capability/retype.c cpudriver/capability/spaces.c cpudriver/capability/split.c
// sources: cpudriver/capability/table.c cpudriver/capability/types.c
// flags: -DWINDOW_START=0x200000000000 -Wno-unused-function

/* What goes after several cores have agreed: sweep, delete, surrender. Which of another core's objects may go, and which must not. */

#include "tests/hosted/capability_test.h"

/* ---- sweep -------------------------------------------------------------------------------------- */

/* At a holder: a handle for the object is put into an own slot, and all else goes. */
static void sweep_of_a_foreign_object(void **state)
{
	(void)state;
	assert_ok(install(10, CAP_RAM, ELSEWHERE, MIB, 512 * KIB));
	assert_ok(CALL(KERNEL, Kernel_retype, ROOT_SLOT(10).value, IN_ROOT, 11 | CAP_Frame << 8 | 2 << 16, 0, PAGE_BYTES));
	assert_ok(install(13, CAP_Frame, ELSEWHERE, MIB + 64 * KIB, PAGE_BYTES));
	assert_ok(install(14, CAP_Frame, ELSEWHERE + 1, MIB + 128 * KIB, PAGE_BYTES));
	assert_ok(install(20, CAP_RAM, ELSEWHERE, MIB, 512 * KIB));
	assert_ok(sweep_all(20, SWEEP_PLAIN));
	for (unsigned n = 10; n < 15; n++)
		assert_int_equal(root(n)->type, CAP_Null);
	assert_ok(CALL(KERNEL, Kernel_surrender, ROOT_SLOT(20).value));
	assert_ok(CALL(KERNEL, Kernel_find, MIB, 512 * KIB, FIND_ANY));
	assert_int_equal(world.last.value[0], 0);
}

/* What this core owns in the object and gave to others is a revoke of its own. */
static void sweep_stops_at_what_others_know(void **state)
{
	(void)state;
	assert_ok(install(10, CAP_RAM, ELSEWHERE, MIB, 512 * KIB));
	assert_ok(CALL(KERNEL, Kernel_retype, ROOT_SLOT(10).value, IN_ROOT, 11 | CAP_Frame << 8 | 2 << 16, 0, PAGE_BYTES));
	MARK(12, CAP_FLAG_REMOTE, THIS_CORE);
	assert_ok(CALL(ROOT_SLOT(12), Any_copy, IN_ROOT, 13));
	assert_err(sweep_all(10, SWEEP_SHARED_TABLES), NEEDS_AGREEMENT);
	assert_obstacle(CAP_Frame, MIB + PAGE_BYTES, PAGE_BYTES);
	assert_int_equal((root(12)->type == CAP_Frame) + (root(13)->type == CAP_Frame), 1); /* only the last copy is asked for */
	assert_ok(install(20, CAP_Frame, THIS_CORE, MIB + PAGE_BYTES, PAGE_BYTES));
	assert_int_equal(root(20)->flags, CAP_FLAG_REMOTE);
	assert_ok(sweep_all(20, SWEEP_PLAIN)); /* as its owner, with the holders' agreement */
	MARK(20, 0, THIS_CORE);
	assert_ok(sweep_all(10, SWEEP_PLAIN));
	assert_int_equal(root(20)->type, CAP_Null);
	assert_int_equal(world.caps.count, 5);
	assert_ok(CALL(KERNEL, Kernel_surrender, ROOT_SLOT(10).value));
}

/* RAM and a frame all over it are two objects: the agreement on one is none on the other. */
static void sweep_does_not_exempt_an_object_of_the_same_range(void **state)
{
	(void)state;
	MAKE(10, RAM, 1, 0, MIB);
	MAKE_OF(10, 11, Frame, 1, 0, MIB);
	MARK(10, CAP_FLAG_REMOTE, THIS_CORE);
	MARK(11, CAP_FLAG_REMOTE, THIS_CORE);
	assert_err(sweep_all(10, SWEEP_PLAIN), NEEDS_AGREEMENT);
	assert_obstacle(CAP_Frame, RAM_BASE, MIB);
	assert_ok(sweep_all(11, SWEEP_PLAIN));
	assert_int_equal(root(11)->type, CAP_Frame);
	MARK(11, 0, THIS_CORE);
	assert_ok(sweep_all(10, SWEEP_PLAIN));
	assert_int_equal(root(11)->type, CAP_Null);
	MARK(10, 0, THIS_CORE);
}

/* Whoever has a doorbell still may ring: nobody waits for him. */
static void sweep_takes_doorbells(void **state)
{
	(void)state;
	MAKE(10, RAM, 1, 0, MIB);
	MAKE_OF(10, 11, Dispatcher, 1, 0, 0);
	assert_ok(CALL(ROOT_SLOT(11), Any_retype, IN_ROOT, 12, TYPE_COUNT(Doorbell, 1)));
	MARK(12, CAP_FLAG_REMOTE, THIS_CORE);
	MARK(10, CAP_FLAG_REMOTE, THIS_CORE);
	assert_ok(sweep_all(10, SWEEP_PLAIN));
	assert_int_equal(root(12)->type, CAP_Null);
	MARK(10, 0, THIS_CORE);
}

/* Contents of a CNode that dies in the range: foreign ones in the range go along, those elsewhere are the last of their kind here. */
static void sweep_and_dying_containers(void **state)
{
	(void)state;
	MAKE(10, RAM, 1, 0, MIB);
	MAKE_OF(10, 11, CNode, 2, 0, 0);
	MARK(10, CAP_FLAG_REMOTE, THIS_CORE);
	assert_ok(install(20, CAP_Frame, ELSEWHERE, RAM_BASE + 512 * KIB, PAGE_BYTES));
	assert_ok(install(21, CAP_Frame, ELSEWHERE, MIB, PAGE_BYTES));
	MAKE(22, Frame, 1, 4 * MIB, PAGE_BYTES);
	MARK(22, CAP_FLAG_REMOTE, THIS_CORE);
	for (unsigned n = 20; n < 23; n++)
		assert_ok(CALL(ROOT_SLOT(n), Any_move, ROOT_SLOT(12).value, n));
	assert_ok(CALL(ROOT_SLOT(12), Any_move, ROOT_SLOT(11).value, 0)); /* one in the other */
	for (unsigned n = 21; n < 23; n++) {
		uint64_t base = n == 21 ? MIB : RAM_BASE + 4 * MIB;

		assert_err(sweep_all(10, SWEEP_PLAIN), NEEDS_AGREEMENT);
		assert_obstacle(CAP_Frame, base, PAGE_BYTES);
		assert_null(world.caps.zombies);
		assert_ok(install(n, CAP_Frame, n == 21 ? ELSEWHERE : THIS_CORE, base, PAGE_BYTES));
	}
	assert_ok(sweep_all(10, SWEEP_PLAIN));
	assert_int_equal(root(11)->type, CAP_Null);
	assert_int_equal(root(21)->flags, CAP_FLAG_FOREIGN);
	assert_int_equal(root(22)->flags, CAP_FLAG_REMOTE);
	assert_ok(CALL(KERNEL, Kernel_surrender, ROOT_SLOT(21).value));
	MARK(22, 0, THIS_CORE);
	MARK(10, 0, THIS_CORE);
}

/* A dispatcher's bindings, likewise. */
static void sweep_and_the_last_table_of_a_dispatcher(void **state)
{
	(void)state;
	MAKE(10, RAM, 1, 0, MIB);
	MARK(10, CAP_FLAG_REMOTE, THIS_CORE);
	assert_ok(CALL(KERNEL, Kernel_retype, ROOT_SLOT(10).value, IN_ROOT, 11 | CAP_Dispatcher << 8 | 1 << 16, 0, 0));
	assert_ok(CALL(KERNEL, Kernel_retype, ROOT_SLOT(10).value, IN_ROOT, 12 | CAP_CNode << 8 | 1 << 16, 64 * KIB, 0));
	slot_copy_internal(&world.caps, root(12), (struct slot *)window(PADDR(root(11)->base + BINDINGS_OFFSET)));
	assert_ok(install(20, CAP_Frame, ELSEWHERE, MIB, PAGE_BYTES));
	assert_ok(CALL(ROOT_SLOT(20), Any_move, ROOT_SLOT(12).value, 5));
	assert_ok(CALL(ROOT_SLOT(12), Any_delete));
	assert_err(sweep_all(10, SWEEP_PLAIN), NEEDS_AGREEMENT);
	assert_obstacle(CAP_Frame, MIB, PAGE_BYTES);
	assert_ok(install(20, CAP_Frame, ELSEWHERE, MIB, PAGE_BYTES));
	assert_ok(sweep_all(10, SWEEP_PLAIN));
	assert_ok(CALL(KERNEL, Kernel_surrender, ROOT_SLOT(20).value));
	MARK(10, 0, THIS_CORE);
}

/* A mapping in a table that other cores use goes when the caller says that these will flush. */
static void sweep_and_shared_tables(void **state)
{
	(void)state;
	MAKE(10, PageTable1, 1, 0, 0);
	MAKE(11, RAM, 1, MIB, MIB);
	MAKE_OF(11, 12, Frame, 1, 0, PAGE_BYTES);
	assert_ok(CALL(ROOT_SLOT(12), Frame_map, ROOT_SLOT(10).value, 7, RIGHT_READ, 0, 1));
	MARK(10, CAP_FLAG_REMOTE, THIS_CORE);
	assert_err(CALL(KERNEL, Kernel_sweep, ROOT_SLOT(11).value, 2), ARGUMENT);
	assert_err(sweep_all(11, SWEEP_PLAIN), NEEDS_AGREEMENT);
	assert_obstacle(CAP_PageTable1, RAM_BASE, PAGE_TABLE_BYTES);
	world.flushes = 0;
	assert_ok(sweep_all(11, SWEEP_SHARED_TABLES));
	assert_int_equal(world.flushes, 1);
	assert_int_equal(root(12)->type, CAP_Null);
	assert_int_equal(page_table(root(10))->entry[7], 0);
	/* the next call knows nothing of it */
	MAKE_OF(11, 12, Frame, 1, 0, PAGE_BYTES);
	assert_ok(CALL(ROOT_SLOT(12), Frame_map, ROOT_SLOT(10).value, 7, RIGHT_READ, 0, 1));
	assert_err(repeat(ROOT_SLOT(11), OP_Any_revoke, 0), NEEDS_AGREEMENT);
	/* nor does the flag let the table itself go */
	MARK(ROOT_RAM, CAP_FLAG_REMOTE, THIS_CORE);
	assert_err(sweep_all(ROOT_RAM, SWEEP_SHARED_TABLES), NEEDS_AGREEMENT);
	assert_obstacle(CAP_PageTable1, RAM_BASE, PAGE_TABLE_BYTES);
	MARK(10, 0, THIS_CORE);
	assert_ok(sweep_all(ROOT_RAM, SWEEP_SHARED_TABLES));
	MARK(ROOT_RAM, 0, THIS_CORE);
}

/* A plain revoke takes neither what others know nor what others own. */
static void revoke_asks_for_all_of_it(void **state)
{
	(void)state;
	MAKE(10, RAM, 1, 0, MIB);
	assert_ok(install(11, CAP_Frame, ELSEWHERE, RAM_BASE, PAGE_BYTES));
	assert_err(repeat(ROOT_SLOT(10), OP_Any_revoke, 0), NEEDS_AGREEMENT);
	assert_obstacle(CAP_Frame, RAM_BASE, PAGE_BYTES);
	MARK(10, CAP_FLAG_REMOTE, THIS_CORE);
	assert_err(repeat(ROOT_SLOT(10), OP_Any_revoke, 0), NEEDS_AGREEMENT);
	assert_obstacle(CAP_RAM, RAM_BASE, MIB);
	assert_ok(sweep_all(10, SWEEP_PLAIN));
	MARK(10, 0, THIS_CORE);
}

static void sweep_checks(void **state)
{
	(void)state;
	assert_err(CALL(KERNEL, Kernel_sweep, ROOT_SLOT(99).value), CAP_EMPTY);
	assert_err(CALL(KERNEL, Kernel_sweep, UINT64_MAX), CAP_ADDRESS);
	assert_err(CALL(KERNEL, Kernel_sweep, ROOT_SLOT(ROOT_RAM).value, UINT64_MAX), ARGUMENT);
	assert_ok(CALL(KERNEL, Any_mint, IN_ROOT, 10, RIGHT_READ));
	assert_err(CALL(ROOT_SLOT(10), Kernel_sweep, ROOT_SLOT(ROOT_RAM).value), CAP_RIGHTS);
	assert_err(CALL(ROOT_SLOT(10), Kernel_retype, ROOT_SLOT(ROOT_RAM).value), CAP_RIGHTS);
	assert_err(CALL(ROOT_SLOT(10), Kernel_flush), CAP_RIGHTS);
	assert_ok(CALL(ROOT_SLOT(10), Kernel_find, 0, 1, FIND_ANY));
}

/* ---- delete ------------------------------------------------------------------------------------- */

/* The mapping ends even if the capability has to stay. */
static void delete_unmaps_first(void **state)
{
	(void)state;
	MAKE(10, PageTable1, 1, 0, 0);
	assert_ok(install(11, CAP_Frame, ELSEWHERE, MIB, PAGE_BYTES));
	assert_ok(CALL(ROOT_SLOT(11), Frame_map, ROOT_SLOT(10).value, 7, RIGHT_READ, 0, 1));
	assert_err(CALL(ROOT_SLOT(11), Any_delete), NEEDS_AGREEMENT);
	assert_int_equal(root(11)->flags, CAP_FLAG_FOREIGN | CAP_FLAG_MAPPED);
	MAKE(12, PageTable2, 1, MIB, 0);
	assert_ok(CALL(ROOT_SLOT(10), PageTable1_map, ROOT_SLOT(12).value, 0)); /* else nobody could have a translation */
	world.flushes = 0;
	assert_err(CALL(KERNEL, Kernel_delete, ROOT_SLOT(11).value, SWEEP_PLAIN), NEEDS_AGREEMENT);
	assert_obstacle(CAP_Frame, MIB, PAGE_BYTES);
	assert_int_equal(world.flushes, 1);
	assert_int_equal(root(11)->flags, CAP_FLAG_FOREIGN);
	assert_int_equal(page_table(root(10))->entry[7], 0);
	check_world();
	assert_ok(CALL(KERNEL, Kernel_surrender, ROOT_SLOT(11).value));
}

static void delete_and_shared_tables(void **state)
{
	err_t e;

	(void)state;
	MAKE(10, PageTable1, 1, 0, 0);
	MAKE(11, Frame, 2, MIB, PAGE_BYTES);
	MAKE(13, CNode, 1, 2 * MIB, 0);
	for (unsigned n = 11; n < 13; n++)
		assert_ok(CALL(ROOT_SLOT(n), Frame_map, ROOT_SLOT(10).value, n, RIGHT_READ, 0, 1));
	MARK(10, CAP_FLAG_REMOTE, THIS_CORE);
	assert_ok(CALL(ROOT_SLOT(12), Any_move, ROOT_SLOT(13).value, 5));
	assert_err(CALL(KERNEL, Kernel_delete, ROOT_SLOT(11).value, SWEEP_PLAIN), NEEDS_AGREEMENT);
	assert_obstacle(CAP_PageTable1, RAM_BASE, PAGE_TABLE_BYTES);
	assert_int_equal(root(11)->flags, CAP_FLAG_MAPPED);
	assert_ok(CALL(KERNEL, Kernel_delete, ROOT_SLOT(11).value, SWEEP_SHARED_TABLES));
	assert_int_equal(root(11)->type, CAP_Null);
	assert_int_equal(world.last.value[0], 0);
	/* and in what dies with it */
	do
		e = CALL(KERNEL, Kernel_delete, ROOT_SLOT(13).value, SWEEP_PLAIN);
	while (err_is(e, ERR_NUMBER_AGAIN));
	assert_err(e, NEEDS_AGREEMENT);
	assert_obstacle(CAP_PageTable1, RAM_BASE, PAGE_TABLE_BYTES);
	do
		e = CALL(KERNEL, Kernel_delete, ROOT_SLOT(13).value, SWEEP_SHARED_TABLES);
	while (err_is(e, ERR_NUMBER_AGAIN));
	/* not before all have flushed: its memory could be used for something else */
	assert_err(e, NEEDS_AGREEMENT);
	assert_obstacle(CAP_PageTable1, RAM_BASE, PAGE_TABLE_BYTES);
	assert_int_equal(page_table(root(10))->entry[12], 0);
	assert_int_equal(cnode_slots(root(13))[5].type, CAP_Frame);
	assert_int_equal(cnode_slots(root(13))[5].flags, 0);
	do
		e = CALL(KERNEL, Kernel_delete, ROOT_SLOT(13).value, SWEEP_PLAIN);
	while (err_is(e, ERR_NUMBER_AGAIN));
	assert_ok(e);
	assert_int_equal(root(13)->type, CAP_Null);
	MARK(10, 0, THIS_CORE);
}

/* A container that the sweep takes along, of something outside. */
static void sweep_of_a_container_of_mapped_frames(void **state)
{
	(void)state;
	MAKE(10, PageTable1, 1, 0, 0);
	MAKE(11, RAM, 1, MIB, MIB);
	MAKE_OF(11, 12, CNode, 1, 0, 0);
	MAKE(20, Frame, 3, 2 * MIB, PAGE_BYTES);
	for (unsigned n = 0; n < 3; n++) {
		assert_ok(CALL(ROOT_SLOT(20 + n), Frame_map, ROOT_SLOT(10).value, n, RIGHT_READ, 0, 1));
		assert_ok(CALL(ROOT_SLOT(20 + n), Any_move, ROOT_SLOT(12).value, 40 * n));
	}
	MARK(10, CAP_FLAG_REMOTE, THIS_CORE);
	assert_err(sweep_all(11, SWEEP_PLAIN), NEEDS_AGREEMENT);
	assert_err(sweep_all(11, SWEEP_SHARED_TABLES), NEEDS_AGREEMENT);
	for (unsigned n = 0; n < 3; n++) {
		assert_int_equal(page_table(root(10))->entry[n], 0);
		assert_int_equal(cnode_slots(root(12))[40 * n].type, CAP_Frame);
	}
	check_world();
	assert_ok(sweep_all(11, SWEEP_PLAIN));
	assert_int_equal(root(12)->type, CAP_Null);
	MARK(10, 0, THIS_CORE);
}

static void delete_answers(void **state)
{
	(void)state;
	assert_err(CALL(KERNEL, Kernel_delete, ROOT_SLOT(99).value), CAP_EMPTY);
	assert_err(CALL(KERNEL, Kernel_delete, ROOT_SLOT(ROOT_RAM).value, 2), ARGUMENT);
	assert_err(CALL(KERNEL, Kernel_delete, ROOT_SLOT(ROOT_RAM).value), LAST_COPY);
	assert_obstacle(CAP_RAM, RAM_BASE, RAM_BYTES);
	MUST(slot_make(&world.caps, root(10), CAP_Frame, MIB, PAGE_BYTES, RIGHTS(RIGHTS_ALL)));
	assert_ok(CALL(KERNEL, Kernel_delete, ROOT_SLOT(10).value));
	assert_int_equal(world.last.value[0], 1);
	assert_int_equal(root(10)->type, CAP_RAM);
}

/* ---- surrender ---------------------------------------------------------------------------------- */

/* What this core made of a foreign object needs that to stay: else its owner would not ask here any more. */
static void surrender_keeps_what_covers_own_objects(void **state)
{
	(void)state;
	assert_ok(install(10, CAP_RAM, ELSEWHERE, MIB, 512 * KIB));
	assert_ok(install(11, CAP_Frame, ELSEWHERE, MIB, PAGE_BYTES));
	assert_ok(CALL(KERNEL, Kernel_retype, ROOT_SLOT(10).value, IN_ROOT, 12 | CAP_Frame << 8 | 1 << 16, 64 * KIB, PAGE_BYTES));
	assert_err(CALL(KERNEL, Kernel_surrender, ROOT_SLOT(10).value), OVERLAP);
	assert_err(CALL(ROOT_SLOT(10), Any_delete), NEEDS_AGREEMENT);
	assert_ok(CALL(ROOT_SLOT(12), Any_delete));
	assert_ok(CALL(KERNEL, Kernel_surrender, ROOT_SLOT(10).value)); /* what is foreign in it has another core to look after it */
	assert_ok(CALL(KERNEL, Kernel_surrender, ROOT_SLOT(11).value));
}

static void surrender_of_more_than_it_looks_at(void **state)
{
	(void)state;
	assert_ok(install(10, CAP_RAM, ELSEWHERE, 64 * MIB, 512 * PAGE_BYTES));
	MAKE(11, CNode, 2, 0, 0);
	for (unsigned n = 0; n < 257; n++)
		assert_ok(CALL(KERNEL, Kernel_install, ROOT_SLOT(11 + n / 256).value,
		               n % 256 | CAP_Frame << 8 | RIGHT_READ << 16 | (uint64_t)ELSEWHERE << 32, 64 * MIB + n * PAGE_BYTES,
		               PAGE_BYTES));
	assert_err(CALL(KERNEL, Kernel_surrender, ROOT_SLOT(10).value), OVERLAP);
	assert_ok(CALL(KERNEL, Kernel_surrender, CAP(12, 0).value));
	assert_ok(CALL(KERNEL, Kernel_surrender, ROOT_SLOT(10).value));
	for (unsigned n = 0; n < 256; n++)
		assert_ok(CALL(KERNEL, Kernel_surrender, CAP(11, n).value));
}

static void surrender_of_what_a_shared_table_maps(void **state)
{
	(void)state;
	MAKE(10, PageTable1, 1, 0, 0);
	assert_ok(install(11, CAP_Frame, ELSEWHERE, MIB, PAGE_BYTES));
	assert_ok(CALL(ROOT_SLOT(11), Frame_map, ROOT_SLOT(10).value, 7, RIGHT_READ, 0, 1));
	MARK(10, CAP_FLAG_REMOTE, THIS_CORE);
	assert_err(CALL(KERNEL, Kernel_surrender, ROOT_SLOT(11).value), NEEDS_AGREEMENT);
	MARK(10, 0, THIS_CORE);
	world.flushes = 0;
	assert_ok(CALL(KERNEL, Kernel_surrender, ROOT_SLOT(11).value));
	assert_int_equal(world.flushes, 1);
	assert_int_equal(page_table(root(10))->entry[7], 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    T(sweep_of_a_foreign_object),
	    T(sweep_stops_at_what_others_know),
	    T(sweep_does_not_exempt_an_object_of_the_same_range),
	    T(sweep_takes_doorbells),
	    T(sweep_and_dying_containers),
	    T(sweep_and_the_last_table_of_a_dispatcher),
	    T(sweep_and_shared_tables),
	    T(revoke_asks_for_all_of_it),
	    T(sweep_checks),
	    T(delete_unmaps_first),
	    T(delete_and_shared_tables),
	    T(sweep_of_a_container_of_mapped_frames),
	    T(delete_answers),
	    T(surrender_keeps_what_covers_own_objects),
	    T(surrender_of_more_than_it_looks_at),
	    T(surrender_of_what_a_shared_table_maps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
