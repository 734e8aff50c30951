/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
// sources: cpudriver/capability/any.c cpudriver/capability/arguments.c cpudriver/capability/database.c
// sources: cpudriver/capability/delete.c cpudriver/capability/kernel.c cpudriver/capability/mapping.c cpudriver/capability/nesting.c
// sources: cpudriver/capability/paging.c cpudriver/capability/retype.c cpudriver/capability/spaces.c cpudriver/capability/split.c
// sources: cpudriver/capability/table.c cpudriver/capability/types.c
// flags: -DWINDOW_START=0x200000000000 -Wno-unused-function

/* Each rule of delete and revoke: what goes, what goes along, and what can't. */

#include "tests/hosted/capability_test.h"

/* ---- delete ------------------------------------------------------------------------------------- */

static void memory_comes_back(void **state)
{
	(void)state;
	MAKE(10, Frame, 1, 0, PAGE_BYTES);
	assert_ok(CALL(ROOT_SLOT(10), Any_copy, IN_ROOT, 11));
	assert_ok(CALL(ROOT_SLOT(10), Any_delete));
	assert_err(CALL(ROOT_SLOT(ROOT_RAM), Any_retype, IN_ROOT, 10, TYPE_COUNT(Frame, 1), 0, PAGE_BYTES), OVERLAP);
	assert_ok(CALL(ROOT_SLOT(11), Any_delete));
	assert_int_equal(world.last.value[0], 0); /* all RAM covers it */
	MAKE(10, Frame, 1, 0, PAGE_BYTES);
	assert_err(CALL(ROOT_SLOT(ROOT_RAM), Any_delete), LAST_COPY);
	assert_int_equal(world.last.value[1], RAM_BASE);
	assert_err(CALL(ROOT_SLOT(ROOT_KERNEL), Any_delete), LAST_COPY);
	assert_ok(CALL(ROOT_SLOT(ROOT_RAM), Any_copy, IN_ROOT, 20));
	assert_ok(CALL(ROOT_SLOT(ROOT_RAM), Any_delete));
	assert_int_equal(world.last.value[0], 0);
	/* a part of RAM goes, what was made of it stays and is under the larger one */
	assert_ok(CALL(ROOT_SLOT(20), Any_retype, IN_ROOT, 21, TYPE_COUNT(RAM, 1), MIB, MIB));
	assert_ok(CALL(ROOT_SLOT(21), Any_retype, IN_ROOT, 22, TYPE_COUNT(Frame, 1), 0, PAGE_BYTES));
	assert_ok(CALL(ROOT_SLOT(21), Any_delete));
	assert_int_equal(root(22)->type, CAP_Frame);
	assert_err(CALL(ROOT_SLOT(20), Any_retype, IN_ROOT, 21, TYPE_COUNT(RAM, 1), MIB, MIB), OVERLAP);
	/* back where tear_down expects it */
	assert_ok(CALL(ROOT_SLOT(20), Any_move, IN_ROOT, ROOT_RAM));
}

static void uncovered_objects_become_ram(void **state)
{
	static const enum cap_type types[] = {CAP_Frame, CAP_PageTable1, CAP_PageTable4, CAP_CNode, CAP_Dispatcher};

	(void)state;
	for (unsigned k = 0; k < sizeof types / sizeof types[0]; k++) {
		uint64_t bytes = type_facts[types[k]].bytes ? type_facts[types[k]].bytes : 4 * PAGE_BYTES;

		MUST(slot_make(&world.caps, root(20), types[k], MIB, bytes, RIGHTS(RIGHT_READ)));
		if (types[k] == CAP_CNode)
			slot_copy(&world.caps, root(ROOT_RAM), &cnode_slots(root(20))[7], RIGHTS(RIGHTS_ALL));
		assert_ok(repeat(ROOT_SLOT(20), OP_Any_delete, 0));
		assert_int_equal(world.last.value[0], 1);
		assert_int_equal(root(20)->type, CAP_RAM);
		assert_int_equal(root(20)->base, MIB);
		assert_int_equal(root(20)->size, bytes);
		assert_int_equal(root(20)->rights, RIGHTS_ALL);
		for (uint64_t b = 0; types[k] != CAP_Frame && b < bytes; b++)
			assert_int_equal(*(uint8_t *)window(PADDR(MIB + b)), 0);
		check_world();
		assert_err(CALL(ROOT_SLOT(20), Any_delete), LAST_COPY);
		database_remove(&world.caps, root(20));
		memset(root(20), 0, sizeof *root(20));
	}
}

static void an_uncovered_frame_takes_its_parts_along(void **state)
{
	(void)state;
	MUST(slot_make(&world.caps, root(20), CAP_Frame, MIB, 200 * PAGE_BYTES, RIGHTS(RIGHTS_ALL)));
	assert_ok(CALL(ROOT_SLOT(20), Any_retype, IN_ROOT, 21, TYPE_COUNT(Frame, 200), 0, PAGE_BYTES));
	assert_ok(CALL(ROOT_SLOT(21), Any_delete));
	assert_int_equal(world.last.value[0], 0);
	assert_int_equal(root(21)->type, CAP_Null);
	assert_ok(repeat(ROOT_SLOT(20), OP_Any_delete, 0));
	assert_in_range(world_calls, 199 / WORK_PER_CALL, 200 / WORK_PER_CALL + 2);
	assert_int_equal(root(20)->type, CAP_RAM);
	for (unsigned n = 21; n < 221; n++)
		assert_int_equal(root(n)->type, CAP_Null);
}

static void a_dispatcher_takes_everything_along(void **state)
{
	(void)state;
	MAKE(10, CNode, 2, 0, 0);
	MAKE(12, Dispatcher, 1, MIB, 0);
	struct slot *bindings = window(PADDR(root(12)->base + BINDINGS_OFFSET));

	slot_copy_internal(&world.caps, root(10), &bindings[0]);
	assert_ok(CALL(ROOT_SLOT(12), Any_retype, IN_ROOT, 13, TYPE_COUNT(Endpoint, 100), 7));
	assert_ok(CALL(ROOT_SLOT(12), Any_retype, ROOT_SLOT(10).value, 0, TYPE_COUNT(Doorbell, 100)));
	assert_ok(CALL(ROOT_SLOT(12), Any_retype, ROOT_SLOT(10).value, 100, TYPE_COUNT(Frame, 100)));
	assert_ok(CALL(ROOT_SLOT(10), Any_delete)); /* now the dispatcher's binding is the last copy */
	assert_ok(repeat(ROOT_SLOT(12), OP_Any_delete, 0));
	assert_in_range(world_calls, 4, 8);
	assert_in_range(world.ends, 1, 2);
	assert_int_equal(world.lost, 1);
	for (unsigned n = 12; n < 113; n++)
		assert_int_equal(root(n)->type, CAP_Null);
	MAKE(10, Frame, 1, 0, CNODE_BYTES); /* the first CNode is gone */
}

static void a_tree_of_cnodes(void **state)
{
	(void)state;
	uint64_t count = world.caps.count;

	/* a chain of 100, each full of copies */
	MAKE(10, CNode, 1, 0, 0);
	for (unsigned n = 0; n < 99; n++) {
		MAKE(11, CNode, 1, (n + 1) * CNODE_BYTES, 0);
		for (unsigned k = 1; k < 20; k++)
			assert_ok(CALL(ROOT_SLOT(ROOT_RAM), Any_copy, ROOT_SLOT(11).value, k));
		/* the one before goes into the new one's slot 0 */
		assert_ok(CALL(ROOT_SLOT(10), Any_move, ROOT_SLOT(11).value, 0));
		assert_ok(CALL(ROOT_SLOT(11), Any_move, IN_ROOT, 10));
	}
	assert_int_equal(world.caps.count, count + 100 + 99 * 19);
	err_t e = call(ROOT_SLOT(10), OP_Any_delete, 0, 0, 0, 0, 0);
	assert_err(e, AGAIN);
	check_world();
	/* half done: no way in, nothing else to be done with it; others go on meanwhile */
	assert_err(CALL(CAP(10, 0), Any_identify), CAP_ADDRESS);
	assert_err(CALL(ROOT_SLOT(10), Any_copy, IN_ROOT, 20), OPERATION);
	assert_err(CALL(ROOT_SLOT(ROOT_RAM), Any_copy, ROOT_SLOT(10).value, 20), CAP_EMPTY);
	MAKE(30, CNode, 1, MIB * 4, 0);
	assert_ok(CALL(ROOT_SLOT(ROOT_RAM), Any_copy, ROOT_SLOT(30).value, 3));
	assert_ok(repeat(ROOT_SLOT(30), OP_Any_delete, 0));
	assert_ok(repeat(ROOT_SLOT(10), OP_Any_delete, 0));
	assert_int_equal(world.caps.count, count);
}

static void retype_waits_for_zombies(void **state)
{
	(void)state;
	MAKE(10, CNode, 1, 0, 0);
	for (unsigned k = 0; k < CNODE_SLOTS; k++)
		assert_ok(CALL(ROOT_SLOT(ROOT_RAM), Any_copy, ROOT_SLOT(10).value, k));
	assert_err(CALL(ROOT_SLOT(10), Any_delete), AGAIN);
	err_t e;
	unsigned calls = 0;

	do {
		e = CALL(ROOT_SLOT(ROOT_RAM), Any_retype, IN_ROOT, 11, TYPE_COUNT(Frame, 1), 0, PAGE_BYTES);
		calls++;
	} while (err_is(e, ERR_NUMBER_AGAIN));
	assert_ok(e);
	assert_in_range(calls, 3, 5);
	assert_int_equal(root(10)->type, CAP_Null);
}

/* Two CNodes hold each other's last copies; so do the members of a circle of 20. Nothing but the RAM reaches them. */
static void circles(void **state)
{
	(void)state;
	uint64_t count = world.caps.count;

	for (unsigned members = 1; members <= 20; members++) {
		MAKE(100, CNode, members, 0, 0);
		for (unsigned n = 0; n < members; n++) {
			assert_ok(CALL(ROOT_SLOT(100 + n), Any_copy, ROOT_SLOT(100 + (n + 1) % members).value, n * 7 % 256));
			assert_ok(CALL(ROOT_SLOT(ROOT_RAM), Any_copy, ROOT_SLOT(100 + n).value, n * 7 % 256 + 50));
		}
		for (unsigned n = 0; n < members; n++)
			assert_ok(CALL(ROOT_SLOT(100 + n), Any_delete));
		assert_int_equal(world.caps.count, count + 2 * members);
		check_world();
		assert_ok(repeat(ROOT_SLOT(ROOT_RAM), OP_Any_revoke, 0));
		assert_int_equal(world.caps.count, count);
		check_world();
	}
}

/* A circle of which one member is deleted through its slot in another. */
static void a_circle_deleted_from_inside(void **state)
{
	(void)state;
	uint64_t count = world.caps.count;

	MAKE(100, CNode, 3, 0, 0);
	for (unsigned n = 0; n < 3; n++)
		for (unsigned k = 0; k < 256; k += 2)
			assert_ok(CALL(ROOT_SLOT(100 + (n + 1) % 3), Any_copy, ROOT_SLOT(100 + n).value, k));
	assert_ok(CALL(ROOT_SLOT(101), Any_delete));
	assert_ok(CALL(ROOT_SLOT(102), Any_delete));
	/* 100 holds 101, which holds 102, which holds 100 */
	for (unsigned k = 2; k < 256; k += 2)
		assert_ok(CALL(CAP(100, k), Any_delete));
	assert_ok(CALL(CAP(100, 0), Any_identify));
	err_t e = repeat(CAP(100, 0), OP_Any_delete, 0);
	assert_ok(e);
	check_world();
	assert_int_equal(world.caps.count, count + 1); /* the copy that 102 held of 100 went with it */
	assert_ok(repeat(ROOT_SLOT(100), OP_Any_delete, 0));
	assert_int_equal(world.caps.count, count);
}

/* ---- revoke ------------------------------------------------------------------------------------- */

static void revoke_leaves_one(void **state)
{
	(void)state;
	uint64_t count = world.caps.count;

	MAKE(10, RAM, 1, MIB, MIB);
	assert_ok(CALL(ROOT_SLOT(10), Any_copy, IN_ROOT, 11));
	assert_ok(CALL(ROOT_SLOT(10), Any_copy, IN_ROOT, 12));
	assert_ok(CALL(ROOT_SLOT(11), Any_retype, IN_ROOT, 13, TYPE_COUNT(Frame, 100), 0, PAGE_BYTES));
	assert_ok(CALL(ROOT_SLOT(12), Any_retype, IN_ROOT, 120, TYPE_COUNT(Dispatcher, 4), 128 * PAGE_BYTES, 0));
	assert_ok(CALL(ROOT_SLOT(120), Any_retype, IN_ROOT, 130, TYPE_COUNT(Endpoint, 4), 3));
	assert_ok(CALL(ROOT_SLOT(13), Any_copy, IN_ROOT, 140));
	MAKE(9, Frame, 1, 0, MIB);
	MAKE(8, Frame, 1, 2 * MIB, MIB);
	assert_ok(repeat(ROOT_SLOT(11), OP_Any_revoke, 0));
	assert_in_range(world_calls, 2, 4);
	assert_int_equal(world.caps.count, count + 3);
	assert_int_equal(root(11)->type, CAP_RAM);
	assert_int_equal(root(9)->type, CAP_Frame);
	assert_int_equal(root(8)->type, CAP_Frame);
	assert_ok(CALL(ROOT_SLOT(11), Any_retype, IN_ROOT, 13, TYPE_COUNT(Frame, 1), 0, MIB));
}

static void revoke_takes_bindings(void **state)
{
	(void)state;
	MAKE(10, PageTable4, 1, 0, 0);
	MAKE(11, Dispatcher, 1, MIB, 0);
	slot_copy_internal(&world.caps, root(10), window(PADDR(root(11)->base + BINDINGS_OFFSET)));
	world.loaded = PADDR(root(10)->base);
	assert_ok(CALL(ROOT_SLOT(10), Any_mint, IN_ROOT, 12, RIGHT_CONTROL));
	assert_ok(CALL(ROOT_SLOT(12), Any_revoke));
	assert_int_equal(world.lost, 1);
	assert_int_equal(world.loaded.value, TABLE_BASE);
	assert_int_equal(root(10)->type, CAP_Null);
}

static void bindings_deleted_by_their_dispatcher(void **state)
{
	(void)state;
	MAKE(10, CNode, 1, 0, 0);
	MAKE(11, Dispatcher, 1, MIB, 0);
	struct slot *binding = window(PADDR(root(11)->base + BINDINGS_OFFSET));

	slot_copy_internal(&world.caps, root(10), binding);
	assert_ok(slot_delete_internal(&world.caps, binding));
	assert_ok(slot_delete_internal(&world.caps, binding));
	assert_int_equal(world.lost, 0);
	slot_copy_internal(&world.caps, root(10), binding);
	for (unsigned k = 0; k < CNODE_SLOTS; k++)
		assert_ok(CALL(ROOT_SLOT(ROOT_RAM), Any_copy, ROOT_SLOT(10).value, k));
	assert_ok(CALL(ROOT_SLOT(10), Any_delete));
	assert_err(slot_delete_internal(&world.caps, binding), AGAIN);
	check_world();
	/* the dispatcher itself goes while its binding is half deleted */
	assert_ok(repeat(ROOT_SLOT(11), OP_Any_delete, 0));
	assert_int_equal(root(11)->type, CAP_Null);
	assert_null(world.caps.zombies);
}

/* An uncovered CNode in a binding has nowhere to leave its memory. */
static void a_binding_can_not_become_ram(void **state)
{
	(void)state;
	MAKE(11, Dispatcher, 1, 0, 0);
	struct slot *binding = window(PADDR(root(11)->base + BINDINGS_OFFSET));

	MUST(slot_make(&world.caps, root(10), CAP_CNode, MIB, CNODE_BYTES, RIGHTS(RIGHTS_ALL)));
	slot_copy_internal(&world.caps, root(10), binding);
	assert_ok(CALL(ROOT_SLOT(10), Any_delete));
	assert_err(slot_delete_internal(&world.caps, binding), LAST_COPY);
	assert_int_equal(binding->type, CAP_CNode);
	assert_err(repeat(ROOT_SLOT(11), OP_Any_delete, 0), LAST_COPY);
	assert_int_equal(world.last.value[0], CAP_CNode);
	assert_int_equal(root(11)->type, CAP_Dispatcher);
	check_world();
	slot_copy(&world.caps, binding, root(12), RIGHTS(RIGHTS_ALL));
	assert_ok(repeat(ROOT_SLOT(11), OP_Any_delete, 0));
	assert_ok(repeat(ROOT_SLOT(12), OP_Any_delete, 0));
	assert_int_equal(root(12)->type, CAP_RAM);
}

/* The slot that revokes lies in a CNode made of the very RAM. */
static void revoke_of_the_ground_one_stands_on(void **state)
{
	(void)state;
	MAKE(10, RAM, 1, 0, MIB);
	assert_ok(CALL(ROOT_SLOT(10), Any_retype, IN_ROOT, 11, TYPE_COUNT(CNode, 1), 0, 0));
	assert_ok(CALL(ROOT_SLOT(10), Any_move, ROOT_SLOT(11).value, 5));
	assert_ok(repeat(CAP(11, 5), OP_Any_revoke, 0));
	assert_int_equal(root(11)->type, CAP_Null);
	MAKE(10, RAM, 1, 0, MIB);
}

/* As above, but nothing covers that RAM: then the slot that revokes is what stands in the way. */
static void the_last_ground_stays(void **state)
{
	(void)state;
	MUST(slot_make(&world.caps, root(20), CAP_RAM, MIB, 512 * KIB, RIGHTS(RIGHTS_ALL)));
	assert_ok(CALL(ROOT_SLOT(20), Any_retype, IN_ROOT, 21, TYPE_COUNT(CNode, 1), 0, 0));
	assert_ok(CALL(ROOT_SLOT(20), Any_copy, ROOT_SLOT(21).value, 5));
	assert_ok(CALL(ROOT_SLOT(20), Any_move, ROOT_SLOT(21).value, 6));
	assert_err(repeat(CAP(21, 5), OP_Any_revoke, 0), LAST_COPY);
	assert_int_equal(world.last.value[0], CAP_RAM);
	assert_int_equal(root(21)->type, CAP_CNode);
	/* one of the two is left, whichever */
	unsigned left = cap_slot(root_slots(), CAP(21, 5))->type == CAP_RAM ? 5 : 6;

	assert_int_equal(cap_slot(root_slots(), CAP(21, left))->type, CAP_RAM);
	assert_int_equal(cap_slot(root_slots(), CAP(21, 11 - left))->type, CAP_Null);
	assert_ok(CALL(CAP(21, left), Any_move, IN_ROOT, 20));
	assert_ok(repeat(ROOT_SLOT(20), OP_Any_revoke, 0));
	assert_int_equal(root(21)->type, CAP_Null);
}

/* ---- What can't go ------------------------------------------------------------------------------ */

/* The last copy of uncovered memory lies in a CNode: its deletion stops, says why, and leaves a way to it. */
static void an_obstacle_in_a_cnode(void **state)
{
	(void)state;
	MAKE(10, CNode, 2, 0, 0);
	MUST(slot_make(&world.caps, &cnode_slots(root(11))[200], CAP_Frame, MIB, PAGE_BYTES, RIGHTS(RIGHT_READ)));
	for (unsigned k = 0; k < 150; k++)
		assert_ok(CALL(ROOT_SLOT(ROOT_RAM), Any_copy, ROOT_SLOT(11).value, k));
	assert_ok(CALL(ROOT_SLOT(11), Any_move, ROOT_SLOT(10).value, 100));
	assert_err(repeat(ROOT_SLOT(10), OP_Any_delete, 0), LAST_COPY);
	assert_int_equal(world.last.value[0], CAP_RAM);
	assert_int_equal(world.last.value[1], MIB);
	assert_int_equal(world.last.value[2], PAGE_BYTES);
	check_world();
	assert_null(world.caps.zombies);
	assert_int_equal(root(10)->type, CAP_CNode);
	assert_ok(CALL(CAP(10, 100), Any_move, IN_ROOT, 11));
	assert_ok(CALL(CAP(11, 200), Any_move, IN_ROOT, 12));
	assert_ok(repeat(ROOT_SLOT(10), OP_Any_delete, 0));
	assert_ok(repeat(ROOT_SLOT(11), OP_Any_delete, 0));
	assert_err(CALL(ROOT_SLOT(12), Any_delete), LAST_COPY);
}

/* As the one who takes the RAM back: a copy of the obstacle elsewhere lets the revoke go on. */
static void a_revoke_past_an_obstacle(void **state)
{
	(void)state;
	MAKE(10, CNode, 1, 0, 0);
	MUST(slot_make(&world.caps, &cnode_slots(root(10))[200], CAP_Frame, MIB, PAGE_BYTES, RIGHTS(RIGHT_READ)));
	assert_err(repeat(ROOT_SLOT(ROOT_RAM), OP_Any_revoke, 0), LAST_COPY);
	assert_err(repeat(ROOT_SLOT(ROOT_RAM), OP_Any_revoke, 0), LAST_COPY);
	check_world();
	assert_ok(CALL(ROOT_SLOT(ROOT_KERNEL), Kernel_install, IN_ROOT,
	               12 | world.last.value[0] << 8 | RIGHTS_ALL << 16 | (uint64_t)THIS_CORE << 32, world.last.value[1],
	               world.last.value[2]));
	assert_ok(repeat(ROOT_SLOT(ROOT_RAM), OP_Any_revoke, 0));
	assert_int_equal(root(10)->type, CAP_Null);
	assert_int_equal(root(12)->type, CAP_RAM);
}

/* Two CNodes hold each other, and one owns its memory: when nothing but itself is left in it, there is no slot for that memory. It stays
 * a CNode that holds itself, so the range is not lost: nobody can make anything else of it. */
static void a_circle_with_an_uncovered_member(void **state)
{
	(void)state;
	MAKE(10, CNode, 1, 0, 0);
	MUST(slot_make(&world.caps, root(11), CAP_CNode, MIB, CNODE_BYTES, RIGHTS(RIGHTS_ALL)));
	assert_ok(CALL(ROOT_SLOT(10), Any_copy, ROOT_SLOT(11).value, 30));
	assert_ok(CALL(ROOT_SLOT(11), Any_move, ROOT_SLOT(10).value, 40));
	assert_ok(CALL(ROOT_SLOT(10), Any_delete));
	assert_err(repeat(ROOT_SLOT(ROOT_RAM), OP_Any_revoke, 0), LAST_COPY);
	assert_int_equal(world.last.value[0], CAP_CNode);
	assert_int_equal(world.last.value[1], MIB);
	assert_null(world.caps.zombies);
	check_world();
	assert_ok(repeat(ROOT_SLOT(ROOT_RAM), OP_Any_revoke, 0));
	assert_ok(CALL(ROOT_SLOT(ROOT_KERNEL), Kernel_find, MIB, PAGE_BYTES, FIND_ANY));
	assert_int_equal(world.last.value[0], 1);
	assert_int_equal(world.last.value[2], CAP_CNode);
}

/* Somebody else's obstacle is not reported to one whose own deletion works. */
static void only_ones_own_obstacle_counts(void **state)
{
	(void)state;
	MAKE(10, CNode, 2, 0, 0);
	MUST(slot_make(&world.caps, &cnode_slots(root(10))[255], CAP_Frame, MIB, PAGE_BYTES, RIGHTS(RIGHT_READ)));
	for (unsigned k = 0; k < 100; k++) {
		assert_ok(CALL(ROOT_SLOT(ROOT_RAM), Any_copy, ROOT_SLOT(10).value, k));
		assert_ok(CALL(ROOT_SLOT(ROOT_RAM), Any_copy, ROOT_SLOT(11).value, k));
	}
	assert_err(CALL(ROOT_SLOT(11), Any_delete), AGAIN);
	assert_err(CALL(ROOT_SLOT(10), Any_delete), AGAIN);
	assert_ok(repeat(ROOT_SLOT(11), OP_Any_delete, 0));
	assert_int_equal(root(10)->type, CAP_CNode);
	assert_err(repeat(ROOT_SLOT(10), OP_Any_delete, 0), LAST_COPY);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    T(memory_comes_back),
	    T(uncovered_objects_become_ram),
	    T(an_uncovered_frame_takes_its_parts_along),
	    T(a_dispatcher_takes_everything_along),
	    T(a_tree_of_cnodes),
	    T(retype_waits_for_zombies),
	    T(circles),
	    T(a_circle_deleted_from_inside),
	    T(revoke_leaves_one),
	    T(revoke_takes_bindings),
	    T(bindings_deleted_by_their_dispatcher),
	    T(a_binding_can_not_become_ram),
	    T(revoke_of_the_ground_one_stands_on),
	    T(the_last_ground_stays),
	    T(an_obstacle_in_a_cnode),
	    T(a_revoke_past_an_obstacle),
	    T(a_circle_with_an_uncovered_member),
	    T(only_ones_own_obstacle_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
