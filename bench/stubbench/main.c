/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Measures a call through typed stubs beside the call that it is made of:
 *
 *   ipc.call                      three numbers there, one back; `from` and `to` say whether it stays on the core
 *   ipc.door, ipc.door.busy       the same on one core to a service with a door, none of whose threads waits in its loop for calls: they
 *                                 wait for something else, or one of them computes for ever
 *   ipc.call/ipc.remote.rtt       the two between the same cores, in batches that take turns, as a ratio
 *
 *   stubbench                     on this core, then to every other one
 *   stubbench --local             on this core only
 *
 * The other side is the same program, `stubbench --serve SERVICE KIND`, which answers both kinds of calls. The bar for the same core is
 * relative to ipcbench's ipc.local.rtt of the same run. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <atoll/domain.h>

#include "bench/common/sample.h"
#include "bench/common/started.h"
#include "generated/bench/stubbench/echo.h"

enum {
	REPEATS = 1000,
	WARM_UP = 16,
	ROUNDS = 20, /* of a batch */
	TURNS = 500,
	POLLING = 1000, /* the library OS's default */
};

/* ---- The other side ---- */

static err_t add(void *context, struct stub_call *call, const struct echo_add_params *params, struct echo_add_results *results)
{
	(void)context, (void)call;
	results->sum = params->a + params->b + params->c;
	return OK;
}

static err_t polling(void *context, struct stub_call *call, const struct echo_polling_params *params)
{
	(void)context, (void)call;
	ipc_set_polling(params->iterations);
	return OK;
}

/* The call that the typed one is compared with. */
static void plain(void *context, struct ipc_connection *c, const struct ipc_message *request, struct ipc_message *reply)
{
	(void)context, (void)c;
	*reply = *request;
}

static void compute(void *argument)
{
	for (volatile uint64_t *count = argument;;)
		++*count;
}

/* Calls come through the door only. */
static err_t serve_at_door(const char *name, bool busy)
{
	static const struct echo_service service = {.add = add, .polling = polling, .events = {.shuttles = 2}};
	static uint64_t computed;
	struct thread *thread;
	err_t e = echo_offer(name, &service);

	if (is_ok(e) && busy)
		e = thread_create(compute, &computed, 0, &thread);
	while (is_ok(e))
		ipc_serve_once(0);
	return e;
}

static int serve(const char *name, const char *kind)
{
	static const struct echo_service service = {.add = add, .polling = polling, .events = {.call = plain}};
	err_t e = strcmp(kind, "call") == 0 ? echo_serve(name, &service) : serve_at_door(name, strcmp(kind, "door.busy") == 0);

	printf("stubbench: %s: %s\n", name, err_sentence(e));
	return EXIT_FAILURE;
}

/* ---- This side ---- */

struct partner {
	uint32_t domain;
	char name[SERVICE_NAME_BYTES];
};

static struct samples calls, ratios;
static const struct lens *lens;

static err_t partner_start(struct partner *p, unsigned core, const char *kind)
{
	const char *const arguments[] = {"stubbench", "--serve", p->name, kind, NULL};

	err_t e;

	snprintf(p->name, sizeof p->name, "%s.%u", kind, core);
	e = domain_spawn(arguments, NULL, core, 0, &p->domain);
	if (is_ok(e))
		e = started(p->domain, core, p->name);
	if (is_err(e))
		printf("stubbench: no partner on core %u: %s\n", core, err_sentence(e));
	return e;
}

static err_t partner_end(const struct partner *p)
{
	int64_t status;
	enum end_cause cause;
	err_t e = domain_kill(p->domain);

	return is_ok(e) ? domain_wait(p->domain, &status, &cause) : e;
}

static err_t measure_here(const char *kind)
{
	char id[16];
	struct partner p;
	struct echo c;
	struct echo_add_results results = {0};
	err_t e = partner_start(&p, domain_core(), kind);

	if (is_ok(e))
		e = echo_open(p.name, &c);
	if (is_err(e))
		return e;
	snprintf(id, sizeof id, "ipc.%s", kind);
	samples_begin(&calls);
	for (unsigned round = 0; round < REPEATS + WARM_UP && is_ok(e); round++) {
		uint64_t begin = sample_now();

		e = echo_call_add(&c, &(struct echo_add_params){.a = round, .b = 2, .c = 3}, &results, 0);
		if (round >= WARM_UP)
			samples_add(&calls, sample_now() - begin, 1);
	}
	if (is_ok(e) && results.sum != REPEATS + WARM_UP - 1 + 5)
		e = ERR(FORMAT);
	if (is_ok(e))
		samples_print(&calls, lens, id, domain_core(), domain_core());
	echo_close(&c);
	return is_ok(e) ? partner_end(&p) : e;
}

/* One batch of each. It lies with what it calls, so that how the loops lie in their pages is not measured. */
__attribute__((hot, noinline)) static err_t turn(struct echo *typed, struct ipc_connection *untyped)
{
	struct ipc_message m = {.label = 1};
	struct echo_add_results results = {0};
	uint64_t begin = sample_now(), middle, end;
	err_t e = OK;

	for (unsigned i = 0; i < ROUNDS && is_ok(e); i++)
		e = ipc_call(untyped, &m, &m);
	middle = sample_now();
	for (unsigned i = 0; i < ROUNDS && is_ok(e); i++)
		e = echo_call_add(typed, &(struct echo_add_params){.a = i, .b = 2, .c = 3}, &results, 0);
	end = sample_now();
	if (is_err(e))
		return e;
	samples_add(&calls, end - middle, ROUNDS);
	ratios.value[ratios.n++] = (double)(end - middle) / (double)(middle - begin);
	return results.sum == ROUNDS - 1 + 5 ? OK : ERR(FORMAT);
}

static err_t turns(struct echo *typed, struct ipc_connection *untyped)
{
	err_t e = OK;

	samples_begin(&calls);
	samples_begin(&ratios);
	for (unsigned i = 0; i < TURNS && is_ok(e); i++)
		e = turn(typed, untyped);
	return e;
}

static err_t set_polling(struct echo *c, uint32_t iterations)
{
	ipc_set_polling(iterations);
	return echo_call_polling(c, &(struct echo_polling_params){.iterations = iterations}, 0);
}

static err_t measure_across(unsigned core)
{
	struct partner p;
	struct ipc_connection *untyped = NULL;
	struct echo c;
	err_t e = partner_start(&p, core, "call");

	if (is_ok(e))
		e = echo_open(p.name, &c);
	if (is_ok(e))
		e = ipc_bind(p.name, false, &untyped);
	if (is_ok(e))
		e = set_polling(&c, IPC_POLL_ALWAYS);
	if (is_ok(e))
		e = turns(&c, untyped);
	if (is_ok(e))
		e = set_polling(&c, POLLING);
	if (is_err(e))
		return e;
	samples_print(&calls, lens, "ipc.call", domain_core(), core);
	samples_print_ratio(&ratios, lens, "ipc.call/ipc.remote.rtt", domain_core(), core);
	echo_close(&c);
	ipc_close(untyped);
	return partner_end(&p);
}

static err_t measure_all(bool local_only)
{
	static struct core_info cores[MACHINE_CORES];
	unsigned count = 0;
	err_t e = measure_here("call");

	if (is_ok(e))
		e = measure_here("door");
	if (is_ok(e))
		e = measure_here("door.busy");
	/* A wait that polls has no length in instructions. */
	if (is_err(e) || local_only || lens_is_instructions(lens))
		return e;
	e = core_list(cores, MACHINE_CORES, &count);
	for (unsigned i = 0; i < count && is_ok(e); i++)
		if (cores[i].alive && cores[i].core != domain_core())
			e = measure_across(cores[i].core);
	return e;
}

int main(int argc, char **argv)
{
	struct lens own;
	const char *why = lens_open(&own);
	err_t e;

	if (argc == 4 && strcmp(argv[1], "--serve") == 0)
		return serve(argv[2], argv[3]);
	if (argc > 2 || (argc == 2 && strcmp(argv[1], "--local") != 0)) {
		printf("stubbench: %s is not --local\n", argv[1]);
		return EXIT_FAILURE;
	}
	if (why != NULL) {
		printf("stubbench: %s\n", why);
		return EXIT_FAILURE;
	}
	lens = &own;
	e = measure_all(argc == 2);
	if (is_err(e))
		printf("stubbench: the measurement broke off: %s\n", err_sentence(e));
	return is_ok(e) ? EXIT_SUCCESS : EXIT_FAILURE;
}
