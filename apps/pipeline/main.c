/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* A pipeline: `pipeline [--count N]` adds up the squares of the primes below N. Numbers go through three stages, each a domain of its own
 * that is connected with the next one by a stream with credit (stage.capnp):
 *
 *   this program ──▶ primes ──▶ squares ──▶ sum
 *
 * Where the stages run. Each is started on the node behind the one before it (and there on the core that has least to do), so that every
 * stage has a core and a node's memory for itself. What is passed on crosses between nodes once, many numbers in one message: it is written
 * straight into the receiver's memory, and the receiver reads what is near. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <atoll/domain.h>

#include "apps/common/options.h"
#include "apps/common/team.h"
#include "generated/apps/pipeline/stage.h"

#define BATCH 48 /* numbers in a message; more than about 70 would not fit (STUB_MESSAGE_WORDS) */

enum { PRIMES, SQUARES, SUM, STAGES };
static const char *const names[STAGES] = {"pipeline.primes", "pipeline.squares", "pipeline.sum"};

/* ---- A stage ---- */

static unsigned own; /* which one this is */
static struct stage next;
static uint64_t sum_count, sum;

static bool is_prime(uint64_t n)
{
	for (uint64_t d = 2; d * d <= n; d++)
		if (n % d == 0)
			return false;
	return n > 1;
}

static err_t put(void *context, struct stub_call *call, const struct stage_put_params *p)
{
	uint64_t out[BATCH];
	uint32_t count = 0;

	(void)context, (void)call;
	if (p->numbers.count > BATCH)
		return ERR(ARGUMENT);
	for (uint32_t i = 0; i < p->numbers.count; i++) {
		const uint64_t n = p->numbers.at[i];

		if (own == SQUARES || (own == PRIMES && is_prime(n)))
			out[count++] = own == SQUARES ? n * n : n;
		if (own == SUM) {
			sum += n;
			sum_count++;
		}
	}
	return count == 0 ? OK : stage_send_put(&next, &(struct stage_put_params){.numbers = {out, count}}, 0);
}

static err_t finish(void *context, struct stub_call *call, struct stage_finish_results *results)
{
	err_t e;

	(void)context, (void)call;
	if (own == SUM) {
		*results = (struct stage_finish_results){sum_count, sum};
		return OK;
	}
	e = stage_finish(&next, 0);
	return is_ok(e) ? stage_call_finish(&next, results, 0) : e;
}

static err_t where(void *context, struct stub_call *call, struct stage_where_results *results)
{
	(void)context, (void)call;
	*results = (struct stage_where_results){domain_core(), domain_self()->node};
	return OK;
}

static int be_stage(unsigned which)
{
	static const struct stage_service service = {.put = put, .finish = finish, .where = where};

	own = which;
	if (own + 1 < STAGES)
		must("the next stage", stage_open(names[own + 1], &next)); /* waits until it is there */
	must(names[own], stage_serve(names[own], &service));
	return EXIT_FAILURE;
}

/* ---- The source, which starts the stages and knows what has to come out ---- */

static void start(uint32_t domain[STAGES])
{
	static struct core_info cores[MACHINE_CORES];
	unsigned count, nodes = 1;

	must("the list of cores", core_list(cores, MACHINE_CORES, &count));
	for (unsigned i = 0; i < count; i++)
		if (cores[i].node >= nodes)
			nodes = cores[i].node + 1;
	for (unsigned i = 0; i < STAGES; i++) {
		char number[2] = {(char)('1' + i), '\0'};
		const char *const arguments[] = {"pipeline", "--stage", number, NULL};
		const struct domain_options how = {
		    .arguments = arguments, .where = DOMAIN_ON_NODE, .node = (domain_self()->node + i + 1) % nodes};

		must("a stage", domain_spawn_with(&how, &domain[i]));
	}
}

static void tell_where(unsigned i)
{
	struct stage_where_results at;
	struct stage s;

	must(names[i], stage_open(names[i], &s));
	must(names[i], stage_call_where(&s, &at, 0));
	stage_close(&s);
	printf("%s runs on core %u, node %u\n", names[i], at.core, at.node);
}

static void pour(struct stage *first, uint64_t end)
{
	uint64_t batch[BATCH];

	for (uint64_t n = 0; n < end;) {
		uint32_t count = 0;

		while (count < BATCH && n < end)
			batch[count++] = n++;
		must("the first stage", stage_send_put(first, &(struct stage_put_params){.numbers = {batch, count}}, 0));
	}
	must("the stream", stage_finish(first, 0));
}

/* The same by the sieve of Eratosthenes. */
static struct stage_finish_results expected(uint64_t end)
{
	struct stage_finish_results r = {0};
	uint8_t *divisible = calloc(end + 2, 1);

	if (divisible == NULL)
		must("the sieve", ERR(NO_MEMORY));
	for (uint64_t n = 2; n < end; n++) {
		if (divisible[n])
			continue;
		r.count++;
		r.sum += n * n;
		for (uint64_t m = n * n; m < end; m += n)
			divisible[m] = 1;
	}
	free(divisible);
	return r;
}

static void stop(const uint32_t domain[STAGES])
{
	for (unsigned i = 0; i < STAGES; i++) {
		enum end_cause cause;
		int64_t status;

		must("the end of a stage", domain_kill(domain[i]));
		must("the end of a stage", domain_wait(domain[i], &status, &cause));
	}
}

int main(int argc, char **argv)
{
	uint64_t count = 20000, stage = 0, begin, us;
	const struct option options[] = {
	    {"count", &count, 0, 10000000, "how many numbers"},
	    {"stage", &stage, 0, STAGES, "to be one stage of it, which this program starts itself"},
	};
	struct stage_finish_results right, result;
	uint32_t domain[STAGES];
	struct stage first;
	bool ok;

	(void)argc;
	options_of_main(options, 2, argv);
	if (stage != 0)
		return be_stage((unsigned)stage - 1);

	start(domain);
	for (unsigned i = 0; i < STAGES; i++)
		tell_where(i);
	must("the first stage", stage_open(names[0], &first));
	begin = time_tsc();
	pour(&first, count);
	must("the pipeline", stage_call_finish(&first, &result, 0));
	us = microseconds_since(begin);
	stage_close(&first);
	stop(domain);

	right = expected(count);
	ok = result.count == right.count && result.sum == right.sum;
	printf("%llu primes below %llu, their squares add up to %llu; it took %llu us\n", (unsigned long long)result.count,
	       (unsigned long long)count, (unsigned long long)result.sum, (unsigned long long)us);
	printf("@test {\"name\":\"pipeline\",\"ok\":%s,\"count\":%llu,\"us\":%llu}\n", ok ? "true" : "false", (unsigned long long)count,
	       (unsigned long long)us);
	return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
