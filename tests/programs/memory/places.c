/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Whose memory it is. */

#include <stdatomic.h>
#include <string.h>

#include "tests/programs/memory/memory.h"

#define BYTES (4 * MEMORY_INTERLEAVE_BYTES)

static uint64_t read_there(uint64_t address)
{
	return *(volatile uint64_t *)address;
}

static uint64_t add_there(uint64_t address)
{
	return atomic_fetch_add((_Atomic uint64_t *)address, 1);
}

static const char *map_as(enum memory_kind kind, uint64_t members, enum placement placement, uint64_t bytes, char **out)
{
	void *at;

	CHECK(is_ok(memory_map_with(bytes, READ_WRITE, placement, (struct memory_policy){kind, members}, &at)));
	*out = at;
	return NULL;
}

static unsigned member_at(const void *address)
{
	struct memory_place place;

	return is_ok(memory_where(address, &place)) ? place.member : SPAN_MAX;
}

static const char *check_bind(void)
{
	struct memory_place place;
	struct span_place members[SPAN_MAX];
	char *at;

	CHECK(span_members(members, SPAN_MAX) == others + 1);
	for (unsigned m = 0; m <= others; m++) {
		const char *failed = map_as(MEMORY_BIND, UINT64_C(1) << m, PLACE_TOUCH, BYTES, &at);

		if (failed != NULL)
			return failed;
		CHECK(err_is(memory_where(at, &place), ERR_NUMBER_NOT_MAPPED));
		strcpy(at, "bound");
		CHECK(is_ok(memory_where(at, &place)));
		CHECK(place.home == m && place.member == m && place.node == members[m].node && place.paddr.value != 0);
		CHECK((memory_members_of_node(place.node) >> m & 1) != 0);
		CHECK(is_ok(memory_unmap(at, BYTES)));
	}
	CHECK(err_is(memory_map_with(BYTES, READ_WRITE, PLACE_NOW, (struct memory_policy){MEMORY_BIND, UINT64_C(1) << 63}, (void **)&at),
	             ERR_NUMBER_PEER_GONE));
	CHECK(err_is(memory_map_with(BYTES, READ_WRITE, PLACE_NOW, (struct memory_policy){MEMORY_BIND, 0}, (void **)&at),
	             ERR_NUMBER_ARGUMENT));
	return NULL;
}

static const char *check_interleave(enum placement placement)
{
	char *at;
	const char *failed = map_as(MEMORY_INTERLEAVE, 0, placement, BYTES * (others + 1), &at);
	unsigned pieces = 4 * (others + 1), count[SPAN_MAX] = {0};

	if (failed != NULL)
		return failed;
	for (unsigned i = 0; i < pieces; i++) {
		CHECK(at[i * MEMORY_INTERLEAVE_BYTES] == 0);
		at[i * MEMORY_INTERLEAVE_BYTES] = (char)i;
		CHECK(member_at(at + i * MEMORY_INTERLEAVE_BYTES) <= others);
		count[member_at(at + i * MEMORY_INTERLEAVE_BYTES)]++;
	}
	for (unsigned m = 0; m <= others; m++)
		CHECK(count[m] == 4);
	CHECK(on_all_others(read_there, at + MEMORY_INTERLEAVE_BYTES, 1) == others);
	CHECK(is_ok(memory_unmap(at, BYTES * (others + 1))));
	return NULL;
}

static const char *check_interleave_by_touch(void)
{
	return check_interleave(PLACE_TOUCH);
}
static const char *check_interleave_at_once(void)
{
	return check_interleave(PLACE_NOW);
}

static const char *check_first_touch(void)
{
	char *at;
	const char *failed = map_as(MEMORY_FIRST_TOUCH, 0, PLACE_TOUCH, (others + 1) * MEMORY_INTERLEAVE_BYTES, &at);

	if (failed != NULL)
		return failed;
	for (unsigned m = 0; m <= others; m++) {
		CHECK(on(m, add_there, at + m * MEMORY_INTERLEAVE_BYTES) == 0);
		CHECK(member_at(at + m * MEMORY_INTERLEAVE_BYTES) == m);
		CHECK(*(uint64_t *)(at + m * MEMORY_INTERLEAVE_BYTES) == 1);
	}
	CHECK(is_ok(memory_unmap(at, (others + 1) * MEMORY_INTERLEAVE_BYTES)));
	return NULL;
}

/* Everybody reads what was written last, whoever has written it. */
static const char *check_replicate(enum placement placement)
{
	char *at;
	const char *failed = map_as(MEMORY_REPLICATE, 0, placement, BYTES, &at);

	if (failed != NULL)
		return failed;
	for (unsigned round = 0; round < 3; round++) {
		for (unsigned writer = 0; writer <= others; writer++) {
			char *word = at + writer * PAGE_BYTES;

			CHECK(on(writer, add_there, word) == round);
			CHECK(on_all_others(read_there, word, round + 1) == others && read_there((uint64_t)word) == round + 1);
		}
	}
	CHECK(is_ok(memory_unmap(at, BYTES)));
	CHECK(on_all_others(readable_there, at, 0) == others);
	return NULL;
}

static const char *check_replicate_by_touch(void)
{
	return check_replicate(PLACE_TOUCH);
}
static const char *check_replicate_at_once(void)
{
	return check_replicate(PLACE_NOW);
}

static const char *check_migrate(void)
{
	struct memory_place before, after;
	char *at;
	const char *failed = map_as(MEMORY_LOCAL, 0, PLACE_TOUCH, BYTES, &at);

	if (failed != NULL)
		return failed;
	for (unsigned i = 0; i < BYTES / PAGE_BYTES; i += 3)
		*(uint64_t *)(at + i * PAGE_BYTES) = i;
	for (unsigned to = 0; to <= others + 1; to++) {
		unsigned member = to <= others ? to : 0;

		CHECK(on_all_others(read_there, at + 3 * PAGE_BYTES, 3) == others);
		CHECK(is_ok(memory_where(at, &before)));
		CHECK(is_ok(memory_migrate(at, BYTES, member)));
		CHECK(is_ok(memory_where(at, &after)) && after.member == member && after.home == 0);
		CHECK(before.member == member || after.paddr.value != before.paddr.value);
		for (unsigned i = 0; i < BYTES / PAGE_BYTES; i += 3)
			CHECK(on_all_others(read_there, at + i * PAGE_BYTES, i) == others &&
			      read_there((uint64_t)at + i * PAGE_BYTES) == i);
	}
	CHECK(is_err(memory_migrate(at, BYTES, SPAN_MAX - 1)));
	CHECK(*(uint64_t *)(at + 3 * PAGE_BYTES) == 3);
	CHECK(is_ok(memory_unmap(at, BYTES)));
	CHECK(err_is(memory_migrate(at, BYTES, 0), ERR_NUMBER_NOT_MAPPED));
	return NULL;
}

bool check_places(void)
{
	bool ok = report("bind", check_bind());

	ok &= report("interleave_by_touch", check_interleave_by_touch());
	ok &= report("interleave_at_once", check_interleave_at_once());
	ok &= report("first_touch", check_first_touch());
	ok &= report("replicate_by_touch", check_replicate_by_touch());
	ok &= report("replicate_at_once", check_replicate_at_once());
	ok &= report("migrate", check_migrate());
	return ok;
}
