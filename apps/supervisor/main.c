/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Keeps services alive: `supervisor [FILE]` starts what the file says (plan.h; else the file `services` of the boot archive), in its order,
 * and starts again what dies. It ends when nothing is left to be kept: with 0 if all services have ended as they wished (status 0) or were
 * not to be started again, else with 1.
 *
 * Each service has a thread that goes through its life:
 *
 *   WAITING ── what it needs is up ──▶ STARTING ── its name is offered ──▶ UP ── it dies ──▶ WAITING, or GIVEN_UP
 *                 something it needs is GIVEN_UP ──▶ GIVEN_UP
 *
 * Who dies takes along what needs it: its thread kills those, and their threads see that and wait for it to be up again; that is no death
 * of theirs. Everything that threads share is under one lock.
 *
 * What happens is said by facts: @service {"event":"up","name":"store","domain":131073,"starts":1}. Events are `up`, `died` (with cause
 * and status), `ended` (it needed no more), `with` (it was ended because of another one) and `given_up` (with the reason). */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <atoll/domain.h>
#include <atoll/ipc.h>
#include <atoll/thread.h>

#include "apps/supervisor/plan.h"
#include "apps/supervisor/rate.h"

#define DEFAULT_FILE  "services"
#define UP_WITHIN_S   30 /* its name must be offered by then */
#define LOOK_EVERY_MS 50 /* while it is not: whether it has ended */
#define WHY_BYTES     160

enum state { WAITING, STARTING, UP, ENDED, GIVEN_UP };

struct service {
	const struct plan_service *plan;
	struct thread *thread;
	enum state state;
	uint32_t domain; /* 0: there is none */
	bool with;       /* it is ended because of another one */
	unsigned starts;
	struct rate rate;
};

static struct plan plan;
static struct mutex lock; /* of all below */
static struct condition changed;
static struct service services[PLAN_SERVICES];

static uint64_t after_ms(uint64_t ms)
{
	return time_tsc() + ms * (time_tsc_hz() / 1000);
}

/* ---- Facts ---- */

__attribute__((format(printf, 3, 4))) static void say(const struct service *s, const char *event, const char *format, ...)
{
	char rest[WHY_BYTES + 64];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(rest, sizeof(rest), format, arguments);
	va_end(arguments);
	printf("@service {\"event\":\"%s\",\"name\":\"%s\"%s}\n", event, s->plan->name, rest);
	fflush(stdout);
}

static const char *cause_name(enum end_cause cause)
{
	static const char *const names[] = {[END_EXIT] = "exit", [END_KILLED] = "killed", [END_FAULT] = "fault", [END_CORE] = "core"};

	return cause < sizeof(names) / sizeof(names[0]) ? names[cause] : "unknown";
}

/* ---- States; all with the lock ---- */

static void become(struct service *s, enum state state)
{
	s->state = state;
	condition_broadcast(&changed);
}

static void give_up(struct service *s, const char *why)
{
	say(s, "given_up", ",\"why\":\"%s\",\"starts\":%u", why, s->starts);
	become(s, GIVEN_UP);
}

/* Those that need it end, at once or when their start is through. */
static void take_along(const struct service *dead)
{
	const uint32_t bit = UINT32_C(1) << (dead - services);

	for (unsigned i = 0; i < plan.services; i++) {
		struct service *s = &services[i];

		if (!(s->plan->needs & bit) || (s->state != STARTING && s->state != UP))
			continue;
		s->with = true;
		/* NOT_FOUND: it has ended by itself just now, which its thread is about to see. */
		if (s->domain != 0)
			(void)!is_ok(domain_kill(s->domain));
	}
}

/* Waits for what the service comes after. NULL, or the one that won't come. */
static const struct service *wait_for_others(const struct service *s)
{
	for (unsigned i = 0; i < plan.services; i++) {
		const struct service *other = &services[i];

		if (!(s->plan->after >> i & 1))
			continue;
		while (other->state != UP && other->state != GIVEN_UP && other->state != ENDED)
			condition_wait(&changed, &lock);
		if (other->state != UP)
			return other;
	}
	return NULL;
}

static bool others_are_up(const struct service *s)
{
	for (unsigned i = 0; i < plan.services; i++)
		if ((s->plan->after >> i & 1) && services[i].state != UP)
			return false;
	return true;
}

/* ---- One life; the lock is released where it waits ---- */

static err_t start(struct service *s, char why[WHY_BYTES])
{
	const struct plan_service *p = s->plan;
	struct domain_options o = {.arguments = p->argument,
	                           .where = (enum domain_where)p->place,
	                           .core = p->core,
	                           .node = p->node,
	                           .memory = p->memory,
	                           .quota = p->quota,
	                           .why = why,
	                           .why_bytes = WHY_BYTES};
	uint32_t domain = 0;
	err_t e;

	_Static_assert((int)PLAN_ANYWHERE == DOMAIN_HERE && (int)PLAN_CORE == DOMAIN_ON_CORE && (int)PLAN_CORES == DOMAIN_ON_CORES &&
	                   (int)PLAN_NODE == DOMAIN_ON_NODE,
	               "");
	memcpy(o.cores, p->cores, sizeof(o.cores));
	mutex_unlock(&lock);
	e = domain_spawn_with(&o, &domain);
	mutex_lock(&lock);
	s->domain = domain;
	s->starts += is_ok(e);
	if (is_ok(e) && s->with)
		(void)!is_ok(domain_kill(domain));
	return e;
}

/* Waits until the domain has offered the service; if it does not in time it is ended. */
struct watch {
	struct service *service;
	bool over; /* it has ended, or nobody wants to know any more */
};

static bool is_offered(const struct service *s)
{
	uint32_t domain = 0;
	const struct ipc_binding how = {.deadline_tsc = after_ms(LOOK_EVERY_MS)};

	return is_ok(ipc_find(s->plan->name, &how, &domain)) && domain == s->domain;
}

static void watch_start(void *argument)
{
	struct watch *w = argument;
	struct service *s = w->service;
	const uint64_t deadline = after_ms(UP_WITHIN_S * 1000);
	bool offered = s->plan->quiet, over = false;

	while (!offered && !over && time_tsc() < deadline) {
		offered = is_offered(s);
		/* an older one's name may be there for a moment */
		if (!offered)
			thread_sleep_until(after_ms(1));
		mutex_lock(&lock);
		over = w->over;
		mutex_unlock(&lock);
	}
	mutex_lock(&lock);
	if (!w->over && offered) {
		say(s, "up", ",\"domain\":%u,\"starts\":%u", s->domain, s->starts);
		become(s, UP);
	} else if (!w->over) {
		say(s, "silent", ",\"domain\":%u", s->domain);
		(void)!is_ok(domain_kill(s->domain));
	}
	mutex_unlock(&lock);
}

/* From the start to the end. */
static err_t live(struct service *s, int64_t *status, enum end_cause *cause)
{
	struct watch watch = {.service = s};
	struct thread *watcher;
	err_t e = thread_create(watch_start, &watch, 0, &watcher);

	if (is_err(e)) {
		(void)!is_ok(domain_kill(s->domain));
		return e;
	}
	mutex_unlock(&lock);
	e = domain_wait(s->domain, status, cause);
	mutex_lock(&lock);
	watch.over = true;
	s->domain = 0;
	s->state = WAITING;
	take_along(s);
	condition_broadcast(&changed);
	mutex_unlock(&lock);
	(void)!is_ok(thread_join(watcher));
	mutex_lock(&lock);
	return e;
}

/* What comes after an end. */
static void settle(struct service *s, int64_t status, enum end_cause cause)
{
	if (s->with) {
		say(s, "with", ",\"starts\":%u", s->starts);
		return;
	}
	if (cause == END_EXIT && status == 0) {
		say(s, "ended", ",\"starts\":%u", s->starts);
		become(s, ENDED);
		return;
	}
	say(s, "died", ",\"cause\":\"%s\",\"status\":%lld,\"starts\":%u", cause_name(cause), (long long)status, s->starts);
	if (!rate_allows(&s->rate, time_tsc()))
		give_up(s, s->rate.restarts == 0 ? "it is not to be started again" : "it dies too often");
}

static void run_once(struct service *s)
{
	const struct service *missing = wait_for_others(s);
	char why[WHY_BYTES] = "";
	enum end_cause cause = END_KILLED;
	int64_t status = 0;
	err_t e;

	if (missing != NULL) {
		snprintf(why, sizeof(why), "%s is not there", missing->plan->name);
		give_up(s, why);
		return;
	}
	if (!others_are_up(s))
		return; /* one that was up has died while another one was awaited */
	s->with = false;
	become(s, STARTING);
	e = start(s, why);
	if (is_err(e)) {
		give_up(s, why);
		return;
	}
	e = live(s, &status, &cause);
	if (is_err(e))
		give_up(s, err_sentence(e));
	else
		settle(s, status, cause);
}

static void keep(void *argument)
{
	struct service *s = argument;

	mutex_lock(&lock);
	while (s->state != ENDED && s->state != GIVEN_UP)
		run_once(s);
	mutex_unlock(&lock);
}

/* ---- The whole ---- */

static bool read_plan(const char *file)
{
	static char text[PLAN_BYTES + 1];
	size_t bytes;
	unsigned line;
	err_t e = archive_read(file, text, sizeof(text), &bytes);
	const char *why;

	if (is_err(e)) {
		printf("supervisor: the file %s can't be read from the boot archive: %s\n", file, err_sentence(e));
		return false;
	}
	why = plan_read(text, bytes, &plan, &line);
	if (why != NULL)
		printf("supervisor: %s, line %u: %s\n", file, line, why);
	return why == NULL;
}

int main(int argc, char **argv)
{
	bool all_well = true;

	if (argc > 2) {
		printf("supervisor [FILE]: keeps the services of that file alive\n");
		return EXIT_FAILURE;
	}
	if (!read_plan(argc == 2 ? argv[1] : DEFAULT_FILE))
		return EXIT_FAILURE;
	for (unsigned i = 0; i < plan.services; i++) {
		const struct plan_service *p = &plan.service[i];

		services[i].plan = p;
		services[i].rate = (struct rate){.restarts = p->restarts, .within = p->within_ms * (time_tsc_hz() / 1000)};
	}
	for (unsigned i = 0; i < plan.services; i++)
		if (is_err(thread_create(keep, &services[i], 0, &services[i].thread))) {
			printf("supervisor: there is no memory for %u services\n", plan.services);
			return EXIT_FAILURE;
		}
	for (unsigned i = 0; i < plan.services; i++) {
		(void)!is_ok(thread_join(services[i].thread));
		all_well &= services[i].state == ENDED;
	}
	return all_well ? EXIT_SUCCESS : EXIT_FAILURE;
}
