/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Pages of 1 GiB, on a machine that has the memory for a few. What the page tables really are somebody else has to look at
 * (tests/boot/test_memory.py): at each step a line says whose tables and which address, and the program waits for an answer. */

#include <stdio.h>

#include <atoll/capability.h>

#include "tests/programs/memory/memory.h"

#define HUGE GIB
#define HOLE (700 * MIB + 5 * PAGE_BYTES)
#define KEPT (8 * MIB) /* what the library OS may keep of memory that it has had: free pages, page tables */

static uint64_t page_table(uint64_t argument)
{
	struct cap_identity table;

	(void)argument;
	return is_ok(cap_identify(CAP_PAGE_TABLE4, &table)) ? table.base : 0;
}

static void show(const char *step, unsigned member, const char *at)
{
	printf("memory huge: %s: table %#llx address %#llx\n", step, (unsigned long long)on(member, page_table, NULL),
	       (unsigned long long)(uintptr_t)at);
	fflush(stdout);
	while (getchar() != '\n')
		;
}

/* Made into something. */
static uint64_t used(void)
{
	struct memory_usage usage;

	memory_usage(&usage);
	return usage.granted - usage.free;
}

/* At both ends, and around the hole that is going to be there. */
static const uint64_t places[] = {0, HOLE - sizeof(uint64_t), HOLE, HOLE + PAGE_BYTES, HUGE - sizeof(uint64_t)};
#define PLACES (sizeof places / sizeof places[0])

static bool all_are(const char *at, uint64_t factor)
{
	for (unsigned i = 0; i < PLACES; i++)
		if (*(const volatile uint64_t *)(at + places[i]) != factor * (i + 1))
			return false;
	return true;
}

static void fill(char *at)
{
	for (unsigned i = 0; i < PLACES; i++)
		*(volatile uint64_t *)(at + places[i]) = i + 1;
}

static const char *map_on(unsigned member, uint64_t bytes, char **at)
{
	void *out;

	CHECK(is_ok(memory_map_with(bytes, READ_WRITE, PLACE_NOW, (struct memory_policy){MEMORY_BIND, UINT64_C(1) << member}, &out)));
	*at = out;
	CHECK((uint64_t)out % HUGE == 0);
	for (uint64_t i = 0; i < bytes; i += HUGE)
		CHECK(all_are(*at + i, 0));
	return NULL;
}

/* All of it changes its rights as one page does; a part of it makes it smaller pages. */
static const char *check_parts(unsigned member, char *at)
{
	fill(at);
	show("whole", member, at + HOLE);
	CHECK(is_ok(memory_protect(at, HUGE, RIGHTS(RIGHT_READ))) && all_are(at, 1) && !is_writable(at));
	show("read only", member, at + HOLE);
	CHECK(is_ok(memory_protect(at, HUGE, RIGHTS(0))) && !is_readable(at + HOLE));
	CHECK(is_ok(memory_protect(at, HUGE, READ_WRITE)) && all_are(at, 1) && is_writable(at + PAGE_BYTES));
	show("whole", member, at + HOLE);
	CHECK(is_ok(memory_protect(at + HOLE, PAGE_BYTES, RIGHTS(RIGHT_READ))) && all_are(at, 1));
	CHECK(!is_writable(at + HOLE) && is_writable(at + HOLE - 2 * PAGE_BYTES) && is_writable(at + HOLE + 2 * PAGE_BYTES));
	show("page", member, at + HOLE);
	show("beside", member, at + HOLE + PAGE_BYTES_LARGE);
	CHECK(is_ok(memory_unmap(at + HOLE, PAGE_BYTES)));
	CHECK(!is_readable(at + HOLE) && is_readable(at + HOLE - PAGE_BYTES) && is_readable(at + HOLE + PAGE_BYTES));
	CHECK(is_ok(memory_unmap(at, HUGE / 2)) && !is_readable(at) && !is_readable(at + HUGE / 2 - PAGE_BYTES) &&
	      is_readable(at + HUGE / 2));
	CHECK(is_ok(memory_unmap(at + HUGE / 2, HOLE - HUGE / 2)));
	CHECK(is_ok(memory_unmap(at + HOLE + PAGE_BYTES, HUGE - HOLE - PAGE_BYTES)));
	return NULL;
}

static const char *check_cut(void)
{
	char *at;
	const char *failed = map_on(0, HUGE, &at);

	return failed == NULL ? check_parts(0, at) : failed;
}

/* All of it comes back. */
static const char *check_two(void)
{
	uint64_t before = used();
	char *at;
	const char *failed = map_on(0, 2 * HUGE, &at);

	if (failed != NULL)
		return failed;
	fill(at);
	fill(at + HUGE);
	show("first", 0, at + HUGE / 4);
	show("second", 0, at + HUGE + HUGE / 4);
	CHECK(all_are(at, 1) && all_are(at + HUGE, 1));
	CHECK(used() + KEPT >= before + 2 * HUGE);
	CHECK(is_ok(memory_unmap(at, 2 * HUGE)) && used() <= before + KEPT);
	return NULL;
}

/* What was cut is whole again, and empty; who comes too late gets smaller pages. */
static const char *check_late(void)
{
	uint64_t before = used();
	char *at, *late;
	const char *failed = map_on(0, 2 * HUGE, &at);

	if (failed != NULL)
		return failed;
	fill(at);
	show("first", 0, at + HOLE);
	failed = map_on(0, HUGE, &late);
	if (failed != NULL)
		return failed;
	fill(late);
	show("too late", 0, late + HUGE / 4);
	CHECK(all_are(at, 1) && all_are(at + HUGE, 0) && all_are(late, 1));
	CHECK(is_ok(memory_unmap(late, HUGE)) && is_ok(memory_unmap(at, 2 * HUGE)) && used() <= before + KEPT);
	return NULL;
}

/* Memory of the last member's, which the first one uses, too. */
static const char *check_shared(void)
{
	char *at;
	const char *failed = map_on(others, HUGE, &at);

	if (failed != NULL)
		return failed;
	fill(at);
	show("elsewhere", 0, at + HOLE);
	failed = check_parts(others, at);
	CHECK(failed != NULL || on(others, readable_there, at + HOLE + PAGE_BYTES) == 0);
	return failed;
}

bool check_huge(bool only_one)
{
	bool ok;

	if (others > 0)
		return report("huge_shared", check_shared());
	if (only_one)
		return report("huge_cut", check_cut());
	ok = report("huge_two", check_two());
	ok &= report("huge_cut", check_cut());
	ok &= report("huge_late", check_late());
	return ok;
}
