// sources: boot/loader/ranges.c boot/loader/boot_information.c boot/loader/regions.c numa/model/query.c
/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* The loader's pure parts: GRUB's tags, sets of ranges, and the regions that a CPU driver is told. */

#include "boot/loader/boot_information.h"
#include "boot/loader/multiboot2.h"
#include "boot/loader/regions.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- ranges ---- */

/* The same operations on one byte per page: slow and obvious. */
#define PAGES 64

static void check_against_pages(const struct ranges *r, const uint8_t *page)
{
	uint64_t in = 0;

	for (uint32_t i = 0; i < r->count; i++) {
		assert_true(r->range[i].base < r->range[i].end);
		assert_true(i == 0 || r->range[i - 1].end < r->range[i].base);
		for (uint64_t p = r->range[i].base; p < r->range[i].end; p += PAGE_BYTES)
			assert_true(page[p / PAGE_BYTES]);
	}
	for (unsigned i = 0; i < PAGES; i++)
		in += page[i] ? PAGE_BYTES : 0;
	assert_int_equal(ranges_bytes(r), in);
}

static void check_gaps(const struct ranges *r, const uint8_t *page)
{
	static struct ranges gaps;
	uint8_t other[PAGES];

	ranges_gaps(r, PAGES * PAGE_BYTES, &gaps);
	for (unsigned i = 0; i < PAGES; i++)
		other[i] = !page[i];
	check_against_pages(&gaps, other);
}

static void ranges_behave_like_sets_of_pages(void **state)
{
	(void)state;
	static struct ranges r;
	uint8_t page[PAGES] = {0};

	srand(1);
	r.count = 0;
	for (int step = 0; step < 20000; step++) {
		unsigned from = (unsigned)rand() % PAGES, to = from + (unsigned)rand() % (PAGES - from + 1);
		bool add = rand() % 2;
		(add ? ranges_add : ranges_remove)(&r, from * PAGE_BYTES, to * PAGE_BYTES);
		memset(page + from, add, to - from);
		check_against_pages(&r, page);
		check_gaps(&r, page);
	}
}

static void the_lowest_place_is_found(void **state)
{
	(void)state;
	static struct ranges r;

	r.count = 0;
	ranges_add(&r, 0x1000, 0x3000);
	ranges_add(&r, 0x20000, 0x28000);
	assert_int_equal(ranges_find_lowest(&r, 0x1000, 0, UINT64_MAX), 0x1000);
	assert_int_equal(ranges_find_lowest(&r, 0x2000, 0, UINT64_MAX), 0x1000);
	assert_int_equal(ranges_find_lowest(&r, 0x2001, 0, UINT64_MAX), 0x20000);
	assert_int_equal(ranges_find_lowest(&r, 0x1000, 0x2000, UINT64_MAX), 0x2000);
	assert_int_equal(ranges_find_lowest(&r, 0x2000, 0x2000, UINT64_MAX), 0x20000);
	assert_int_equal(ranges_find_lowest(&r, 0x2000, 0, 0x2000), 0);
	assert_int_equal(ranges_find_lowest(&r, 0x8001, 0, UINT64_MAX), 0);
}

static void too_many_ranges_are_noticed(void **state)
{
	(void)state;
	static struct ranges r;

	r.count = 0;
	r.overflow = false;
	for (uint64_t i = 0; i < RANGES_MAX; i++)
		ranges_add(&r, i * 0x2000, i * 0x2000 + 0x1000);
	assert_false(r.overflow);
	ranges_add(&r, 0x10000000, 0x10001000);
	assert_true(r.overflow);
	assert_int_equal(r.count, RANGES_MAX);
}

/* ---- GRUB's tags ---- */

static _Alignas(8) uint8_t tags[4096];
static size_t tag_bytes;

static void begin_tags(void)
{
	tag_bytes = sizeof(struct multiboot2_information);
}

static void *add_tag(uint32_t type, size_t bytes)
{
	struct multiboot2_tag *tag = (void *)(tags + tag_bytes);

	memset(tag, 0, bytes + 16);
	*tag = (struct multiboot2_tag){type, (uint32_t)bytes};
	tag_bytes = (tag_bytes + bytes + 7) & ~UINT64_C(7);
	return tag;
}

static void add_module(const char *string, uint32_t start, uint32_t end)
{
	struct multiboot2_module *m = add_tag(MULTIBOOT2_MODULE, sizeof(*m) + strlen(string) + 1);

	m->start = start;
	m->end = end;
	strcpy((char *)(m + 1), string);
}

static void add_memory(const struct multiboot2_memory *entries, size_t count)
{
	struct multiboot2_memory_map *map = add_tag(MULTIBOOT2_MEMORY_MAP, sizeof(*map) + count * sizeof(*entries));

	map->entry_bytes = sizeof(*entries);
	memcpy(map + 1, entries, count * sizeof(*entries));
}

static void add_plain_memory(void)
{
	add_memory(&(struct multiboot2_memory){0, 64 * MIB, MULTIBOOT2_MEMORY_AVAILABLE, 0}, 1);
}

/* Reads a copy of exactly their size. */
static struct boot_information_error read_tags(struct boot_information *out)
{
	(void)add_tag(MULTIBOOT2_END, sizeof(struct multiboot2_tag));
	((struct multiboot2_information *)(void *)tags)->bytes = (uint32_t)tag_bytes;
	static void *exact;
	free(exact);
	exact = malloc(tag_bytes);
	memcpy(exact, tags, tag_bytes);
	return boot_information_read(exact, tag_bytes, out);
}

static void good_tags_are_read(void **state)
{
	(void)state;
	static struct boot_information information;

	begin_tags();
	char *line = add_tag(MULTIBOOT2_COMMAND_LINE, 8 + 10);
	strcpy(line + 8, "run=shell");
	add_module("cpudriver", 0x100000, 0x101234);
	add_module("archive with more words", 0x200000, 0x200001);
	(void)add_tag(4711, 20);
	memcpy((char *)add_tag(MULTIBOOT2_ACPI_NEW, 8 + 36) + 8, "RSD PTR new", 11);
	memcpy((char *)add_tag(MULTIBOOT2_ACPI_OLD, 8 + 20) + 8, "RSD PTR old", 11);
	const struct multiboot2_memory map[] = {{0x100000, 0x6fe0000, 1, 0}, {0, 0x9fc00, 1, 0},
	                                        {0x9fc00, 0x400, 2, 0},      {0x70e0000, 0x20000, 1, 0},
	                                        {0x5000800, 0x1000, 3, 0},   {UINT64_C(0x100000000), 0x40000000, 1, 0}};
	add_memory(map, sizeof(map) / sizeof(map[0]));

	assert_null(read_tags(&information).why);
	assert_string_equal(information.command_line, "run=shell");
	assert_int_equal(information.modules, 2);
	assert_int_equal(boot_information_module(&information, "cpudriver")->bytes, 0x1234);
	assert_int_equal(boot_information_module(&information, "archive")->base, 0x200000);
	assert_null(boot_information_module(&information, "acpi"));
	assert_int_equal(information.rsdp_bytes, 36);
	assert_memory_equal(information.rsdp, "RSD PTR new", 11);

	const struct range want[] = {{0x1000, 0x9f000}, {0x100000, 0x5000000}, {0x5002000, 0x7100000}, {0x100000000, 0x140000000}};
	assert_int_equal(information.memory.count, 4);
	assert_memory_equal(information.memory.range, want, sizeof(want));
}

static void refused(const char *sentence, const char *name)
{
	static struct boot_information information;
	struct boot_information_error e = read_tags(&information);

	assert_non_null(e.why);
	if (!strstr(e.why, sentence))
		fail_msg("\"%s\" does not say \"%s\"", e.why, sentence);
	assert_string_equal(e.name, name);
}

static void refused_module(const char *name, uint32_t from, uint32_t to, const char *sentence, const char *about)
{
	begin_tags();
	add_module(name, from, to);
	refused(sentence, about);
}

static void damaged_tags_are_refused(void **state)
{
	(void)state;
	begin_tags();
	refused("no memory map", "");

	refused_module("", 0x1000, 0x2000, "no name", "");
	refused_module("a-name-of-twenty-four-ch", 0x1000, 0x2000, "more than 23", "");
	refused_module("monitor", 0x1000, 0x1000, "is empty", "monitor");
	refused_module("monitor", 0x1001, 0x2000, "page boundary", "monitor");

	begin_tags();
	add_module("monitor", 0x1000, 0x2000);
	add_module("monitor", 0x3000, 0x4000);
	refused("twice", "monitor");

	begin_tags();
	for (char name[] = "0"; name[0] <= '8'; name[0]++)
		add_module(name, 0x1000, 0x2000);
	refused("8 boot modules", "8");

	begin_tags();
	memset((char *)add_tag(MULTIBOOT2_COMMAND_LINE, 12) + 8, 'x', 4);
	refused("command line does not end", "");

	begin_tags();
	add_plain_memory();
	((struct multiboot2_memory_map *)(void *)(tags + 8))->entry_bytes = 8;
	refused("memory map is damaged", "");

	begin_tags();
	(void)add_tag(MULTIBOOT2_MEMORY_MAP, 8);
	refused("memory map is damaged", "");

	begin_tags();
	add_plain_memory();
	((struct multiboot2_tag *)(void *)(tags + 8))->bytes = 7;
	refused("damaged tag", "");

	begin_tags();
	add_plain_memory();
	((struct multiboot2_tag *)(void *)(tags + 8))->bytes = 5000;
	refused("damaged tag", "");
}

static void the_size_is_believed_only_as_far_as_it_goes(void **state)
{
	(void)state;
	static struct boot_information information;
	struct multiboot2_information head = {4096, 0};

	assert_non_null(boot_information_read(&head, sizeof(head), &information).why);
	head.bytes = 4;
	assert_non_null(boot_information_read(&head, sizeof(head), &information).why);
	head.bytes = 8;
	assert_non_null(boot_information_read(&head, sizeof(head), &information).why);
}

/* ---- regions ---- */

static void a_fragmented_map_keeps_the_largest_ranges(void **state)
{
	(void)state;
	static struct ranges r;

	r.count = 0;
	for (uint64_t i = 0; i < 100; i++)
		ranges_add(&r, i * MIB, i * MIB + (i + 1) * PAGE_BYTES);
	assert_true(regions_keep_largest(&r));
	assert_int_equal(r.count, 20);
	assert_int_equal(r.range[0].base, 80 * MIB);
	assert_false(regions_keep_largest(&r));
}

static struct boot_information information;
static struct reserved_memory reserved;
static struct machine machine;
static struct core_boot boot;

static void set_up_regions(void)
{
	information = (struct boot_information){.modules = 2};
	information.module[0] = (struct boot_module){"cpudriver", 0x120000, 0x1234};
	information.module[1] = (struct boot_module){"monitor", 0x122000, 0x1000};
	ranges_add(&information.memory, 0x1000, 0x9f000);
	ranges_add(&information.memory, 0x100000, 0x7ff00000);
	ranges_add(&information.memory, 4 * GIB, 6 * GIB);
	reserved = (struct reserved_memory){
	    .trampoline = {0x9e000, 0x9f000},
	    .tables = {0x7fef0000, 0x7ff00000},
	    .rsdp = {0x7feef000, 0x7fef0000},
	    .image = {6 * GIB - MIB, 6 * GIB},
	};
	memset(&machine, 0, sizeof(machine));
	machine.node_count = 2;
	machine.range_count = 3;
	machine.ranges[0] = (struct machine_range){.base = 0, .size = GIB, .node = 0};
	machine.ranges[1] = (struct machine_range){.base = GIB, .size = GIB, .node = 1};
	machine.ranges[2] = (struct machine_range){.base = 4 * GIB, .size = 2 * GIB, .node = 1};
	memset(&boot, 0, sizeof(boot));
}

static void build_regions(unsigned node)
{
	const struct region_sources sources = {&information, &reserved, &machine, UINT64_C(1) << 40, node};

	regions_build(&sources, &boot);
}

/* No byte belongs to two regions, and all but the page tables' belong to one. */
static void check_partition(void)
{
	static struct ranges all;
	uint64_t bytes = 0;

	all.count = 0;
	for (uint32_t i = 0; i < boot.regions; i++) {
		const struct region *r = &boot.region[i];
		assert_true(r->bytes > 0 && r->base % PAGE_BYTES == 0 && r->bytes % PAGE_BYTES == 0);
		ranges_add(&all, r->base, r->base + r->bytes);
		bytes += r->bytes;
	}
	assert_int_equal(ranges_bytes(&all), bytes);
	ranges_add(&all, reserved.tables.base, reserved.tables.end);
	assert_int_equal(ranges_bytes(&all), bytes + (reserved.tables.end - reserved.tables.base));
	assert_int_equal(all.count, 1);
	assert_int_equal(all.range[0].base, 0);
	assert_int_equal(all.range[0].end, UINT64_C(1) << 40);
}

static const struct region *first_of(enum region_kind kind)
{
	for (uint32_t i = 0; i < boot.regions; i++)
		if (boot.region[i].kind == kind)
			return &boot.region[i];
	return NULL;
}

static void every_address_has_one_kind(void **state)
{
	(void)state;
	set_up_regions();
	build_regions(0);
	check_partition();
	assert_int_equal(first_of(REGION_TRAMPOLINE)->base, 0x9e000);
	assert_int_equal(first_of(REGION_IMAGE)->base, 6 * GIB - MIB);
	assert_int_equal(first_of(REGION_MODULE)->bytes, 0x2000);
	assert_int_equal(boot.modules, 2);
	assert_string_equal(boot.module[1].name, "monitor");
}

static void own_memory_comes_first_and_ranges_end_where_nodes_do(void **state)
{
	(void)state;
	set_up_regions();
	build_regions(0);
	assert_int_equal(first_of(REGION_RAM)->base, 0x123000);
	assert_int_equal(first_of(REGION_RAM)->bytes, GIB - 0x123000);

	set_up_regions();
	build_regions(1);
	check_partition();
	assert_int_equal(first_of(REGION_RAM)->base, 4 * GIB);
	for (uint32_t i = 0; i < boot.regions; i++) {
		const struct region *r = &boot.region[i];
		if (r->kind == REGION_RAM)
			assert_int_equal(machine_node_of_address(&machine, r->base),
			                 machine_node_of_address(&machine, r->base + r->bytes - 1));
	}
}

static void a_module_outside_the_memory_map_is_no_device(void **state)
{
	(void)state;
	set_up_regions();
	information.module[1].base = 0xc0000000;
	build_regions(0);
	check_partition();
}

static void no_more_regions_than_fit(void **state)
{
	(void)state;
	set_up_regions();
	for (unsigned i = 0; i < 200; i++)
		ranges_remove(&information.memory, 0x10000000 + i * 0x10000, 0x10001000 + i * 0x10000 + i / 2 * 0x1000);
	assert_true(regions_keep_largest(&information.memory));
	machine.range_count = 64;
	for (unsigned i = 0; i < 64; i++)
		machine.ranges[i] = (struct machine_range){.base = i * 128 * MIB, .size = 128 * MIB, .node = (uint16_t)(i % 2)};
	build_regions(0);
	assert_int_equal(boot.regions, REGIONS_MAX);
	assert_non_null(first_of(REGION_TRAMPOLINE));
	assert_non_null(first_of(REGION_IMAGE));
	assert_int_equal(machine_node_of_address(&machine, first_of(REGION_RAM)->base), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(ranges_behave_like_sets_of_pages),
	    cmocka_unit_test(the_lowest_place_is_found),
	    cmocka_unit_test(too_many_ranges_are_noticed),
	    cmocka_unit_test(good_tags_are_read),
	    cmocka_unit_test(damaged_tags_are_refused),
	    cmocka_unit_test(the_size_is_believed_only_as_far_as_it_goes),
	    cmocka_unit_test(a_fragmented_map_keeps_the_largest_ranges),
	    cmocka_unit_test(every_address_has_one_kind),
	    cmocka_unit_test(own_memory_comes_first_and_ranges_end_where_nodes_do),
	    cmocka_unit_test(a_module_outside_the_memory_map_is_no_device),
	    cmocka_unit_test(no_more_regions_than_fit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
