/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* malloc: near the caller, freed anywhere; and the end of programs that free what they must not. */

#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/programs/memory/memory.h"

#define ABORTED 134
#define OBJECTS 200

static uint64_t allocate(uint64_t bytes)
{
	void *object = malloc(bytes);

	return object == NULL ? 0 : (uint64_t)memset(object, 0x5a, bytes);
}

static const char *check_near(void)
{
	for (unsigned m = 0; m <= others; m++) {
		for (uint64_t bytes = 1; bytes < 4 * MIB; bytes *= 7) {
			char *object = (char *)on(m, allocate, (void *)bytes);
			struct memory_place place;

			CHECK(object != NULL && (uint64_t)object != SPAN_FAILED);
			CHECK(is_ok(memory_where(object, &place)) && place.home == m && place.member == m);
			CHECK(object[0] == 0x5a && object[bytes - 1] == 0x5a);
			CHECK(malloc_usable_size(object) >= bytes);
			free(object); /* from member 0 */
		}
	}
	return NULL;
}

/* Many come home in a few messages; what has come home is given out again. */
static uint64_t churn(uint64_t from)
{
	void *objects[8];

	for (unsigned round = 0; round < OBJECTS; round++) {
		for (unsigned i = 0; i < 8; i++) {
			objects[i] = malloc(1 + (round * 37 + i * 211) % 3000);
			if (objects[i] == NULL)
				return 1;
			memset(objects[i], (int)from, 1);
		}
		for (unsigned i = 0; i < 8; i++)
			free(objects[i]);
	}
	return 0;
}

static uint64_t make_list(uint64_t count)
{
	void **list = malloc(count * sizeof(void *));

	for (uint64_t i = 0; list != NULL && i < count; i++)
		list[i] = malloc(50 + i);
	return (uint64_t)list;
}

static uint64_t free_list(uint64_t at)
{
	void **list = (void **)at;

	for (unsigned i = 0; i < OBJECTS; i++)
		free(list[i]);
	free(list);
	return 0;
}

static const char *check_freed_elsewhere(void)
{
	for (unsigned maker = 0; maker <= others; maker++) {
		for (unsigned m = 0; m <= others; m++) {
			uint64_t list = on(maker, make_list, (void *)OBJECTS);

			CHECK(list != 0 && list != SPAN_FAILED);
			CHECK(on(m, free_list, (void *)list) == 0);
		}
	}
	CHECK(on_all_others(churn, (void *)1, 0) == others && churn(1) == 0);
	return NULL;
}

static const char *check_calls(void)
{
	char *a = calloc(100, 100), *b;
	void *c = NULL;
	volatile size_t too_much = SIZE_MAX;

	CHECK(a != NULL);
	for (unsigned i = 0; i < 10000; i++)
		CHECK(a[i] == 0);
	memset(a, 1, 10000);
	b = realloc(a, 300000);
	CHECK(b != NULL && b[0] == 1 && b[9999] == 1);
	b = realloc(b, 10);
	CHECK(b != NULL && b[9] == 1);
	free(b);
	CHECK(posix_memalign(&c, 4096, 100) == 0 && (uint64_t)c % 4096 == 0);
	free(c);
	c = aligned_alloc(MIB, 5);
	CHECK(c != NULL && (uint64_t)c % MIB == 0);
	free(c);
	CHECK(posix_memalign(&c, 24, 100) != 0 && malloc(too_much) == NULL && calloc(too_much / 2, 3) == NULL);
	free(NULL);
	return NULL;
}

/* ---- Ends ---- */

int heap_child(const char *what)
{
	char *volatile object = malloc(100);
	static char own[16];

	if (strcmp(what, "twice") == 0)
		free(object);
	else if (strcmp(what, "inside") == 0)
		object += 16;
	else if (strcmp(what, "static") == 0)
		object = own;
	else if (strcmp(what, "stack") == 0)
		object = (char *)&object;
	else if (strcmp(what, "wild") == 0)
		object = (char *)UINT64_C(0xdead00000000);
	free(object);
	if (strcmp(what, "elsewhere") == 0) {
		unsigned member;

		/* The same object six times more, so that the message is full. */
		if (is_err(span_grow((domain_core() + 1) % 2, 0, &member)))
			return EXIT_FAILURE;
		object = (char *)on(member, allocate, (void *)100);
		for (unsigned i = 0; i < 6; i++)
			free(object);
		for (;;)
			;
	}
	return EXIT_SUCCESS;
}

static const char *check_end(const char *what, int64_t expected)
{
	const char *const argv[] = {"memory", "heap", what, NULL};
	enum end_cause cause;
	int64_t status;
	uint32_t domain;

	CHECK(is_ok(domain_spawn(argv, NULL, CORE_HERE, 0, &domain)));
	CHECK(is_ok(domain_wait(domain, &status, &cause)));
	CHECK(cause == END_EXIT && status == expected);
	return NULL;
}

bool check_heap(void)
{
	bool ok = report("heap.near", check_near());

	ok &= report("heap.freed_elsewhere", check_freed_elsewhere());
	ok &= report("heap.calls", check_calls());
	ok &= report("heap.fine", check_end("fine", 0));
	ok &= report("heap.twice", check_end("twice", ABORTED));
	ok &= report("heap.inside", check_end("inside", ABORTED));
	ok &= report("heap.static", check_end("static", ABORTED));
	ok &= report("heap.stack", check_end("stack", ABORTED));
	ok &= report("heap.wild", check_end("wild", ABORTED));
	if (others > 0)
		ok &= report("heap.elsewhere", check_end("elsewhere", ABORTED));
	return ok;
}
