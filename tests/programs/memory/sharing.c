/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* All members see the same memory. */

#include <stdatomic.h>
#include <string.h>

#include <atoll/capability.h>

#include "tests/programs/memory/memory.h"

#define BYTES (256 * KIB)

static _Atomic uint64_t counter = 40; /* in the program's data */
static char zeroes[3 * PAGE_BYTES];   /* and in what begins with nothing */

static uint64_t count(uint64_t address)
{
	return atomic_fetch_add((_Atomic uint64_t *)address, 1);
}

static const char *check_program_data(void)
{
	_Atomic uint64_t on_the_stack = 0;

	for (unsigned m = 1; m <= others; m++) {
		CHECK(on(m, count, &counter) == 39 + m);
		CHECK(on(m, count, &on_the_stack) == m - 1);
		CHECK(on(m, count, zeroes + PAGE_BYTES) == m - 1);
	}
	CHECK(counter == 40 + others && on_the_stack == others && zeroes[PAGE_BYTES] == (char)others);
	return NULL;
}

/* Every eighth byte says where it is. */
static uint64_t fill(uint64_t address)
{
	uint64_t *words = (uint64_t *)address;

	for (uint64_t i = 0; i < BYTES / 8; i += 8)
		words[i] = (uint64_t)&words[i];
	return 1;
}

static uint64_t is_filled(uint64_t address)
{
	uint64_t *words = (uint64_t *)address;

	for (uint64_t i = 0; i < BYTES / 8; i += 8)
		if (words[i] != (uint64_t)&words[i])
			return 0;
	return 1;
}

static uint64_t map_there(uint64_t placement)
{
	void *out;

	return is_ok(memory_map(BYTES, READ_WRITE, (enum placement)placement, &out)) ? (uint64_t)out : 0;
}

static uint64_t unmap_there(uint64_t address)
{
	return is_ok(memory_unmap((void *)address, BYTES));
}

static const char *check_everybody_s(enum placement placement)
{
	for (unsigned maker = 0; maker <= others; maker++) {
		unsigned writer = others == 0 ? 0 : (maker + 1) % (others + 1);
		uint64_t address = on(maker, map_there, (void *)(uint64_t)placement);
		struct memory_place place;

		CHECK(address != 0 && address != SPAN_FAILED);
		CHECK(on(writer, fill, (void *)address) == 1);
		CHECK(is_ok(memory_where((void *)address, &place)) && place.home == maker && place.member == maker);
		CHECK(is_filled(address));
		CHECK(on_all_others(is_filled, (void *)address, 1) == others);
		CHECK(on(writer, unmap_there, (void *)address) == 1); /* asked for anywhere, done at home */
		CHECK(on_all_others(readable_there, (void *)address, 0) == others && !is_readable((void *)address));
	}
	return NULL;
}

static const char *check_touched_there_first(void)
{
	return check_everybody_s(PLACE_TOUCH);
}

static const char *check_placed_at_once(void)
{
	return check_everybody_s(PLACE_NOW);
}

/* A frame of the program's own capability, and a part of it. */
static const char *check_frames(void)
{
	cap_t frame;
	void *at, *part;

	for (unsigned round = 0; round < 3; round++) {
		CHECK(is_ok(frame_create(BYTES + 8 * PAGE_BYTES, READ_WRITE, &frame, &at, NULL)));
		CHECK(is_ok(frame_map(frame, 8 * PAGE_BYTES, BYTES, READ_WRITE, &part)));
		fill((uint64_t)part);
		CHECK(on_all_others(is_filled, part, 1) == others);
		CHECK(memcmp((char *)at + 8 * PAGE_BYTES, part, BYTES) == 0);
		CHECK(is_ok(frame_unmap(part)));
		CHECK(on_all_others(readable_there, part, 0) == others);
		*(volatile uint64_t *)at = round;
		CHECK(on_all_others(count, at, 0) <= 1);
		CHECK(*(volatile uint64_t *)at == round + others);
		CHECK(is_ok(frame_unmap(at)));
		memory_object_free(frame);
	}
	return NULL;
}

static const char *check_nothing_is_there(void)
{
	void *at;

	CHECK(is_ok(memory_map(PAGE_BYTES, READ_WRITE, PLACE_NOW, &at)));
	CHECK(on_all_others(readable_there, (char *)at + 64 * MIB, 0) == others);
	CHECK(on_all_others(readable_there, (void *)(USER_HEAP + 50 * SPAN_AREA_BYTES), 0) == others);
	CHECK(on_all_others(readable_there, (void *)UINT64_C(0x100), 0) == others);
	CHECK(on_all_others(readable_there, (void *)(USER_TOP - PAGE_BYTES), 0) == others);
	CHECK(!is_readable((void *)(USER_HEAP + SPAN_AREA_BYTES + 64 * MIB)));
	CHECK(is_ok(memory_unmap(at, PAGE_BYTES)));
	return NULL;
}

bool check_sharing(void)
{
	bool ok = report("program_data", check_program_data());

	ok &= report("touched_there_first", check_touched_there_first());
	ok &= report("placed_at_once", check_placed_at_once());
	ok &= report("frames", check_frames());
	ok &= report("nothing_is_there", check_nothing_is_there());
	return ok;
}
