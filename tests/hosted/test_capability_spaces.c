/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
// sources: cpudriver/capability/any.c cpudriver/capability/arguments.c cpudriver/capability/database.c
// sources: cpudriver/capability/delete.c cpudriver/capability/kernel.c cpudriver/capability/mapping.c cpudriver/capability/nesting.c
// sources: cpudriver/capability/paging.c cpudriver/capability/retype.c cpudriver/capability/spaces.c cpudriver/capability/split.c
// sources: cpudriver/capability/table.c cpudriver/capability/types.c
// flags: -DWINDOW_START=0x200000000000 -Wno-unused-function

/* Kernel.fetch and deliver: into the capability space of a domain on this core, and out of it. */

#include "tests/hosted/capability_test.h"

#define DISPATCHER 10
#define THEIRS     11 /* the domain's root CNode, as this one sees it */
#define THEIR_ROOT 11 /* CAP(THEIR_ROOT, n) is its slot n */
#define INNER      12 /* a CNode of the domain's */

/* A domain whose slot 0 is its root CNode, and slot 1 a CNode. */
static int set_up_domain(void **state)
{
	set_up(state);
	MAKE(DISPATCHER, Dispatcher, 1, 0, 0);
	MAKE(THEIRS, CNode, 2, 64 * KIB, 0);
	assert_ok(CALL(ROOT_SLOT(THEIRS), Any_copy, ROOT_SLOT(THEIRS).value, 0));
	assert_ok(CALL(ROOT_SLOT(INNER), Any_copy, ROOT_SLOT(THEIRS).value, 1));
	MAKE(20, Frame, 1, MIB, PAGE_BYTES);
	return 0;
}

static void bind(void)
{
	slot_copy_internal(&world.caps, root(THEIRS), (struct slot *)window(PADDR(root(DISPATCHER)->base + BINDINGS_OFFSET)));
}

static struct slot *theirs(unsigned n)
{
	return &cnode_slots(root(THEIRS))[n];
}

#define FETCH(address, how, slot) CALL(KERNEL, Kernel_fetch, ROOT_SLOT(DISPATCHER).value, address, IN_ROOT, (slot) | (uint64_t)(how) << 8)
#define DELIVER(cap, address)     CALL(KERNEL, Kernel_deliver, cap, ROOT_SLOT(DISPATCHER).value, address)

static void there_and_back(void **state)
{
	(void)state;
	bind();
	MAKE(21, PageTable1, 1, 2 * MIB, 0);
	assert_ok(CALL(ROOT_SLOT(20), Frame_map, ROOT_SLOT(21).value, 3, RIGHT_READ, 0, 1));
	assert_ok(DELIVER(ROOT_SLOT(20).value, CAP(1, 7).value));
	assert_int_equal(root(20)->type, CAP_Null);
	assert_int_equal(cnode_slots(root(INNER))[7].flags, CAP_FLAG_MAPPED); /* it moved, with all that belongs to it */
	check_world();
	assert_ok(FETCH(CAP(1, 7).value, FETCH_COPY, 22));
	assert_int_equal(root(22)->type, CAP_Frame);
	assert_int_equal(root(22)->flags, 0);
	assert_ok(FETCH(CAP(1, 7).value, FETCH_MOVE, 23));
	assert_int_equal(root(23)->flags, CAP_FLAG_MAPPED);
	assert_int_equal(cnode_slots(root(INNER))[7].type, CAP_Null);
	check_world();
	assert_ok(DELIVER(ROOT_SLOT(22).value, CAP(0, 255).value));
	assert_int_equal(theirs(255)->type, CAP_Frame);
}

static void addresses_of_nothing(void **state)
{
	(void)state;
	bind();
	assert_err(FETCH(CAP(2, 0).value, FETCH_COPY, 30), CAP_ADDRESS); /* an empty root slot */
	assert_err(FETCH(CAP(1, 7).value, FETCH_COPY, 30), CAP_EMPTY);
	assert_err(FETCH(UINT16_MAX + 1 + CAP(0, 1).value, FETCH_COPY, 30), CAP_ADDRESS);
	assert_err(FETCH(UINT64_MAX, FETCH_COPY, 30), CAP_ADDRESS);
	assert_err(FETCH(CAP(0, 1).value, FETCH_COPY, 20), SLOT_IN_USE);
	assert_err(FETCH(CAP(0, 1).value, 2, 30), ARGUMENT);
	assert_err(CALL(KERNEL, Kernel_fetch, ROOT_SLOT(DISPATCHER).value, CAP(0, 1).value, ROOT_SLOT(20).value, 30), CAP_TYPE);
	assert_err(CALL(KERNEL, Kernel_fetch, ROOT_SLOT(20).value, CAP(0, 1).value, IN_ROOT, 30), CAP_TYPE);
	assert_err(CALL(KERNEL, Kernel_fetch, ROOT_SLOT(99).value, CAP(0, 1).value, IN_ROOT, 30), CAP_EMPTY);
	assert_err(DELIVER(ROOT_SLOT(20).value, CAP(2, 0).value), CAP_ADDRESS);
	assert_err(DELIVER(ROOT_SLOT(20).value, CAP(0, 1).value), SLOT_IN_USE);
	assert_err(DELIVER(ROOT_SLOT(20).value, UINT64_MAX), CAP_ADDRESS);
	assert_err(DELIVER(ROOT_SLOT(30).value, CAP(0, 5).value), CAP_EMPTY);
	assert_err(DELIVER(UINT64_MAX, CAP(0, 5).value), CAP_ADDRESS);
	assert_err(CALL(KERNEL, Kernel_deliver, ROOT_SLOT(20).value, ROOT_SLOT(20).value, CAP(0, 5).value), CAP_TYPE);
	assert_int_equal(root(20)->type, CAP_Frame);
}

/* What the domain itself could not do is not done for it. */
static void rights_are_looked_at(void **state)
{
	(void)state;
	bind();
	assert_ok(CALL(ROOT_SLOT(INNER), Any_mint, ROOT_SLOT(THEIRS).value, 3, RIGHT_READ));
	assert_err(DELIVER(ROOT_SLOT(20).value, CAP(3, 0).value), CAP_RIGHTS);
	assert_ok(CALL(ROOT_SLOT(DISPATCHER), Any_mint, IN_ROOT, 30, RIGHT_READ | RIGHT_WRITE));
	assert_err(CALL(KERNEL, Kernel_fetch, ROOT_SLOT(30).value, CAP(0, 1).value, IN_ROOT, 31), CAP_RIGHTS);
	assert_err(CALL(KERNEL, Kernel_deliver, ROOT_SLOT(20).value, ROOT_SLOT(30).value, CAP(0, 5).value), CAP_RIGHTS);
	assert_ok(CALL(KERNEL, Any_mint, IN_ROOT, 31, RIGHT_READ));
	assert_err(CALL(ROOT_SLOT(31), Kernel_fetch, ROOT_SLOT(DISPATCHER).value, CAP(0, 1).value, IN_ROOT, 32), CAP_RIGHTS);
	assert_err(CALL(ROOT_SLOT(31), Kernel_deliver, ROOT_SLOT(20).value, ROOT_SLOT(DISPATCHER).value, CAP(0, 5).value), CAP_RIGHTS);
}

static void no_space(void **state)
{
	(void)state;
	assert_err(FETCH(CAP(0, 1).value, FETCH_COPY, 30), NOT_CONFIGURED);
	assert_err(DELIVER(ROOT_SLOT(20).value, CAP(0, 5).value), NOT_CONFIGURED);
	/* a level-4 table alone is none */
	MAKE(30, PageTable4, 1, 4 * MIB, 0);
	slot_copy_internal(&world.caps, root(30), (struct slot *)window(PADDR(root(DISPATCHER)->base + BINDINGS_OFFSET)) + 1);
	assert_err(FETCH(CAP(0, 1).value, FETCH_COPY, 31), NOT_CONFIGURED);
	bind();
	assert_ok(FETCH(CAP(0, 1).value, FETCH_COPY, 31));
}

/* A CNode that is being taken apart, its contents, and the space of a dispatcher that ends, can't be reached. */
static void dying_containers(void **state)
{
	(void)state;
	bind();
	for (unsigned k = 0; k < 200; k++)
		assert_ok(CALL(ROOT_SLOT(ROOT_RAM), Any_copy, ROOT_SLOT(INNER).value, k));
	assert_ok(CALL(ROOT_SLOT(INNER), Any_delete));
	assert_err(CALL(CAP(THEIR_ROOT, 1), Any_delete), AGAIN); /* its last copy: the domain's own */
	assert_int_equal(theirs(1)->type, CAP_ZOMBIE_CNODE);
	assert_err(FETCH(CAP(0, 1).value, FETCH_MOVE, 30), CAP_EMPTY);
	assert_err(FETCH(CAP(1, 199).value, FETCH_MOVE, 30), CAP_ADDRESS);
	assert_err(DELIVER(ROOT_SLOT(20).value, CAP(1, 255).value), CAP_ADDRESS);
	assert_err(DELIVER(CAP(THEIR_ROOT, 1).value, CAP(0, 5).value), CAP_EMPTY);
	assert_ok(repeat(CAP(THEIR_ROOT, 1), OP_Any_delete, 0));
	assert_ok(repeat(ROOT_SLOT(DISPATCHER), OP_Any_delete, 0));
	assert_err(FETCH(CAP(0, 0).value, FETCH_COPY, 42), CAP_EMPTY);
}

/* Moving a CNode into itself or the dispatcher into its own space is allowed here as it is to the domain. */
static void circles(void **state)
{
	(void)state;
	bind();
	assert_ok(CALL(ROOT_SLOT(DISPATCHER), Any_copy, IN_ROOT, 30));
	assert_ok(DELIVER(ROOT_SLOT(30).value, CAP(0, 9).value));
	assert_ok(FETCH(CAP(0, 0).value, FETCH_MOVE, 31));
	assert_err(FETCH(CAP(0, 1).value, FETCH_COPY, 32), CAP_ADDRESS); /* its slot 0 no longer names its root */
	assert_ok(DELIVER(ROOT_SLOT(31).value, CAP(1, 1).value));
	assert_ok(CALL(ROOT_SLOT(ROOT_RAM), Any_copy, IN_ROOT, 33));
	assert_ok(repeat(ROOT_SLOT(ROOT_RAM), OP_Any_revoke, 0));
	assert_int_equal(world.caps.count, 4);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up_domain, tear_down)
	const struct CMUnitTest tests[] = {
	    T(there_and_back), T(addresses_of_nothing), T(rights_are_looked_at), T(no_space), T(dying_containers), T(circles),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
