/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
// sources: cpudriver/capability/any.c cpudriver/capability/arguments.c cpudriver/capability/database.c
// sources: cpudriver/capability/delete.c cpudriver/capability/kernel.c cpudriver/capability/mapping.c cpudriver/capability/nesting.c
// sources: cpudriver/capability/paging.c cpudriver/capability/retype.c cpudriver/capability/spaces.c cpudriver/capability/split.c
// sources: cpudriver/capability/table.c cpudriver/capability/types.c
// flags: -DWINDOW_START=0x200000000000 -Wno-unused-function

/* Each rule of copy, mint, move and retype; those of delete and revoke are in test_capability_delete.c. */

#include "tests/hosted/capability_test.h"

/* ---- Lookup and the checks that don't depend on the type ---------------------------------------- */

static void identify(void **state)
{
	(void)state;
	assert_ok(CALL(ROOT_SLOT(ROOT_RAM), Any_identify));
	assert_int_equal(world.last.value[0], CAP_RAM | RIGHTS_ALL << 8 | (uint64_t)THIS_CORE << 32);
	assert_int_equal(world.last.value[1], RAM_BASE);
	assert_int_equal(world.last.value[2], RAM_BYTES);
	assert_ok(CALL(ROOT_SLOT(ROOT_KERNEL), Any_identify));
	assert_int_equal(world.last.value[1], 0);
}

static void wrong_calls(void **state)
{
	(void)state;
	assert_err(CALL(CAP(ROOT_RAM, 0), Any_identify), CAP_ADDRESS);
	assert_err(CALL(CAP(77, 0), Any_identify), CAP_ADDRESS);
	assert_err(CALL(ROOT_SLOT(77), Any_identify), CAP_EMPTY);
	assert_err(call(ROOT_SLOT(77), 31, 0, 0, 0, 0, 0), CAP_EMPTY);
	assert_err(call(ROOT_SLOT(77), 1u << 31, 0, 0, 0, 0, 0), CAP_EMPTY);
	assert_err(call(ROOT_SLOT(ROOT_RAM), 7, 0, 0, 0, 0, 0), OPERATION);
	assert_err(call(ROOT_SLOT(ROOT_RAM), OP_Frame_map, 0, 0, 0, 0, 0), OPERATION);
	assert_err(call(ROOT_SLOT(ROOT_RAM), OPERATION_LIMIT, 0, 0, 0, 0, 0), OPERATION);
	assert_err(call(ROOT_SLOT(ROOT_RAM), UINT32_MAX, 0, 0, 0, 0, 0), OPERATION);
	assert_ok(CALL(ROOT_SLOT(ROOT_RAM), Any_mint, IN_ROOT, 9, RIGHT_READ));
	assert_err(CALL(ROOT_SLOT(9), Any_retype, IN_ROOT, 10, TYPE_COUNT(Frame, 1), 0, PAGE_BYTES), CAP_RIGHTS);
	assert_err(CALL(ROOT_SLOT(9), Any_revoke), CAP_RIGHTS);
}

static void every_type_has_the_common_operations(void **state)
{
	(void)state;
	for (unsigned type = CAP_Null + 1; type < CAP_TYPES; type++)
		for (unsigned op = OP_Any_identify; op <= OP_Any_revoke; op++)
			assert_ptr_not_equal(operation_handler[type][op], no_operation);
	for (unsigned op = 0; op < OPERATION_LIMIT; op++) {
		assert_ptr_equal(operation_handler[CAP_Null][op], no_operation);
		assert_int_equal(operation_rights[CAP_Null][op], 0);
		assert_true((operation_handler[CAP_ZOMBIE_CNODE][op] == no_operation) == (op != OP_Any_delete));
		assert_true((operation_handler[CAP_ZOMBIE_DISPATCHER][op] == no_operation) == (op != OP_Any_delete));
	}
	assert_int_equal(operation_rights[CAP_IoPorts][OP_IoPorts_out], RIGHT_WRITE);
	assert_int_equal(operation_rights[CAP_Kernel][OP_Any_retype], RIGHT_CONTROL);
	assert_ptr_equal(operation_handler[CAP_PageTable2][OP_PageTable2_map], op_PageTable2_map);
}

static void destinations(void **state)
{
	(void)state;
	MAKE(10, CNode, 2, 0, 0);
	assert_err(CALL(ROOT_SLOT(ROOT_RAM), Any_copy, 0x10000 + IN_ROOT, 20), CAP_ADDRESS);
	assert_err(CALL(ROOT_SLOT(ROOT_RAM), Any_copy, CAP(ROOT_RAM, 0).value, 20), CAP_ADDRESS);
	assert_err(CALL(ROOT_SLOT(ROOT_RAM), Any_copy, ROOT_SLOT(30).value, 20), CAP_EMPTY);
	assert_err(CALL(ROOT_SLOT(ROOT_RAM), Any_copy, ROOT_SLOT(ROOT_RAM).value, 20), CAP_TYPE);
	assert_err(CALL(ROOT_SLOT(ROOT_RAM), Any_copy, IN_ROOT, 256), ARGUMENT);
	assert_err(CALL(ROOT_SLOT(ROOT_RAM), Any_copy, IN_ROOT, UINT64_MAX), ARGUMENT);
	assert_err(CALL(ROOT_SLOT(ROOT_RAM), Any_copy, IN_ROOT, 10), SLOT_IN_USE);
	assert_ok(CALL(ROOT_SLOT(10), Any_mint, IN_ROOT, 12, RIGHT_READ | RIGHT_CONTROL));
	assert_err(CALL(ROOT_SLOT(ROOT_RAM), Any_copy, ROOT_SLOT(12).value, 0), CAP_RIGHTS);
	assert_ok(CALL(ROOT_SLOT(ROOT_RAM), Any_copy, ROOT_SLOT(10).value, 255));
	assert_int_equal(cap_slot(root_slots(), CAP(12, 255))->type, CAP_RAM);
}

/* ---- copy, mint, move --------------------------------------------------------------------------- */

static void mint_takes_rights_away(void **state)
{
	(void)state;
	MAKE(10, Frame, 1, 0, PAGE_BYTES);
	assert_ok(CALL(ROOT_SLOT(10), Any_mint, IN_ROOT, 11, RIGHT_READ | RIGHT_WRITE));
	assert_int_equal(root(11)->rights, RIGHT_READ | RIGHT_WRITE);
	assert_ok(CALL(ROOT_SLOT(11), Any_mint, IN_ROOT, 12, RIGHTS_ALL));
	assert_int_equal(root(12)->rights, RIGHT_READ | RIGHT_WRITE);
	assert_err(CALL(ROOT_SLOT(10), Any_mint, IN_ROOT, 13, RIGHTS_ALL + 1), ARGUMENT);
	assert_err(CALL(ROOT_SLOT(10), Any_mint, IN_ROOT, 13, RIGHTS_ALL, 1), ARGUMENT);
	assert_int_equal(root(13)->type, CAP_Null);
}

static void badges(void **state)
{
	(void)state;
	MAKE(10, Dispatcher, 1, 0, 0);
	assert_ok(CALL(ROOT_SLOT(10), Any_retype, IN_ROOT, 11, TYPE_COUNT(Endpoint, 1), 0));
	assert_ok(CALL(ROOT_SLOT(10), Any_retype, IN_ROOT, 12, TYPE_COUNT(Endpoint, 1), 42));
	assert_int_equal(root(12)->extra, 42);
	assert_int_equal(root(12)->rights, RIGHT_WRITE);
	assert_err(CALL(ROOT_SLOT(12), Any_mint, IN_ROOT, 13, RIGHT_WRITE, 43), ARGUMENT);
	assert_ok(CALL(ROOT_SLOT(11), Any_mint, IN_ROOT, 13, RIGHT_WRITE, 43));
	assert_ok(CALL(ROOT_SLOT(13), Any_copy, IN_ROOT, 14));
	assert_int_equal(root(14)->extra, 43);
	assert_int_equal(root(11)->extra, 0);
}

static void move_keeps_everything(void **state)
{
	(void)state;
	uint64_t count = world.caps.count;

	assert_ok(CALL(ROOT_SLOT(ROOT_RAM), Any_move, IN_ROOT, 200));
	assert_int_equal(root(ROOT_RAM)->type, CAP_Null);
	assert_int_equal(root(200)->size, RAM_BYTES);
	assert_err(CALL(ROOT_SLOT(200), Any_move, IN_ROOT, 200), SLOT_IN_USE);
	assert_int_equal(world.caps.count, count);
}

/* ---- retype ------------------------------------------------------------------------------------- */

static void retype_checks_its_arguments(void **state)
{
	(void)state;
#define RETYPE(slot, what, offset, bytes) CALL(ROOT_SLOT(ROOT_RAM), Any_retype, IN_ROOT, slot, what, offset, bytes)
	assert_err(RETYPE(10, TYPE_COUNT(Null, 1), 0, PAGE_BYTES), ARGUMENT);
	assert_err(RETYPE(10, CAP_TYPES | 1 << 8, 0, PAGE_BYTES), ARGUMENT);
	assert_err(RETYPE(10, CAP_ZOMBIE_CNODE | 1 << 8, 0, 0), ARGUMENT);
	assert_err(RETYPE(10, 0xff | 1 << 8, 0, PAGE_BYTES), ARGUMENT);
	assert_err(RETYPE(10, TYPE_COUNT(IoPorts, 1), 0, 1), RETYPE);
	assert_err(RETYPE(10, TYPE_COUNT(Endpoint, 1), 0, 0), RETYPE);
	assert_err(RETYPE(10, TYPE_COUNT(Kernel, 1), 0, 0), RETYPE);
	assert_err(RETYPE(10, TYPE_COUNT(DeviceFrame, 1), 0, PAGE_BYTES), RETYPE);
	assert_err(RETYPE(10, TYPE_COUNT(Frame, 0), 0, PAGE_BYTES), ARGUMENT);
	assert_err(RETYPE(10, TYPE_COUNT(Frame, 247), 0, PAGE_BYTES), ARGUMENT);
	assert_err(RETYPE(10, TYPE_COUNT(Frame, UINT64_MAX >> 8), 0, PAGE_BYTES), ARGUMENT);
	assert_err(RETYPE(0, TYPE_COUNT(Frame, 11), 0, PAGE_BYTES), SLOT_IN_USE);
	assert_err(RETYPE(10, TYPE_COUNT(Frame, 1), 1, PAGE_BYTES), ALIGNMENT);
	assert_err(RETYPE(10, TYPE_COUNT(Frame, 1), 0, PAGE_BYTES + 1), ALIGNMENT);
	assert_err(RETYPE(10, TYPE_COUNT(Frame, 1), 0, 0), ARGUMENT);
	assert_err(RETYPE(10, TYPE_COUNT(CNode, 1), 0, PAGE_BYTES), ARGUMENT);
	assert_err(RETYPE(10, TYPE_COUNT(Frame, 1), RAM_BYTES, PAGE_BYTES), RANGE);
	assert_err(RETYPE(10, TYPE_COUNT(Frame, 1), RAM_BYTES + PAGE_BYTES, PAGE_BYTES), RANGE);
	assert_err(RETYPE(10, TYPE_COUNT(Frame, 2), RAM_BYTES - PAGE_BYTES, PAGE_BYTES), RANGE);
	assert_err(RETYPE(10, TYPE_COUNT(Frame, 1), 0, RAM_BYTES + PAGE_BYTES), RANGE);
	assert_err(RETYPE(10, TYPE_COUNT(Frame, 16), 0, UINT64_C(1) << 60), RANGE);
	assert_err(RETYPE(10, TYPE_COUNT(Frame, 1), UINT64_MAX - PAGE_BYTES + 1, PAGE_BYTES), RANGE);
	assert_ok(RETYPE(10, TYPE_COUNT(Frame, 1), RAM_BYTES - PAGE_BYTES, PAGE_BYTES));
	assert_ok(RETYPE(11, TYPE_COUNT(CNode, 1), 0, CNODE_BYTES));
#undef RETYPE
}

static void nothing_overlaps(void **state)
{
	(void)state;
	MAKE(10, Frame, 4, 16 * PAGE_BYTES, 4 * PAGE_BYTES); /* pages 16 to 31 */
	assert_ok(CALL(ROOT_SLOT(ROOT_RAM), Any_copy, IN_ROOT, 9));
	for (unsigned page = 8; page < 40; page++)
		for (unsigned pages = 1; pages <= 8; pages++) {
			bool free = page + pages <= 16 || page >= 32;
			err_t e = CALL(ROOT_SLOT(9), Any_retype, IN_ROOT, 20, TYPE_COUNT(RAM, 1), page * PAGE_BYTES, pages * PAGE_BYTES);

			assert_int_equal(e.number, free ? ERR_NUMBER_OK : ERR_NUMBER_OVERLAP);
			if (free)
				assert_ok(CALL(ROOT_SLOT(20), Any_delete));
		}
	/* what was found must begin before the range too, however much lies between */
	MAKE(20, RAM, 1, 64 * PAGE_BYTES, 64 * PAGE_BYTES);
	assert_ok(CALL(ROOT_SLOT(20), Any_retype, IN_ROOT, 21, TYPE_COUNT(Frame, 8), 0, PAGE_BYTES));
	assert_err(CALL(ROOT_SLOT(ROOT_RAM), Any_retype, IN_ROOT, 30, TYPE_COUNT(Frame, 1), 100 * PAGE_BYTES, PAGE_BYTES), OVERLAP);
	assert_ok(CALL(ROOT_SLOT(20), Any_retype, IN_ROOT, 30, TYPE_COUNT(Frame, 1), 36 * PAGE_BYTES, PAGE_BYTES));
	assert_err(CALL(ROOT_SLOT(20), Any_retype, IN_ROOT, 31, TYPE_COUNT(Frame, 2), 35 * PAGE_BYTES, PAGE_BYTES), OVERLAP);
	assert_ok(CALL(ROOT_SLOT(20), Any_retype, IN_ROOT, 31, TYPE_COUNT(Frame, 2), 37 * PAGE_BYTES, PAGE_BYTES));
}

static void parts_of_frames(void **state)
{
	(void)state;
	MAKE(10, Frame, 1, 0, 8 * PAGE_BYTES);
	assert_ok(CALL(ROOT_SLOT(10), Any_mint, IN_ROOT, 9, RIGHT_READ | RIGHT_CONTROL));
	assert_ok(CALL(ROOT_SLOT(9), Any_retype, IN_ROOT, 11, TYPE_COUNT(Frame, 2), PAGE_BYTES, 2 * PAGE_BYTES));
	assert_int_equal(root(12)->base, RAM_BASE + 3 * PAGE_BYTES);
	assert_int_equal(root(12)->rights, RIGHT_READ | RIGHT_CONTROL);
	assert_err(CALL(ROOT_SLOT(10), Any_retype, IN_ROOT, 13, TYPE_COUNT(Frame, 1), 0, 2 * PAGE_BYTES), OVERLAP);
	assert_err(CALL(ROOT_SLOT(10), Any_retype, IN_ROOT, 13, TYPE_COUNT(RAM, 1), 5 * PAGE_BYTES, PAGE_BYTES), RETYPE);
}

static void memory_of_new_objects(void **state)
{
	(void)state;
	const struct page_table *table;

	memset(window(PADDR(RAM_BASE)), 0x5a, MIB);
	MAKE(10, Frame, 1, 0, PAGE_BYTES);
	assert_int_equal(*(uint8_t *)window(PADDR(RAM_BASE + 9)), 0x5a);
	MAKE(11, CNode, 2, 64 * KIB, 0);
	for (unsigned k = 0; k < 2 * CNODE_SLOTS; k++)
		assert_int_equal(cnode_slots(root(11))[k].type, CAP_Null);
	MAKE(13, PageTable4, 1, 128 * KIB, 0);
	table = page_table(root(13));
	for (unsigned k = 0; k < PAGE_TABLE_SLOTS; k++) {
		assert_int_equal(table->entry[k], k < PAGE_TABLE_SLOTS / 2 ? 0 : k << 12 | 3);
		assert_int_equal(table->shadow[k], 0);
	}
	MAKE(14, PageTable1, 1, 192 * KIB, 0);
	for (unsigned k = 0; k < PAGE_TABLE_SLOTS; k++)
		assert_int_equal(page_table(root(14))->entry[k] | page_table(root(14))->shadow[k], 0);
	MAKE(15, Dispatcher, 1, 256 * KIB, 0);
	assert_int_equal(world.begins, 1);
	for (uint64_t k = 8; k < DISPATCHER_BYTES; k++)
		assert_int_equal(*(uint8_t *)window(PADDR(root(15)->base + k)), 0);
}

static void what_comes_of_a_dispatcher(void **state)
{
	(void)state;
	MAKE(10, Dispatcher, 2, 0, 0);
	assert_ok(CALL(ROOT_SLOT(10), Any_retype, IN_ROOT, 12, TYPE_COUNT(Frame, 1)));
	assert_int_equal(root(12)->base, RAM_BASE + DISPATCHER_SHARED_OFFSET);
	assert_int_equal(root(12)->size, DISPATCHER_SHARED_BYTES);
	assert_int_equal(root(12)->rights, RIGHT_READ | RIGHT_WRITE | RIGHT_CONTROL);
	assert_err(CALL(ROOT_SLOT(10), Any_retype, IN_ROOT, 13, TYPE_COUNT(Frame, 1), PAGE_BYTES, 0), ARGUMENT);
	assert_err(CALL(ROOT_SLOT(10), Any_retype, IN_ROOT, 13, TYPE_COUNT(Frame, 1), 0, PAGE_BYTES), ARGUMENT);
	assert_err(CALL(ROOT_SLOT(10), Any_retype, IN_ROOT, 13, TYPE_COUNT(Endpoint, 1), 1, 1), ARGUMENT);
	assert_err(CALL(ROOT_SLOT(10), Any_retype, IN_ROOT, 13, TYPE_COUNT(Doorbell, 1), DOORBELLS + 1), ARGUMENT);
	assert_ok(CALL(ROOT_SLOT(11), Any_retype, IN_ROOT, 13, TYPE_COUNT(Doorbell, 2)));
	assert_int_equal(root(14)->extra, (RAM_BASE + DISPATCHER_BYTES) / DISPATCHER_BYTES);
	assert_int_equal(root(14)->base, root(11)->base);
	assert_int_equal(root(14)->size, DISPATCHER_BYTES);
	assert_int_equal(root(14)->rights, RIGHT_WRITE);
	assert_err(CALL(ROOT_SLOT(14), Any_revoke), CAP_RIGHTS);
	assert_ok(CALL(ROOT_SLOT(10), Any_retype, IN_ROOT, 15, TYPE_COUNT(Frame, 1)));
	assert_ok(CALL(ROOT_SLOT(15), Any_retype, IN_ROOT, 16, TYPE_COUNT(Frame, 1), PAGE_BYTES, PAGE_BYTES));
	assert_ok(CALL(ROOT_SLOT(10), Any_retype, IN_ROOT, 17, TYPE_COUNT(Frame, 1)));
	check_world();
	world.no_doorbells = true;
	assert_err(CALL(ROOT_SLOT(10), Any_retype, IN_ROOT, 30, TYPE_COUNT(Doorbell, 1)), LIMIT);
	assert_int_equal(root(30)->type, CAP_Null);
}

/* What one was given for ends without the other, and without those of the whole dispatcher. */
static void numbered_doorbells(void **state)
{
	(void)state;
	MAKE(10, Dispatcher, 1, 0, 0);
	assert_ok(CALL(ROOT_SLOT(10), Any_retype, IN_ROOT, 11, TYPE_COUNT(Doorbell, 1)));
	for (uint64_t n = 1; n <= DOORBELLS; n++) {
		assert_ok(CALL(ROOT_SLOT(10), Any_retype, IN_ROOT, 20 * n, TYPE_COUNT(Doorbell, 2), n));
		assert_int_equal(root(20 * n)->base, RAM_BASE + (n - 1) * PAGE_BYTES);
		assert_int_equal(root(20 * n)->size, PAGE_BYTES);
		assert_int_equal(root(20 * n)->extra, root(11)->extra);
		assert_int_equal(root(20 * n)->rights, RIGHT_WRITE | RIGHT_CONTROL);
	}
	check_world();
	assert_ok(CALL(ROOT_SLOT(20), Any_revoke));
	assert_int_equal(root(21)->type, CAP_Null);
	assert_int_equal(root(41)->type, CAP_Doorbell);
	assert_int_equal(root(11)->type, CAP_Doorbell);
	assert_ok(CALL(ROOT_SLOT(20), Any_delete));
	assert_ok(CALL(ROOT_SLOT(10), Any_revoke));
	assert_int_equal(root(40)->type, CAP_Null);
	assert_int_equal(root(11)->type, CAP_Null);
}

static void ports_and_interrupts(void **state)
{
	(void)state;
	MUST(slot_make(&world.caps, root(20), CAP_IoPorts, 0, 65536, RIGHTS(RIGHTS_ALL)));
	MUST(slot_make(&world.caps, root(21), CAP_Interrupt, 0, UINT64_C(1) << 32, RIGHTS(RIGHTS_ALL)));
	assert_err(slot_make(&world.caps, root(22), CAP_IoPorts, 65530, 7, RIGHTS(RIGHTS_ALL)), RANGE);
	assert_ok(CALL(ROOT_SLOT(20), Any_retype, IN_ROOT, 22, TYPE_COUNT(IoPorts, 1), 0x3f8, 8));
	assert_err(CALL(ROOT_SLOT(20), Any_retype, IN_ROOT, 23, TYPE_COUNT(IoPorts, 1), 0x3ff, 2), OVERLAP);
	assert_ok(CALL(ROOT_SLOT(21), Any_retype, IN_ROOT, 23, TYPE_COUNT(Interrupt, 1), 0x3f8, 8));
	assert_ok(CALL(ROOT_SLOT(22), Any_identify));
	assert_int_equal(world.last.value[1], 0x3f8);
	assert_int_equal(slot_number(root(23)), 0x3f8);
	assert_err(CALL(ROOT_SLOT(20), Any_delete), LAST_COPY);
	assert_ok(CALL(ROOT_SLOT(22), Any_delete));
	assert_int_equal(world.last.value[0], 0);
	root(23)->extra = 5; /* bound */
	assert_ok(CALL(ROOT_SLOT(23), Any_copy, IN_ROOT, 24));
	assert_int_equal(root(24)->extra, 0);
	assert_ok(CALL(ROOT_SLOT(21), Any_revoke));
	assert_int_equal(root(23)->type, CAP_Null);
	assert_int_equal(world.interrupts_lost, 1);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    T(identify),
	    T(wrong_calls),
	    T(every_type_has_the_common_operations),
	    T(destinations),
	    T(mint_takes_rights_away),
	    T(badges),
	    T(move_keeps_everything),
	    T(retype_checks_its_arguments),
	    T(nothing_overlaps),
	    T(parts_of_frames),
	    T(memory_of_new_objects),
	    T(what_comes_of_a_dispatcher),
	    T(numbered_doorbells),
	    T(ports_and_interrupts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
