/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Services die, the supervisor starts them again, and their clients go on with the new ones: `supervised` has the checks, and starts the
 * supervisor with the file `supervised.services`; `supervised serve NAME` is a service. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <atoll/domain.h>
#include <atoll/ipc.h>
#include <atoll/thread.h>

#include "generated/tests/programs/supervised/counter.h"
#include "tests/programs/check.h"

#define DEATHS     10
#define PATIENCE_S 40

static uint64_t after_ms(uint64_t ms)
{
	return time_tsc() + ms * (time_tsc_hz() / 1000);
}

static uint64_t patience(void)
{
	return after_ms(1000 * PATIENCE_S);
}

/* ---- The service ---- */

static err_t next(void *context, struct stub_call *call, struct counter_next_results *results)
{
	static uint32_t count;

	(void)context, (void)call;
	results->count = ++count;
	results->domain = domain_self()->domain;
	return OK;
}

static err_t die(void *context, struct stub_call *call, const struct counter_die_params *params)
{
	static volatile int *volatile nowhere;

	(void)context, (void)call;
	if (params->status == 0)
		*nowhere = 1;
	exit((int)params->status);
}

static err_t follow(void *context, struct stub_call *call, struct counter_follow_results *results)
{
	(void)context, (void)call;
	results->domain = domain_self()->domain;
	return OK;
}

static err_t echo(void *context, struct stub_call *call, const struct counter_echo_params *params, struct counter_echo_results *results)
{
	(void)context, (void)call;
	results->text = params->text;
	return OK;
}

static int serve(const char *name)
{
	static const struct counter_service service = {.next = next, .die = die, .follow = follow, .echo = echo};

	return is_err(counter_serve(name, &service)) ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* ---- Its clients ---- */

static struct counter base, front, side, frail, proud;

/* A call that finds the service wherever it is now. Returns its domain, 0 if it is not to be had. */
static uint32_t call(struct counter *c, uint32_t *count)
{
	const uint64_t deadline = patience();
	struct counter_next_results results = {0};
	err_t e;

	do
		e = counter_call_next(c, &results, 0);
	while (stub_again(&c->client, e, deadline));
	*count = results.count;
	return is_ok(e) ? results.domain : 0;
}

static err_t end(struct counter *c, uint32_t status)
{
	return counter_send_die(c, &(struct counter_die_params){.status = status}, patience());
}

/* The same service in a domain of its own that has just begun to count. */
static bool is_new(struct counter *c, uint32_t before, uint32_t *now)
{
	uint32_t count;

	*now = call(c, &count);
	return *now != 0 && *now != before && count == 1;
}

static bool is_old(struct counter *c, uint32_t before)
{
	uint32_t count;

	return call(c, &count) == before && count > 1;
}

/* ---- Checks ---- */

static uint32_t bases, fronts, sides;

static const char *check_start(void)
{
	static const struct {
		const char *name;
		struct counter *c;
	} all[] = {{"base", &base}, {"front", &front}, {"side", &side}, {"frail", &frail}, {"proud", &proud}};
	uint32_t count;

	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		CHECK(is_ok(counter_open(all[i].name, &all[i].c[0])));
	CHECK((bases = call(&base, &count)) != 0);
	CHECK((fronts = call(&front, &count)) != 0);
	CHECK((sides = call(&side, &count)) != 0);
	return NULL;
}

/* One that nobody needs dies, by a fault: the others don't notice. */
static const char *check_one_dies(void)
{
	CHECK(is_ok(end(&side, 0)));
	CHECK(is_new(&side, sides, &sides));
	CHECK(is_old(&base, bases) && is_old(&front, fronts));
	return NULL;
}

/* One that others need: what needs it begins anew, what only comes after it goes on. */
static const char *check_what_needs_it(void)
{
	CHECK(is_ok(end(&base, 7)));
	CHECK(is_new(&base, bases, &bases));
	CHECK(is_new(&front, fronts, &fronts));
	CHECK(is_old(&side, sides));
	return NULL;
}

/* Again and again; `front` is ended with it each time, which is no death of its own. */
static const char *check_many_deaths(void)
{
	for (unsigned i = 0; i < DEATHS; i++) {
		CHECK(is_ok(end(&base, 1 + i)));
		CHECK(is_new(&base, bases, &bases));
	}
	CHECK(is_new(&front, fronts, &fronts));
	CHECK(is_old(&side, sides));
	return NULL;
}

/* Twice it is started again, then no more; its client hears of it. */
static const char *check_too_often(void)
{
	struct counter_next_results results;
	uint32_t domain = 0, count;
	err_t e;

	CHECK((domain = call(&frail, &count)) != 0);
	for (unsigned i = 0; i < 2; i++) {
		CHECK(is_ok(end(&frail, 1)));
		CHECK(is_new(&frail, domain, &domain));
	}
	CHECK(is_ok(end(&frail, 1)));
	do
		e = counter_call_next(&frail, &results, 0);
	while (stub_again(&frail.client, e, after_ms(300)));
	CHECK(err_is(e, ERR_NUMBER_PEER_GONE));
	CHECK(err_is(ipc_find("frail", &(struct ipc_binding){.now = true}, &domain), ERR_NUMBER_NOT_FOUND));
	CHECK(is_old(&base, bases));
	return NULL;
}

static const char *check_never(void)
{
	struct counter_next_results results;
	uint32_t domain, count;
	err_t e;

	CHECK(call(&proud, &count) != 0);
	CHECK(is_ok(end(&proud, 3)));
	do
		e = counter_call_next(&proud, &results, 0);
	while (stub_again(&proud.client, e, after_ms(300)));
	CHECK(err_is(e, ERR_NUMBER_PEER_GONE));
	CHECK(err_is(ipc_find("proud", &(struct ipc_binding){.now = true}, &domain), ERR_NUMBER_NOT_FOUND));
	return NULL;
}

/* What is called without stub_again stays an error: nothing is repeated behind the caller's back. */
static const char *check_no_repeats(void)
{
	struct counter_next_results results;
	err_t e = OK;

	CHECK(is_ok(end(&side, 5)));
	for (unsigned i = 0; is_ok(e) && i < 1000; i++)
		e = counter_call_next(&side, &results, 0);
	CHECK(err_is(e, ERR_NUMBER_PEER_GONE));
	CHECK(err_is(counter_call_next(&side, &results, 0), ERR_NUMBER_PEER_GONE));
	while (stub_again(&side.client, e, patience()))
		e = counter_call_next(&side, &results, 0);
	CHECK(is_ok(e) && results.domain != sides);
	sides = results.domain;
	return NULL;
}

/* Idempotent calls find the next server by themselves, in lines and in registers; not if there is none by their deadline. */
static const char *check_idempotent(void)
{
	static const struct counter_echo_params said = {.text = {"what is said twice is said once", 31}};
	struct counter_follow_results results = {0};
	struct counter_echo_results heard;
	static struct stub_message message;

	CHECK(is_ok(end(&base, 9)));
	CHECK(is_ok(counter_call_follow(&base, &results, patience())));
	while (results.domain == bases) /* it had not died yet */
		CHECK(is_ok(counter_call_follow(&base, &results, 0)));
	CHECK(is_ok(end(&base, 9)));
	for (unsigned i = 0; i < 100; i++) {
		CHECK(is_ok(counter_call_echo(&base, &said, &heard, &message, patience())));
		CHECK(heard.text.bytes == said.text.bytes && memcmp(heard.text.at, said.text.at, said.text.bytes) == 0);
	}
	CHECK(is_new(&base, results.domain, &bases));
	CHECK(err_is(counter_call_follow(&frail, &results, after_ms(100)), ERR_NUMBER_PEER_GONE));
	return NULL;
}

static const struct {
	const char *name;
	const char *(*run)(void);
} checks[] = {
    {"start", check_start},           {"one_dies", check_one_dies},       {"what_needs_it", check_what_needs_it},
    {"no_repeats", check_no_repeats}, {"many_deaths", check_many_deaths}, {"too_often", check_too_often},
    {"never", check_never},           {"idempotent", check_idempotent},
};

int main(int argc, char **argv)
{
	const char *const supervisor[] = {"supervisor", "supervised.services", NULL};
	enum end_cause cause;
	uint32_t domain;
	int64_t status;
	int failed = 0;

	if (argc == 3 && strcmp(argv[1], "serve") == 0)
		return serve(argv[2]);
	if (is_err(domain_spawn(supervisor, NULL, CORE_HERE, 0, &domain)))
		return EXIT_FAILURE;
	for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
		const char *failure = checks[i].run();

		if (failure != NULL)
			printf("%s failed: %s\n", checks[i].name, failure);
		printf("@test {\"name\":\"supervised.%s\",\"ok\":%s}\n", checks[i].name, failure == NULL ? "true" : "false");
		failed += failure != NULL;
	}
	/* its services are ended with the system */
	if (is_err(domain_kill(domain)) || is_err(domain_wait(domain, &status, &cause)))
		return EXIT_FAILURE;
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
