/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Cores that die under a domain on several cores. */

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include <atoll/thread.h>

#include "tests/programs/span/span.h"

#define INVALID_OPCODE 6  /* Intel SDM vol. 3, table 6-1 */
#define PATIENCE       20 /* seconds */

static _Atomic unsigned lost_member, lost_core, losses;

static void on_loss(unsigned member, unsigned core)
{
	lost_member = member;
	lost_core = core;
	losses++;
}

static err_t kill_core(unsigned core)
{
	return monitor_request(REQUEST_crash, 0, core, INVALID_OPCODE, 0).error;
}

static uint64_t where(uint64_t argument)
{
	return argument + domain_core();
}

static uint64_t allocate(uint64_t bytes)
{
	return (uint64_t)malloc(bytes);
}

/* Objects of that member's, freed here: they go home some at a time, and some are still here. */
static const char *free_objects_of(unsigned member, unsigned count)
{
	for (; count > 0; count--) {
		uint64_t object;

		CHECK(is_ok(span_call(member, allocate, 100, &object)) && object != 0);
		free((void *)object);
	}
	return NULL;
}

static uint64_t wait_for_ever(uint64_t argument)
{
	for (;;)
		thread_sleep_until(time_tsc() + time_tsc_hz());
	return argument;
}

struct caller {
	unsigned member;
	err_t error;
};

static void call(void *argument)
{
	struct caller *c = argument;
	uint64_t result;

	c->error = span_call(c->member, wait_for_ever, 0, &result);
}

static bool wait_for_losses(unsigned count)
{
	uint64_t end = time_tsc() + PATIENCE * time_tsc_hz();

	while (losses != count && time_tsc() < end)
		thread_sleep_until(time_tsc() + time_tsc_hz() / 100);
	return losses == count;
}

/* A member is lost, and with it the call that it was at; the others go on, and the core is one to grow to again. */
static const char *check_survivor(void)
{
	struct caller caller = {.member = 1};
	struct thread *thread;
	uint64_t result;
	unsigned member;
	const char *why = grow_to_all();

	CHECK(why == NULL);
	CHECK(is_ok(span_on_loss(on_loss)));
	/* It is to hear of the death, not to suffer it. */
	CHECK(is_ok(thread_create_among(1, call, &caller, 0, &thread)));
	CHECK(is_ok(span_call(1, where, 0, &result)));
	CHECK(free_objects_of(1, 1) == NULL);
	CHECK(is_ok(kill_core(cores[0].core)));
	CHECK(wait_for_losses(1));
	CHECK(lost_member == 1 && lost_core == cores[0].core);
	CHECK(is_ok(thread_join(thread)));
	CHECK(err_is(caller.error, ERR_NUMBER_PEER_GONE));
	CHECK(err_is(span_call(1, where, 0, &result), ERR_NUMBER_PEER_GONE));
	CHECK(err_is(span_grow(cores[0].core, 0, &member), ERR_NUMBER_CORE_DEAD));
	CHECK(span_members(NULL, 0) == others);
	for (unsigned m = 2; m <= others; m++)
		CHECK(is_ok(span_call(m, where, 100, &result)) && result == 100 + cores[m - 1].core);
	CHECK(is_ok(core_start(cores[0].core)));
	CHECK(is_ok(span_grow(cores[0].core, 0, &member)) && member == 1);
	CHECK(is_ok(span_call(1, where, 0, &result)) && result == cores[0].core);
	CHECK(free_objects_of(1, 20) == NULL);
	return shrink_from_all();
}

/* `sleep` has no handler. */
static const char *check_end(unsigned core_of_first, unsigned dying, int64_t status)
{
	const char *const argv[] = {PROGRAM, "child", "sleep", NULL};
	enum end_cause cause;
	int64_t answered;
	uint32_t domain;

	CHECK(is_ok(domain_spawn(argv, NULL, core_of_first, 0, &domain)));
	thread_sleep_until(time_tsc() + time_tsc_hz() / 2);
	CHECK(is_ok(kill_core(dying)));
	CHECK(is_ok(domain_wait(domain, &answered, &cause)));
	CHECK(cause == END_CORE);
	CHECK(answered == status);
	return is_ok(core_start(dying)) ? NULL : "the core can't be started again";
}

bool check_losses(void)
{
	bool ok = report("loss.survivor", check_survivor());

	ok &= report("loss.unhandled", check_end(domain_core(), cores[0].core, (int64_t)cores[0].core));
	ok &= report("loss.home", check_end(cores[1].core, cores[1].core, 0));
	return ok;
}
