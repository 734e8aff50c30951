/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include "apps/kv/scale.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <atoll/domain.h>

#include "apps/common/team.h"

#define START_MS        2  /* until all clients are at work */
#define TRIES_PER_ROUND 10 /* to find a quiet one */
#define QUIET_PERCENT   115
#define QUIET_LOOPS     2000000

/* ---- One run ---- */

struct job {
	struct kv_client *const *client;
	struct kv_run run;
	struct kv_result result[SPAN_MAX];
};

static void run_client(void *argument, unsigned member)
{
	struct job *j = argument;

	j->result[member] = kv_run(j->client[member], &j->run);
}

struct sample {
	double cycles;     /* for one operation, */
	double operations; /* and how many there were in one message */
};

/* False: an answer was wrong. */
static bool run(struct kv_client *const client[], unsigned cores, uint64_t ms, uint64_t salt, struct sample *out)
{
	const uint64_t a_ms = time_tsc_hz() / 1000, begin = time_tsc() + START_MS * a_ms, end = begin + ms * a_ms;
	struct job j = {.client = client, .run = {cores, begin, end, salt}};
	struct kv_result sum = {0};

	team_run(cores, run_client, &j);
	for (unsigned i = 0; i < cores; i++) {
		sum.operations += j.result[i].operations;
		sum.messages += j.result[i].messages;
		sum.wrong += j.result[i].wrong;
	}
	if (sum.messages == 0) /* the machine is that busy */
		sum = (struct kv_result){.operations = 1, .messages = 1, .wrong = sum.wrong};
	*out = (struct sample){(double)(end - begin) / (double)sum.operations, (double)sum.operations / (double)sum.messages};
	return sum.wrong == 0;
}

/* ---- Whether the machine is quiet ---- */

static void compute(void *argument, unsigned member)
{
	uint64_t *took = argument, loops = QUIET_LOOPS, begin = time_tsc();

	__asm__ volatile("1: dec %0\n\tjnz 1b" : "+r"(loops) : : "cc");
	took[member] = time_tsc() - begin;
}

static bool is_quiet(void)
{
	uint64_t alone, took[2];

	team_run(1, compute, took);
	alone = took[0];
	team_run(2, compute, took);
	return took[0] * 100 <= alone * QUIET_PERCENT && took[1] * 100 <= alone * QUIET_PERCENT;
}

/* ---- What comes out ---- */

static bool counts_instructions(void)
{
	const char *lens = getenv("LENS");

	return lens != NULL && strcmp(lens, "elapsed") != 0;
}

static int compare(const void *left, const void *right)
{
	const double a = *(const double *)left, b = *(const double *)right;

	return (a > b) - (a < b);
}

/* Answers the median. */
static double print(const char *id, const char *unit, unsigned cores, double *value, uint64_t count)
{
	const char *lens = counts_instructions() ? "instructions" : "elapsed";
	double median;

	qsort(value, count, sizeof *value, compare);
	median = value[(count - 1) / 2];
	printf(
	    "@bench {\"id\":\"%s\",\"lens\":\"%s\",\"unit\":\"%s\",\"from\":%u,\"to\":%u,\"cores\":%u,\"n\":%u,\"min\":%.4g,\"p50\":%.4g,"
	    "\"p99\":%.4g,\"max\":%.4g}\n",
	    id, lens, unit, domain_core(), domain_core(), cores, (unsigned)count, value[0], median, value[count - 1 - count / 100],
	    value[count - 1]);
	return median;
}

/* `sample` has a row for each round, with one for each number of cores. */
struct table {
	struct sample *sample;
	unsigned members;
	uint64_t rounds;
	double *column; /* room for one */
};

static void print_cores(const struct table *t, unsigned cores)
{
	double cycles, operations;

	for (uint64_t i = 0; i < t->rounds; i++)
		t->column[i] = t->sample[i * t->members + cores - 1].cycles;
	cycles = print("kv", counts_instructions() ? "instructions" : "cycles", cores, t->column, t->rounds);
	for (uint64_t i = 0; i < t->rounds; i++)
		t->column[i] = t->sample[i * t->members + cores - 1].operations;
	operations = print("kv.message", "operations", cores, t->column, t->rounds);
	printf("%2u %-6s %10.0f operations/s, %5.1f in a message\n", cores, cores == 1 ? "core:" : "cores:", (double)time_tsc_hz() / cycles,
	       operations);
}

static void print_ratio(const struct table *t)
{
	for (uint64_t i = 0; i < t->rounds; i++)
		t->column[i] = t->sample[i * t->members].cycles / t->sample[i * t->members + 1].cycles;
	printf("with two cores %.2f times as many as with one\n", print("kv.2/kv.1", "ratio", 2, t->column, t->rounds));
}

/* ---- All of it ---- */

/* Answers how many rounds counted, until there were as many as there should be; they fill the table. */
static uint64_t go_round(struct kv_client *const client[], const struct table *t, uint64_t ms, bool *ok)
{
	const bool any = t->members == 1 || counts_instructions();
	uint64_t counted = 0;

	for (uint64_t tries = 0; tries < t->rounds * TRIES_PER_ROUND && counted < t->rounds; tries++) {
		const bool quiet = any || is_quiet();

		for (unsigned k = 1; k <= t->members; k++)
			*ok &= run(client, k, ms, tries, &t->sample[counted * t->members + k - 1]);
		counted += quiet && (any || is_quiet());
	}
	return counted;
}

bool scale_measure(struct kv_client *const client[], unsigned members, uint64_t rounds, uint64_t ms)
{
	const struct table t = {calloc(rounds * members, sizeof(struct sample)), members, rounds, calloc(rounds, sizeof(double))};
	uint64_t counted;
	bool ok = true;

	if (t.sample == NULL || t.column == NULL)
		give_up("the samples", ERR(NO_MEMORY));
	counted = go_round(client, &t, ms, &ok);
	for (unsigned k = 1; k <= members && counted == rounds; k++)
		print_cores(&t, k);
	if (counted == rounds && members > 1 && !counts_instructions())
		print_ratio(&t);
	if (counted < rounds)
		printf("unstable: the machine was quiet in %u of %u rounds only, so there are no figures\n", (unsigned)counted,
		       (unsigned)rounds * TRIES_PER_ROUND);
	free(t.sample);
	free(t.column);
	return ok;
}
