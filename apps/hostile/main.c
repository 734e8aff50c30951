/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* A hostile program, and the one that sets it loose.
 *
 *   hostile                        every attack, each in a domain of its own, on this core and on the last one
 *   hostile fuzz SEED CALLS        random calls until so many have been lived through, in domains that follow each other
 *   hostile attack NAME            one attack, in this domain
 *   hostile burst SEED CALLS       one domain's share of the fuzzing
 *   hostile victim                 a server that ends while its client waits
 *
 * Prints a `@test` fact for each attack; the exit status says whether all went as it should. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <atoll/domain.h>
#include <atoll/ipc.h>
#include <atoll/thread.h>

#include "apps/hostile/attacks.h"

#define PROGRAM        "hostile"
#define VICTIM         "victim"
#define BURST_CALLS    20000
#define DEATHS_ALLOWED 200

static bool say(const char *kind, const char *name, unsigned core, bool ok)
{
	printf("@test {\"name\":\"hostile.%s.%s\",\"core\":%u,\"ok\":%s}\n", kind, name, core, ok ? "true" : "false");
	return ok;
}

static bool start(const char *const argv[], unsigned core, uint32_t *domain)
{
	err_t e = domain_spawn(argv, NULL, core, 0, domain);

	if (is_err(e))
		printf("hostile: %s can't be started on core %u: %s\n", argv[2], core, err_sentence(e));
	return is_ok(e);
}

/* A quarter of a second of doing other things, during which the attack may do its worst. */
static void let_it_run(void) { thread_sleep_until(time_tsc() + time_tsc_hz() / 4); }

static bool run_attack(const struct attack *attack, unsigned core)
{
	const char *const argv[] = {PROGRAM, "attack", attack->name, NULL};
	uint32_t domain;
	int64_t status = 0;
	enum end_cause cause = END_EXIT;

	if (!start(argv, core, &domain))
		return say("attack", attack->name, core, false);
	if (attack->end == ATTACK_KILLED) {
		let_it_run();
		if (is_err(domain_kill(domain)))
			return say("attack", attack->name, core, false);
	}
	if (is_err(domain_wait(domain, &status, &cause)))
		return say("attack", attack->name, core, false);
	switch (attack->end) {
	case ATTACK_REFUSED:
		return say("attack", attack->name, core, cause == END_EXIT && status == 0);
	case ATTACK_KILLED:
		return say("attack", attack->name, core, cause == END_KILLED);
	default:
		return say("attack", attack->name, core, cause == END_FAULT || (cause == END_EXIT && status > 128));
	}
}

/* A call to a server that ends instead of answering must come back with an error. */
static bool run_victim(unsigned core)
{
	const char *const argv[] = {PROGRAM, VICTIM, NULL};
	struct ipc_connection *connection;
	struct ipc_message message = {.label = 1};
	uint32_t domain;
	int64_t status;
	enum end_cause cause;
	bool ok = false;

	if (!start(argv, core, &domain))
		return false;
	if (is_ok(ipc_bind(VICTIM, false, &connection))) {
		ok = err_is(ipc_call(connection, &message, &message), ERR_NUMBER_PEER_GONE);
		ipc_close(connection);
	}
	ok = is_ok(domain_wait(domain, &status, &cause)) && ok;
	return say("server", "ends", core, ok);
}

static bool run_all(void)
{
	static struct core_info cores[MACHINE_CORES];
	unsigned count = 0;
	bool ok = true;

	if (is_err(core_list(cores, MACHINE_CORES, &count)) || count == 0)
		return false;
	for (unsigned round = 0; round < (count > 1 ? 2 : 1); round++) {
		unsigned core = round == 0 ? domain_core() : cores[count - 1].core;

		for (unsigned i = 0; i < attack_count; i++)
			ok = run_attack(&attacks[i], core) && ok;
		ok = run_victim(core) && ok;
	}
	return ok;
}

static bool run_fuzz(unsigned long long seed, unsigned long long calls)
{
	unsigned long long lived = 0;
	unsigned deaths = 0;

	for (; lived < calls && deaths <= DEATHS_ALLOWED; seed++) {
		char seed_text[24], calls_text[24];
		const char *const argv[] = {PROGRAM, "burst", seed_text, calls_text, NULL};
		uint32_t domain;
		int64_t status = 0;
		enum end_cause cause = END_EXIT;

		snprintf(seed_text, sizeof(seed_text), "%llu", seed);
		snprintf(calls_text, sizeof(calls_text), "%u", BURST_CALLS);
		if (!start(argv, domain_core(), &domain) || is_err(domain_wait(domain, &status, &cause)))
			return say("fuzz", "burst", domain_core(), false);
		if (cause == END_EXIT && status == 0)
			lived += BURST_CALLS;
		else
			deaths++;
	}
	printf("hostile: %llu calls lived through, %u domains died of them, last seed %llu\n", lived, deaths, seed - 1);
	return say("fuzz", "calls", domain_core(), lived >= calls);
}

static void end_instead(void *context, struct ipc_connection *c, const struct ipc_message *request, struct ipc_message *reply)
{
	(void)context, (void)c, (void)request, (void)reply;
	domain_exit(0);
}

static bool be_victim(void)
{
	const struct ipc_server server = {.call = end_instead};
	struct ipc_service *service;

	if (is_err(ipc_offer(VICTIM, &server, &service)))
		return false;
	ipc_serve();
}

static bool read_number(const char *text, unsigned long long *out)
{
	char *end;

	*out = strtoull(text, &end, 0);
	return *text >= '0' && *text <= '9' && *end == 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	const struct attack *attack;
	unsigned long long seed, calls;

	if (argc == 1)
		return run_all() ? EXIT_SUCCESS : EXIT_FAILURE;
	if (argc == 4 && read_number(argv[2], &seed) && read_number(argv[3], &calls)) {
		if (strcmp(what, "fuzz") == 0)
			return run_fuzz(seed, calls) ? EXIT_SUCCESS : EXIT_FAILURE;
		if (strcmp(what, "burst") == 0)
			return fuzz_calls(seed, calls) ? EXIT_SUCCESS : EXIT_FAILURE;
	}
	if (argc == 3 && strcmp(what, "attack") == 0 && (attack = attack_find(argv[2])) != NULL)
		return attack->run() ? EXIT_SUCCESS : EXIT_FAILURE;
	if (argc == 2 && strcmp(what, VICTIM) == 0)
		return be_victim() ? EXIT_SUCCESS : EXIT_FAILURE;
	printf("hostile: there is no way to run %s; see the head of apps/hostile/main.c\n", what);
	return EXIT_FAILURE;
}
