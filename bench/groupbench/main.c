/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Measures messages to many cores and back (group.h).
 *
 *   groupbench            to 1, 2, ... 7, 15, 31 and all other cores
 *   groupbench --quick    fewer rounds
 *
 * The lens is the environment's LENS. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <atoll/domain.h>

#include "bench/common/sample.h"
#include "bench/common/started.h"
#include "bench/groupbench/group.h"

enum { ROUNDS = 500, QUICK_ROUNDS = 50, WARM_UP = 5 };

static struct ipc_connection *stream[WORKERS_MAX + 1];
static uint32_t domain[WORKERS_MAX + 1];
static struct group_cores where;
static unsigned workers;

static bool failed(const char *what, err_t e)
{
	printf("groupbench: %s: %s\n", what, err_sentence(e));
	return false;
}

/* ---- The workers ---- */

/* Of this core's node first, then node by node, so that the halves of a tree are near each other. */
static int by_node(const void *left, const void *right)
{
	const struct core_info *a = left, *b = right;
	const unsigned own = domain_self()->node;

	if (a->node != b->node)
		return a->node == own ? -1 : b->node == own ? 1 : (a->node > b->node) - (a->node < b->node);
	return (a->core > b->core) - (a->core < b->core);
}

static err_t start_worker(unsigned core)
{
	char number[12], service[SERVICE_NAME_BYTES];
	const char *const arguments[] = {"groupbench", "--worker", number, NULL};
	const unsigned own = workers + 1;
	err_t e;

	snprintf(number, sizeof(number), "%u", core);
	group_service(service, core);
	e = domain_spawn(arguments, NULL, core, 0, &domain[own]);
	if (is_ok(e))
		e = started(domain[own], core, service);
	if (is_ok(e))
		e = ipc_bind(service, true, &stream[own]);
	if (is_err(e))
		printf("groupbench: no worker on core %u: %s\n", core, err_sentence(e));
	where.core[own] = (uint16_t)core;
	workers += is_ok(e);
	return e;
}

/* And waits until it has heard it. */
static err_t tell(struct ipc_connection *to, enum group_label what, const void *data, size_t size)
{
	uint16_t label;
	size_t bytes;
	err_t e = ipc_send(to, what, data, size);

	return is_err(e) ? e : ipc_receive(to, &label, NULL, 0, &bytes);
}

static bool start(void)
{
	static struct core_info cores[MACHINE_CORES];
	unsigned count = 0;
	err_t e = core_list(cores, MACHINE_CORES, &count);

	ipc_set_polling(0);
	qsort(cores, count, sizeof(cores[0]), by_node);
	for (unsigned i = 0; i < count && workers < WORKERS_MAX && is_ok(e); i++)
		if (cores[i].alive && cores[i].core != domain_core())
			e = start_worker(cores[i].core);
	if (is_err(e))
		return false;
	for (unsigned i = 1; i <= workers && is_ok(e); i++)
		e = tell(stream[i], group_cores, &where, sizeof(where));
	if (is_err(e))
		return failed("a worker", e);
	if (workers == 0)
		printf("groupbench: there is no other core, and so nobody to talk to\n");
	return workers > 0;
}

static bool end(void)
{
	err_t e = OK;

	for (unsigned i = 1; i <= workers && is_ok(e); i++) {
		enum end_cause cause;
		int64_t status;

		e = ipc_send(stream[i], group_end, NULL, 0);
		if (is_ok(e))
			e = domain_wait(domain[i], &status, &cause);
		ipc_close(stream[i]);
	}
	return is_err(e) ? failed("the end of a worker", e) : true;
}

/* ---- The measurements ---- */

static struct samples broadcast, reduce, barrier;

static err_t measure_round(uint64_t to, bool tree, bool counts)
{
	const unsigned count = (unsigned)__builtin_popcountll(to);
	struct group_answer answer = {0, 0};
	const uint64_t begin = sample_now();
	uint64_t over;
	err_t e = group_round(stream, to, tree, 3, &answer);

	over = sample_now();
	if (is_ok(e) && (answer.sum != UINT64_C(3) * count || answer.arrival < begin || answer.arrival > over))
		e = ERR(FORMAT);
	if (is_ok(e) && counts) {
		samples_add(&broadcast, answer.arrival - begin, 1);
		samples_add(&reduce, over - answer.arrival, 1);
		samples_add(&barrier, over - begin, 1);
	}
	return e;
}

static void print(struct samples *s, const struct lens *lens, const char *what, bool tree, unsigned count, double messages)
{
	char id[32];

	snprintf(id, sizeof(id), "%s.%s", what, tree ? "tree" : "flat");
	samples_print_shared(s, lens, id, domain_core(), where.core[count], count, messages);
}

static bool measure(const struct lens *lens, unsigned count, bool tree, unsigned rounds)
{
	const uint64_t to = ((UINT64_C(1) << count) - 1) << 1;
	err_t e = OK;

	samples_begin(&broadcast);
	samples_begin(&reduce);
	samples_begin(&barrier);
	for (unsigned round = 0; round < rounds + WARM_UP && is_ok(e); round++)
		e = measure_round(to, tree, round >= WARM_UP);
	for (unsigned i = 1; i <= count && is_ok(e) && tree; i++)
		e = tell(stream[i], group_part, NULL, 0);
	if (is_err(e))
		return failed(tree ? "a round along a tree" : "a round", e);
	print(&broadcast, lens, "broadcast", tree, count, count);
	print(&reduce, lens, "reduce", tree, count, count);
	print(&barrier, lens, "barrier", tree, count, 2 * count);
	fflush(stdout);
	return true;
}

static unsigned next(unsigned count)
{
	const unsigned step = count < 7 ? count + 1 : 2 * count + 1;

	return count < workers && step > workers ? workers : step;
}

int main(int argc, char **argv)
{
	struct lens lens;
	const char *why = lens_open(&lens);
	bool quick = argc == 2 && strcmp(argv[1], "--quick") == 0, ok;

	if (argc == 3 && strcmp(argv[1], "--worker") == 0)
		return group_worker_main((unsigned)strtoul(argv[2], NULL, 10));
	if (why == NULL && argc > 1 && !quick)
		why = "its only option is --quick";
	if (why != NULL) {
		printf("groupbench: %s\n", why);
		return EXIT_FAILURE;
	}
	ok = start();
	for (unsigned count = 1; count <= workers && ok; count = next(count))
		ok = measure(&lens, count, false, quick ? QUICK_ROUNDS : ROUNDS) &&
		     measure(&lens, count, true, quick ? QUICK_ROUNDS : ROUNDS);
	return end() && ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
