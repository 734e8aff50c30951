/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* explore                       all scenarios, as far as the time goes
 * explore --seconds N           that time (600)
 * explore --slice               the small scenarios only, for `make test`
 * explore --until-broken        ends at the first broken invariant, with exit code 0 if there is one: the test of a mutant
 * explore --only DISTRIBUTION   only from that one
 * explore --deathless           no core dies
 * explore SCENARIO              one scenario; if it breaks an invariant, the shortest schedule, drawn
 *
 * A scenario is called distribution:cores:operations:deaths, the operations as numbers of distribution_begin's list: frame:3:5,17:0. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/explore/diagram.h"
#include "tests/explore/scenarios.h"
#include "tests/explore/search.h"

#define OPERATIONS_EACH 3       /* of one scenario, at most */
#define SPREAD          1000003 /* a prime */
#define STATES_MAX      4000000

/* All scenarios of so many operations. */
struct family {
	unsigned operations, cores, deaths;
	unsigned until; /* 100: all of it is to be exhausted; else shared out fairly, until so many percent of the time are over */
	bool slice;     /* part of `make test` */
};

static const struct family families[] = {
    {1, 2, 0, 100, true}, {1, 3, 0, 100, true}, {1, 4, 0, 100, true},  {2, 2, 0, 100, true}, {2, 3, 0, 100, false},
    {1, 2, 1, 100, true}, {1, 3, 2, 100, true}, {2, 2, 1, 100, false}, {3, 2, 0, 50, false}, {1, 4, 1, 60, false},
    {2, 3, 1, 80, false}, {2, 4, 0, 90, false}, {3, 3, 0, 99, false},
};
#define FAMILIES (sizeof families / sizeof families[0])

struct scenario {
	const struct distribution *distribution;
	unsigned cores, deaths, operations;
	unsigned number[OPERATIONS_EACH]; /* ascending */
};

static struct {
	double seconds;
	const char *only;
	bool slice, until_broken, deathless;
} options = {.seconds = 600};

static struct {
	size_t scenarios, exhausted, broken, states, transitions;
	enum invariant first; /* that was broken */
	double seconds;
} total;

static struct request list[OPERATIONS_LISTED];
static struct search search;

static double seconds_of(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double now(void)
{
	return seconds_of(CLOCK_MONOTONIC);
}

/* Rates are by the processor's time: what else the host does is not the explorer's. */
static double worked(void)
{
	return seconds_of(CLOCK_PROCESS_CPUTIME_ID);
}

/* ---- One scenario ------------------------------------------------------------------------------- */

static const char *scenario_text(const struct scenario *s)
{
	static char text[120];
	int n = snprintf(text, sizeof text, "%s:%u:", s->distribution->name, s->cores);

	for (unsigned k = 0; k < s->operations; k++)
		n += snprintf(text + n, sizeof text - (size_t)n, "%s%u", k ? "," : "", s->number[k]);
	snprintf(text + n, sizeof text - (size_t)n, ":%u", s->deaths);
	return text;
}

/* Each makes what it makes in a slot of its own. */
static struct request request_of(const struct scenario *s, unsigned k)
{
	struct request r = list[s->number[k]];

	if (r.to_slot == TO_ARRIVAL)
		r.to_slot = (uint8_t)(ARRIVALS - k);
	return r;
}

/* The distribution has been made; its operations are about to begin. */
static void prepare(const struct scenario *s)
{
	broken = INVARIANT_NONE;
	for (unsigned k = 0; k < s->operations; k++)
		world.task[k] = (struct task){.request = request_of(s, k), .state = TASK_READY};
}

static void show_requests(const struct scenario *s)
{
	for (unsigned k = 0; k < s->operations; k++) {
		const struct request r = request_of(s, k);

		printf("    %s\n", request_text(&r));
	}
}

static void show_broken(const struct scenario *s, const void *beginning)
{
	printf("\n  SEED=%s breaks: %s\n    (%s, after %zu states; the shortest schedule has %u steps)\n", scenario_text(s),
	       invariant_sentence(search.broken), invariant_name(search.broken), search.states, search.depth);
	if (broken_about.type != CAP_Null)
		printf("    about %s\n", object_text(broken_about.type, broken_about.base, broken_about.size));
	show_requests(s);
	state_restore(beginning);
	prepare(s);
	diagram_begin(NULL);
	for (unsigned k = 0; k < search.depth; k++)
		choice_apply(search.schedule[k]);
	diagram_end();
	printf("\n");
}

/* Whether it is right. */
static bool explore(const struct scenario *s, const void *beginning, bool show)
{
	state_restore(beginning);
	prepare(s);
	search.deaths = s->deaths;
	search.states_max = STATES_MAX;
	search_run(&search);
	total.scenarios++;
	total.exhausted += search.ending == ENDING_EXHAUSTED;
	total.states += search.states;
	total.transitions += search.transitions;
	if (search.ending != ENDING_BROKEN)
		return true;
	if (!total.broken++)
		total.first = search.broken;
	if (show)
		show_broken(s, beginning);
	return false;
}

/* A distribution, made and saved. NULL: making it broke an invariant. */
static void *begin(const struct distribution *d, unsigned cores, unsigned *listed)
{
	void *beginning;

	if (!distribution_begin(d, cores, list, listed)) {
		printf("  the distribution '%s' on %u cores breaks: %s (%s)\n", d->name, cores, invariant_sentence(broken),
		       invariant_name(broken));
		world_begin(cores);
		diagram_begin(NULL);
		d->make(cores);
		diagram_end();
		if (!total.broken++)
			total.first = broken;
		return NULL;
	}
	beginning = malloc(state_room());
	state_save(beginning);
	return beginning;
}

/* ---- All of a family ---------------------------------------------------------------------------- */

/* How many sets of so many numbers below `limit` there are; a number may be in it several times. */
static size_t count_sets(unsigned numbers, unsigned limit)
{
	size_t count = 1;

	for (unsigned k = 0; k < numbers; k++)
		count = count * (limit + k) / (k + 1);
	return count;
}

/* The scenario of that index in the order of their numbers. */
static void choose_scenario(struct scenario *s, size_t index, unsigned listed)
{
	unsigned number = 0;

	for (unsigned k = 0; k < s->operations; k++) {
		for (size_t with; (with = count_sets(s->operations - k - 1, listed - number)) <= index; number++)
			index -= with;
		s->number[k] = number;
	}
}

static const char *family_text(const struct family *f)
{
	static const char *const name[] = {"", "single operations", "pairs", "triples"};
	static const char *const deaths[] = {"", ", one may die", ", two may die"};
	static char text[80];

	snprintf(text, sizeof text, "%s, %u cores%s", name[f->operations], f->cores, deaths[f->deaths]);
	return text;
}

/* The scenarios in an order that is spread over all of them, in case there is not time for all. Whether to go on. */
static bool explore_distribution(const struct family *f, const struct distribution *d, double deadline)
{
	struct scenario s = {.distribution = d, .cores = f->cores, .deaths = f->deaths, .operations = f->operations};
	const size_t exhausted = total.exhausted, states = total.states, wrong = total.broken;
	const double start = worked();
	unsigned listed = 0, deepest = 0;
	void *beginning = begin(d, f->cores, &listed);
	const size_t count = beginning ? count_sets(f->operations, listed) : 0;

	for (size_t k = 0; k < count && now() < deadline; k++) {
		choose_scenario(&s, k * SPREAD % count, listed);
		if (!explore(&s, beginning, total.broken == wrong) && options.until_broken)
			break;
		if (search.depth > deepest)
			deepest = search.depth;
	}
	free(beginning);
	const double seconds = worked() - start;

	if (!options.until_broken)
		printf("  %-16s %6zu of %6zu exhausted%s, %9zu states, up to %3u steps, %7.0f states/s\n", d->name,
		       total.exhausted - exhausted, count, total.broken > wrong ? " (BROKEN)" : "", total.states - states, deepest,
		       (double)(total.states - states) / (seconds > 0 ? seconds : 1));
	fflush(stdout);
	return !(options.until_broken && total.broken);
}

static bool is_explored(const struct family *f, const struct distribution *d)
{
	return f->cores >= d->cores_min && (!options.only || !strcmp(options.only, d->name));
}

/* What can't be exhausted: each distribution gets its share of the time that is left. */
static double fair_deadline(const struct family *f, double deadline, unsigned left)
{
	return f->until == 100 ? deadline : now() + (deadline - now()) / left;
}

static bool explore_family(const struct family *f, double start)
{
	const double deadline = start + options.seconds * f->until / 100;
	unsigned left = 0;

	if (!options.until_broken)
		printf("%s\n", family_text(f));
	for (unsigned k = 0; k < distribution_count; k++)
		left += is_explored(f, &distributions[k]);
	for (unsigned k = 0; k < distribution_count; k++)
		if (is_explored(f, &distributions[k]) && !explore_distribution(f, &distributions[k], fair_deadline(f, deadline, left--)))
			return false;
	return true;
}

static int explore_all(void)
{
	const double start = now();

	for (unsigned k = 0; k < FAMILIES; k++)
		if ((families[k].slice || !options.slice) && !(families[k].deaths && options.deathless) &&
		    !explore_family(&families[k], start))
			break;
	total.seconds = worked();
	if (options.until_broken) {
		if (total.broken)
			printf("caught by '%s' in scenario %zu, after %zu states; shortest schedule %u steps\n",
			       invariant_name(total.first), total.scenarios, total.states, search.depth);
		else
			printf("SURVIVED %zu scenarios, %zu states\n", total.scenarios, total.states);
		return total.broken ? 0 : 1;
	}
	printf("%zu scenarios, %zu of them exhausted, %zu broken; %zu states, %zu steps; %.0f states/s of one processor's time\n",
	       total.scenarios, total.exhausted, total.broken, total.states, total.transitions, (double)total.states / total.seconds);
	return total.broken ? 1 : 0;
}

/* ---- One by its name ---------------------------------------------------------------------------- */

static bool parse(const char *text, struct scenario *s)
{
	const char *colon = strchr(text, ':');
	char *at;

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
	return !*at && s->cores >= s->distribution->cores_min && s->cores <= WORLD_CORES;
}

static int replay(const char *text)
{
	struct scenario s = {0};
	unsigned listed = 0;
	void *beginning;

	if (!parse(text, &s)) {
		fprintf(stderr, "explore: '%s' is not a scenario: DISTRIBUTION:CORES:OPERATION,OPERATION:DEATHS is, frame:3:5,17:0\n",
		        text);
		return 2;
	}
	beginning = begin(s.distribution, s.cores, &listed);
	for (unsigned k = 0; beginning && k < s.operations; k++)
		if (s.number[k] >= listed) {
			fprintf(stderr, "explore: '%s' names operation %u, but there are only %u\n", text, s.number[k], listed);
			return 2;
		}
	if (!beginning || !explore(&s, beginning, true))
		return 1;
	printf("%s: %s, %zu states, %zu steps, at most %u in a row\n", text,
	       search.ending == ENDING_EXHAUSTED ? "exhausted" : "too many states", search.states, search.transitions, search.depth);
	show_requests(&s);
	return 0;
}

int main(int count, char **words)
{
	const char *name = NULL;

	for (int k = 1; k < count; k++) {
		if (!strcmp(words[k], "--seconds") && k + 1 < count)
			options.seconds = strtod(words[++k], NULL);
		else if (!strcmp(words[k], "--only") && k + 1 < count)
			options.only = words[++k];
		else if (!strcmp(words[k], "--slice"))
			options.slice = true;
		else if (!strcmp(words[k], "--deathless"))
			options.deathless = true;
		else if (!strcmp(words[k], "--until-broken"))
			options.until_broken = true;
		else
			name = words[k];
	}
	return name ? replay(name) : explore_all();
}
