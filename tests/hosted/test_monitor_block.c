/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
// sources: monitor/block.c monitor/memory.c cpudriver/abi/errors.c
// sources: cpudriver/capability/any.c cpudriver/capability/arguments.c cpudriver/capability/database.c
// sources: cpudriver/capability/delete.c cpudriver/capability/kernel.c cpudriver/capability/mapping.c cpudriver/capability/nesting.c
// sources: cpudriver/capability/paging.c cpudriver/capability/retype.c cpudriver/capability/spaces.c cpudriver/capability/split.c
// sources: cpudriver/capability/table.c cpudriver/capability/types.c
// flags: -DWINDOW_START=0x200000000000 -Wno-unused-function

/* A monitor's blocks of memory over a real capability database: what it gives to other cores it no longer covers, whatever the order, and
 * the rest stays usable to the last page. */

#include "tests/hosted/capability_world.h"

#include <cmocka.h>

#include <atoll/address_space.h>
#include <atoll/capability.h>

#include "libos/start/start.h"
#include "monitor/block.h"
#include "monitor/report.h"
#include "tests/hosted/random.h"

#define KERNEL  ROOT_SLOT(3)
#define SLOTS   4 /* CNodes from here on, for the monitor's own slots */
#define CNODES  6
#define OWN     (256 * KIB) /* what the monitor is made of, at the low end of the first region */
#define OTHERS  63
#define PIECES  2
#define REGIONS 5

static struct monitor m;
static unsigned used_slots, most_slots, reports;

/* ---- The library OS, over the simulated core ---- */

static bool used[CNODES * CNODE_SLOTS];

err_t cap_slot_alloc(cap_t *out)
{
	unsigned n = 0;

	while (n < most_slots && used[n])
		n++;
	if (n == most_slots)
		return ERR(NO_SLOT);
	used[n] = true;
	used_slots++;
	*out = CAP(SLOTS + n / CNODE_SLOTS, n % CNODE_SLOTS);
	return OK;
}

void cap_slot_free(cap_t slot)
{
	unsigned n = slot.value - CAP(SLOTS, 0).value;

	assert_in_range(n, 0, most_slots - 1);
	assert_true(used[n]);
	assert_int_equal(cap_slot(root_slots(), slot)->type, CAP_Null);
	used[n] = false;
	used_slots--;
}

err_t cap_identify(cap_t cap, struct cap_identity *out)
{
	err_t e = CALL(cap, Any_identify);

	*out = (struct cap_identity){
	    .type = (enum cap_type)(world.last.value[0] & 0xff), .base = world.last.value[1], .size = world.last.value[2]};
	return e;
}

err_t cap_delete(cap_t cap)
{
	return repeat(cap, OP_Any_delete, 0);
}

err_t cap_retype(cap_t source, enum cap_type type, uint64_t offset, uint64_t bytes, unsigned count, cap_t first)
{
	return CALL(source, Any_retype, ROOT_SLOT(first.value >> 8).value, first.value & 0xff, type | (uint64_t)count << 8, offset, bytes);
}

err_t platform_split(cap_t ram, uint64_t offset, cap_t rest)
{
	return CALL(KERNEL, Kernel_split, ram.value, offset, ROOT_SLOT(rest.value >> 8).value, rest.value & 0xff);
}

err_t platform_install(cap_t slot, const struct platform_remote *what)
{
	return CALL(KERNEL, Kernel_install, ROOT_SLOT(slot.value >> 8).value,
	            (slot.value & 0xff) | (uint64_t)what->type << 8 | (uint64_t)what->rights << 16 | (uint64_t)what->owner << 32,
	            what->base, what->bytes, what->extra);
}

err_t platform_identify(cap_t cap, struct platform_remote *what, unsigned *flags)
{
	err_t e = CALL(cap, Any_identify);

	*flags = world.last.value[0] >> 16 & 0xff;
	*what = (struct platform_remote){.type = (enum cap_type)(world.last.value[0] & 0xff), .owner = world.last.value[0] >> 32 & 0xffff};
	return e;
}

err_t platform_mark(cap_t cap, bool remote, uint32_t owner)
{
	return CALL(KERNEL, Kernel_mark, cap.value, remote ? CAP_FLAG_REMOTE : 0, owner);
}

err_t platform_surrender(cap_t cap)
{
	return CALL(KERNEL, Kernel_surrender, cap.value);
}

void start_own_memory(uint64_t *base, uint64_t *bytes)
{
	*base = RAM_BASE;
	*bytes = OWN;
}

void report_line(struct monitor *mm, const char *format, ...)
{
	(void)mm, (void)format;
	reports++;
}

err_t frame_map(cap_t frame, uint64_t offset, uint64_t bytes, rights_t rights, void **out)
{
	(void)frame, (void)offset, (void)bytes, (void)rights, (void)out;
	return ERR(NOT_SUPPORTED);
}

err_t frame_unmap(void *at)
{
	(void)at;
	return ERR(NOT_SUPPORTED);
}

/* ---- The start: a few regions of RAM in the monitor's ROOT_BOOT, the first one with the monitor itself at its low end ---- */

static void must_be(err_t e)
{
	assert_int_equal(e.number, ERR_NUMBER_OK);
}

static int set_up(void **state)
{
	static const uint64_t borders[REGIONS] = {0, 16 * MIB, 20 * MIB, 21 * MIB, 40 * MIB};

	(void)state;
	world_begin();
	must_be(CALL(ROOT_SLOT(ROOT_KERNEL), Any_move, IN_ROOT, KERNEL.value));
	must_be(slot_make(&world.caps, &root_slots()[ROOT_BOOT], CAP_CNode, 0x40000, CNODE_BYTES, RIGHTS(RIGHTS_ALL)));
	for (unsigned k = 0; k < CNODES; k++)
		must_be(slot_make(&world.caps, &root_slots()[SLOTS + k], CAP_CNode, 0x80000 + k * CNODE_BYTES, CNODE_BYTES,
		                  RIGHTS(RIGHTS_ALL)));
	must_be(CALL(ROOT_SLOT(ROOT_RAM), Any_move, ROOT_SLOT(ROOT_BOOT).value, 0));
	for (unsigned k = REGIONS - 1; k > 0; k--)
		must_be(platform_split(CAP(ROOT_BOOT, 0), borders[k], CAP(ROOT_BOOT, k)));
	must_be(CALL(CAP(ROOT_BOOT, 0), Any_retype, IN_ROOT, 20, TYPE_COUNT(Frame, 1), 0, OWN));

	m = (struct monitor){.core = THIS_CORE};
	memset(used, 0, sizeof used);
	most_slots = CNODES * CNODE_SLOTS;
	used_slots = reports = 0;
	must_be(blocks_start(&m));
	assert_int_equal(m.roots, REGIONS);
	assert_int_equal(m.ram.free, RAM_BYTES - OWN);
	return 0;
}

static void check(void)
{
	uint64_t sum = 0;

	check_tree(world.caps.root, NULL);
	check_slots();
	for (unsigned i = 0; i < m.roots; i++) {
		const struct slot *s = cap_slot(root_slots(), m.root[i].cap);

		assert_int_equal(s->type, CAP_RAM);
		assert_int_equal(s->base, m.root[i].base);
		assert_int_equal(s->size, m.root[i].bytes);
		sum += s->size;
	}
	assert_int_equal(sum, m.ram.total + OWN);
}

/* All that is free can be taken, in pieces as large as they are said to be, and comes back. */
static void use_all(void)
{
	static struct block all[MEMORY_RANGES];
	const uint64_t free = m.ram.free;
	unsigned n = 0;

	for (uint64_t largest; (largest = ram_largest(&m.ram, 0, UINT64_MAX)) > 0; n++)
		must_be(block_take(&m, CAP_RAM, largest, &all[n]));
	assert_int_equal(m.ram.free, 0);
	while (n > 0)
		block_give(&m, &all[--n]);
	assert_int_equal(m.ram.free, free);
}

static int tear_down(void **state)
{
	(void)state;
	check();
	use_all();
	world_end();
	return 0;
}

static void part_with(struct block *b)
{
	const struct block was = *b;
	const uint64_t total = m.ram.total, free = m.ram.free;

	block_part_with(&m, b);
	assert_int_equal(b->bytes, 0);
	assert_int_equal(m.ram.total, total - was.bytes);
	assert_int_equal(m.ram.free, free);
	must_be(CALL(KERNEL, Kernel_find, was.base, was.bytes, FIND_ANY));
	assert_int_equal(world.last.value[0], 0);
	check();
}

/* ---- Tests ---- */

static uint32_t below(uint32_t limit)
{
	return random_number() % limit;
}

/* Memory for 63 cores, blocks of this core's own in between; the cores come up in any order, or never. */
static void memory_of_other_cores(void **state)
{
	struct block other[OTHERS * PIECES], own[OTHERS];
	unsigned left = OTHERS * PIECES;

	for (random_state = 1; random_state < 1000 * 7; random_state += 1000) {
		const uint64_t seed = random_state;

		for (unsigned n = 0; n < OTHERS; n++) {
			for (unsigned k = 0; k < PIECES; k++)
				must_be(block_take(&m, CAP_RAM, (1 + below(120)) * PAGE_BYTES, &other[n * PIECES + k]));
			must_be(block_take(&m, below(2) ? CAP_RAM : CAP_Frame, (1 + below(4)) * PAGE_BYTES, &own[n]));
		}
		for (left = OTHERS * PIECES; left > 0; left--) {
			unsigned n = below(left);

			if (below(8) == 0)
				block_give(&m, &other[n]);
			else
				part_with(&other[n]);
			other[n] = other[left - 1];
		}
		use_all();
		for (unsigned n = 0; n < OTHERS; n++)
			block_give(&m, &own[n]);
		assert_in_range(m.roots, 1, RAM_ROOTS - 1);
		assert_int_equal(reports, 0);
		tear_down(state);
		set_up(state);
		random_state = seed;
	}
}

/* Where in its root a block lies decides how many roots there are then. */
static void low_end_high_end_middle_all(void **state)
{
	const uint64_t base = m.root[2].base, bytes = m.root[2].bytes;
	struct block b[4];

	(void)state;
	assert_int_equal(bytes, MIB);
	must_be(block_take_within(&m, CAP_RAM, 64 * KIB, base + 128 * KIB, base + 192 * KIB, &b[0]));    /* the middle */
	must_be(block_take_within(&m, CAP_RAM, 128 * KIB, base, base + 128 * KIB, &b[1]));               /* all of what is left below it */
	must_be(block_take_within(&m, CAP_RAM, 64 * KIB, base + bytes - 64 * KIB, base + bytes, &b[2])); /* a high end */
	must_be(block_take_within(&m, CAP_RAM, 64 * KIB, base + 192 * KIB, base + 256 * KIB, &b[3]));    /* a low end */
	part_with(&b[0]);
	assert_int_equal(m.roots, REGIONS + 1);
	part_with(&b[1]);
	assert_int_equal(m.roots, REGIONS);
	part_with(&b[2]);
	part_with(&b[3]);
	assert_int_equal(m.roots, REGIONS);
	assert_int_equal(used_slots, 1); /* of the part above the middle; the one from the start is empty now */
	/* and that slot comes back with the last of the root */
	must_be(block_take_within(&m, CAP_RAM, bytes - 320 * KIB, base, base + bytes, &b[0]));
	part_with(&b[0]);
	assert_int_equal(m.roots, REGIONS - 1);
	assert_int_equal(used_slots, 0);
}

/* A block of a whole root is a copy of it. Revoked, as a domain's is at its end, it is the only one: the memory is not lost. */
static void block_of_a_whole_root(void **state)
{
	const uint64_t base = m.root[2].base, bytes = m.root[2].bytes;
	struct block b;

	(void)state;
	for (unsigned round = 0; round < 2; round++) {
		must_be(block_take_within(&m, CAP_RAM, bytes, base, base + bytes, &b));
		must_be(repeat(b.cap, OP_Any_revoke, 0));
		block_give(&m, &b);
		assert_int_equal(reports, 0);
		assert_int_equal(m.ram.free, RAM_BYTES - OWN);
		assert_int_equal(used_slots, 1); /* the root's own now, instead of the one from the start, and then instead of the first */
		check();
	}
}

/* ---- What comes back ---- */

static void adopt(uint64_t base, uint64_t bytes)
{
	cap_t ram;

	must_be(cap_slot_alloc(&ram));
	must_be(platform_install(ram, &(struct platform_remote){CAP_RAM, RIGHTS_ALL, THIS_CORE, base, bytes, 0}));
	must_be(block_adopt(&m, ram));
	check();
}

/* All that other cores had, in any order; some blocks are out meanwhile, and one is all of a root. In the end it is as if nothing had gone,
 * and blocks may be larger than what came. */
static void all_comes_back(void **state)
{
	struct block other[OTHERS * PIECES], own[OTHERS];
	struct memory_range piece[OTHERS * PIECES];

	(void)state;
	for (random_state = 1; random_state < 1000 * 5; random_state += 1000) {
		const uint64_t seed = random_state;

		for (unsigned n = 0; n < OTHERS * PIECES; n++)
			must_be(block_take(&m, CAP_RAM, (1 + below(120)) * PAGE_BYTES, &other[n]));
		for (unsigned n = 0; n < OTHERS * PIECES; n++) {
			piece[n] = (struct memory_range){other[n].base, other[n].bytes};
			part_with(&other[n]);
		}
		for (unsigned n = 0; n < OTHERS; n++)
			must_be(block_take(&m, below(2) ? CAP_RAM : CAP_Frame, (1 + below(4)) * PAGE_BYTES, &own[n]));
		for (unsigned left = OTHERS * PIECES; left > 0; left--) {
			const unsigned n = below(left);

			adopt(piece[n].base, piece[n].bytes);
			piece[n] = piece[left - 1];
		}
		for (unsigned n = 0; n < OTHERS; n++)
			block_give(&m, &own[n]);
		assert_int_equal(m.roots, 2); /* the monitor's own, and the rest */
		assert_int_equal(used_slots, 1);
		assert_int_equal(m.ram.free, RAM_BYTES - OWN);
		assert_int_equal(cap_slot(root_slots(), CAP(ROOT_BOOT, 0))->type, CAP_RAM);
		assert_int_equal(ram_largest(&m.ram, 0, UINT64_MAX), RAM_BYTES - m.root[0].bytes);
		assert_int_equal(reports, 0);
		random_state = seed;
	}
}

/* A piece that is given away and comes back for ever leaves nothing behind. */
static void coming_and_going(void **state)
{
	struct block b;

	(void)state;
	for (unsigned round = 0; round < 2 * RAM_ROOTS; round++) {
		const uint64_t at = m.root[0].base + MIB + below(64) * 8 * PAGE_BYTES, bytes = (1 + below(8)) * PAGE_BYTES;

		must_be(block_take_within(&m, CAP_RAM, bytes, at, at + bytes, &b));
		part_with(&b);
		adopt(at, bytes);
		assert_in_range(m.roots, 1, REGIONS + 1);
	}
}

/* What a domain has of it may be known to other cores: then it is no part of anything but as it is. */
static void known_elsewhere(void **state)
{
	const uint64_t base = m.root[2].base;
	struct block b;
	cap_t shared;

	(void)state;
	must_be(block_take_within(&m, CAP_RAM, 64 * KIB, base, base + 64 * KIB, &b));
	part_with(&b);
	must_be(cap_slot_alloc(&shared));
	must_be(CALL(m.root[2].cap, Any_copy, ROOT_SLOT(shared.value >> 8).value, shared.value & 0xff));
	must_be(platform_mark(shared, true, THIS_CORE));
	adopt(base, 64 * KIB);
	assert_int_equal(m.roots, REGIONS); /* joined with what lies below only */
	must_be(platform_mark(shared, false, THIS_CORE));
	must_be(cap_delete(shared));
	cap_slot_free(shared);
}

/* Without a slot for the joint one they stay two. */
static void no_slot_to_join_with(void **state)
{
	const uint64_t base = m.root[2].base;
	struct block b;

	(void)state;
	must_be(block_take_within(&m, CAP_RAM, 64 * KIB, base, base + 64 * KIB, &b));
	part_with(&b);
	most_slots = used_slots + 1;
	adopt(base, 64 * KIB);
	assert_int_equal(m.roots, REGIONS + 1);
	most_slots = CNODES * CNODE_SLOTS;
}

/* Then the memory is another core's all the same, and somebody is told that it stays covered here. */
static void no_slot_to_cut_with(void **state)
{
	struct block b;

	(void)state;
	must_be(block_take_within(&m, CAP_RAM, 64 * KIB, m.root[2].base + 64 * KIB, m.root[2].base + 128 * KIB, &b));
	most_slots = 1;
	block_part_with(&m, &b);
	assert_int_equal(reports, 1);
	assert_int_equal(b.bytes, 0);
	assert_int_equal(m.ram.total, RAM_BYTES - OWN - 64 * KIB);
	m.ram.total += 64 * KIB; /* for the check that all roots are free memory */
	most_slots = CNODES * CNODE_SLOTS;
}

static void too_many_roots(void **state)
{
	struct block b;
	unsigned roots = m.roots;

	(void)state;
	must_be(block_take_within(&m, CAP_RAM, 64 * KIB, m.root[2].base + 64 * KIB, m.root[2].base + 128 * KIB, &b));
	m.root[RAM_ROOTS - 1].bytes = 0;
	m.roots = RAM_ROOTS;
	block_part_with(&m, &b);
	assert_int_equal(reports, 1);
	m.roots = roots;
	m.ram.total += 64 * KIB;
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    T(memory_of_other_cores), T(low_end_high_end_middle_all), T(block_of_a_whole_root), T(all_comes_back), T(coming_and_going),
	    T(known_elsewhere),       T(no_slot_to_join_with),        T(no_slot_to_cut_with),   T(too_many_roots),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
