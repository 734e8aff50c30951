/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Measures domains that span several cores (spanbench.h).
 *
 *   spanbench            everything
 *   spanbench --quick    fewer rounds
 *
 * The lens is the environment's LENS. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <atoll/domain.h>
#include <atoll/span.h>

#include "bench/spanbench/spanbench.h"

_Static_assert(SPAN_MAX == sizeof(((struct plan *)0)->cores) / sizeof(unsigned), "a core each");

bool failed(const char *id, const char *why)
{
	printf("spanbench: %s: %s\n", id, why);
	return false;
}

static const char *find_cores(struct plan *p)
{
	static struct core_info all[MACHINE_CORES];
	unsigned count;
	err_t e = core_list(all, MACHINE_CORES, &count);

	if (is_err(e))
		return err_sentence(e);
	p->members = 1;
	p->cores[0] = domain_core();
	for (unsigned i = 0; i < count && p->members < SPAN_MAX; i++)
		if (all[i].alive && all[i].core != domain_core())
			p->cores[p->members++] = all[i].core;
	return p->members > 1 ? NULL : "there is no other core";
}

int main(int argc, char **argv)
{
	bool quick = argc == 2 && strcmp(argv[1], "--quick") == 0;
	struct plan plan = {.quick = quick};
	struct lens lens;
	const char *why = argc > 1 && !quick ? "its only option is --quick" : lens_open(&lens);

	plan.lens = &lens;
	if (why == NULL)
		why = find_cores(&plan);
	if (why != NULL) {
		printf("spanbench: %s\n", why);
		return EXIT_FAILURE;
	}
	return grow_measure(&plan) && words_measure(&plan) && unmap_measure(&plan) && barrier_measure(&plan) && steal_measure(&plan)
	           ? EXIT_SUCCESS
	           : EXIT_FAILURE;
}
