/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include "apps/common/team.h"

#include <stdio.h>
#include <stdlib.h>

#include <atoll/domain.h>
#include <atoll/thread.h>

void give_up(const char *what, err_t e)
{
	fprintf(stderr, "%s: %s\n", what, err_sentence(e));
	exit(EXIT_FAILURE);
}

uint64_t microseconds_since(uint64_t tsc)
{
	return (time_tsc() - tsc) / (time_tsc_hz() / 1000000);
}

/* To all of those cores that are on the program's own node, or on others. */
static void grow_to(const struct core_info *cores, unsigned count, bool own_node, unsigned wanted)
{
	const unsigned node = domain_self()->node;
	unsigned member;

	for (unsigned i = 0; i < count && span_members(NULL, 0) < wanted; i++)
		if (cores[i].alive && cores[i].core != domain_core() && (cores[i].node == node) == own_node)
			must("growing to another core", span_grow(cores[i].core, 0, &member));
}

unsigned team_grow(unsigned cores)
{
	static struct core_info all[MACHINE_CORES];
	unsigned count, wanted = cores == 0 ? SPAN_MAX : cores;

	must("the list of cores", core_list(all, MACHINE_CORES, &count));
	grow_to(all, count, true, wanted);
	grow_to(all, count, false, wanted);
	if (span_members(NULL, 0) < cores) {
		fprintf(stderr, "%u cores are wanted, and there are %u\n", cores, span_members(NULL, 0));
		exit(EXIT_FAILURE);
	}
	return span_members(NULL, 0);
}

struct mate {
	void (*work)(void *argument, unsigned member);
	void *argument;
	unsigned member;
	struct thread *thread;
};

static void begin(void *argument)
{
	struct mate *m = argument;

	m->work(m->argument, m->member);
}

void team_run(unsigned size, void (*work)(void *argument, unsigned member), void *argument)
{
	struct mate mate[SPAN_MAX];

	for (unsigned m = 0; m < size; m++) {
		mate[m] = (struct mate){work, argument, m, NULL};
		must("a thread", thread_create_among(UINT64_C(1) << m, begin, &mate[m], 0, &mate[m].thread));
	}
	for (unsigned m = 0; m < size; m++)
		must("the end of a thread", thread_join(mate[m].thread));
}
