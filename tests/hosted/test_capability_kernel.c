/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
// sources: cpudriver/capability/any.c cpudriver/capability/arguments.c cpudriver/capability/database.c
// sources: cpudriver/capability/delete.c cpudriver/capability/kernel.c cpudriver/capability/mapping.c cpudriver/capability/nesting.c
// sources: cpudriver/capability/paging.c cpudriver/capability/retype.c cpudriver/capability/spaces.c cpudriver/capability/split.c
// sources: cpudriver/capability/table.c cpudriver/capability/types.c
// flags: -DWINDOW_START=0x200000000000 -Wno-unused-function

/* Kernel.install, surrender, mark, sweep, find (more of these in test_capability_agreed.c and test_capability_sweep.c); and what REMOTE and
 * FOREIGN change in all other operations. */

#include "tests/hosted/capability_test.h"

/* ---- install ------------------------------------------------------------------------------------ */

static void install_checks(void **state)
{
	(void)state;
	assert_err(install(ROOT_RAM, CAP_Frame, ELSEWHERE, MIB, PAGE_BYTES), SLOT_IN_USE);
	assert_err(install(10, CAP_Null, ELSEWHERE, MIB, PAGE_BYTES), ARGUMENT);
	assert_err(install(10, CAP_TYPES, ELSEWHERE, MIB, PAGE_BYTES), ARGUMENT);
	assert_err(install(10, CAP_Frame, 0x10000, MIB, PAGE_BYTES), ARGUMENT);
	assert_err(CALL(KERNEL, Kernel_install, IN_ROOT, 10 | CAP_DeviceFrame << 8 | RIGHT_EXECUTE << 16, MIB, PAGE_BYTES), ARGUMENT);
	assert_err(CALL(KERNEL, Kernel_install, IN_ROOT, 10 | CAP_Frame << 8, MIB, PAGE_BYTES, 1), ARGUMENT);
	assert_err(install(10, CAP_Frame, ELSEWHERE, MIB + 1, PAGE_BYTES), ALIGNMENT);
	assert_err(install(10, CAP_Frame, ELSEWHERE, MIB, 5), ALIGNMENT);
	assert_err(install(10, CAP_Frame, ELSEWHERE, MIB, 0), RANGE);
	assert_err(install(10, CAP_PageTable1, ELSEWHERE, MIB, PAGE_BYTES), RANGE);
	assert_err(install(10, CAP_Frame, ELSEWHERE, WINDOW_BYTES, PAGE_BYTES), RANGE);
	assert_err(install(10, CAP_Frame, ELSEWHERE, UINT64_MAX - PAGE_BYTES + 1, PAGE_BYTES), RANGE);
	assert_err(install(10, CAP_Frame, ELSEWHERE, PAGE_BYTES, UINT64_MAX - PAGE_BYTES + 1), RANGE);
	assert_err(install(10, CAP_CNode, ELSEWHERE, MIB, CNODE_BYTES), CAP_TYPE);
	assert_err(install(10, CAP_PageTable4, ELSEWHERE, MIB, PAGE_TABLE_BYTES), CAP_TYPE);
	assert_err(install(10, CAP_Dispatcher, ELSEWHERE, MIB, DISPATCHER_BYTES), CAP_TYPE);
	assert_err(install(10, CAP_Kernel, ELSEWHERE, 0, 0), CAP_TYPE);
	assert_err(install(10, CAP_IoPorts, ELSEWHERE, 0, 8), CAP_TYPE);
	assert_err(install(10, CAP_PageTable1, THIS_CORE, MIB, PAGE_TABLE_BYTES), STATE);
	assert_err(CALL(KERNEL, Kernel_install, IN_ROOT, 10 | CAP_Doorbell << 8 | RIGHT_WRITE << 16, MIB, 2 * PAGE_BYTES), RANGE);
	assert_ok(CALL(KERNEL, Kernel_install, IN_ROOT, 10 | CAP_Doorbell << 8 | RIGHT_WRITE << 16 | (uint64_t)ELSEWHERE << 32, MIB,
	               DISPATCHER_BYTES, 77));
	assert_int_equal(root(10)->extra, 77);
	assert_int_equal(root(10)->flags, CAP_FLAG_FOREIGN);
	assert_ok(CALL(ROOT_SLOT(10), Any_delete)); /* nobody has to be asked */
	assert_ok(CALL(ROOT_SLOT(ROOT_KERNEL), Any_mint, IN_ROOT, 12, RIGHT_READ));
	assert_err(CALL(ROOT_SLOT(12), Kernel_install, IN_ROOT, 10 | CAP_Frame << 8, MIB, PAGE_BYTES), CAP_RIGHTS);
}

static void installed_objects_nest(void **state)
{
	const uint64_t base = RAM_BASE + 64 * PAGE_BYTES;

	(void)state;
	MAKE(10, Frame, 1, 64 * PAGE_BYTES, 8 * PAGE_BYTES);
	MAKE(11, CNode, 1, 80 * PAGE_BYTES, 0);
	assert_err(install(20, CAP_Frame, THIS_CORE, base - PAGE_BYTES, 2 * PAGE_BYTES), OVERLAP);
	assert_err(install(20, CAP_Frame, THIS_CORE, base + 7 * PAGE_BYTES, 2 * PAGE_BYTES), OVERLAP);
	assert_err(install(20, CAP_RAM, THIS_CORE, base, 8 * PAGE_BYTES - PAGE_BYTES), OVERLAP);
	assert_err(install(20, CAP_Frame, THIS_CORE, base, 64 * PAGE_BYTES), OVERLAP); /* a CNode can't lie in a frame */
	assert_err(install(20, CAP_Frame, THIS_CORE, base + 16 * PAGE_BYTES, PAGE_BYTES), OVERLAP);
	assert_err(install(20, CAP_DeviceFrame, THIS_CORE, base, PAGE_BYTES), OVERLAP);
	assert_err(install(20, CAP_RAM, THIS_CORE, MIB, 2 * MIB), OVERLAP);
	assert_ok(install(20, CAP_Frame, THIS_CORE, base, 16 * PAGE_BYTES));
	assert_ok(install(21, CAP_RAM, THIS_CORE, base, 16 * PAGE_BYTES));
	assert_ok(install(22, CAP_RAM, THIS_CORE, base - PAGE_BYTES, 64 * PAGE_BYTES));
	assert_ok(install(23, CAP_Frame, THIS_CORE, base + PAGE_BYTES, PAGE_BYTES));
	check_world();
	assert_ok(install(24, CAP_Frame, THIS_CORE, base, 16 * PAGE_BYTES)); /* a copy */
	assert_err(install(25, CAP_Frame, ELSEWHERE, base, 16 * PAGE_BYTES), STATE);
	assert_int_equal(another_copy(root(24)) == root(20), true);
	assert_ok(repeat(ROOT_SLOT(ROOT_RAM), OP_Any_revoke, 0));
	assert_int_equal(world.caps.count, 4);
	/* more than a call looks at */
	MAKE(30, Frame, 220, 0, PAGE_BYTES);
	MAKE(29, CNode, 1, 4 * MIB, 0);
	assert_ok(CALL(ROOT_SLOT(ROOT_RAM), Any_retype, ROOT_SLOT(29).value, 0, TYPE_COUNT(Frame, 40), 220 * PAGE_BYTES, PAGE_BYTES));
	assert_err(install(20, CAP_Frame, THIS_CORE, RAM_BASE, 260 * PAGE_BYTES), LIMIT);
	assert_ok(install(20, CAP_RAM, THIS_CORE, RAM_BASE, 260 * PAGE_BYTES));
}

/* ---- Who has to be asked ------------------------------------------------------------------------ */

static void remote_objects(void **state)
{
	(void)state;
	MAKE(10, RAM, 1, 0, MIB);
	assert_ok(CALL(ROOT_SLOT(10), Any_copy, IN_ROOT, 11));
	assert_ok(CALL(KERNEL, Kernel_mark, ROOT_SLOT(11).value, CAP_FLAG_REMOTE, THIS_CORE));
	assert_int_equal(root(10)->flags, CAP_FLAG_REMOTE);
	assert_err(CALL(ROOT_SLOT(10), Any_retype, IN_ROOT, 12, TYPE_COUNT(Frame, 1), 0, PAGE_BYTES), NEEDS_AGREEMENT);
	assert_err(CALL(ROOT_SLOT(10), Any_revoke), NEEDS_AGREEMENT);
	assert_int_equal(world.last.value[1], RAM_BASE);
	assert_ok(CALL(ROOT_SLOT(10), Any_copy, IN_ROOT, 12));
	assert_int_equal(root(12)->flags, CAP_FLAG_REMOTE);
	assert_ok(CALL(ROOT_SLOT(12), Any_delete));
	assert_ok(CALL(ROOT_SLOT(11), Any_delete));
	assert_err(CALL(ROOT_SLOT(10), Any_delete), NEEDS_AGREEMENT);
	assert_ok(CALL(KERNEL, Kernel_mark, ROOT_SLOT(10).value, 0, THIS_CORE));
	assert_ok(CALL(ROOT_SLOT(10), Any_retype, IN_ROOT, 12, TYPE_COUNT(Frame, 1), 0, PAGE_BYTES));
	assert_ok(CALL(KERNEL, Kernel_mark, ROOT_SLOT(12).value, CAP_FLAG_REMOTE, THIS_CORE));
	assert_err(repeat(ROOT_SLOT(10), OP_Any_revoke, 0), NEEDS_AGREEMENT);
	assert_int_equal(world.last.value[0], CAP_Frame);
	assert_err(CALL(KERNEL, Kernel_sweep, ROOT_SLOT(10).value), NEEDS_AGREEMENT);
	assert_int_equal(world.last.value[0], CAP_Frame);
	assert_ok(CALL(KERNEL, Kernel_mark, ROOT_SLOT(12).value, 0, THIS_CORE));
	assert_ok(CALL(KERNEL, Kernel_sweep, ROOT_SLOT(10).value));
	assert_int_equal(root(12)->type, CAP_Null);
}

static void foreign_objects(void **state)
{
	(void)state;
	assert_ok(install(10, CAP_RAM, ELSEWHERE, MIB, 512 * KIB));
	assert_err(CALL(ROOT_SLOT(10), Any_retype, IN_ROOT, 12, TYPE_COUNT(Frame, 1), 0, PAGE_BYTES), NEEDS_AGREEMENT);
	assert_err(CALL(ROOT_SLOT(10), Any_revoke), NEEDS_AGREEMENT);
	assert_err(CALL(ROOT_SLOT(10), Any_delete), NEEDS_AGREEMENT);
	assert_ok(CALL(ROOT_SLOT(10), Any_copy, IN_ROOT, 11));
	assert_int_equal(root(11)->owner, ELSEWHERE);
	assert_ok(CALL(ROOT_SLOT(11), Any_delete));
	assert_ok(install(12, CAP_Frame, ELSEWHERE, MIB, PAGE_BYTES));
	assert_err(CALL(ROOT_SLOT(12), Any_delete), NEEDS_AGREEMENT); /* its owner counts this core, covered or not */
	assert_err(CALL(ROOT_SLOT(10), Any_delete), NEEDS_AGREEMENT);
	assert_ok(CALL(KERNEL, Kernel_surrender, ROOT_SLOT(10).value));
	/* a dying CNode does not take the last one along */
	MAKE(20, CNode, 1, 0, 0);
	assert_ok(CALL(ROOT_SLOT(12), Any_move, ROOT_SLOT(20).value, 9));
	assert_err(repeat(ROOT_SLOT(20), OP_Any_delete, 0), NEEDS_AGREEMENT);
	assert_int_equal(world.last.value[1], MIB);
	assert_ok(install(12, CAP_Frame, ELSEWHERE, MIB, PAGE_BYTES));
	assert_ok(repeat(ROOT_SLOT(20), OP_Any_delete, 0));
	assert_ok(CALL(KERNEL, Kernel_surrender, ROOT_SLOT(12).value));
	assert_int_equal(root(12)->type, CAP_Null);
}

static void mark(void **state)
{
	(void)state;
	MAKE(10, CNode, 1, 0, 0);
	MAKE(11, Frame, 1, MIB, PAGE_BYTES);
	assert_err(CALL(KERNEL, Kernel_mark, ROOT_SLOT(50).value, 0, THIS_CORE), CAP_EMPTY);
	assert_err(CALL(KERNEL, Kernel_mark, UINT64_MAX, 0, THIS_CORE), CAP_ADDRESS);
	assert_err(CALL(KERNEL, Kernel_mark, ROOT_SLOT(10).value, CAP_FLAG_REMOTE, THIS_CORE), CAP_TYPE);
	assert_err(CALL(KERNEL, Kernel_mark, ROOT_SLOT(11).value, CAP_FLAG_FOREIGN, THIS_CORE), ARGUMENT);
	assert_err(CALL(KERNEL, Kernel_mark, ROOT_SLOT(11).value, CAP_FLAG_MAPPED, THIS_CORE), ARGUMENT);
	assert_err(CALL(KERNEL, Kernel_mark, ROOT_SLOT(11).value, 0, 0x10000), ARGUMENT);
	assert_err(CALL(KERNEL, Kernel_mark, ROOT_SLOT(11).value, CAP_FLAG_REMOTE, ELSEWHERE), ARGUMENT);
	for (unsigned k = 0; k < 200; k++)
		assert_ok(CALL(ROOT_SLOT(11), Any_copy, ROOT_SLOT(10).value, k));
	unsigned calls = 1;

	while (err_is(CALL(KERNEL, Kernel_mark, ROOT_SLOT(11).value, 0, ELSEWHERE), ERR_NUMBER_AGAIN))
		calls++;
	assert_int_equal(calls, 201 / WORK_PER_CALL + 1);
	for (unsigned k = 0; k < 200; k++) {
		assert_int_equal(cap_slot(root_slots(), CAP(10, k))->flags, CAP_FLAG_FOREIGN);
		assert_int_equal(cap_slot(root_slots(), CAP(10, k))->owner, ELSEWHERE);
	}
	MAKE(12, PageTable1, 1, 2 * MIB, 0);
	assert_err(CALL(KERNEL, Kernel_mark, ROOT_SLOT(12).value, 0, ELSEWHERE), STATE);
	assert_ok(CALL(KERNEL, Kernel_mark, ROOT_SLOT(12).value, CAP_FLAG_REMOTE, THIS_CORE));
}

static void surrender(void **state)
{
	(void)state;
	MAKE(10, RAM, 1, 0, MIB);
	assert_err(CALL(KERNEL, Kernel_surrender, ROOT_SLOT(10).value), STATE); /* nobody else knows it */
	assert_ok(CALL(ROOT_SLOT(10), Any_retype, IN_ROOT, 11, TYPE_COUNT(Frame, 1), 0, PAGE_BYTES));
	assert_ok(CALL(KERNEL, Kernel_mark, ROOT_SLOT(10).value, CAP_FLAG_REMOTE, THIS_CORE));
	assert_err(CALL(KERNEL, Kernel_surrender, ROOT_SLOT(10).value), OVERLAP);
	assert_ok(CALL(ROOT_SLOT(11), Any_delete));
	assert_ok(CALL(ROOT_SLOT(10), Any_copy, IN_ROOT, 11));
	assert_err(CALL(KERNEL, Kernel_surrender, ROOT_SLOT(10).value), STATE);
	assert_ok(CALL(ROOT_SLOT(11), Any_delete));
	assert_ok(CALL(KERNEL, Kernel_surrender, ROOT_SLOT(10).value));
	assert_int_equal(root(10)->type, CAP_Null);
	/* a mapped table of this core's: nothing of its addresses goes to the new owner */
	MAKE(10, PageTable1, 1, MIB, 0);
	MAKE(11, PageTable2, 1, 2 * MIB, 0);
	MAKE(12, Frame, 1, 3 * MIB, PAGE_BYTES);
	assert_ok(CALL(ROOT_SLOT(10), PageTable1_map, ROOT_SLOT(11).value, 5));
	assert_ok(CALL(ROOT_SLOT(12), Frame_map, ROOT_SLOT(10).value, 5, RIGHT_READ, 0, 1));
	assert_ok(CALL(KERNEL, Kernel_mark, ROOT_SLOT(10).value, CAP_FLAG_REMOTE, THIS_CORE));
	world.flushes = 0;
	assert_ok(CALL(KERNEL, Kernel_surrender, ROOT_SLOT(10).value));
	assert_int_equal(world.flushes, 1);
	assert_int_equal(root(12)->flags, 0);
	for (unsigned b = 0; b < PAGE_TABLE_BYTES; b++)
		assert_int_equal(*(uint8_t *)window(PADDR(RAM_BASE + MIB + b)), 0);
}

/* A sweep may take what other cores own, in the range that they agreed on; elsewhere they still have to be asked. */
static void sweep(void **state)
{
	(void)state;
	MAKE(10, RAM, 1, 0, MIB);
	assert_ok(CALL(ROOT_SLOT(10), Any_copy, IN_ROOT, 11));
	assert_ok(CALL(ROOT_SLOT(10), Any_retype, IN_ROOT, 12, TYPE_COUNT(Frame, 2), 0, PAGE_BYTES));
	assert_ok(CALL(ROOT_SLOT(10), Any_retype, IN_ROOT, 14, TYPE_COUNT(CNode, 1), 64 * KIB, 0));
	assert_ok(CALL(KERNEL, Kernel_mark, ROOT_SLOT(12).value, 0, ELSEWHERE));
	assert_ok(CALL(KERNEL, Kernel_mark, ROOT_SLOT(10).value, CAP_FLAG_REMOTE, THIS_CORE));
	assert_ok(install(20, CAP_Frame, ELSEWHERE, MIB, PAGE_BYTES));
	assert_ok(CALL(ROOT_SLOT(20), Any_move, ROOT_SLOT(14).value, 3));
	err_t e;

	do
		e = CALL(KERNEL, Kernel_sweep, ROOT_SLOT(10).value);
	while (err_is(e, ERR_NUMBER_AGAIN));
	assert_err(e, NEEDS_AGREEMENT);
	assert_int_equal(world.last.value[1], MIB);
	assert_ok(install(20, CAP_Frame, ELSEWHERE, MIB, PAGE_BYTES));
	do
		e = CALL(KERNEL, Kernel_sweep, ROOT_SLOT(10).value);
	while (err_is(e, ERR_NUMBER_AGAIN));
	assert_ok(e);
	for (unsigned n = 11; n < 15; n++)
		assert_int_equal(root(n)->type, CAP_Null);
	assert_int_equal(root(10)->type, CAP_RAM);
	assert_err(CALL(KERNEL, Kernel_sweep, ROOT_SLOT(99).value), CAP_EMPTY);
}

static void find(void **state)
{
	(void)state;
	MAKE(10, Frame, 1, 0, PAGE_BYTES);
	assert_err(CALL(KERNEL, Kernel_find, 0, 0, FIND_ANY), ARGUMENT);
	assert_err(CALL(KERNEL, Kernel_find, WINDOW_BYTES, 1, FIND_ANY), ARGUMENT);
	assert_err(CALL(KERNEL, Kernel_find, 1, UINT64_MAX, FIND_ANY), ARGUMENT);
	assert_ok(CALL(KERNEL, Kernel_find, RAM_BASE - 1, 1, FIND_ANY));
	assert_int_equal(world.last.value[0], 0);
	assert_ok(CALL(KERNEL, Kernel_find, RAM_BASE - 1, 2, FIND_ANY));
	assert_int_equal(world.last.value[0], 1);
	assert_int_equal(world.last.value[1], RAM_BASE);
	assert_int_equal(world.last.value[2], CAP_RAM);
	assert_ok(CALL(KERNEL, Kernel_find, 0, WINDOW_BYTES, FIND_ANY));
	assert_int_equal(world.last.value[1], ROOT_BASE);
	assert_int_equal(world.last.value[2], CAP_CNode);
	assert_ok(CALL(KERNEL, Kernel_find, MEMORY_BYTES, 99, FIND_ANY));
	assert_int_equal(world.last.value[0], 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    T(install_checks), T(installed_objects_nest), T(remote_objects), T(foreign_objects), T(mark), T(surrender), T(sweep), T(find),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
