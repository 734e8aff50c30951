/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <atoll/capability.h>
#include <atoll/domain.h>
#include <atoll/ipc.h>
#include <atoll/thread.h>

#include "apps/chaos/chaos.h"
#include "apps/common/options.h"

static struct core_info cores[MACHINE_CORES];
static unsigned core_count;
static uint32_t worker[MACHINE_CORES];
static bool all_ok = true;

/* A core that dies of an exception reports it, over everybody else's lines: facts are told when nobody dies any more. */
static void test(const char *name, bool ok)
{
	printf("@test {\"name\":\"chaos.%s\",\"core\":%u,\"ok\":%s}\n", name, domain_core(), ok ? "true" : "false");
	all_ok &= ok;
}

static unsigned long long us_since(uint64_t tsc)
{
	return (time_tsc() - tsc) / (time_tsc_hz() / 1000000 + 1);
}

static void sleep_us(uint64_t us)
{
	thread_sleep_until(time_tsc() + us * (time_tsc_hz() / 1000000));
}

static bool start_worker(unsigned core, uint64_t seed)
{
	char text[24];
	const char *const argv[] = {"chaos", "worker", text, NULL};
	err_t e;

	snprintf(text, sizeof(text), "%llu", (unsigned long long)seed);
	e = domain_spawn(argv, NULL, core, 0, &worker[core]);
	if (is_err(e))
		printf("chaos: no worker on core %u: %s\n", core, err_sentence(e));
	return is_ok(e);
}

static bool start_workers(uint64_t seed)
{
	bool ok = true;

	for (unsigned i = 0; i < core_count; i++)
		if (cores[i].alive)
			ok &= start_worker(cores[i].core, seed);
	return ok;
}

/* One that is up, and neither the first nor this one. */
static unsigned pick(struct chaos_random *r)
{
	unsigned core;

	do
		core = (unsigned)chaos_draw(r, core_count);
	while (core == 0 || core == domain_core() || worker[core] == 0);
	return core;
}

/* One death, and a thread that waits for the word of it. */
struct death {
	unsigned core;
	uint64_t how, start;
	struct thread *waiter;
	bool told;
};

static void wait_for_death(void *argument)
{
	struct death *d = argument;
	enum end_cause cause = END_EXIT;
	int64_t status;

	d->told = is_ok(domain_wait(worker[d->core], &status, &cause)) && cause == END_CORE;
	printf("chaos: core %u %s; its worker's end was known after %llu us\n", d->core,
	       d->how == CRASH_SILENT ? "fell silent" : "died of an exception", us_since(d->start));
	worker[d->core] = 0;
}

static bool kill_core(struct death *d, unsigned core, uint64_t how)
{
	*d = (struct death){.core = core, .how = how, .start = time_tsc()};
	if (is_err(thread_create(wait_for_death, d, 0, &d->waiter)))
		return false;
	thread_yield();
	return is_ok(monitor_request(REQUEST_crash, 0, core, how, 0).error);
}

static bool is_dead(struct death *d)
{
	return is_ok(thread_join(d->waiter)) && d->told;
}

static bool restart_core(unsigned core, uint64_t seed)
{
	uint64_t start = time_tsc();
	err_t e = core_start(core);

	/* STATE: one that was only silent is started without being asked for. */
	if (is_ok(e) || err_is(e, ERR_NUMBER_STATE))
		printf("chaos: core %u is back, after %llu us\n", core, us_since(start));
	else
		printf("chaos: core %u can't be started again: %s\n", core, err_sentence(e));
	return (is_ok(e) || err_is(e, ERR_NUMBER_STATE)) && start_worker(core, seed);
}

/* Kills one core, or two at once, and starts them again. Two don't report at the same time, so that one can read it. */
static bool strike(struct chaos_random *r, uint64_t seed)
{
	static const uint64_t ways[] = {0, 6, 8, 13, 14, CRASH_SILENT, CRASH_SILENT, CRASH_SILENT};
	unsigned first = pick(r), second = chaos_draw(r, 3) == 0 ? pick(r) : first;
	static struct death one, other; /* the threads that wait for them may outlive a failure here */
	bool ok = true;

	sleep_us(30000 + chaos_draw(r, 60000));
	if (second != first)
		ok = kill_core(&other, second, CRASH_SILENT);
	ok = ok && kill_core(&one, first, ways[chaos_draw(r, 8)]) && is_dead(&one);
	if (second != first)
		ok = ok && is_dead(&other);
	ok = ok && restart_core(first, seed);
	return ok && (second == first || restart_core(second, seed));
}

static bool has_worked(unsigned core)
{
	struct ipc_message m = {.label = CHAOS_ROUNDS};
	struct ipc_connection *c;
	char name[SERVICE_NAME_BYTES];
	err_t e;

	snprintf(name, sizeof(name), CHAOS_SERVICE, core);
	e = ipc_bind(name, false, &c);
	if (is_ok(e)) {
		e = ipc_call(c, &m, &m);
		ipc_close(c);
	}
	if (is_ok(e))
		printf("chaos: the worker of core %u has visited %llu peers, which looked at %llu pages\n", core,
		       (unsigned long long)m.word[0], (unsigned long long)m.word[1]);
	return is_ok(e);
}

/* A worker that has ended by itself got a wrong answer. */
static bool end_workers(void)
{
	bool ok = true;

	for (unsigned core = 0; core < core_count; core++)
		if (worker[core] != 0)
			ok &= is_ok(domain_kill(worker[core]));
	return ok;
}

static bool run(uint64_t seed, uint64_t deaths)
{
	struct chaos_random random = {seed * 0x9e3779b97f4a7c15 + 1};
	bool started = start_workers(seed), struck = true, worked = true;

	for (uint64_t i = 0; i < deaths && struck; i++)
		struck = strike(&random, seed + i + 1);
	sleep_us(100000);
	for (unsigned core = 0; core < core_count; core++)
		worked = struck && worked && has_worked(core);
	test("workers", started);
	test("kills_and_restarts", struck);
	test("everybody_works", worked);
	test("nobody_was_wrong", end_workers());
	return all_ok;
}

int main(int argc, char **argv)
{
	uint64_t seed = 1, deaths = 4;
	const struct option options[] = {
	    {"seed", &seed, 0, UINT32_MAX, "which cores, how and when"},
	    {"deaths", &deaths, 1, 10000, "how often"},
	};

	if (argc == 3 && strcmp(argv[1], "worker") == 0)
		return chaos_work(strtoull(argv[2], NULL, 10));
	options_of_main(options, 2, argv);
	if (is_err(core_list(cores, MACHINE_CORES, &core_count)) || core_count < (domain_core() == 0 ? 2 : 3)) {
		printf("chaos: there has to be a core besides the first one and this one\n");
		return EXIT_FAILURE;
	}
	printf("@event {\"event\":\"deaths_are_meant\"}\n");
	return run(seed, deaths) ? EXIT_SUCCESS : EXIT_FAILURE;
}
