/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* How a domain on several cores ends, seen from another domain. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <atoll/thread.h>

#include "tests/programs/span/span.h"

#define STATUS 7

/* ---- The child ---- */

static void exit_here(void *argument)
{
	domain_exit((int64_t)argument);
}

static void fault_here(void *argument)
{
	*(volatile uint64_t *)argument = 1;
}

/* Where the domain's own pager can't be called. */
static void fault_for_good(void *argument)
{
	domain_dispatcher()->disabled = 1;
	*(volatile uint64_t *)argument = 1;
}

static void run_for_ever(void *argument)
{
	(void)argument;
	for (;;)
		;
}

static _Noreturn void sleep_for_ever(void)
{
	for (;;)
		thread_sleep_until(time_tsc() + time_tsc_hz());
}

int child(const char *what)
{
	static const struct {
		const char *name;
		void (*function)(void *);
		uint64_t argument;
	} ways[] = {
	    {"exit", exit_here, STATUS}, {"fault", fault_here, 8}, {"fault_for_good", fault_for_good, 8},
	    {"run", run_for_ever, 0},    {"sleep", NULL, 0},
	};

	if (grow_to_all() != NULL)
		return EXIT_FAILURE;
	if (strcmp(what, "return") == 0)
		return STATUS;
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		if (strcmp(what, ways[i].name) != 0)
			continue;
		if (ways[i].function != NULL && is_err(span_run(others, ways[i].function, (void *)ways[i].argument)))
			return EXIT_FAILURE;
		sleep_for_ever();
	}
	return EXIT_FAILURE;
}

/* ---- Who watches ---- */

static const char *end_of(const char *what, uint64_t core, bool kill, enum end_cause cause, int64_t status)
{
	const char *const argv[] = {PROGRAM, "child", what, NULL};
	enum end_cause ended;
	int64_t answered;
	uint32_t domain;

	CHECK(is_ok(domain_spawn(argv, NULL, core, 0, &domain)));
	if (kill) {
		thread_sleep_until(time_tsc() + time_tsc_hz() / 10);
		CHECK(is_ok(domain_kill(domain)));
	}
	CHECK(is_ok(domain_wait(domain, &answered, &ended)));
	CHECK(ended == cause);
	CHECK(answered == status);
	return NULL;
}

bool check_ends(void)
{
	uint64_t there = others > 0 ? cores[others - 1].core : CORE_HERE;
	bool ok = report("ends.return", end_of("return", CORE_HERE, false, END_EXIT, STATUS));

	ok &= report("ends.exit_elsewhere", end_of("exit", CORE_HERE, false, END_EXIT, STATUS));
	ok &= report("ends.exit_here", end_of("exit", there, false, END_EXIT, STATUS));
	ok &= report("ends.fault", end_of("fault", CORE_HERE, false, END_EXIT, 128 + 11));
	ok &= report("ends.fault_for_good", end_of("fault_for_good", there, false, END_FAULT, STOP_FAULT));
	ok &= report("ends.killed_asleep", end_of("sleep", CORE_HERE, true, END_KILLED, 0));
	ok &= report("ends.killed_at_work", end_of("run", there, true, END_KILLED, 0));
	return ok;
}
