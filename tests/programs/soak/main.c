/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* The rounds, one after the other, and the balance of each core before and after. */

#include "tests/programs/soak/soak.h"

#define BALANCE_US 20000000 /* for memory to be cleared and given back */
#define QUIET_US   500000

uint64_t soak_seed;
unsigned soak_round;

struct account {
	bool alive;
	uint64_t born; /* when it came up */
	uint64_t memory, capabilities, channels, served;
};

static struct core_info cores[MACHINE_CORES];
static unsigned core_count;

/* As many as when it all began: those that have died are back. */
static bool all_are_up(void)
{
	static unsigned wanted;
	const uint64_t end = in_us(BALANCE_US);
	unsigned up;

	do {
		up = 0;
		if (is_err(core_list(cores, MACHINE_CORES, &core_count)))
			return false;
		for (unsigned i = 0; i < core_count; i++)
			up += cores[i].alive != 0;
		if (wanted == 0)
			wanted = up;
		if (up < wanted)
			sleep_us(10000);
	} while (up < wanted && time_tsc() < end);
	if (up < wanted)
		printf("soak: seed %llu, round %u: %u of %u cores are up\n", (unsigned long long)soak_seed, soak_round, up, wanted);
	return up == wanted;
}

static bool balance_of(unsigned core, struct account *out)
{
	static struct agreement_info records[AGREEMENT_PAGE];
	uint64_t total;
	unsigned count;

	if (is_err(agreement_list(core, 0, records, AGREEMENT_PAGE, &count, &total)))
		return false;
	for (unsigned i = 0; i < count; i++)
		if (records[i].kind == AGREEMENT_INFO_BALANCE) {
			out->memory = records[i].base;
			out->capabilities = records[i].word[0];
			out->channels = records[i].word[1];
			out->served = records[i].size;
			return true;
		}
	return false;
}

static bool take_balance(struct account *out)
{
	if (!all_are_up())
		return false;
	for (unsigned i = 0; i < core_count; i++) {
		out[i] = (struct account){.alive = cores[i].alive, .born = cores[i].boot_us};
		if (cores[i].alive && !balance_of(cores[i].core, &out[i]))
			return false;
	}
	return true;
}

/* A core that has died has to be back, and has begun a new account. */
static bool equal(const struct account *before, const struct account *after)
{
	if (!before->alive || !after->alive)
		return before->alive == after->alive;
	return before->born != after->born || (before->memory == after->memory && before->capabilities == after->capabilities &&
	                                       before->channels == after->channels);
}

/* What the cores serve together, whoever has died: what a core is started with is what another one had of it. */
static uint64_t served(const struct account *a)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < core_count; i++)
		sum += a[i].served;
	return sum;
}

static bool all_equal(const struct account *before, const struct account *after)
{
	bool ok = served(after) == served(before);

	for (unsigned i = 0; i < core_count; i++)
		ok = ok && equal(&before[i], &after[i]);
	return ok;
}

static void tell_difference(const struct account *before, const struct account *after)
{
	for (unsigned i = 0; i < core_count; i++)
		if (!equal(&before[i], &after[i]))
			printf("soak: seed %llu, round %u: core %u had %llu bytes, %llu capabilities, %llu channels, and has %llu, %llu, %llu%s\n",
			       (unsigned long long)soak_seed, soak_round, i, (unsigned long long)before[i].memory,
			       (unsigned long long)before[i].capabilities, (unsigned long long)before[i].channels,
			       (unsigned long long)after[i].memory, (unsigned long long)after[i].capabilities,
			       (unsigned long long)after[i].channels, after[i].alive ? "" : ": it is dead");
	if (served(after) != served(before))
		printf("soak: seed %llu, round %u: all cores together served %llu bytes, now %llu\n", (unsigned long long)soak_seed, soak_round,
		       (unsigned long long)served(before), (unsigned long long)served(after));
}

/* What the round that is not counted has left behind goes first: until nothing has changed for a while. */
static bool take_quiet_balance(struct account *out)
{
	static struct account earlier[MACHINE_CORES];
	const uint64_t end = in_us(BALANCE_US);
	bool ok;

	do {
		ok = take_balance(earlier);
		sleep_us(QUIET_US);
		ok = ok && take_balance(out);
	} while (ok && !all_equal(earlier, out) && time_tsc() < end);
	return ok;
}

/* What was given back takes a while to be free. */
static bool balanced(const struct account *before)
{
	static struct account after[MACHINE_CORES];
	const uint64_t end = in_us(BALANCE_US);
	bool ok;

	do {
		sleep_us(5000);
		ok = take_balance(after) && all_equal(before, after);
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
	const uint64_t end = time_tsc() + seconds * time_tsc_hz();
	bool ok = true;

	/* The first round is not counted: the console learns who writes. One at least is. */
	while (ok && (soak_round < 2 || time_tsc() < end)) {
		ok = take_quiet_balance(before) && run_round(deaths);
		if (ok && soak_round > 0)
			ok = balanced(before);
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
