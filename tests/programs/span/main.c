/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <atoll/address_space.h>
#include <atoll/thread.h>

#include "tests/programs/span/span.h"

struct core_info cores[MACHINE_CORES];
unsigned others;

void find_cores(void)
{
	static struct core_info all[MACHINE_CORES];
	unsigned count = 0;

	others = 0;
	if (is_err(core_list(all, MACHINE_CORES, &count)))
		return;
	for (unsigned i = 0; i < count; i++)
		if (all[i].alive && all[i].core != domain_core())
			cores[others++] = all[i];
}

bool report(const char *name, const char *why)
{
	printf("@test {\"name\":\"span.%s\",\"core\":%u,\"ok\":%s}\n", name, domain_core(), why == NULL ? "true" : "false");
	if (why != NULL)
		printf("span.%s failed: %s\n", name, why);
	return why == NULL;
}

const char *grow_to_all(void)
{
	for (unsigned i = 0; i < others; i++) {
		unsigned member = 0;

		CHECK(is_ok(span_grow(cores[i].core, 0, &member)));
		CHECK(member == i + 1);
	}
	return NULL;
}

const char *shrink_from_all(void)
{
	for (unsigned i = 0; i < others; i++)
		CHECK(is_ok(span_shrink(cores[i].core)));
	CHECK(span_members(NULL, 0) == 1);
	return NULL;
}

/* ---- Here and there ---- */

static uint64_t who(uint64_t argument)
{
	return argument << 32 | domain_core() << 16 | span_member();
}

static uint64_t how_many(uint64_t argument)
{
	return span_members(NULL, 0) + argument;
}

static uint64_t home_of_memory(uint64_t bytes)
{
	uint64_t home;
	void *at;

	if (is_err(memory_map(bytes, READ_WRITE, PLACE_TOUCH, &at)))
		return SPAN_MAX;
	*(volatile char *)at = 1;
	home = ((uint64_t)at - USER_HEAP) >> SPAN_AREA_SHIFT;
	return is_ok(memory_unmap(at, bytes)) ? home : SPAN_MAX;
}

/* Each asks the next one, down to member 0; the answer counts them. */
static uint64_t ask_down(uint64_t argument)
{
	uint64_t sum = 0;

	if (span_member() == 0)
		return argument;
	return is_ok(span_call(span_member() - 1, ask_down, argument + 1, &sum)) ? sum : 0;
}

static const char *check_calls(void)
{
	uint64_t result;

	for (unsigned m = 0; m <= others; m++) {
		unsigned core = m == 0 ? domain_core() : cores[m - 1].core;

		for (uint64_t i = 0; i < 20; i++) {
			CHECK(is_ok(span_call(m, who, i, &result)));
			CHECK(result == (i << 32 | core << 16 | m));
		}
		CHECK(is_ok(span_call(m, how_many, 5, &result)) && result == others + 6);
		CHECK(is_ok(span_call(m, home_of_memory, 100000, &result)) && result == m);
	}
	CHECK(is_ok(span_call(others, ask_down, 0, &result)) && result == others);
	return NULL;
}

/* ---- Growing ---- */

static const char *check_alone(void)
{
	struct span_place place;
	uint64_t result;

	CHECK(span_member() == 0 && span_members(&place, 1) == 1);
	CHECK(place.member == 0 && place.core == domain_core() && place.domain == domain_self()->span);
	CHECK(is_ok(span_call(0, who, 7, &result)) && result == ((uint64_t)7 << 32 | domain_core() << 16));
	CHECK(err_is(span_call(1, who, 0, &result), ERR_NUMBER_PEER_GONE));
	CHECK(err_is(span_call(SPAN_MAX, who, 0, &result), ERR_NUMBER_PEER_GONE));
	CHECK(err_is(span_shrink(domain_core()), ERR_NUMBER_STATE));
	return NULL;
}

static const char *check_places(void)
{
	struct span_place places[SPAN_MAX];

	CHECK(span_members(places, SPAN_MAX) == others + 1);
	for (unsigned i = 1; i <= others; i++) {
		CHECK(places[i].member == i && places[i].core == cores[i - 1].core && places[i].node == cores[i - 1].node);
		CHECK(places[i].domain >> 16 == cores[i - 1].core);
	}
	return NULL;
}

static const char *check_bad_arguments(void)
{
	unsigned member;

	CHECK(err_is(span_grow(domain_core(), 0, &member), ERR_NUMBER_EXISTS));
	CHECK(err_is(span_grow(100000, 0, &member), ERR_NUMBER_CORE_UNKNOWN));
	CHECK(err_is(span_shrink(100000), ERR_NUMBER_NOT_FOUND));
	if (others == 0)
		return NULL;
	CHECK(err_is(span_grow(cores[0].core, 0, &member), ERR_NUMBER_EXISTS));
	CHECK(is_ok(span_shrink(cores[0].core)));
	CHECK(err_is(span_shrink(cores[0].core), ERR_NUMBER_NOT_FOUND));
	CHECK(err_is(span_grow(cores[0].core, 1 * GIB * 1024, &member), ERR_NUMBER_NO_MEMORY));
	CHECK(err_is(span_grow(cores[0].core, UINT64_MAX, &member), ERR_NUMBER_ARGUMENT));
	CHECK(err_is(span_grow(cores[0].core, 64 * KIB, &member), ERR_NUMBER_NO_MEMORY));
	CHECK(is_ok(span_grow(cores[0].core, 2 * MIB, &member)) && member == 1);
	return NULL;
}

static const char *check_many_times(void)
{
	const char *why = NULL;

	for (unsigned i = 0; i < 3 && why == NULL; i++) {
		why = grow_to_all();
		if (why == NULL)
			why = check_calls();
		if (why == NULL)
			why = shrink_from_all();
	}
	return why;
}

/* ---- At the same time ---- */

static void wait_for(const _Atomic bool *done)
{
	while (!*done)
		thread_sleep_until(time_tsc() + time_tsc_hz() / 1000);
}

struct grower {
	unsigned core, member;
	err_t error;
	_Atomic bool done;
};

static void grow(void *argument)
{
	struct grower *g = argument;

	g->error = span_grow(g->core, 0, &g->member);
	g->done = true;
}

static const char *check_at_the_same_time(void)
{
	static struct grower growers[MACHINE_CORES];
	uint64_t seen = 0, result;

	for (unsigned i = 0; i < others; i++) {
		growers[i] = (struct grower){.core = cores[i].core};
		CHECK(is_ok(span_run(0, grow, &growers[i])));
	}
	for (unsigned i = 0; i < others; i++) {
		wait_for(&growers[i].done);
		CHECK(is_ok(growers[i].error));
		CHECK(is_ok(span_call(growers[i].member, who, 0, &result)) && result == (growers[i].core << 16 | growers[i].member));
		seen |= UINT64_C(1) << growers[i].member;
	}
	CHECK(seen == ((UINT64_C(1) << others) - 1) << 1);
	for (unsigned m = 0; m <= others; m++)
		CHECK(is_ok(span_call(m, how_many, 0, &result)) && result == others + 1);
	return shrink_from_all();
}

#define CROWD 100

struct visitor {
	unsigned member;
	uint64_t number, result;
	err_t error;
	_Atomic bool done;
};

static void visit(void *argument)
{
	struct visitor *v = argument;

	v->error = span_call(v->member, who, v->number, &v->result);
	v->done = true;
}

/* More questions at once than a link has lines. */
static const char *check_crowd(void)
{
	static struct visitor visitors[CROWD];
	const char *why = grow_to_all();

	CHECK(why == NULL);
	for (unsigned i = 0; i < CROWD; i++) {
		visitors[i] = (struct visitor){.member = others, .number = i};
		CHECK(is_ok(span_run(0, visit, &visitors[i])));
	}
	for (unsigned i = 0; i < CROWD; i++) {
		wait_for(&visitors[i].done);
		if (is_err(visitors[i].error))
			return err_sentence(visitors[i].error);
		CHECK(visitors[i].result >> 32 == i && (visitors[i].result & 0xffff) == others);
	}
	return shrink_from_all();
}

/* ---- Threads for another member ---- */

enum { ERRANDS = 200 }; /* more than the library OS keeps threads that have ended */

static void note_member(void *argument)
{
	*(unsigned *)argument = span_member();
}

static const char *errand(unsigned member)
{
	struct thread *thread;
	unsigned seen = SPAN_MAX;

	CHECK(is_ok(thread_create_among(UINT64_C(1) << member, note_member, &seen, 0, &thread)));
	CHECK(is_ok(thread_join(thread)));
	CHECK(seen == member);
	return NULL;
}

/* They never begin where they may not run, also on a thread that was another one's here, and their ends leave nothing behind. */
static const char *check_errands(void)
{
	struct memory_usage before = {0}, after;
	const char *why = grow_to_all();

	for (unsigned i = 0; i < ERRANDS && why == NULL; i++) {
		if (i == ERRANDS / 2)
			memory_usage(&before);
		why = errand(0);
		if (why == NULL)
			why = errand(others);
	}
	CHECK(why == NULL);
	memory_usage(&after);
	CHECK(after.granted - after.free <= before.granted - before.free + 16 * PAGE_BYTES);
	return shrink_from_all();
}

/* ---- A member that is needed ---- */

static _Atomic bool there, come_back;

static void travel(void *argument)
{
	bool *ok = argument;

	*ok = is_ok(thread_move(others));
	there = true;
	wait_for(&come_back);
	*ok &= span_member() == others && is_ok(thread_move(0));
}

static uint64_t map_there(uint64_t bytes)
{
	void *at;

	if (is_err(memory_map(bytes, READ_WRITE, PLACE_TOUCH, &at)))
		return 0;
	*(volatile char *)at = 1;
	return (uint64_t)at;
}

/* Threads and memory of the program keep it. */
static const char *check_shrink_refused(void)
{
	static bool ok;
	struct thread *thread;
	uint64_t mapped;
	const char *why = others == 0 ? NULL : grow_to_all();

	if (others == 0)
		return NULL;
	CHECK(why == NULL);
	CHECK(is_ok(thread_create_among(1 | UINT64_C(1) << others, travel, &ok, 0, &thread)));
	wait_for(&there);
	CHECK(err_is(span_shrink(cores[others - 1].core), ERR_NUMBER_STATE));
	come_back = true;
	CHECK(is_ok(thread_join(thread)));
	CHECK(ok);
	CHECK(is_ok(span_call(others, map_there, PAGE_BYTES, &mapped)) && mapped != 0);
	CHECK(err_is(span_shrink(cores[others - 1].core), ERR_NUMBER_STATE));
	CHECK(is_ok(memory_unmap((void *)mapped, PAGE_BYTES)));
	return shrink_from_all();
}

static const struct {
	const char *name;
	const char *(*run)(void);
} checks[] = {
    {"alone", check_alone},
    {"grow", grow_to_all},
    {"places", check_places},
    {"calls", check_calls},
    {"bad_arguments", check_bad_arguments},
    {"shrink", shrink_from_all},
    {"many_times", check_many_times},
    {"at_the_same_time", check_at_the_same_time},
    {"crowd", check_crowd},
    {"errands", check_errands},
    {"shrink_refused", check_shrink_refused},
};

int main(int argc, char **argv)
{
	bool ok = true;

	find_cores();
	if (argc == 3 && strcmp(argv[1], "child") == 0)
		return child(argv[2]);
	if (argc == 2 && strcmp(argv[1], "loss") == 0)
		return check_losses() ? EXIT_SUCCESS : EXIT_FAILURE;
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++)
		ok &= report(checks[i].name, checks[i].run());
	ok &= check_ends();
	return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
