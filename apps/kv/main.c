/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* The key-value service (kv.h) at work: `kv [--cores N] [--rounds N] [--ms N]`. */

#include <stdio.h>
#include <stdlib.h>

#include <atoll/domain.h>

#include "apps/common/options.h"
#include "apps/common/team.h"
#include "apps/kv/scale.h"

static struct kv_client *client[SPAN_MAX];
static uint64_t first_shard; /* its number; the others follow */
static unsigned shards;

#define SHARD_SECONDS 60 /* until it serves */

/* The shard of that number, on that core. */
static void must_serve(uint64_t number, uint32_t domain, unsigned core)
{
	char name[KV_NAME_BYTES], what[32];

	kv_name(number, name);
	snprintf(what, sizeof what, "the shard on core %u", core);
	must(what, domain_await(domain, core, name, time_tsc() + SHARD_SECONDS * time_tsc_hz()));
}

static void start_shards(uint32_t domain[SPAN_MAX])
{
	struct span_place place[SPAN_MAX];

	first_shard = (uint64_t)domain_self()->domain * SPAN_MAX; /* nobody else's */
	(void)span_members(place, SPAN_MAX);
	for (unsigned i = 0; i < shards; i++) {
		const unsigned long long own = first_shard + i;
		char number[24];
		const char *const arguments[] = {"kv", "--shard", number, NULL};

		snprintf(number, sizeof number, "%llu", own);
		must("a shard", domain_spawn(arguments, NULL, place[i].core, 0, &domain[i]));
	}
	for (unsigned i = 0; i < shards; i++)
		must_serve(first_shard + i, domain[i], place[i].core);
}

static void stop_shards(const uint32_t domain[SPAN_MAX])
{
	for (unsigned i = 0; i < shards; i++) {
		enum end_cause cause;
		int64_t status;

		must("the end of a shard", domain_kill(domain[i]));
		must("the end of a shard", domain_wait(domain[i], &status, &cause));
	}
}

static void open_client(void *argument, unsigned member)
{
	(void)argument;
	client[member] = kv_open(first_shard, shards);
}

static void close_client(void *argument, unsigned member)
{
	(void)argument;
	kv_close(client[member]);
}

int main(int argc, char **argv)
{
	uint64_t cores = 0, rounds = 3, ms = 5, number = 0;
	const struct option options[] = {
	    {"cores", &cores, 0, SPAN_MAX, "at most; 0: all"},
	    {"rounds", &rounds, 1, SCALE_ROUNDS_MAX, "of measurements"},
	    {"ms", &ms, 1, 10000, "milliseconds of each measurement"},
	    {"shard", &number, 0, UINT64_MAX, "to be the shard of that number, which this program starts itself"},
	};
	uint32_t domain[SPAN_MAX];
	bool ok;

	(void)argc;
	options_of_main(options, 4, argv);
	if (number != 0)
		return kv_serve(number);

	shards = team_grow((unsigned)cores);
	start_shards(domain);
	team_run(shards, open_client, NULL);
	ok = scale_measure(client, shards, rounds, ms);
	team_run(shards, close_client, NULL);
	stop_shards(domain);
	printf("@test {\"name\":\"kv\",\"ok\":%s,\"cores\":%u}\n", ok ? "true" : "false", shards);
	return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
