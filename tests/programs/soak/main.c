/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* The rounds, one after the other, and the balance of each core before and after. */

#include "tests/programs/soak/soak.h"

#define BALANCE_US 20000000 /* for memory to be cleared and given back */

uint64_t soak_seed;
unsigned soak_round;

struct account {
	bool alive;
	uint64_t memory, capabilities, channels;
};

static struct core_info cores[MACHINE_CORES];
static unsigned core_count;

static bool balance_of(unsigned core, struct account *out)
{
	static struct agreement_info records[AGREEMENT_PAGE];
	uint64_t total;
	unsigned count;

	if (is_err(agreement_list(core, 0, records, AGREEMENT_PAGE, &count, &total)))
		return false;
	for (unsigned i = 0; i < count; i++)
		if (records[i].kind == AGREEMENT_INFO_BALANCE) {
			*out = (struct account){true, records[i].base, records[i].word[0], records[i].word[1]};
			return true;
		}
	return false;
}

static bool take_balance(struct account *out)
{
	if (is_err(core_list(cores, MACHINE_CORES, &core_count)))
		return false;
	for (unsigned i = 0; i < core_count; i++) {
		out[i].alive = cores[i].alive;
		if (cores[i].alive && !balance_of(cores[i].core, &out[i]))
			return false;
	}
	return true;
}

static bool equal(const struct account *a, const struct account *b)
{
	return a->memory == b->memory && a->capabilities == b->capabilities && a->channels == b->channels;
}

/* A core that has died and come back has begun a new account. */
static bool all_equal(const struct account *before, const struct account *after, const bool *died)
{
	for (unsigned i = 0; i < core_count; i++)
		if (!died[i] && (before[i].alive != after[i].alive || (before[i].alive && !equal(&before[i], &after[i]))))
			return false;
	return true;
}

static void tell_difference(const struct account *before, const struct account *after)
{
	for (unsigned i = 0; i < core_count; i++)
		if (!equal(&before[i], &after[i]))
			printf("soak: seed %llu, round %u: core %u had %llu bytes, %llu capabilities, %llu channels, and has %llu, %llu, %llu\n",
			       (unsigned long long)soak_seed, soak_round, i, (unsigned long long)before[i].memory,
			       (unsigned long long)before[i].capabilities, (unsigned long long)before[i].channels,
			       (unsigned long long)after[i].memory, (unsigned long long)after[i].capabilities, (unsigned long long)after[i].channels);
}

/* What was given back takes a while to be free. */
static bool balanced(const struct account *before, const bool *died)
{
	static struct account after[MACHINE_CORES];
	const uint64_t end = in_us(BALANCE_US);
	bool ok;

	do {
		sleep_us(5000);
		ok = take_balance(after) && all_equal(before, after, died);
	} while (!ok && time_tsc() < end);
	if (!ok)
		tell_difference(before, after);
	return ok;
}

static bool run_round(bool deaths)
{
	char round[12], seed[24];
	const char *const argv[] = {PROGRAM, "round", round, seed, deaths ? "deaths" : NULL, NULL};
	enum end_cause cause;
	int64_t status;
	uint32_t domain;

	snprintf(round, sizeof(round), "%u", soak_round);
	snprintf(seed, sizeof(seed), "%llu", (unsigned long long)soak_seed);
	return is_ok(domain_spawn(argv, NULL, CORE_HERE, 0, &domain)) && is_ok(domain_wait(domain, &status, &cause)) && cause == END_EXIT &&
	       status == 0;
}

static int soak(unsigned long seconds, bool deaths)
{
	static struct account before[MACHINE_CORES];
	static bool died[MACHINE_CORES];
	const uint64_t end = time_tsc() + seconds * time_tsc_hz();
	bool ok = true;

	/* The first round is not counted: the console learns who writes. */
	while (ok && (soak_round == 0 || time_tsc() < end)) {
		ok = take_balance(before) && run_round(deaths);
		if (ok && soak_round > 0)
			ok = balanced(before, died);
		soak_round += ok;
	}
	printf("@test {\"name\":\"soak.%s\",\"core\":%u,\"ok\":%s,\"seed\":%llu,\"rounds\":%u}\n", deaths ? "deaths" : "life", domain_core(),
	       ok ? "true" : "false", (unsigned long long)soak_seed, soak_round);
	if (!ok)
		printf("soak: it failed in round %u: make soak SEED=%llu\n", soak_round, (unsigned long long)soak_seed);
	return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}

static uint64_t number(const char *text)
{
	return strtoull(text, NULL, 10);
}

int main(int argc, char **argv)
{
	if (argc >= 4 && strcmp(argv[1], "round") == 0) {
		soak_round = (unsigned)number(argv[2]);
		soak_seed = number(argv[3]);
		return lead_round(argc > 4);
	}
	if (argc == 5 && strcmp(argv[1], "worker") == 0) {
		soak_round = (unsigned)number(argv[2]);
		soak_seed = number(argv[4]);
		return work((unsigned)number(argv[3]));
	}
	soak_seed = argc > 1 ? number(argv[1]) : 1;
	return soak(argc > 2 ? number(argv[2]) : 10, argc > 3 && strcmp(argv[3], "deaths") == 0);
}
