/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Measures operations on capabilities that other cores hold: how long they take, and how many messages between the monitors.
 *
 *   capbench            with 1, 2, ... 7, 15, 31 holders, up to all the other cores, but at most 63
 *   capbench --quick    fewer rounds
 *
 * The lens is the environment's LENS. The objects belong to this core; a worker on each of the others holds copies of them. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <atoll/domain.h>
#include <atoll/ipc.h>

#include "bench/capbench/measure.h"
#include "bench/capbench/worker.h"
#include "bench/common/sample.h"

#define HOLDERS_MAX  63
#define HOLDERS_EACH 7
#define ROUNDS       500
#define QUICK_ROUNDS 50

static struct worker workers[HOLDERS_MAX];

static bool start_workers(unsigned *count)
{
	static struct core_info cores[MACHINE_CORES];
	unsigned listed = 0;
	err_t e = core_list(cores, MACHINE_CORES, &listed);

	*count = 0;
	if (is_err(e))
		printf("capbench: the cores can't be listed: %s\n", err_sentence(e));
	for (unsigned i = 0; i < listed && *count < HOLDERS_MAX; i++) {
		if (!cores[i].alive || cores[i].core == domain_core())
			continue;
		if (!worker_start(&workers[(*count)++], cores[i].core))
			return false;
	}
	if (is_ok(e) && *count == 0)
		printf("capbench: there is no other core, and so nothing to agree on\n");
	return *count > 0;
}

/* Nobody polls, so that a core on which nothing is under way sleeps: a holder that still looks for the next message would keep the
 * processor from its monitor, and a wait that polls has no length in instructions. */
static bool stop_polling(unsigned count)
{
	uint64_t answer;
	bool ok = true;

	ipc_set_polling(0);
	for (unsigned i = 0; i < count; i++)
		ok = worker_tell(&workers[i], WORKER_POLLING, 0, &answer) && ok;
	return ok;
}

/* How many holders after so many, the last time all that there are. */
static unsigned next(unsigned holders, unsigned all)
{
	const unsigned step = holders < HOLDERS_EACH ? holders + 1 : 2 * holders + 1;

	return holders < all && step > all ? all : step;
}

static bool measure(const struct lens *lens, unsigned workers_count, bool quick)
{
	static bool (*const by_holders[])(const struct measurement *m) = {measure_retype, measure_revoke,        measure_revoke_mapped,
	                                                                  measure_delete, measure_delete_holder, measure_unmap};
	struct measurement m = {.lens = lens, .worker = workers, .holders = 1, .rounds = quick ? QUICK_ROUNDS : ROUNDS};
	bool ok = measure_transfer(&m);

	for (; m.holders <= workers_count && ok; m.holders = next(m.holders, workers_count))
		for (size_t i = 0; i < sizeof(by_holders) / sizeof(by_holders[0]) && ok; i++)
			ok = by_holders[i](&m);
	return ok;
}

int main(int argc, char **argv)
{
	struct lens lens;
	const char *why = lens_open(&lens);
	unsigned count;
	bool ok, quick = argc == 2 && strcmp(argv[1], "--quick") == 0;

	if (argc == 3 && strcmp(argv[1], "--worker") == 0)
		return worker_main(argv[2]);
	if (why == NULL && argc > 1 && !quick)
		why = "its only option is --quick";
	if (why != NULL) {
		printf("capbench: %s\n", why);
		return EXIT_FAILURE;
	}
	ok = start_workers(&count) && stop_polling(count) && measure(&lens, count, quick);
	for (unsigned i = 0; i < count; i++)
		worker_end(&workers[i]);
	return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
