/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* walk                       random walks on 2 to 16 cores, seed after seed, as far as the time goes
 * walk --seconds N           that time (30)
 * walk --until-broken        ends at the first broken invariant, with exit code 0 if there is one: the test of a mutant
 * walk walk:CORES:NUMBER:DEATHS   that one walk; if it breaks an invariant, what is left of it when it is shrunk (shrink.c), drawn
 *
 * A walk is thousands of random operations by the users of all cores, many at a time, under a random schedule. Now and then one core is
 * slow. Cores die, and may come back with nothing. After each round of operations nothing new begins until all is at rest, and what must
 * hold then is checked; memory that came back to the monitors goes to users again. All of it follows from the seed. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cpudriver/capability/types.h"
#include "tests/explore/diagram.h"
#include "tests/explore/invariants.h"
#include "tests/explore/shrink.h"

#define ROUNDS      40    /* of a walk */
#define ROUND_TASKS 80    /* operations of a round */
#define ROUND_STEPS 20000 /* more, and something goes on for ever */
#define STEPS_DRAWN 400   /* if there are more, only what is about the object is drawn */
#define DEATH_EACH  500   /* steps, about */
#define JOIN_EACH   500
#define SLOW_FOR    300 /* steps */

struct walk {
	/* given */
	unsigned cores, deaths;
	uint64_t number; /* the seed */
	/* how far it came */
	unsigned died, joined;
	size_t steps, operations;
};

static uint64_t random_state;

static uint32_t below(uint32_t limit)
{
	/* xorshift64* (Vigna 2016) */
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return (uint32_t)((random_state * UINT64_C(0x2545f4914f6cdd1d)) >> 33) % limit;
}

/* ---- Requests ----------------------------------------------------------------------------------- */

/* A slot that a task's capability goes back to, or that it fills. */
static bool is_expected(unsigned core, unsigned slot)
{
	for (unsigned k = 0; k < TASKS_MAX; k++) {
		const struct task *t = &world.task[k];
		const bool leaves = t->request.kind == REQUEST_COPY || t->request.kind == REQUEST_MOVE;

		if (t->state != TASK_PENDING && t->state != TASK_READY)
			continue;
		if ((t->request.core == core && t->request.slot == slot) ||
		    ((leaves ? t->request.to_core : t->request.core) == core && t->request.to_slot == slot))
			return true;
	}
	return false;
}

/* One that holds something; or if `empty`, one that does not and will not. False: there is none. */
static bool find_slot(unsigned core, bool empty, uint8_t *slot)
{
	*slot = (uint8_t)below(USER_SLOTS);
	for (unsigned k = 0; k < USER_SLOTS; k++, *slot = (uint8_t)((*slot + 1) % USER_SLOTS))
		if ((user_slot(core, *slot)->type == CAP_Null) == empty && !(empty && is_expected(core, *slot)))
			return true;
	return false;
}

/* Deletes and revokes keep the number of capabilities in bounds, copies keep them spread. */
static enum request_kind any_kind(void)
{
	static const uint8_t kinds[] = {
	    REQUEST_COPY,   REQUEST_COPY,       REQUEST_COPY,   REQUEST_COPY,   REQUEST_MOVE,   REQUEST_MOVE,
	    REQUEST_RETYPE, REQUEST_RETYPE,     REQUEST_RETYPE, REQUEST_DELETE, REQUEST_DELETE, REQUEST_DELETE,
	    REQUEST_REVOKE, REQUEST_LOCAL_COPY, REQUEST_PUT,    REQUEST_MAP,    REQUEST_MAP,
	};

	return kinds[below(sizeof kinds)];
}

static void choose_part(struct request *r)
{
	static const uint8_t types[] = {CAP_RAM, CAP_RAM, CAP_Frame, CAP_Frame, CAP_CNode, CAP_PageTable1, CAP_PageTable2, CAP_PageTable3};
	const struct slot *s = user_slot(r->core, r->slot);
	const unsigned pages = s->size >= PAGE_BYTES ? (unsigned)(s->size / PAGE_BYTES) : 1;

	do
		r->type = types[below(sizeof types)];
	while (r->type == s->type && pages == 1);
	r->pages = (uint8_t)(type_facts[r->type].bytes ? type_facts[r->type].bytes / PAGE_BYTES : 1 + below(pages > 1 ? pages / 2 : 1));
	r->page = (uint8_t)below(pages);
}

/* A slot with a CNode or a page table, if a few tries find one. */
static void choose_container(struct request *r)
{
	r->page = (uint8_t)below(4);
	for (unsigned tries = 0; tries < 8 && find_slot(r->core, false, &r->to_slot); tries++) {
		const struct slot *s = user_slot(r->core, r->to_slot);

		if (r->kind == REQUEST_PUT ? s->type == CAP_CNode : s->type >= CAP_PageTable1 && s->type <= CAP_PageTable3)
			return;
	}
}

static bool choose_request(struct request *r)
{
	*r = (struct request){.kind = (uint8_t)any_kind(), .core = (uint8_t)below(world.cores)};
	r->to_core = (uint8_t)((r->core + 1 + below(world.cores - 1)) % world.cores);
	r->rights = (uint8_t)(below(4) ? RIGHTS_ALL : below(RIGHTS_ALL + 1));
	r->direct = r->kind <= REQUEST_REVOKE && below(8) == 0;
	if (world.core[r->core].dead || !find_slot(r->core, false, &r->slot))
		return false;
	if (r->kind == REQUEST_RETYPE)
		choose_part(r);
	if (r->kind != REQUEST_PUT && r->kind != REQUEST_MAP)
		return find_slot(r->kind == REQUEST_COPY || r->kind == REQUEST_MOVE ? r->to_core : r->core, true, &r->to_slot);
	choose_container(r);
	return true;
}

/* ---- Walking ------------------------------------------------------------------------------------ */

/* Everything that happens is written down. */
static struct script script;

static bool happens(const struct event *e)
{
	if (!event_apply(e))
		return false;
	script_add(&script, e);
	return true;
}

/* Memory that came back, and new memory of the monitor's, goes to users. */
static void give_memory(unsigned core)
{
	struct event e = {.kind = EVENT_RETURN, .request = {.core = (uint8_t)core}};

	for (unsigned k = 0; k < MONITOR_SLOTS; k++) {
		e.number = (uint8_t)k;
		if (world.core[core].kept[k / 64] >> k % 64 & 1 && find_slot(core, true, &e.request.to_slot))
			happens(&e);
	}
	e.kind = EVENT_GRANT;
	for (unsigned tries = 0; tries < 4 && find_slot(core, true, &e.request.to_slot); tries++) {
		e.request.pages = (uint8_t)(1 + below(4));
		e.request.type = below(2) ? CAP_RAM : CAP_Frame;
		e.request.page = (uint8_t)below(COVERED_PAGES);
		happens(&e);
	}
}

static void give_memory_to_all(void)
{
	for (unsigned core = 0; core < world.cores && !broken; core++)
		if (!world.core[core].dead)
			give_memory(core);
}

static void take_step(struct walk *w, struct choice c)
{
	w->steps++;
	happens(&(struct event){.kind = EVENT_CHOICE, .choice = c});
	if (!broken)
		check_state();
}

static struct choice pick(const struct choice *c, unsigned count, unsigned slow)
{
	struct choice chosen = c[below(count)];

	for (unsigned tries = 0; tries < 8 && choice_core(chosen) == slow; tries++)
		chosen = c[below(count)];
	return chosen;
}

/* Tasks that are over make room for new ones. */
static unsigned add_tasks(unsigned at_most)
{
	unsigned added = 0;

	for (unsigned k = 0; k < TASKS_MAX && added < at_most; k++) {
		struct event e = {.kind = EVENT_REQUEST, .number = (uint8_t)k};

		if (world.task[k].state != TASK_PENDING && world.task[k].state != TASK_READY && choose_request(&e.request))
			added += happens(&e);
	}
	return added;
}

/* At any moment, whatever it is doing. What its users asked for may still arrive; what they were about to ask is forgotten. */
static void kill_one(struct walk *w)
{
	unsigned core = below(world.cores);

	while (world.core[core].dead)
		core = (core + 1) % world.cores;
	w->died++;
	happens(&(struct event){.kind = EVENT_CHOICE, .choice = {.kind = CHOICE_DIE, .a = (uint8_t)core}});
}

/* One that has died, if there is one that may. */
static void bring_back_one(struct walk *w)
{
	for (unsigned tries = 0; tries < world.cores; tries++)
		if (happens(&(struct event){.kind = EVENT_CHOICE, .choice = {.kind = CHOICE_JOIN, .a = (uint8_t)below(world.cores)}})) {
			w->joined++;
			return;
		}
}

static void walk_round(struct walk *w)
{
	struct choice c[CHOICES_MAX];
	unsigned left = ROUND_TASKS, slow = world.cores, count;
	const size_t start = w->steps;

	while (!broken) {
		if (left && below(4) == 0) {
			const unsigned wanted = 1 + below(left < 8 ? left : 8);

			left -= wanted;
			w->operations += add_tasks(wanted);
		}
		if (w->died < w->deaths && below(DEATH_EACH) == 0)
			kill_one(w);
		if (w->joined < w->died && below(JOIN_EACH) == 0)
			bring_back_one(w);
		count = choices(c, 0, 0);
		if (count == 0 && left == 0)
			break;
		if (w->steps % SLOW_FOR == 0)
			slow = below(world.cores + 1);
		if (count)
			take_step(w, pick(c, count, slow));
		if (w->steps - start > ROUND_STEPS)
			BREAK(ends);
	}
}

static void walk(struct walk *w)
{
	w->steps = w->operations = w->died = w->joined = 0;
	script.events.used = 0;
	random_state = w->number * UINT64_C(0x9e3779b97f4a7c15) + w->cores;
	random_state += !random_state;
	walk_begin(w->cores);
	give_memory_to_all();
	for (unsigned round = 0; round < ROUNDS && !broken; round++) {
		walk_round(w);
		if (!broken)
			check_forged();
		if (!broken)
			check_rest();
		if (!broken)
			happens(&(struct event){.kind = EVENT_FORGET});
		give_memory_to_all();
	}
}

/* ---- What is found ------------------------------------------------------------------------------ */

static void show_event(const struct event *e)
{
	const struct request *r = &e->request;

	if (e->kind == EVENT_REQUEST)
		printf("    %s%s\n", request_text(r), r->direct ? " (it asks the monitor at once)" : "");
	else if (e->kind == EVENT_GRANT)
		printf("    core %u's monitor gives a user %s in slot %u\n", r->core,
		       object_text(r->type, managed_page(r->core, r->page).value, r->pages * PAGE_BYTES), r->to_slot);
	else if (e->kind == EVENT_RETURN)
		printf("    core %u's monitor gives a user the memory in its slot %u, in slot %u\n", r->core, e->number, r->to_slot);
	else if (e->kind == EVENT_CHOICE)
		printf("    core %u %s\n", e->choice.a, e->choice.kind == CHOICE_DIE ? "dies" : "has started again");
}

static void show_schedule(const struct script *s, unsigned cores)
{
	struct script again = {{0}};

	for (size_t k = 0; k < script_length(s); k++)
		if (event_is_input(script_event(s, k)))
			show_event(script_event(s, k));
	diagram_begin(script_length(s) > STEPS_DRAWN ? &broken_about : NULL);
	script_run(s, cores, &again);
	diagram_end();
	free(again.events.at);
}

/* The walk has just been walked. */
static void show_broken(const struct walk *w)
{
	const enum invariant breaks = broken;

	printf("\n  SEED=walk:%u:%lu:%u breaks, at step %zu: %s (%s)\n", w->cores, w->number, w->deaths, w->steps,
	       invariant_sentence(broken), invariant_name(broken));
	fflush(stdout);
	shrink(&script, w->cores, breaks);
	printf("  It does so also with %zu events, which are:\n", script_length(&script));
	show_schedule(&script, w->cores);
}

/* ---- Many walks --------------------------------------------------------------------------------- */

/* Of the processor, if it is about a mutant: whether that is caught shall not depend on what else the host does. */
static double now(bool until_broken)
{
	struct timespec t;

	clock_gettime(until_broken ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int walk_many(double seconds, bool until_broken)
{
	const double start = now(until_broken);
	size_t walks = 0, steps = 0, operations = 0, wrong = 0;
	struct walk shortest = {.steps = SIZE_MAX};

	for (uint64_t number = 1; now(until_broken) - start < seconds && !(until_broken && wrong); number++, walks++) {
		const unsigned cores = 2 + (unsigned)(number % (WORLD_CORES - 1));
		struct walk w = {.cores = cores, .deaths = number % 3 ? 0 : cores / 2, .number = number};

		walk(&w);
		steps += w.steps;
		operations += w.operations;
		wrong += broken != INVARIANT_NONE;
		if (broken && w.steps < shortest.steps)
			shortest = w;
	}
	if (until_broken) {
		if (wrong)
			printf("caught by '%s' in walk %zu, after %zu steps\n", invariant_name(broken), walks, steps);
		else
			printf("SURVIVED %zu walks, %zu steps\n", walks, steps);
		return wrong == 0;
	}
	if (wrong) {
		walk(&shortest); /* again, for what it breaks */
		show_broken(&shortest);
	}
	printf("%zu walks on 2 to %u cores: %zu operations, %zu steps, %zu broken, in %.0f s\n", walks, WORLD_CORES, operations, steps,
	       wrong, now(until_broken) - start);
	return wrong != 0;
}

static int walk_one(const char *name)
{
	struct walk w = {0};
	char rest;

	if (sscanf(name, "walk:%u:%lu:%u%c", &w.cores, &w.number, &w.deaths, &rest) != 3 || w.cores < 2 || w.cores > WORLD_CORES ||
	    w.deaths >= w.cores) {
		fprintf(stderr, "explore: '%s' is not a walk: walk:CORES:NUMBER:DEATHS is, walk:4:17:0\n", name);
		return 2;
	}
	walk(&w);
	if (broken) {
		show_broken(&w);
		return 1;
	}
	printf("%s: %zu operations in %zu steps, %u cores died, %u came back, all right\n", name, w.operations, w.steps, w.died, w.joined);
	return 0;
}

int main(int count, char **words)
{
	const char *name = NULL;
	double seconds = 30;
	bool until_broken = false;

	for (int k = 1; k < count; k++) {
		if (!strcmp(words[k], "--seconds") && k + 1 < count)
			seconds = strtod(words[++k], NULL);
		else if (!strcmp(words[k], "--until-broken"))
			until_broken = true;
		else
			name = words[k];
	}
	return name ? walk_one(name) : walk_many(seconds, until_broken);
}
