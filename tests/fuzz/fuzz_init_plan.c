/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
// sources: apps/init/plan.c

/* Any command line is either refused with a sentence or becomes a plan whose pointers stay inside it. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "apps/init/plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct init_plan *plan, const char *word)
{
	if (word < plan->text || word + strlen(word) >= plan->text + sizeof(plan->text))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct init_plan plan;
	char *line = malloc(size + 1);

	if (line == NULL)
		return 0;
	memcpy(line, data, size);
	line[size] = 0;
	if (init_plan_parse(line, "default", &plan) == NULL) {
		for (unsigned i = 0; i < plan.programs; i++)
			for (unsigned j = 0; plan.program[i].argument[j] != NULL; j++)
				check(&plan, plan.program[i].argument[j]);
		for (unsigned i = 0; plan.environment[i] != NULL; i++)
			check(&plan, plan.environment[i]);
	}
	free(line);
	return 0;
}
