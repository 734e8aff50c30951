/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* crash CORE VECTOR: makes the CPU driver of another core take an exception, and looks what is left. With one argument it is the domain
 * that dies there. The tests print @test facts. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <atoll/domain.h>
#include <atoll/thread.h>

static bool all_ok = true;

static void test(const char *name, bool ok)
{
	printf("@test {\"name\":\"crash.%s\",\"core\":%u,\"ok\":%s}\n", name, domain_core(), ok ? "true" : "false");
	all_ok &= ok;
}

static _Noreturn void sleep_for_ever(void)
{
	for (;;)
		thread_sleep_until(time_tsc() + time_tsc_hz());
}

/* Who is said to be alive after one core has gone. */
static bool only_one_is_gone(unsigned long gone)
{
	static struct core_info cores[MACHINE_CORES];
	unsigned count = 0;
	bool ok = is_ok(core_list(cores, MACHINE_CORES, &count));

	for (unsigned i = 0; i < count; i++)
		ok &= (cores[i].core != gone) == (cores[i].alive != 0);
	return ok && count > gone;
}

static bool others_run(unsigned long gone)
{
	const char *const hello[] = {"hello", NULL};
	static struct core_info cores[MACHINE_CORES];
	unsigned count = 0;
	bool ok = is_ok(core_list(cores, MACHINE_CORES, &count));

	for (unsigned i = 0; i < count && ok; i++) {
		int64_t status = 1;
		enum end_cause cause = END_CORE;
		uint32_t domain;

		if (cores[i].core == gone)
			ok = is_err(domain_spawn(hello, NULL, gone, 0, &domain));
		else
			ok = is_ok(domain_spawn(hello, NULL, cores[i].core, 0, &domain)) && is_ok(domain_wait(domain, &status, &cause)) &&
			     status == 0 && cause == END_EXIT;
	}
	return ok;
}

int main(int argc, char **argv)
{
	const char *const sleeper[] = {"crash", "sleep", NULL};
	unsigned long core = argc > 2 ? strtoul(argv[1], NULL, 10) : 1, vector = argc > 2 ? strtoul(argv[2], NULL, 10) : 6;
	enum end_cause cause = END_EXIT;
	int64_t status;
	uint32_t domain;

	if (argc == 2 && strcmp(argv[1], "sleep") == 0)
		sleep_for_ever();
	/* The dying core writes its report over everybody else's lines, so nothing is said before that is over. */
	bool spawned = is_ok(domain_spawn(sleeper, NULL, core, 0, &domain));
	bool requested = is_ok(monitor_request(REQUEST_crash, 0, core, vector, 0).error);
	bool told = is_ok(domain_wait(domain, &status, &cause)) && cause == END_CORE;

	test("spawn", spawned);
	test("request", requested);
	test("waiter_is_told", told);
	test("one_core_is_gone", only_one_is_gone(core));
	test("others_run", others_run(core));
	return all_ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
