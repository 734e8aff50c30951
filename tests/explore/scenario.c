/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include "tests/explore/scenario.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/explore/diagram.h"

#define STATES_MAX 4000000

static struct request list[OPERATIONS_LISTED];

/* ---- Names -------------------------------------------------------------------------------------- */

const char *scenario_text(const struct scenario *s)
{
	static char text[120];
	int n = snprintf(text, sizeof text, "%s:%u:", s->distribution->name, s->cores);

	for (unsigned k = 0; k < s->operations; k++)
		n += snprintf(text + n, sizeof text - (size_t)n, "%s%u", k ? "," : "", s->number[k]);
	n += snprintf(text + n, sizeof text - (size_t)n, ":%u", s->deaths);
	if (s->joins)
		snprintf(text + n, sizeof text - (size_t)n, ":%u", s->joins);
	return text;
}

bool scenario_parse(const char *text, struct scenario *s)
{
	const char *colon = strchr(text, ':');
	char *at;

	*s = (struct scenario){0};
	for (unsigned k = 0; colon && k < distribution_count; k++)
		if (strlen(distributions[k].name) == (size_t)(colon - text) &&
		    !strncmp(text, distributions[k].name, (size_t)(colon - text)))
			s->distribution = &distributions[k];
	if (!s->distribution)
		return false;
	s->cores = (unsigned)strtoul(colon + 1, &at, 10);
	do
		s->number[s->operations++] = (unsigned)strtoul(at + 1, &at, 10);
	while (*at == ',' && s->operations < OPERATIONS_EACH);
	if (*at == ':')
		s->deaths = (unsigned)strtoul(at + 1, &at, 10);
	if (*at == ':')
		s->joins = (unsigned)strtoul(at + 1, &at, 10);
	return !*at && s->cores >= s->distribution->cores_min && s->cores <= WORLD_CORES;
}

size_t count_sets(unsigned numbers, unsigned limit)
{
	size_t count = 1;

	for (unsigned k = 0; k < numbers; k++)
		count = count * (limit + k) / (k + 1);
	return count;
}

void scenario_choose(struct scenario *s, size_t index, unsigned listed)
{
	unsigned number = 0;

	for (unsigned k = 0; k < s->operations; k++) {
		for (size_t with; (with = count_sets(s->operations - k - 1, listed - number)) <= index; number++)
			index -= with;
		s->number[k] = number;
	}
}

/* ---- Beginning ---------------------------------------------------------------------------------- */

void *scenario_begin(const struct distribution *d, unsigned cores, unsigned *listed)
{
	void *beginning;

	if (!distribution_begin(d, cores, list, listed)) {
		printf("  the distribution '%s' on %u cores breaks: %s (%s)\n", d->name, cores, invariant_sentence(broken),
		       invariant_name(broken));
		world_begin(cores);
		diagram_begin(NULL);
		d->make(cores);
		diagram_end();
		return NULL;
	}
	beginning = malloc(state_room());
	state_save(beginning);
	return beginning;
}

/* Each makes what it makes in a slot of its own. */
static struct request request_of(const struct scenario *s, unsigned k)
{
	struct request r = list[s->number[k]];

	if (r.to_slot == TO_ARRIVAL)
		r.to_slot = (uint8_t)(ARRIVALS - k);
	return r;
}

static void prepare(const struct scenario *s, const void *beginning)
{
	state_restore(beginning);
	broken = INVARIANT_NONE;
	world.returns = s->joins > 0;
	for (unsigned k = 0; k < s->operations; k++)
		world.task[k] = (struct task){.request = request_of(s, k), .state = TASK_READY};
}

/* ---- Searching ---------------------------------------------------------------------------------- */

void scenario_search(const struct scenario *s, const void *beginning, struct search *search, bool whole)
{
	prepare(s, beginning);
	search->deaths = s->deaths;
	search->joins = s->joins;
	search->states_max = STATES_MAX;
	search->whole = whole;
	search_run(search);
}

void scenario_show_requests(const struct scenario *s)
{
	for (unsigned k = 0; k < s->operations; k++) {
		const struct request r = request_of(s, k);

		printf("    %s\n", request_text(&r));
	}
}

void scenario_show_broken(const struct scenario *s, const void *beginning, const struct search *search)
{
	printf("\n  SEED=%s breaks: %s\n    (%s, after %zu states; the %s schedule has %u steps)\n", scenario_text(s),
	       invariant_sentence(search->broken), invariant_name(search->broken), search->states, search->whole ? "shortest" : "first",
	       search->depth);
	if (broken_about.type != CAP_Null)
		printf("    about %s\n", object_text(broken_about.type, broken_about.base, broken_about.size));
	scenario_show_requests(s);
	prepare(s, beginning);
	diagram_begin(NULL);
	for (unsigned k = 0; k < search->depth; k++)
		choice_apply(search->schedule[k]);
	diagram_end();
	printf("\n");
}
