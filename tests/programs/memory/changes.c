/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* What one member changes holds for all, and only those hear of it that have to. */

#include <stdatomic.h>
#include <sys/mman.h>

#include "tests/programs/memory/memory.h"

#define PAGES 32

static uint64_t read_there(uint64_t address)
{
	return *(volatile uint64_t *)address;
}

static uint64_t drops_there(uint64_t unused)
{
	struct memory_counts counts;

	(void)unused;
	memory_counts(&counts);
	return counts.drops;
}

static uint64_t all_drops(void)
{
	uint64_t sum = 0;

	for (unsigned m = 0; m <= others; m++)
		sum += on(m, drops_there, NULL);
	return sum;
}

static const char *check_rights(void)
{
	volatile uint64_t *at;
	void *out;

	CHECK(is_ok(memory_map(PAGES * PAGE_BYTES, READ_WRITE, PLACE_TOUCH, &out)));
	at = out;
	*at = 77;
	CHECK(on_all_others(writable_there, out, 1) == others);
	*at = 77;
	CHECK(is_ok(memory_protect(out, PAGES * PAGE_BYTES, RIGHTS(RIGHT_READ))));
	CHECK(on_all_others(writable_there, out, 0) == others);
	CHECK(on_all_others(read_there, out, 77) == others);
	CHECK(is_ok(memory_protect(out, PAGES * PAGE_BYTES, RIGHTS(0))));
	CHECK(on_all_others(readable_there, out, 0) == others);
	CHECK(is_ok(memory_protect(out, PAGES * PAGE_BYTES, READ_WRITE)));
	CHECK(on_all_others(read_there, out, 77) == others);
	CHECK(is_ok(memory_unmap(out, PAGES * PAGE_BYTES)));
	return NULL;
}

/* A page in the middle goes, its neighbours stay. */
static const char *check_a_page_of_many(void)
{
	char *at;
	void *out;

	CHECK(is_ok(memory_map(PAGES * PAGE_BYTES, READ_WRITE, PLACE_NOW, &out)));
	at = out;
	for (unsigned i = 0; i < PAGES; i++)
		*(uint64_t *)(at + i * PAGE_BYTES) = i;
	for (unsigned i = 0; i < PAGES; i++)
		CHECK(on_all_others(read_there, at + i * PAGE_BYTES, i) == others);
	CHECK(is_ok(memory_unmap(at + 5 * PAGE_BYTES, PAGE_BYTES)));
	CHECK(on_all_others(readable_there, at + 5 * PAGE_BYTES, 0) == others);
	for (unsigned i = 0; i < PAGES; i++)
		if (i != 5)
			CHECK(on_all_others(read_there, at + i * PAGE_BYTES, i) == others);
	CHECK(err_is(memory_unmap(at, PAGES * PAGE_BYTES), ERR_NUMBER_NOT_MAPPED));
	CHECK(is_ok(memory_unmap(at, 5 * PAGE_BYTES)));
	CHECK(is_ok(memory_unmap(at + 6 * PAGE_BYTES, (PAGES - 6) * PAGE_BYTES)));
	return NULL;
}

static const char *check_forgotten(void)
{
	uint64_t *at = mmap(NULL, PAGES * PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(at != MAP_FAILED);
	*at = 5;
	CHECK(on_all_others(read_there, at, 5) == others);
	CHECK(madvise(at, PAGES * PAGE_BYTES, MADV_DONTNEED) == 0);
	CHECK(on_all_others(read_there, at, 0) == others);
	CHECK(*at == 0);
	CHECK(munmap(at, PAGES * PAGE_BYTES) == 0);
	return NULL;
}

/* Members 1 .. users have touched it: so many messages take it away. */
static const char *check_who_hears(void)
{
	for (unsigned users = 0; users <= others; users++) {
		uint64_t before;
		void *out;

		CHECK(is_ok(memory_map(PAGES * PAGE_BYTES, READ_WRITE, PLACE_TOUCH, &out)));
		*(volatile uint64_t *)out = users;
		for (unsigned m = others; m > others - users; m--)
			CHECK(on(m, read_there, out) == users);
		before = all_drops();
		CHECK(is_ok(memory_unmap(out, PAGES * PAGE_BYTES)));
		CHECK(all_drops() - before == users);
	}
	return NULL;
}

bool check_changes(void)
{
	bool ok = report("rights", check_rights());

	ok &= report("a_page_of_many", check_a_page_of_many());
	ok &= report("forgotten", check_forgotten());
	ok &= report("who_hears", check_who_hears());
	return ok;
}
