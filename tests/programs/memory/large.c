/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Large regions, and parts of them; memory that runs out. */

#include <stdatomic.h>
#include <stdio.h>

#include "tests/programs/memory/memory.h"

#define LARGE (4 * MIB)

static uint64_t touch_each_page(uint64_t address)
{
	for (uint64_t at = address; at < address + LARGE; at += PAGE_BYTES)
		atomic_fetch_add((_Atomic uint64_t *)at, at);
	return 1;
}

static const char *check_each_page(const char *at, uint64_t hole, uint64_t times)
{
	for (uint64_t i = 0; i < LARGE; i += PAGE_BYTES)
		if (i != hole)
			CHECK(*(const uint64_t *)(at + i) == times * (uint64_t)(at + i));
	return NULL;
}

static const char *check_cut(enum placement placement)
{
	const uint64_t hole = 3 * MIB + 77 * PAGE_BYTES;
	const char *failed;
	char *at;
	void *out;

	CHECK(is_ok(memory_map(LARGE, READ_WRITE, placement, &out)));
	at = out;
	CHECK((uint64_t)at % PAGE_BYTES_LARGE == 0);
	touch_each_page((uint64_t)at);
	CHECK(on_all_others(touch_each_page, at, 1) == others);
	failed = check_each_page(at, LARGE, 1 + others);
	if (failed != NULL)
		return failed;
	CHECK(is_ok(memory_unmap(at + hole, PAGE_BYTES)));
	CHECK(!is_readable(at + hole) && on_all_others(readable_there, at + hole, 0) == others);
	failed = check_each_page(at, hole, 1 + others);
	if (failed != NULL)
		return failed;
	CHECK(is_ok(memory_unmap(at, hole)));
	CHECK(is_ok(memory_unmap(at + hole + PAGE_BYTES, LARGE - hole - PAGE_BYTES)));
	return NULL;
}

static const char *check_cut_at_once(void)
{
	return check_cut(PLACE_NOW);
}
static const char *check_cut_by_touch(void)
{
	return check_cut(PLACE_TOUCH);
}

/* Much more than there is: only what is touched counts. Any page of it can be taken out. */
static const char *check_reserved(void)
{
	char *at;
	void *out;

	CHECK(is_ok(memory_map(8 * GIB, READ_WRITE, PLACE_TOUCH, &out)));
	at = out;
	at[5 * GIB + 123] = 1;
	CHECK(is_ok(memory_unmap(at + 5 * GIB - PAGE_BYTES, PAGE_BYTES)));
	CHECK(!is_readable(at + 5 * GIB - PAGE_BYTES) && at[5 * GIB + 123] == 1 && at[5 * GIB - PAGE_BYTES - 1] == 0);
	CHECK(is_ok(memory_unmap(at, 5 * GIB - PAGE_BYTES)));
	CHECK(is_ok(memory_unmap(at + 5 * GIB, 3 * GIB)));
	return NULL;
}

/* A block of RAM lies where it is asked for, and nowhere else. */
static const char *check_aligned(void)
{
	const unsigned slot = CNODE_SLOTS - 1;
	struct monitor_reply reply;

	CHECK(err_is(monitor_request(REQUEST_memory, 0, 64 * KIB, slot, 3 * PAGE_BYTES).error, ERR_NUMBER_ALIGNMENT));
	CHECK(err_is(monitor_request(REQUEST_memory, 0, 64 * KIB, slot, 16).error, ERR_NUMBER_ALIGNMENT));
	CHECK(err_is(monitor_request(REQUEST_memory, 0, 64 * KIB, slot, 128 * KIB).error, ERR_NUMBER_ARGUMENT));
	CHECK(err_is(monitor_request(REQUEST_memory, 0, 1024 * GIB, slot, 1024 * GIB).error, ERR_NUMBER_NO_MEMORY));
	reply = monitor_request(REQUEST_memory, 0, 64 * KIB, slot, 64 * KIB);
	CHECK(is_ok(reply.error) && reply.word[0] % (64 * KIB) == 0 && reply.word[1] == 64 * KIB);
	CHECK(is_ok(monitor_request(REQUEST_give_back, 0, REVOKE_MEMORY, reply.word[0], 0).error));
	return NULL;
}

bool check_large(void)
{
	bool ok = report("cut_at_once", check_cut_at_once());

	ok &= report("cut_by_touch", check_cut_by_touch());
	ok &= report("reserved", check_reserved());
	ok &= report("aligned", check_aligned());
	return ok;
}

/* ---- Nothing left ---- */

#define BLOCKS 4096

static void *blocks[BLOCKS];

static unsigned take_all(uint64_t bytes, err_t *last)
{
	unsigned count = 0;

	while (count < BLOCKS && is_ok(*last = memory_map(bytes, READ_WRITE, PLACE_NOW, &blocks[count])))
		count++;
	return count;
}

static const char *check_refused(void)
{
	unsigned first = 0;

	for (unsigned round = 0; round < 3; round++) {
		err_t e = OK;
		unsigned count = take_all(MIB, &e);

		if (is_err(e))
			printf("%u MiB, then: %s\n", count, err_sentence(e));
		CHECK(count > 0 && (count == BLOCKS || err_is(e, ERR_NUMBER_NO_MEMORY)));
		for (unsigned i = 0; i < count; i++)
			*(volatile char *)blocks[i] = 1;
		CHECK(err_is(memory_map(count * MIB, READ_WRITE, PLACE_NOW, &blocks[count]), ERR_NUMBER_NO_MEMORY));
		for (unsigned i = 0; i < count; i++)
			CHECK(is_ok(memory_unmap(blocks[i], MIB)));
		if (round == 0)
			first = count;
		CHECK(count + 2 >= first);
	}
	return NULL;
}

bool check_exhaustion(void)
{
	return report("refused", check_refused());
}
