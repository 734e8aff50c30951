/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* malloc and its like, in place of the C library's. Each member of the span has a heap of its own, of its own node's memory, guarded by
 * being disabled, as all of the library OS is: no lock, no atomic operation.
 *
 * The address says whose an object is. What belongs to another member's heap goes home by message, FREED_MOST at a time; so each member may
 * hold back a few objects of each other's.
 *
 * Freeing what is no object ends the program, with a sentence that names the address. Between members the home finds out, a moment later.
 */

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include <atoll/address_space.h>
#include <atoll/domain.h>

#include "libos/address_space/address_space.h"
#include "libos/address_space/remote.h"
#include "libos/heap/heap.h"
#include "libos/heap/malloc.h"
#include "libos/linux/console.h"
#include "libos/memory/memory.h"
#include "libos/span/link.h"
#include "libos/span/span.h"
#include "libos/upcall/dispatcher.h"
#include "libos/upcall/text.h"

#define ABORT_STATUS 134 /* 128 + SIGABRT */
#define FREED_MOST   6

static uint64_t map_arena(uint64_t bytes)
{
	void *out;

	return is_ok(memory_map(bytes, RIGHTS(RIGHT_READ | RIGHT_WRITE), PLACE_TOUCH, &out)) ? (uint64_t)out : 0;
}

static const struct heap_source source = {map_arena, store_alloc, store_free};
static struct heap heap = {.source = &source};

/* What goes home to each other member. */
static struct link_freed going[SPAN_MAX];

uint64_t malloc_idle_arenas(void)
{
	return heap.live == 0 ? heap.arena_count : 0;
}

/* ---- Complaints ---- */

static void end(void *argument)
{
	(void)argument;
	domain_exit(ABORT_STATUS);
}

static void complain(const char *what, uint64_t address, enum heap_verdict verdict)
{
	static const char *const why[] = {
	    [HEAP_NOT_ALLOCATED] = " was never allocated",
	    [HEAP_INSIDE] = " is not where an allocated object begins",
	    [HEAP_FREE_ALREADY] = " is free already",
	};
	struct text line = {.length = 0};

	text_add(&line, what);
	text_add(&line, ": ");
	text_add_hex(&line, address);
	text_add(&line, why[verdict]);
	text_add(&line, ": the program ends\n");
	console_report(line.bytes, line.length);
}

/* For a thread, which does not go on. */
static _Noreturn void complain_and_end(const char *what, uint64_t address, enum heap_verdict verdict)
{
	complain(what, address, verdict);
	domain_exit(ABORT_STATUS);
}

/* ---- Arenas that are not needed any more ---- */

static void reap(void *argument)
{
	uint64_t base, bytes;
	bool inside = dispatcher_enter();

	(void)argument;
	while (heap_next_dead(&heap, &base, &bytes))
		(void)!is_ok(memory_unmap((void *)base, bytes));
	dispatcher_leave(inside);
}

/* ---- Objects of other members ---- */

void malloc_send_home(unsigned member)
{
	if (going[member].count > 0)
		(void)!is_ok(link_send(member, LINK_freed, &going[member]));
	going[member].count = 0;
}

static void free_elsewhere(unsigned member, uint64_t address)
{
	struct link_freed *m = &going[member];
	uint64_t *const place[FREED_MOST] = {&m->object0, &m->object1, &m->object2, &m->object3, &m->object4, &m->object5};

	*place[m->count++] = address;
	if (m->count == FREED_MOST)
		malloc_send_home(member);
}

/* It has taken its heap with it; another member of that number has another one. */
static void left(unsigned member)
{
	going[member].count = 0;
}

void malloc_start(void)
{
	link_on_change(NULL, left);
}

void link_handle_freed(unsigned from, const struct link_freed *m)
{
	const uint64_t object[FREED_MOST] = {m->object0, m->object1, m->object2, m->object3, m->object4, m->object5};

	(void)from;
	for (unsigned i = 0; i < m->count && i < FREED_MOST; i++) {
		enum heap_verdict verdict = heap_free(&heap, object[i]);

		if (verdict == HEAP_FINE)
			continue;
		complain("free", object[i], verdict);
		if (is_err(service_begin(end, NULL, 0)))
			domain_exit_now(ABORT_STATUS);
		return;
	}
	if (heap.dead != NULL)
		(void)!is_ok(service_begin(reap, NULL, 0));
}

/* ---- What programs call ---- */

/* Not every thread has the C library's own storage (span_run). */
static void set_error(int error)
{
	if (__builtin_ia32_rdfsbase64() != 0)
		errno = error;
}

static void *give_out(uint64_t bytes, uint64_t alignment, bool *fresh)
{
	bool inside = dispatcher_enter();
	void *object;

	if (__builtin_expect(heap.low == 0, 0))
		heap.low = address_space_area();
	object = heap_alloc(&heap, bytes, alignment, fresh);
	dispatcher_leave(inside);
	if (__builtin_expect(object == NULL, 0))
		set_error(ENOMEM);
	return object;
}

void *malloc(size_t bytes)
{
	bool fresh;

	return give_out(bytes, 1, &fresh);
}

void *calloc(size_t count, size_t bytes)
{
	size_t all;
	bool fresh;
	void *object;

	if (__builtin_mul_overflow(count, bytes, &all)) {
		set_error(ENOMEM);
		return NULL;
	}
	object = give_out(all, 1, &fresh);
	return object == NULL || fresh ? object : memset(object, 0, all);
}

void free(void *object)
{
	uint64_t address = (uint64_t)object;
	enum heap_verdict verdict;
	unsigned home;
	bool inside;

	if (object == NULL)
		return;
	inside = dispatcher_enter();
	verdict = heap_free(&heap, address);
	if (__builtin_expect(verdict == HEAP_NOT_ALLOCATED && is_elsewhere(address, &home), 0)) {
		free_elsewhere(home, address);
		verdict = HEAP_FINE;
	}
	dispatcher_leave(inside);
	if (__builtin_expect(verdict != HEAP_FINE, 0))
		complain_and_end("free", address, verdict);
	if (__builtin_expect(heap.dead != NULL, 0))
		reap(NULL);
}

static uint64_t usable_here(uint64_t address)
{
	bool inside = dispatcher_enter();
	uint64_t usable = heap_usable(&heap, address);

	dispatcher_leave(inside);
	return usable;
}

size_t malloc_usable_size(void *object)
{
	uint64_t address = (uint64_t)object, usable;
	struct link_ranged answer;
	unsigned home;

	if (object == NULL)
		return 0;
	if (is_elsewhere(address, &home))
		return is_ok(remote_range(home, RANGE_USABLE, address, 1, 0, &answer)) ? answer.paddr : 0;
	usable = usable_here(address);
	if (usable == 0)
		complain_and_end("malloc_usable_size", address, HEAP_NOT_ALLOCATED);
	return usable;
}

uint64_t malloc_usable_here(uint64_t address)
{
	return usable_here(address);
}

void *realloc(void *object, size_t bytes)
{
	size_t usable;
	void *other;

	if (object == NULL)
		return malloc(bytes);
	usable = malloc_usable_size(object);
	if (bytes <= usable && bytes >= usable / 2)
		return object;
	other = malloc(bytes);
	if (other == NULL)
		return NULL;
	memcpy(other, object, bytes < usable ? bytes : usable);
	free(object);
	return other;
}

static bool is_alignment(size_t alignment)
{
	return alignment != 0 && (alignment & (alignment - 1)) == 0;
}

void *aligned_alloc(size_t alignment, size_t bytes)
{
	bool fresh;

	if (!is_alignment(alignment)) {
		set_error(EINVAL);
		return NULL;
	}
	if (alignment > HEAP_ARENA_BYTES) {
		set_error(ENOMEM);
		return NULL;
	}
	return give_out(bytes, alignment, &fresh);
}

void *memalign(size_t alignment, size_t bytes)
{
	return aligned_alloc(alignment, bytes);
}

int posix_memalign(void **out, size_t alignment, size_t bytes)
{
	void *object;

	if (!is_alignment(alignment) || alignment < sizeof(void *))
		return EINVAL;
	object = aligned_alloc(alignment, bytes);
	if (object == NULL)
		return ENOMEM;
	*out = object;
	return 0;
}
