/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* explore                       all scenarios, as far as the time goes
 * explore --seconds N           that time (600)
 * explore --workers N           as many processes (1)
 * explore --slice               the small scenarios only, for `make test`
 * explore --until-broken        ends at the first broken invariant, with exit code 0 if there is one: the test of a mutant. The time is
 *                               the processor's
 * explore --compare             the small scenarios, searched as always and also with nothing left out: whether it comes to the same
 * explore --only DISTRIBUTION   only from that one
 * explore --family O:C:D:J      only with O operations on C cores of which D may die and J come back
 * explore --deathless           no core dies
 * explore SCENARIO              one scenario (scenario.h); if it breaks an invariant, the shortest schedule, drawn */

#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/explore/scenario.h"

#define SPREAD      1000003 /* a prime */
#define WORKERS_MAX 16

/* All scenarios of so many operations. */
struct family {
	unsigned operations, cores, deaths, joins;
	enum { SLICE, ALL, SAMPLE } how; /* part of `make test`; to be exhausted; by turns, as long as there is time */
};

static const struct family families[] = {
    {1, 2, 0, 0, SLICE},  {1, 3, 0, 0, SLICE},  {1, 4, 0, 0, SLICE},  {2, 2, 0, 0, SLICE},  {1, 2, 1, 0, SLICE}, {1, 2, 1, 1, SLICE},
    {1, 3, 2, 0, SLICE},  {2, 3, 0, 0, ALL},    {2, 2, 1, 0, ALL},    {2, 2, 1, 1, ALL},    {2, 3, 1, 0, ALL},   {1, 3, 1, 1, ALL},
    {3, 2, 0, 0, SAMPLE}, {1, 4, 1, 0, SAMPLE}, {2, 4, 0, 0, SAMPLE}, {3, 3, 0, 0, SAMPLE},
};
#define FAMILIES (sizeof families / sizeof families[0])

static struct {
	double seconds;
	const char *only;
	struct family family; /* 0 operations: all */
	unsigned workers;
	bool slice, until_broken, deathless, compare;
} options = {.seconds = 600, .workers = 1};

struct count {
	size_t scenarios, exhausted, broken, states, transitions;
	unsigned deepest;
	double mistaken;      /* chance that two different states of a scenario were taken for one, at most (search.c) */
	double seconds;       /* of the processor's time: what else the host does is not the explorer's */
	enum invariant first; /* that was broken */
};

/* Of all workers: they are processes of their own, so each has a world. */
static struct shared_work {
	atomic_size_t next; /* scenario that nobody has begun yet */
	atomic_bool shown;  /* a broken scenario */
	struct count count[WORKERS_MAX];
} * work;

static struct count total;
static double share_done[FAMILIES]; /* of its scenarios, exhausted */
static struct search search;

static double seconds_of(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double worked(void)
{
	return seconds_of(CLOCK_PROCESS_CPUTIME_ID);
}

/* Whether a mutant is caught shall not depend on what else the host does. */
static double now(void)
{
	return options.until_broken ? worked() : seconds_of(CLOCK_MONOTONIC);
}

/* ---- One scenario ------------------------------------------------------------------------------- */

/* The same must come out when nothing is left out: the same verdict, and if that is good, the same states and the same states at rest. */
static bool compare(const struct scenario *s, const void *beginning)
{
	static struct search whole;
	const bool broke = search.ending == ENDING_BROKEN;
	bool same;

	scenario_search(s, beginning, &whole, true);
	same = broke == (whole.ending == ENDING_BROKEN);
	if (same && !broke)
		same = !memcmp(&whole.census, &search.census, sizeof whole.census);
	if (!same)
		printf("  %s: with all choices %zu states (%zu of %zu at rest) and %s; as always %zu (%zu at rest) and %s\n",
		       scenario_text(s), whole.states, whole.census.rests, whole.census.states, invariant_name(whole.broken), search.states,
		       search.census.rests, invariant_name(search.broken));
	return same;
}

/* What is found is looked for again with nothing left out, for a shortest schedule; but that may be too much. */
static void show(const struct scenario *s, const void *beginning)
{
	const struct search first = search;

	scenario_search(s, beginning, &search, true);
	if (search.ending != ENDING_BROKEN) {
		search = first;
		broken = first.broken;
	}
	scenario_show_broken(s, beginning, &search);
}

/* Whether it is right. */
static bool explore(const struct scenario *s, const void *beginning, struct count *c)
{
	bool right;

	scenario_search(s, beginning, &search, false);
	c->scenarios++;
	c->exhausted += search.ending == ENDING_EXHAUSTED;
	c->states += search.states;
	c->transitions += search.transitions;
	c->mistaken += ldexp((double)search.states * (double)search.states, -129);
	if (search.depth > c->deepest)
		c->deepest = search.depth;
	right = options.compare ? compare(s, beginning) : search.ending != ENDING_BROKEN;
	if (right)
		return true;
	if (!c->broken++)
		c->first = search.broken;
	if (!options.compare && !options.until_broken && !atomic_exchange(&work->shown, true))
		show(s, beginning);
	return false;
}

/* ---- All of a family ---------------------------------------------------------------------------- */

static const char *family_text(const struct family *f)
{
	static const char *const name[] = {"", "single operations", "pairs", "triples"};
	static const char *const deaths[] = {"", ", one may die", ", two may die"};
	static char text[80];

	snprintf(text, sizeof text, "%s, %u cores%s%s", name[f->operations], f->cores, deaths[f->deaths], f->joins ? " and come back" : "");
	return text;
}

/* The scenarios in an order that is spread over all of them, in case there is not time for all. */
static void do_share(struct scenario *s, const void *beginning, size_t count, unsigned listed, double deadline, struct count *c)
{
	const double start = worked();

	for (size_t k; now() < deadline && (k = atomic_fetch_add(&work->next, 1)) < count;) {
		scenario_choose(s, k * SPREAD % count, listed);
		if (!explore(s, beginning, c) && options.until_broken)
			break;
	}
	c->seconds += worked() - start;
}

/* A worker that crashes has found something too. */
static void wait_for(pid_t worker, struct count *c)
{
	int status = 0;

	if (waitpid(worker, &status, 0) == worker && WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return;
	printf("  a worker has crashed (status %#x)\n", (unsigned)status);
	c->broken++;
}

static void share_out(struct scenario *s, const void *beginning, size_t count, unsigned listed, double deadline)
{
	pid_t worker[WORKERS_MAX];

	work->next = 0;
	work->shown = false;
	memset(work->count, 0, sizeof work->count);
	fflush(stdout);
	if (options.workers == 1) {
		do_share(s, beginning, count, listed, deadline, &work->count[0]);
		return;
	}
	for (unsigned k = 0; k < options.workers; k++) {
		worker[k] = fork();
		if (worker[k] != 0)
			continue;
		do_share(s, beginning, count, listed, deadline, &work->count[k]);
		fflush(stdout);
		_exit(0);
	}
	for (unsigned k = 0; k < options.workers; k++)
		wait_for(worker[k], &work->count[k]);
}

static void add_count(struct count *to, const struct count *c)
{
	if (!to->broken)
		to->first = c->first;
	to->scenarios += c->scenarios;
	to->exhausted += c->exhausted;
	to->broken += c->broken;
	to->states += c->states;
	to->transitions += c->transitions;
	to->seconds += c->seconds;
	to->mistaken += c->mistaken;
	if (c->deepest > to->deepest)
		to->deepest = c->deepest;
}

/* What came out, and of how many scenarios. */
static struct count explore_distribution(const struct family *f, const struct distribution *d, double deadline, size_t *of)
{
	struct scenario s = {.distribution = d, .cores = f->cores, .deaths = f->deaths, .joins = f->joins, .operations = f->operations};
	struct count c = {0};
	unsigned listed = 0;
	void *beginning = scenario_begin(d, f->cores, &listed);

	*of = count_sets(f->operations, listed);
	if (!beginning) {
		c.broken = 1;
		c.first = broken;
		return c;
	}
	share_out(&s, beginning, *of, listed, deadline);
	for (unsigned k = 0; k < options.workers; k++)
		add_count(&c, &work->count[k]);
	free(beginning);
	return c;
}

static void report(const char *what, const struct count *c, size_t of)
{
	if (options.until_broken)
		return;
	printf("  %-16s %6zu of %6zu exhausted%s, %10zu states, up to %3u steps, %7.0f states/s\n", what, c->exhausted, of,
	       c->broken ? " (BROKEN)" : "", c->states, c->deepest, (double)c->states / (c->seconds > 0 ? c->seconds : 1));
	fflush(stdout);
}

static bool is_explored(const struct family *f, const struct distribution *d)
{
	return f->cores >= d->cores_min && (!options.only || !strcmp(options.only, d->name));
}

/* Of the time that is left, one of so many shares. */
static double fair_deadline(double deadline, unsigned shares)
{
	return now() + (deadline - now()) / shares;
}

static bool is_asked_for(const struct family *f)
{
	const struct family *o = &options.family;

	if (o->operations)
		return f->operations == o->operations && f->cores == o->cores && f->deaths == o->deaths && f->joins == o->joins;
	return (f->how == SLICE || !(options.slice || options.compare)) && !(f->deaths && options.deathless);
}

/* What can't be exhausted shares the time with what comes after it. */
static double family_deadline(const struct family *f, double deadline)
{
	unsigned shares = 0;

	for (const struct family *g = f; g < families + FAMILIES; g++)
		shares += is_asked_for(g);
	return f->how == SAMPLE ? fair_deadline(deadline, shares) : deadline;
}

/* Whether to go on. */
static bool explore_family(const struct family *f, double end)
{
	const double deadline = family_deadline(f, end);
	struct count all = {0};
	size_t all_of = 0;
	unsigned left = 0;

	if (!options.until_broken)
		printf("%s\n", family_text(f));
	for (unsigned k = 0; k < distribution_count; k++)
		left += is_explored(f, &distributions[k]);
	for (unsigned k = 0; k < distribution_count && !(options.until_broken && all.broken); k++) {
		size_t of;

		if (!is_explored(f, &distributions[k]))
			continue;
		const struct count c =
		    explore_distribution(f, &distributions[k], f->how == SAMPLE ? fair_deadline(deadline, left--) : deadline, &of);

		report(distributions[k].name, &c, of);
		add_count(&all, &c);
		all_of += of;
	}
	report(all.exhausted == all_of ? "= ALL" : "= A PART", &all, all_of);
	share_done[f - families] = all_of ? (double)all.exhausted / (double)all_of : 1;
	add_count(&total, &all);
	return !(options.until_broken && total.broken);
}

/* Said at the end, in so many words. */
static void report_shares(void)
{
	printf("exhausted:");
	for (unsigned k = 0; k < FAMILIES; k++)
		if (is_asked_for(&families[k]) && share_done[k] >= 1)
			printf(" %s;", family_text(&families[k]));
	printf("\nonly a part:");
	for (unsigned k = 0; k < FAMILIES; k++)
		if (is_asked_for(&families[k]) && share_done[k] < 1)
			printf(" %.1f %% of %s;", 100 * share_done[k], family_text(&families[k]));
	printf("\nthe chance that two different states of a scenario were taken for one is below %.0e\n", total.mistaken);
}

static int conclude(double start)
{
	if (options.until_broken) {
		if (total.broken)
			printf("caught by '%s' in scenario %zu, after %zu states; a schedule of %u steps\n", invariant_name(total.first),
			       total.scenarios, total.states, search.depth);
		else
			printf("SURVIVED %zu scenarios, %zu states\n", total.scenarios, total.states);
		return total.broken ? 0 : 1;
	}
	report_shares();
	printf("%zu scenarios, %zu of them exhausted, %zu %s; %zu states, %zu steps, in %.0f s; %.0f states/s of one processor's time\n",
	       total.scenarios, total.exhausted, total.broken, options.compare ? "came out differently" : "broken", total.states,
	       total.transitions, now() - start, (double)total.states / total.seconds);
	return total.broken ? 1 : 0;
}

static int explore_all(void)
{
	const double start = now();

	work = mmap(NULL, sizeof *work, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (work == MAP_FAILED) {
		perror("explore: no memory");
		return 2;
	}
	for (unsigned k = 0; k < FAMILIES; k++)
		if (is_asked_for(&families[k]) && !explore_family(&families[k], start + options.seconds))
			break;
	return conclude(start);
}

/* ---- One by its name ---------------------------------------------------------------------------- */

static int replay(const char *text)
{
	struct scenario s;
	unsigned listed = 0;
	void *beginning;

	if (!scenario_parse(text, &s)) {
		fprintf(stderr,
		        "explore: '%s' is not a scenario: DISTRIBUTION:CORES:OPERATION,OPERATION:DEATHS:JOINS is, frame:3:5,17:1:1\n",
		        text);
		return 2;
	}
	beginning = scenario_begin(s.distribution, s.cores, &listed);
	for (unsigned k = 0; beginning && k < s.operations; k++)
		if (s.number[k] >= listed) {
			fprintf(stderr, "explore: '%s' names operation %u, but there are only %u\n", text, s.number[k], listed);
			return 2;
		}
	if (!beginning)
		return 1;
	scenario_search(&s, beginning, &search, false);
	if (search.ending == ENDING_BROKEN) {
		show(&s, beginning);
		return 1;
	}
	printf("%s: %s, %zu states, %zu steps, at most %u in a row\n", text,
	       search.ending == ENDING_EXHAUSTED ? "exhausted" : "too many states", search.states, search.transitions, search.depth);
	scenario_show_requests(&s);
	return options.compare && !compare(&s, beginning);
}

static bool parse_family(const char *text)
{
	struct family *f = &options.family;

	return sscanf(text, "%u:%u:%u:%u", &f->operations, &f->cores, &f->deaths, &f->joins) == 4;
}

int main(int count, char **words)
{
	const char *name = NULL;

	for (int k = 1; k < count; k++) {
		if (!strcmp(words[k], "--seconds") && k + 1 < count)
			options.seconds = strtod(words[++k], NULL);
		else if (!strcmp(words[k], "--workers") && k + 1 < count)
			options.workers = (unsigned)strtoul(words[++k], NULL, 10);
		else if (!strcmp(words[k], "--only") && k + 1 < count)
			options.only = words[++k];
		else if (!strcmp(words[k], "--slice"))
			options.slice = true;
		else if (!strcmp(words[k], "--family") && k + 1 < count && parse_family(words[k + 1]))
			k++;
		else if (!strcmp(words[k], "--deathless"))
			options.deathless = true;
		else if (!strcmp(words[k], "--compare"))
			options.compare = true;
		else if (!strcmp(words[k], "--until-broken"))
			options.until_broken = true;
		else
			name = words[k];
	}
	if (options.workers < 1 || options.workers > WORKERS_MAX) {
		fprintf(stderr, "explore: 1 to %u workers are possible\n", WORKERS_MAX);
		return 2;
	}
	return name ? replay(name) : explore_all();
}
