/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Capabilities over several cores, tried from inside: `agreement` starts a peer on each core and prints a `@test` fact for each check;
 * `agreement operations`, `groups`, `races` or `attacks` runs a part; `agreement peer NAME` and
 * `agreement collector NAME` are the peers. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/programs/agreement/checks.h"

static unsigned failures;

static void note(const char *name, const struct peer *p, const char *why)
{
	printf("@test {\"name\":\"agreement.%s\",\"core\":%u,\"ok\":%s}\n", name, p == NULL ? domain_core() : p->core,
	       why == NULL ? "true" : "false");
	if (why != NULL)
		printf("agreement.%s: %s\n", name, why);
	failures += why != NULL;
}

static void run(const struct check *checks)
{
	for (; checks->name != NULL; checks++)
		if (remote_count >= checks->remote)
			note(checks->name, NULL, checks->run());
}

static void run_with_each(const struct peer_check *checks)
{
	for (; checks->name != NULL; checks++)
		for (unsigned i = 0; i < peer_count; i++)
			note(checks->name, &peers[i], checks->run(&peers[i]));
}

static bool start_peers(void)
{
	static struct core_info cores[MACHINE_CORES];
	unsigned count;

	if (is_err(core_list(cores, MACHINE_CORES, &count)))
		return false;
	for (unsigned i = 0; i < count && peer_count < PEERS_MAX - 1; i++)
		if (cores[i].alive && cores[i].core != domain_core()) {
			if (!peer_start(&peers[peer_count], cores[i].core, peer_count))
				return false;
			peer_count++;
		}
	remote_count = peer_count;
	return peer_start(&peers[peer_count], domain_core(), peer_count) && ++peer_count > 0;
}

static bool wants(int argc, char **argv, const char *part)
{
	return argc == 1 || strcmp(argv[1], part) == 0;
}

int main(int argc, char **argv)
{
	if (argc == 3)
		return peer_main(argv[2], strcmp(argv[1], "collector") == 0);
	if (!start_peers()) {
		note("start", NULL, "a peer can't be started");
		return EXIT_FAILURE;
	}
	if (wants(argc, argv, "operations"))
		run_with_each(operation_checks);
	if (wants(argc, argv, "groups"))
		run(group_checks);
	if (wants(argc, argv, "races"))
		run(race_checks);
	if (wants(argc, argv, "attacks"))
		run(attack_checks);
	for (unsigned i = 0; i < peer_count; i++)
		note("end_of_a_peer", &peers[i], peer_end(&peers[i]) ? NULL : "a peer did not end as it should");
	return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
