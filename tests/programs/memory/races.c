/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Many at once: everybody writes while the memory moves under them. */

#include <stdatomic.h>

#include <atoll/thread.h>

#include "tests/programs/memory/memory.h"

#define PAGES  24
#define ROUNDS 3000

static uint64_t work(uint64_t address)
{
	for (uint64_t i = 0; i < ROUNDS; i++)
		atomic_fetch_add((_Atomic uint64_t *)(address + i % PAGES * PAGE_BYTES), 1);
	return ROUNDS;
}

static _Atomic bool stop;
static _Atomic unsigned changes;

struct mover {
	char *at;
	const char *failed;
	_Atomic bool done;
};

static const char *move(const struct mover *m)
{
	for (unsigned i = 0; !stop; i++) {
		char *page = m->at + i % PAGES * PAGE_BYTES;

		if (i % 3 == 0)
			CHECK(is_ok(memory_migrate(page, PAGE_BYTES, i % (others + 1))));
		else if (i % 3 == 1)
			CHECK(is_ok(memory_protect(page, PAGE_BYTES, READ_WRITE)));
		else
			CHECK(is_ok(memory_migrate(m->at, PAGES * PAGE_BYTES, i % (others + 1))));
		changes++;
		thread_yield();
	}
	return NULL;
}

static void run_mover(void *argument)
{
	struct mover *m = argument;

	m->failed = move(m);
	m->done = true;
}

static const char *check_moves(enum memory_kind kind)
{
	static struct mover m;
	uint64_t sum = 0;
	void *at;

	stop = false;
	CHECK(is_ok(memory_map_with(PAGES * PAGE_BYTES, READ_WRITE, PLACE_TOUCH, (struct memory_policy){kind, 0}, &at)));
	m.at = at;
	m.done = false;
	CHECK(is_ok(span_run(0, run_mover, &m)));
	CHECK(on_all_others(work, at, ROUNDS) == others);
	stop = true;
	wait_until(&m.done);
	CHECK(m.failed == NULL);
	for (unsigned i = 0; i < PAGES; i++)
		sum += *(uint64_t *)(m.at + i * PAGE_BYTES);
	CHECK(sum == (uint64_t)others * ROUNDS);
	CHECK(is_ok(memory_unmap(at, PAGES * PAGE_BYTES)));
	return NULL;
}

static const char *check_moving_memory(void)
{
	return check_moves(MEMORY_LOCAL);
}
static const char *check_moving_interleaved(void)
{
	return check_moves(MEMORY_INTERLEAVE);
}
static const char *check_moving_replicas(void)
{
	return check_moves(MEMORY_REPLICATE);
}

/* Each member makes, fills, shows and unmaps memory of its own, all at once. */
static uint64_t make_and_end(uint64_t rounds)
{
	for (uint64_t i = 0; i < rounds; i++) {
		void *at;

		if (is_err(memory_map(8 * PAGE_BYTES, READ_WRITE, i % 2 == 0 ? PLACE_TOUCH : PLACE_NOW, &at)))
			return 1;
		for (unsigned page = 0; page < 8; page++) {
			volatile uint64_t *word = (uint64_t *)((char *)at + page * PAGE_BYTES);

			if (*word != 0)
				return 2;
			*word = i;
		}
		if (is_err(memory_unmap(at, 8 * PAGE_BYTES)))
			return 3;
	}
	return 0;
}

static const char *check_own_memory_at_once(void)
{
	CHECK(on_all_others(make_and_end, (void *)100, 0) == others);
	CHECK(make_and_end(100) == 0);
	return NULL;
}

bool check_races(void)
{
	bool ok = report("own_memory_at_once", check_own_memory_at_once());

	ok &= report("moving_memory", check_moving_memory());
	ok &= report("moving_interleaved", check_moving_interleaved());
	ok &= report("moving_replicas", check_moving_replicas());
	return ok;
}
