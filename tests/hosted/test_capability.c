/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
// sources: cpudriver/capability/any.c cpudriver/capability/arguments.c cpudriver/capability/database.c
// sources: cpudriver/capability/delete.c cpudriver/capability/kernel.c cpudriver/capability/mapping.c cpudriver/capability/nesting.c
// sources: cpudriver/capability/paging.c cpudriver/capability/retype.c cpudriver/capability/spaces.c cpudriver/capability/split.c
// sources: cpudriver/capability/table.c cpudriver/capability/types.c
// flags: -DWINDOW_START=0x200000000000 -Wno-unused-function

/* Each rule of copy, mint, move, retype, delete and revoke. */

#include "tests/hosted/capability_test.h"

#include "cpudriver/capability/nesting.h"

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
