/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Measures IPC within a core and between cores, and the CPU driver's operations.
 *
 *   ipcbench            everything on this core, then every ordered pair of cores
 *   ipcbench --quick    fewer rounds for each pair
 *   ipcbench --local    only what one core needs
 *   ipcbench --from A   as ipcbench, but of the pairs only those from core A
 *   ipcbench --pair A B only from core A to core B
 *
 * The lens is the environment's LENS. One worker runs on each core; they measure one pair after the other, and whoever is not measuring
 * sleeps, so that the emulator's host cores belong to the two that do. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <atoll/domain.h>
#include <atoll/ipc.h>

#include "bench/common/sample.h"
#include "bench/ipcbench/single.h"
#include "bench/ipcbench/worker.h"

struct wishes {
	bool quick, local_only, one_from, one_pair;
	unsigned long from, to;
};

static struct worker workers[MACHINE_CORES];

static bool start_workers(const struct core_info *cores, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (cores[i].alive && !worker_start(&workers[cores[i].core], cores[i].core, 0))
			return false;
	return true;
}

static bool measure_pair(unsigned from, unsigned to, bool quick)
{
	struct ipc_message message = {.label = WORKER_MEASURE, .word = {to, quick}};
	err_t e = ipc_call(workers[from].connection, &message, &message);

	if (is_err(e))
		printf("ipcbench: the worker on core %u is gone: %s\n", from, err_sentence(e));
	return is_ok(e) && message.word[0] == ERR_NUMBER_OK;
}

static bool measure_pairs(const struct wishes *wishes)
{
	bool ok = true;

	for (unsigned from = 0; from < MACHINE_CORES; from++)
		for (unsigned to = 0; to < MACHINE_CORES; to++) {
			if (workers[from].connection == NULL || workers[to].connection == NULL || from == to)
				continue;
			if ((wishes->one_from || wishes->one_pair) && wishes->from != from)
				continue;
			if (!wishes->one_pair || wishes->to == to)
				ok = measure_pair(from, to, wishes->quick) && ok;
		}
	return ok;
}

static bool has_core(const struct core_info *cores, unsigned count, unsigned long core)
{
	for (unsigned i = 0; i < count; i++)
		if (cores[i].core == core && cores[i].alive)
			return true;
	printf("ipcbench: there is no core %lu\n", core);
	return false;
}

static bool measure_across(const struct wishes *wishes)
{
	static struct core_info cores[MACHINE_CORES];
	unsigned count = 0;
	err_t e = core_list(cores, MACHINE_CORES, &count);
	bool ok;

	if (is_err(e)) {
		printf("ipcbench: the cores can't be listed: %s\n", err_sentence(e));
		return false;
	}
	if ((wishes->one_from || wishes->one_pair) && !has_core(cores, count, wishes->from))
		return false;
	if (wishes->one_pair && !has_core(cores, count, wishes->to))
		return false;
	ipc_set_polling(0); /* while the workers work, this domain only waits */
	ok = start_workers(cores, count) && measure_pairs(wishes);
	for (unsigned i = 0; i < MACHINE_CORES; i++)
		worker_end(&workers[i]);
	return ok;
}

static bool read_core(const char *text, unsigned long *out)
{
	char *end;

	*out = strtoul(text, &end, 10);
	return *text >= '0' && *text <= '9' && *end == 0 && *out < MACHINE_CORES;
}

static bool read_wishes(int argc, char **argv, struct wishes *out)
{
	*out = (struct wishes){0};
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--quick") == 0) {
			out->quick = true;
		} else if (strcmp(argv[i], "--local") == 0) {
			out->local_only = true;
		} else if (strcmp(argv[i], "--from") == 0 && i + 1 < argc && read_core(argv[i + 1], &out->from)) {
			out->one_from = true;
			i++;
		} else if (strcmp(argv[i], "--pair") == 0 && i + 2 < argc && read_core(argv[i + 1], &out->from) &&
		           read_core(argv[i + 2], &out->to)) {
			out->one_pair = true;
			i += 2;
		} else {
			printf("ipcbench: %s is none of --quick, --local, --from CORE, --pair CORE CORE\n", argv[i]);
			return false;
		}
	}
	return true;
}

int main(int argc, char **argv)
{
	struct lens lens;
	struct wishes wishes;
	const char *why = lens_open(&lens);
	bool ok;

	if (why != NULL) {
		printf("ipcbench: %s\n", why);
		return EXIT_FAILURE;
	}
	if (argc == 3 && strcmp(argv[1], "--worker") == 0)
		return worker_main(&lens, argv[2]);
	if (argc == 3 && strcmp(argv[1], "--partner") == 0)
		return single_partner_main(argv[2]);
	if (!read_wishes(argc, argv, &wishes))
		return EXIT_FAILURE;
	ok = wishes.one_pair || single_measure(&lens);
	if (!wishes.local_only)
		ok = measure_across(&wishes) && ok;
	return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
