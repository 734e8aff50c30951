// sources: libos/heap/heap.c
/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* The heap: objects never overlap, are aligned, come back; what is no object is told apart; what the heap takes it gives back. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "libos/heap/heap.h"
#include "tests/hosted/random.h"

#define SPACE ((uint64_t)1 << 30)

static uint8_t *space; /* at a multiple of an arena's bytes */
static bool in_use[SPACE / HEAP_ARENA_BYTES];
static uint64_t limit, mapped;
static unsigned things; /* that the heap knows something in */

static uint64_t map(uint64_t bytes)
{
	uint64_t count = bytes / HEAP_ARENA_BYTES, row = 0;

	if (mapped + bytes > limit)
		return 0;
	for (uint64_t i = 0; i < SPACE / HEAP_ARENA_BYTES; i++) {
		row = in_use[i] ? 0 : row + 1;
		if (row < count)
			continue;
		memset(&in_use[i + 1 - count], true, count);
		mapped += bytes;
		return (uint64_t)space + (i + 1 - count) * HEAP_ARENA_BYTES;
	}
	return 0;
}

static void *take(size_t bytes)
{
	things++;
	return calloc(1, bytes);
}

static void give(void *memory, size_t bytes)
{
	(void)bytes;
	things--;
	free(memory);
}

static const struct heap_source source = {map, take, give};
static struct heap heap;

static void reap(void)
{
	uint64_t base, bytes;

	while (heap_next_dead(&heap, &base, &bytes)) {
		memset(&in_use[(base - (uint64_t)space) / HEAP_ARENA_BYTES], false, bytes / HEAP_ARENA_BYTES);
		madvise((void *)base, bytes, MADV_DONTNEED);
		mapped -= bytes;
	}
}

static int begin(void **state)
{
	(void)state;
	if (space == NULL) {
		uint8_t *at =
		    mmap(NULL, SPACE + HEAP_ARENA_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

		assert_true(at != MAP_FAILED);
		space = (uint8_t *)(((uint64_t)at + HEAP_ARENA_BYTES - 1) & ~(HEAP_ARENA_BYTES - 1));
	}
	limit = SPACE;
	heap = (struct heap){.source = &source, .low = (uint64_t)space};
	return 0;
}

/* Frees what the heap itself still holds, so that the sanitizer sees what is lost. */
static int end(void **state)
{
	(void)state;
	assert_int_equal(heap.live, 0);
	for (struct heap_arena *a = heap.arenas, *next; a != NULL; a = next) {
		next = a->next;
		for (unsigned i = 0; i < HEAP_UNITS; i++)
			if (a->block[i] != NULL)
				give(a->block[i], 0);
		mapped -= a->bytes;
		give(a, 0);
	}
	reap();
	for (unsigned i = 0; i < HEAP_TOPS; i++)
		if (heap.top[i] != NULL)
			give(heap.top[i], 0);
	memset(in_use, 0, sizeof in_use);
	assert_int_equal(things, 0);
	assert_int_equal(mapped, 0);
	return 0;
}

static void *get(uint64_t bytes)
{
	bool fresh;

	return heap_alloc(&heap, bytes, 1, &fresh);
}

static void every_size_fits_and_is_aligned(void **state)
{
	(void)state;
	for (uint64_t bytes = 0; bytes < 70000; bytes = bytes < 2000 ? bytes + 1 : bytes + 517) {
		void *object = get(bytes);
		uint64_t usable = heap_usable(&heap, (uint64_t)object);

		assert_non_null(object);
		assert_int_equal((uint64_t)object % 16, 0);
		assert_true(usable >= bytes);
		assert_true(bytes < 128 || bytes > HEAP_SMALL_MOST || usable <= bytes + bytes / 4 + 16);
		memset(object, 0xaa, bytes);
		assert_int_equal(heap_free(&heap, (uint64_t)object), HEAP_FINE);
	}
}

static void every_alignment_holds(void **state)
{
	(void)state;
	for (uint64_t alignment = 1; alignment <= HEAP_ARENA_BYTES; alignment *= 2) {
		for (uint64_t bytes = 1; bytes <= 4 << 20; bytes = bytes * 3 + 1) {
			bool fresh;
			void *object = heap_alloc(&heap, bytes, alignment, &fresh);

			assert_non_null(object);
			assert_int_equal((uint64_t)object % alignment, 0);
			assert_true(heap_usable(&heap, (uint64_t)object) >= bytes);
			assert_int_equal(heap_free(&heap, (uint64_t)object), HEAP_FINE);
			reap();
		}
	}
}

static void what_is_no_object_is_told_apart(void **state)
{
	static const uint64_t sizes[] = {1, 24, 100, 1000, 30000, 100000, 3000000};
	int own;

	(void)state;
	assert_int_equal(heap_free(&heap, (uint64_t)&own), HEAP_NOT_ALLOCATED);
	assert_int_equal(heap_free(&heap, 16), HEAP_NOT_ALLOCATED);
	assert_int_equal(heap_free(&heap, UINT64_MAX), HEAP_NOT_ALLOCATED);
	for (unsigned i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		uint64_t keep = (uint64_t)get(sizes[i]), object = (uint64_t)get(sizes[i]);

		assert_int_equal(heap_free(&heap, object + 1), HEAP_INSIDE);
		assert_int_equal(heap_free(&heap, object + 8), HEAP_INSIDE);
		assert_int_equal(heap_usable(&heap, object + 8), 0);
		assert_int_equal(heap_free(&heap, object), HEAP_FINE);
		/* an arena of its own has ended with it */
		assert_int_equal(heap_free(&heap, object), sizes[i] > HEAP_LARGE_MOST ? HEAP_NOT_ALLOCATED : HEAP_FREE_ALREADY);
		assert_int_equal(heap_usable(&heap, object), 0);
		assert_int_equal(heap_free(&heap, keep), HEAP_FINE);
	}
}

static void memory_that_runs_out_is_refused_and_comes_back(void **state)
{
	static void *objects[4096];
	unsigned count;

	(void)state;
	limit = 8 * HEAP_ARENA_BYTES;
	for (unsigned round = 0; round < 3; round++) {
		for (count = 0; count < 4096 && (objects[count] = get(20000)) != NULL; count++)
			;
		assert_in_range(count, 8 * 32 * 2, 8 * 32 * 3);
		assert_null(get(9 * HEAP_ARENA_BYTES));
		while (count > 0)
			assert_int_equal(heap_free(&heap, (uint64_t)objects[--count]), HEAP_FINE);
		reap();
		assert_true(mapped <= 2 * HEAP_ARENA_BYTES);
	}
	assert_null(get(UINT64_MAX));
	assert_null(get(UINT64_MAX - 4096));
}

static void what_was_never_used_is_zero(void **state)
{
	bool fresh;
	uint8_t *object = heap_alloc(&heap, 3 << 20, 1, &fresh);

	(void)state;
	assert_true(fresh);
	for (size_t i = 0; i < 3 << 20; i += 1000)
		assert_int_equal(object[i], 0);
	assert_int_equal(heap_free(&heap, (uint64_t)object), HEAP_FINE);
	reap();
}

/* ---- Random sequences, against what a simple list knows ---- */

#define LIVE 700

struct object {
	uint8_t *at;
	uint64_t bytes;
	uint8_t mark;
};

static uint32_t random_below(uint32_t end)
{
	return random_number() % end;
}

static uint64_t random_bytes(void)
{
	switch (random_below(8)) {
	case 0:
		return random_below(3 << 20);
	case 1:
		return random_below(200000);
	case 2:
		return random_below(40000);
	default:
		return random_below(700);
	}
}

static void check_mark(const struct object *o)
{
	for (uint64_t i = 0; i < o->bytes; i += 1 + o->bytes / 16)
		assert_int_equal(o->at[i], o->mark);
	if (o->bytes > 0)
		assert_int_equal(o->at[o->bytes - 1], o->mark);
}

static void new_object(struct object *o)
{
	uint64_t alignment = (uint64_t)1 << random_below(10);
	bool fresh;

	o->bytes = random_bytes();
	o->mark = (uint8_t)random_number();
	o->at = heap_alloc(&heap, o->bytes, alignment, &fresh);
	if (o->at == NULL)
		return;
	assert_int_equal((uint64_t)o->at % alignment, 0);
	assert_true(heap_usable(&heap, (uint64_t)o->at) >= o->bytes);
	memset(o->at, o->mark, o->bytes);
}

static void random_sequences_keep_their_contents(void **state)
{
	static struct object objects[LIVE];

	(void)state;
	limit = 300 << 20;
	random_state = 20261121;
	for (unsigned step = 0; step < 60000; step++) {
		struct object *o = &objects[random_below(LIVE)];

		if (o->at == NULL) {
			new_object(o);
			continue;
		}
		check_mark(o);
		assert_int_equal(heap_free(&heap, (uint64_t)o->at), HEAP_FINE);
		o->at = NULL;
		reap();
	}
	for (unsigned i = 0; i < LIVE; i++) {
		if (objects[i].at == NULL)
			continue;
		check_mark(&objects[i]);
		assert_int_equal(heap_free(&heap, (uint64_t)objects[i].at), HEAP_FINE);
	}
	reap();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(every_size_fits_and_is_aligned, begin, end),
	    cmocka_unit_test_setup_teardown(every_alignment_holds, begin, end),
	    cmocka_unit_test_setup_teardown(what_is_no_object_is_told_apart, begin, end),
	    cmocka_unit_test_setup_teardown(memory_that_runs_out_is_refused_and_comes_back, begin, end),
	    cmocka_unit_test_setup_teardown(what_was_never_used_is_zero, begin, end),
	    cmocka_unit_test_setup_teardown(random_sequences_keep_their_contents, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
