/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
// sources: apps/supervisor/plan.c

/* Any file is either refused with a sentence and a line, or becomes a plan whose services come after earlier ones only. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "apps/supervisor/plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_service(const struct plan *plan, unsigned i)
{
	const struct plan_service *s = &plan->service[i];

	if ((s->after | s->needs) >> i != 0 || (s->needs & ~s->after) != 0 || s->argument[0] == NULL || strlen(s->name) >= PLAN_NAME)
		abort();
	for (unsigned j = 0; s->argument[j] != NULL; j++)
		if (s->argument[j] < plan->text || s->argument[j] + strlen(s->argument[j]) >= plan->text + sizeof(plan->text))
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct plan plan;
	unsigned line;
	char *text = malloc(size + 1); /* the sanitizer sees who reads beyond it */

	if (text == NULL)
		return 0;
	memcpy(text, data, size);
	if (plan_read(text, size, &plan, &line) == NULL)
		for (unsigned i = 0; i < plan.services; i++)
			check_service(&plan, i);
	free(text);
	return 0;
}
