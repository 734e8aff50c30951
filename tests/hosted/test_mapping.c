/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
// sources: cpudriver/capability/any.c cpudriver/capability/arguments.c cpudriver/capability/database.c
// sources: cpudriver/capability/delete.c cpudriver/capability/kernel.c cpudriver/capability/mapping.c cpudriver/capability/nesting.c
// sources: cpudriver/capability/paging.c cpudriver/capability/retype.c cpudriver/capability/spaces.c cpudriver/capability/split.c
// sources: cpudriver/capability/table.c cpudriver/capability/types.c
// flags: -DWINDOW_START=0x200000000000 -Wno-unused-function

/* Page tables: every check of map and unmap, what a page fault would see, and which flushes are needed. */

#include "tests/hosted/capability_test.h"

/* An address space: 10 level 4, 11 level 3, 12 level 2, 13 level 1; frames from 20 on, a large one of 8 MiB in 30. */
enum {
	L4 = 10,
	L3,
	L2,
	L1,
	FRAME = 20,
	LARGE = 30,
};
#define INDEX4 3
#define INDEX3 5
#define INDEX2 7

static uint64_t address(uint64_t i4, uint64_t i3, uint64_t i2, uint64_t i1)
{
	return i4 << 39 | i3 << 30 | i2 << 21 | i1 << 12;
}

#define RW (RIGHT_READ | RIGHT_WRITE)
#define RX (RIGHT_READ | RIGHT_EXECUTE)

static int set_up_space(void **state)
{
	set_up(state);
	MAKE(L4, PageTable4, 1, 0, 0);
	MAKE(L3, PageTable3, 1, 64 * KIB, 0);
	MAKE(L2, PageTable2, 1, 128 * KIB, 0);
	MAKE(L1, PageTable1, 1, 192 * KIB, 0);
	MAKE(FRAME, Frame, 8, 256 * KIB, 4 * PAGE_BYTES);
	MAKE(LARGE, Frame, 1, 8 * MIB, 8 * MIB);
	assert_ok(CALL(ROOT_SLOT(L3), PageTable3_map, ROOT_SLOT(L4).value, INDEX4));
	assert_ok(CALL(ROOT_SLOT(L2), PageTable2_map, ROOT_SLOT(L3).value, INDEX3));
	assert_ok(CALL(ROOT_SLOT(L1), PageTable1_map, ROOT_SLOT(L2).value, INDEX2));
	world.loaded = PADDR(root(L4)->base);
	return 0;
}

/* The leaf entry that the processor finds, 0 if there is none. */
static uint64_t walk(uint64_t vaddr)
{
	uint64_t table = world.loaded.value;

	for (unsigned shift = 39;; shift -= 9) {
		uint64_t entry = ((uint64_t *)window(PADDR(table)))[vaddr >> shift & 511];

		if (!(entry & PTE_PRESENT) || shift == 12 || entry & PTE_LARGE)
			return entry & PTE_PRESENT ? entry : 0;
		assert_true(entry & PTE_USER && entry & PTE_WRITE && !(entry & PTE_NO_EXECUTE));
		table = entry & PTE_ADDRESS;
	}
}

static void pages(void **state)
{
	(void)state;
	assert_ok(CALL(ROOT_SLOT(FRAME), Frame_map, ROOT_SLOT(L1).value, 100, RW, PAGE_BYTES, 3));
	assert_ok(CALL(ROOT_SLOT(FRAME + 1), Frame_map, ROOT_SLOT(L1).value, 508, RX, 0, 4));
	assert_ok(CALL(ROOT_SLOT(FRAME + 2), Frame_map, ROOT_SLOT(L1).value, 0, RIGHT_READ, 0, 1));
	check_world();
	assert_int_equal(walk(address(INDEX4, INDEX3, INDEX2, 99)), 0);
	assert_int_equal(walk(address(INDEX4, INDEX3, INDEX2, 101)),
	                 (root(FRAME)->base + 2 * PAGE_BYTES) | PTE_PRESENT | PTE_USER | PTE_WRITE | PTE_NO_EXECUTE);
	assert_int_equal(walk(address(INDEX4, INDEX3, INDEX2, 511)), (root(FRAME + 1)->base + 3 * PAGE_BYTES) | PTE_PRESENT | PTE_USER);
	assert_int_equal(walk(address(INDEX4, INDEX3, INDEX2, 0)), root(FRAME + 2)->base | PTE_PRESENT | PTE_USER | PTE_NO_EXECUTE);
	assert_true(root(FRAME)->flags & CAP_FLAG_MAPPED);
	assert_ok(CALL(ROOT_SLOT(FRAME), Any_identify));
	assert_int_equal(world.last.value[0] >> 16 & 0xff, CAP_FLAG_MAPPED);
	assert_int_equal(world.flushes + world.page_flushes, 0);
}

static void large_pages(void **state)
{
	(void)state;
	const uint64_t leaf = PTE_PRESENT | PTE_USER | PTE_LARGE | PTE_NO_EXECUTE;

	assert_ok(CALL(ROOT_SLOT(LARGE), Frame_map, ROOT_SLOT(L2).value, 20, RIGHT_READ, 2 * MIB, 3));
	assert_int_equal(walk(address(INDEX4, INDEX3, 22, 9)), (root(LARGE)->base + 6 * MIB) | leaf);
	assert_err(CALL(ROOT_SLOT(FRAME), Frame_map, ROOT_SLOT(L2).value, 30, RIGHT_READ, 0, 1), ALIGNMENT);
	assert_ok(CALL(ROOT_SLOT(LARGE), Frame_unmap, address(INDEX4, INDEX3, 20, 0)));
	assert_int_equal(world.page_flushes, 3);
	assert_int_equal(world.flushed_page.value, address(INDEX4, INDEX3, 22, 0));
	assert_err(CALL(ROOT_SLOT(LARGE), Frame_map, ROOT_SLOT(L2).value, 20, RIGHT_READ, 2 * MIB, 4), RANGE);
	assert_err(CALL(ROOT_SLOT(LARGE), Frame_map, ROOT_SLOT(L2).value, 20, RIGHT_READ, PAGE_BYTES, 1), ALIGNMENT);
	assert_err(CALL(ROOT_SLOT(LARGE), Frame_map, ROOT_SLOT(L3).value, 20, RIGHT_READ, 0, 1), ALIGNMENT);
	world.caps.huge_pages = false;
	assert_err(CALL(ROOT_SLOT(LARGE), Frame_map, ROOT_SLOT(L3).value, 20, RIGHT_READ, 0, 1), NOT_SUPPORTED);
	assert_err(CALL(ROOT_SLOT(LARGE), Frame_map, ROOT_SLOT(L4).value, 20, RIGHT_READ, 0, 1), LEVEL);
}

static void huge_pages(void **state)
{
	(void)state;
	MUST(slot_make(&world.caps, root(40), CAP_DeviceFrame, 4 * GIB, 2 * GIB, RIGHTS(RIGHTS_ALL)));
	assert_ok(CALL(ROOT_SLOT(40), DeviceFrame_map, ROOT_SLOT(L3).value, 8, RW, GIB, 1));
	assert_int_equal(walk(address(INDEX4, 8, 1, 1)),
	                 5 * GIB | PTE_PRESENT | PTE_USER | PTE_WRITE | PTE_LARGE | PTE_NO_EXECUTE | PTE_CACHE_DISABLE | PTE_WRITE_THROUGH);
	assert_ok(CALL(ROOT_SLOT(40), DeviceFrame_unmap, address(INDEX4, 8, 0, 0)));
	assert_int_equal(world.page_flushes, 1);
	assert_int_equal(walk(address(INDEX4, 8, 1, 1)), 0);
	assert_err(CALL(ROOT_SLOT(40), DeviceFrame_map, ROOT_SLOT(L1).value, 8, RX, 0, 1), CAP_RIGHTS);
}

static void wrong_maps(void **state)
{
	(void)state;
#define MAP(...) CALL(ROOT_SLOT(FRAME), Frame_map, __VA_ARGS__)
	const uint64_t table = ROOT_SLOT(L1).value;

	assert_err(MAP(0xffffff, 0, RW, 0, 1), CAP_ADDRESS);
	assert_err(MAP(ROOT_SLOT(99).value, 0, RW, 0, 1), CAP_EMPTY);
	assert_err(MAP(IN_ROOT, 0, RW, 0, 1), CAP_TYPE);
	assert_err(MAP(ROOT_SLOT(L4).value, 0, RW, 0, 1), LEVEL);
	assert_err(MAP(table, 512, RW, 0, 1), ARGUMENT);
	assert_err(MAP(table, 511, RW, 0, 2), ARGUMENT);
	assert_err(MAP(table, UINT64_MAX, RW, 0, 1), ARGUMENT);
	assert_err(MAP(table, 0, RW, 0, 0), ARGUMENT);
	assert_err(MAP(table, 0, RW, 0, UINT64_MAX), RANGE);
	assert_err(MAP(table, 0, RW, 0, 5), RANGE);
	assert_err(MAP(table, 0, RW, 4 * PAGE_BYTES, 1), RANGE);
	assert_err(MAP(table, 0, RW, 5 * PAGE_BYTES, 1), RANGE);
	assert_err(MAP(table, 0, RW, UINT64_MAX - PAGE_BYTES + 1, 1), RANGE);
	assert_err(MAP(table, 0, RW, 8, 1), ALIGNMENT);
	assert_err(MAP(table, 0, RIGHT_WRITE, 0, 1), ARGUMENT);
	assert_err(MAP(table, 0, RIGHT_EXECUTE, 0, 1), ARGUMENT);
	assert_err(MAP(table, 0, 0, 0, 1), ARGUMENT);
	assert_err(MAP(table, 0, RW | RIGHT_CONTROL, 0, 1), ARGUMENT);
	assert_err(MAP(table, 0, RW | UINT64_C(1) << 32, 0, 1), ARGUMENT);
	assert_err(MAP(table, 0, RW | RIGHT_EXECUTE, 0, 1), CAP_RIGHTS); /* never both */
	assert_ok(CALL(ROOT_SLOT(FRAME), Any_mint, IN_ROOT, 50, RX));
	assert_err(CALL(ROOT_SLOT(50), Frame_map, table, 0, RW, 0, 1), CAP_RIGHTS);
	assert_ok(CALL(ROOT_SLOT(L1), Any_mint, IN_ROOT, 51, RIGHT_CONTROL));
	assert_err(MAP(ROOT_SLOT(51).value, 0, RW, 0, 1), CAP_RIGHTS);
	assert_err(CALL(ROOT_SLOT(51), PageTable1_map, ROOT_SLOT(L2).value, 1), CAP_RIGHTS);

	assert_ok(MAP(table, 5, RW, 0, 4));
	assert_err(MAP(table, 20, RW, 0, 1), MAPPED);
	assert_err(CALL(ROOT_SLOT(FRAME + 1), Frame_map, table, 3, RW, 0, 3), MAPPED);
	assert_err(CALL(ROOT_SLOT(FRAME + 1), Frame_map, table, 8, RW, 0, 3), MAPPED);
	assert_int_equal(root(FRAME + 1)->flags, 0);
	assert_err(CALL(ROOT_SLOT(FRAME + 1), Frame_unmap, 0), NOT_MAPPED);
#undef MAP
}

static void wrong_tables(void **state)
{
	(void)state;
	MAKE(50, PageTable3, 1, MIB, 0);
	MAKE(51, PageTable1, 1, 2 * MIB, 0);
	assert_err(CALL(ROOT_SLOT(50), PageTable3_map, ROOT_SLOT(L4).value, 255), ARGUMENT);
	assert_err(CALL(ROOT_SLOT(50), PageTable3_map, ROOT_SLOT(L4).value, 256), ARGUMENT);
	assert_err(CALL(ROOT_SLOT(50), PageTable3_map, ROOT_SLOT(L4).value, 511), ARGUMENT);
	assert_err(CALL(ROOT_SLOT(50), PageTable3_map, ROOT_SLOT(L4).value, 512), ARGUMENT);
	assert_err(CALL(ROOT_SLOT(50), PageTable3_map, ROOT_SLOT(L4).value, INDEX4), MAPPED);
	assert_err(CALL(ROOT_SLOT(50), PageTable3_map, ROOT_SLOT(50).value, 0), LEVEL);
	assert_err(CALL(ROOT_SLOT(50), PageTable3_map, ROOT_SLOT(L2).value, 0), LEVEL);
	assert_err(CALL(ROOT_SLOT(51), PageTable1_map, ROOT_SLOT(L3).value, 0), LEVEL);
	assert_err(CALL(ROOT_SLOT(51), PageTable1_map, ROOT_SLOT(FRAME).value, 0), CAP_TYPE);
	assert_err(CALL(ROOT_SLOT(L1), PageTable1_map, ROOT_SLOT(L2).value, 9), MAPPED);
	assert_err(CALL(ROOT_SLOT(L4), PageTable3_map, ROOT_SLOT(L4).value, 9), OPERATION);
	assert_err(CALL(ROOT_SLOT(51), PageTable1_unmap), NOT_MAPPED);
}

/* One INVLPG a page is enough only if the hint leads to the entry and nothing else does. */
static void flushes(void **state)
{
	(void)state;
	const uint64_t here = address(INDEX4, INDEX3, INDEX2, 40);
#define MAP assert_ok(CALL(ROOT_SLOT(FRAME), Frame_map, ROOT_SLOT(L1).value, 40, RW, 0, 4))
#define UNMAP(hint, all, single)                                                                                                           \
	do {                                                                                                                               \
		world.flushes = world.page_flushes = 0;                                                                                    \
		assert_ok(CALL(ROOT_SLOT(FRAME), Frame_unmap, hint));                                                                      \
		assert_int_equal(world.flushes, all);                                                                                      \
		assert_int_equal(world.page_flushes, single);                                                                              \
		assert_int_equal(walk(here), 0);                                                                                           \
	} while (0)

	MAP;
	UNMAP(here, 0, 4);
	assert_int_equal(world.flushed_page.value, here + 3 * PAGE_BYTES);
	MAP;
	UNMAP(here + PAGE_BYTES, 1, 0);
	MAP;
	UNMAP(0, 1, 0);
	MAP;
	UNMAP(UINT64_C(0xffff800000000000) | here, 1, 0);
	MAP;
	UNMAP(address(INDEX4, 9, INDEX2, 40), 1, 0);
	/* too many pages to flush one by one */
	assert_ok(CALL(ROOT_SLOT(LARGE), Frame_map, ROOT_SLOT(L1).value, 100, RW, 0, 33));
	world.page_flushes = 0;
	assert_ok(CALL(ROOT_SLOT(LARGE), Frame_unmap, address(INDEX4, INDEX3, INDEX2, 100)));
	assert_int_equal(world.page_flushes, 0);
	/* another address space runs */
	MAP;
	world.loaded = PADDR(TABLE_BASE);
	((struct page_table *)window(world.loaded))->entry[INDEX4] = 0;
	UNMAP(here, 1, 0);
	world.loaded = PADDR(root(L4)->base);
	/* the table can be reached at a second address */
	assert_ok(CALL(ROOT_SLOT(L1), Any_copy, IN_ROOT, 60));
	assert_ok(CALL(ROOT_SLOT(60), PageTable1_map, ROOT_SLOT(L2).value, INDEX2 + 1));
	MAP;
	UNMAP(here, 1, 0);
	/* or through a table above it */
	assert_ok(CALL(ROOT_SLOT(60), PageTable1_unmap));
	assert_ok(CALL(ROOT_SLOT(L2), Any_copy, IN_ROOT, 61));
	assert_ok(CALL(ROOT_SLOT(61), PageTable2_map, ROOT_SLOT(L3).value, INDEX3 + 1));
	MAP;
	UNMAP(here, 1, 0);
	assert_ok(CALL(ROOT_SLOT(61), Any_delete));
	MAP;
	UNMAP(here, 0, 4);
	/* a table that is mapped nowhere leads to no translation */
	MAP;
	assert_ok(CALL(ROOT_SLOT(L1), PageTable1_unmap));
	UNMAP(here, 0, 0);
	/* what is mapped in level 4 always may */
	world.flushes = 0;
	assert_ok(CALL(ROOT_SLOT(L3), PageTable3_unmap));
	assert_int_equal(world.flushes, 1);
#undef MAP
#undef UNMAP
}

static void counting_mappings_ends(void **state)
{
	(void)state;
	MAKE(50, PageTable1, 1, MIB, 0);
	for (unsigned n = 0; n < 70; n++) {
		assert_ok(CALL(ROOT_SLOT(50), Any_copy, IN_ROOT, 100 + n));
		assert_ok(CALL(ROOT_SLOT(100 + n), PageTable1_map, ROOT_SLOT(L2).value, 100 + n));
		check_world();
	}
	assert_ok(CALL(ROOT_SLOT(FRAME), Frame_map, ROOT_SLOT(50).value, 0, RW, 0, 1));
	for (unsigned n = 1; n < 70; n++)
		assert_ok(CALL(ROOT_SLOT(100 + n), Any_delete));
	world.flushes = 0;
	assert_ok(CALL(ROOT_SLOT(FRAME), Frame_unmap, address(INDEX4, INDEX3, 100, 0)));
	assert_int_equal(world.flushes, 1); /* it lost count, and flushes more than it need */
}

static void a_capability_takes_its_mapping_along(void **state)
{
	(void)state;
	const uint64_t here = address(INDEX4, INDEX3, INDEX2, 40);

	assert_ok(CALL(ROOT_SLOT(FRAME), Frame_map, ROOT_SLOT(L1).value, 40, RW, 0, 4));
	assert_ok(CALL(ROOT_SLOT(FRAME), Any_copy, IN_ROOT, 50));
	assert_int_equal(root(50)->flags, 0);
	assert_ok(CALL(ROOT_SLOT(FRAME), Any_move, IN_ROOT, 51));
	check_world();
	assert_int_not_equal(walk(here), 0);
	assert_ok(CALL(ROOT_SLOT(50), Any_delete));
	assert_int_not_equal(walk(here), 0);
	assert_int_equal(world.flushes, 0);
	assert_ok(CALL(ROOT_SLOT(51), Any_delete));
	assert_int_equal(walk(here), 0);
	assert_int_equal(world.flushes, 1);
}

static void a_table_goes(void **state)
{
	(void)state;
	assert_ok(CALL(ROOT_SLOT(FRAME), Frame_map, ROOT_SLOT(L1).value, 40, RW, 0, 4));
	assert_ok(CALL(ROOT_SLOT(FRAME + 1), Frame_map, ROOT_SLOT(L1).value, 0, RW, 0, 1));
	/* the entry for it goes, and what was mapped in it is mapped no more */
	assert_ok(CALL(ROOT_SLOT(L1), Any_delete));
	assert_int_equal(root(FRAME)->flags | root(FRAME + 1)->flags, 0);
	assert_int_equal(root(FRAME)->extra, 0);
	assert_int_equal(page_table(root(L2))->entry[INDEX2], 0);
	assert_int_equal(world.flushes, 1);
	check_world();
	for (unsigned b = 0; b < PAGE_TABLE_BYTES; b++)
		assert_int_equal(*(uint8_t *)window(PADDR(RAM_BASE + 192 * KIB + b)), 0);
	/* a table in a table that goes can be mapped elsewhere */
	assert_ok(CALL(ROOT_SLOT(L3), Any_delete));
	assert_int_equal(root(L2)->flags, 0);
	MAKE(L3, PageTable3, 1, 64 * KIB, 0);
	assert_ok(CALL(ROOT_SLOT(L2), PageTable2_map, ROOT_SLOT(L3).value, 1));
	assert_ok(CALL(ROOT_SLOT(L4), Any_delete));
}

static void a_revoke_flushes_once(void **state)
{
	(void)state;
	for (unsigned n = 0; n < 8; n++)
		assert_ok(CALL(ROOT_SLOT(FRAME + n), Frame_map, ROOT_SLOT(L1).value, 4 * n, RW, 0, 4));
	world.flushes = 0;
	assert_ok(repeat(ROOT_SLOT(ROOT_RAM), OP_Any_revoke, 0));
	assert_int_equal(world.flushes, 1);
	assert_int_equal(root(L4)->type, CAP_Null);
}

/* Tables that other cores use, or own. */
static void other_cores(void **state)
{
	(void)state;
	const cap_t kernel = ROOT_SLOT(ROOT_KERNEL);

	assert_ok(CALL(ROOT_SLOT(FRAME), Frame_map, ROOT_SLOT(L1).value, 0, RW, 0, 1));
	assert_ok(CALL(kernel, Kernel_mark, ROOT_SLOT(L1).value, CAP_FLAG_REMOTE, THIS_CORE));
	assert_err(CALL(ROOT_SLOT(FRAME), Frame_unmap, address(INDEX4, INDEX3, INDEX2, 0)), NEEDS_AGREEMENT);
	assert_err(CALL(ROOT_SLOT(FRAME), Any_delete), NEEDS_AGREEMENT);
	assert_int_equal(world.last.value[0], CAP_PageTable1);
	assert_int_equal(world.last.value[1], root(L1)->base);
	assert_err(CALL(ROOT_SLOT(L1), Any_delete), NEEDS_AGREEMENT);
	assert_int_equal(world.last.value[0], CAP_PageTable1);
	assert_ok(CALL(ROOT_SLOT(FRAME + 1), Frame_map, ROOT_SLOT(L1).value, 1, RW, 0, 1));
	assert_ok(CALL(kernel, Kernel_mark, ROOT_SLOT(L1).value, 0, THIS_CORE));
	assert_ok(CALL(ROOT_SLOT(FRAME), Frame_unmap, address(INDEX4, INDEX3, INDEX2, 0)));
	assert_int_equal(world.flushes, 1);
	/* somebody else's table is not written, but may be used */
	assert_ok(
	    CALL(kernel, Kernel_install, IN_ROOT, 50 | CAP_PageTable1 << 8 | RIGHT_WRITE << 16 | UINT64_C(9) << 32, MIB, PAGE_TABLE_BYTES));
	memset(window(PADDR(MIB)), 0x77, PAGE_TABLE_BYTES);
	assert_err(CALL(ROOT_SLOT(FRAME), Frame_map, ROOT_SLOT(50).value, 0, RW, 0, 1), NOT_OWNER);
	assert_ok(CALL(ROOT_SLOT(50), PageTable1_map, ROOT_SLOT(L2).value, 60));
	assert_ok(CALL(ROOT_SLOT(50), PageTable1_unmap));
	assert_ok(CALL(kernel, Kernel_surrender, ROOT_SLOT(50).value));
	for (unsigned b = 0; b < PAGE_TABLE_BYTES; b++)
		assert_int_equal(*(uint8_t *)window(PADDR(MIB + b)), 0x77);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up_space, tear_down)
	const struct CMUnitTest tests[] = {
	    T(pages),
	    T(large_pages),
	    T(huge_pages),
	    T(wrong_maps),
	    T(wrong_tables),
	    T(flushes),
	    T(counting_mappings_ends),
	    T(a_capability_takes_its_mapping_along),
	    T(a_table_goes),
	    T(a_revoke_flushes_once),
	    T(other_cores),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
