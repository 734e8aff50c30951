/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Doors, tried from inside: `doors` starts servers on its own core and prints a `@test` fact for each check; `doors serve NAME KIND NEXT`
 * is a server (gate.h), `doors wait NAME` a client that waits in a call until it is killed. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <atoll/domain.h>

#include "generated/tests/programs/doors/gate.h"
#include "tests/programs/check.h"
#include "tests/programs/doors/gate.h"

/* ---- Servers ---- */

struct server {
	uint32_t domain;
	const char *name;
	struct gate gate;
};

static struct server serves = {.name = "gate.serves"}, computes = {.name = "gate.computes"};

static err_t start(struct server *s, const char *kind, const char *next)
{
	const char *const argv[] = {"doors", "serve", s->name, kind, next, NULL};
	err_t e = domain_spawn(argv, NULL, domain_core(), 0, &s->domain);

	return is_ok(e) ? gate_open(s->name, &s->gate) : e;
}

static err_t stop(struct server *s, enum end_cause *cause)
{
	int64_t status;
	err_t e = domain_wait(s->domain, &status, cause);

	gate_close(&s->gate);
	return e;
}

static const char *adds(struct server *s, unsigned times)
{
	struct gate_add_results r;

	for (uint64_t i = 0; i < times; i++) {
		CHECK_OK(gate_call_add(&s->gate, &(struct gate_add_params){i, 2}, &r, i % 2 == 0 ? 0 : in_ms(5000)));
		CHECK(r.sum == i + 2);
	}
	return NULL;
}

/* ---- A thread that calls ---- */

struct caller {
	struct server *server;
	struct thread *thread;
	unsigned ms; /* 0: until it is cancelled */
	err_t e;
	bool begun, ended;
};

static void call(void *argument)
{
	struct caller *c = argument;

	c->begun = true;
	if (c->ms != 0)
		c->e = gate_call_sleep(&c->server->gate, &(struct gate_sleep_params){c->ms}, 0);
	else
		c->e = gate_call_until_cancelled(&c->server->gate, 0);
	c->ended = true;
}

static err_t call_by_thread(struct caller *c)
{
	return thread_create(call, c, 0, &c->thread);
}

/* Until so many calls wait in the server. */
static const char *wait_for_waiting(struct server *s, uint32_t count)
{
	struct gate_cancelled_results r = {0};
	uint64_t deadline = in_ms(5000);

	do {
		thread_sleep_until(in_ms(1));
		CHECK_OK(gate_call_cancelled(&s->gate, &r, in_ms(5000)));
	} while (r.waiting != count && time_tsc() < deadline);
	CHECK(r.waiting == count);
	return NULL;
}

/* ---- Checks ---- */

static const char *check_idle(void)
{
	return adds(&serves, 1000);
}

/* Of two calls in a row nobody there runs in between: each runs in the caller's turn. */
static const char *check_busy(void)
{
	struct gate_computed_results first, second;
	unsigned same = 0;
	uint64_t begin;

	CHECK_OK(gate_call_computed(&computes.gate, &first, 0));
	begin = first.count;
	for (unsigned i = 0; i < 100; i++) {
		CHECK_OK(gate_call_computed(&computes.gate, &first, 0));
		CHECK_OK(gate_call_computed(&computes.gate, &second, 0));
		same += first.count == second.count;
	}
	CHECK(same >= 80);
	for (uint64_t end = in_ms(100); time_tsc() < end;)
		CHECK(adds(&computes, 10) == NULL);
	CHECK_OK(gate_call_computed(&computes.gate, &second, 0));
	CHECK(second.count != begin); /* it has its own turns all the same */
	return NULL;
}

static const char *check_waits_inside(struct server *s)
{
	struct caller callers[6];
	unsigned early = 0;

	for (unsigned i = 0; i < 6; i++) { /* more than there are shuttles */
		callers[i] = (struct caller){.server = s, .ms = 60};
		CHECK_OK(call_by_thread(&callers[i]));
		if (i < 2) {
			while (!callers[i].begun)
				thread_yield();
			CHECK(adds(s, 20) == NULL); /* others get in meanwhile */
			early += callers[i].ended;
		}
	}
	CHECK(early == 0);
	for (unsigned i = 0; i < 6; i++) {
		CHECK_OK(thread_join(callers[i].thread));
		CHECK_OK(callers[i].e);
	}
	return adds(s, 100);
}

static const char *check_blocking_handler(void)
{
	return check_waits_inside(&serves);
}

/* From one to the other and back, and on. */
static const char *check_nested(void)
{
	struct gate_through_results r;

	CHECK_OK(gate_call_through(&serves.gate, &(struct gate_through_params){1}, &r, in_ms(10000)));
	CHECK(r.gates == 2);
	CHECK_OK(gate_call_through(&computes.gate, &(struct gate_through_params){2}, &r, in_ms(10000)));
	CHECK(r.gates == 3);
	CHECK_OK(gate_call_through(&serves.gate, &(struct gate_through_params){5}, &r, 0));
	CHECK(r.gates == 6);
	return NULL;
}

static const char *check_deadline_of(struct server *s)
{
	uint64_t begin = time_tsc();

	CHECK_ERROR(gate_call_sleep(&s->gate, &(struct gate_sleep_params){200}, in_ms(20)), TIMEOUT);
	CHECK(time_tsc() - begin >= time_tsc_hz() / 50);
	CHECK_ERROR(gate_call_compute(&s->gate, &(struct gate_compute_params){60}, in_ms(5)), TIMEOUT);
	CHECK_ERROR(gate_call_sleep(&s->gate, &(struct gate_sleep_params){0}, time_tsc()), TIMEOUT);
	return adds(s, 100);
}

static const char *check_deadline(void)
{
	const char *why = check_deadline_of(&serves);

	return why != NULL ? why : check_deadline_of(&computes);
}

static const char *check_cancel_of(struct server *s)
{
	struct caller callers[3];
	struct gate_cancelled_results before, after;
	const char *why;

	CHECK_OK(gate_call_cancelled(&s->gate, &before, 0));
	for (unsigned i = 0; i < 3; i++) {
		callers[i] = (struct caller){.server = s};
		CHECK_OK(call_by_thread(&callers[i]));
	}
	why = wait_for_waiting(s, 3);
	if (why != NULL)
		return why;
	stub_cancel_all(&s->gate.client);
	for (unsigned i = 0; i < 3; i++) {
		CHECK_OK(thread_join(callers[i].thread));
		CHECK_ERROR(callers[i].e, CANCELLED);
	}
	why = wait_for_waiting(s, 0);
	CHECK_OK(gate_call_cancelled(&s->gate, &after, 0));
	CHECK(after.count == before.count + 3);
	return why;
}

static const char *check_cancel(void)
{
	const char *why = check_cancel_of(&serves);

	return why != NULL ? why : check_cancel_of(&computes);
}

static volatile uint64_t progress;
static volatile bool enough;

static void make_progress(void *argument)
{
	(void)argument;
	while (!enough)
		progress = progress + 1;
}

/* The caller's turn ends in the middle: its other threads go on. */
static const char *check_preemption(void)
{
	struct thread *t;
	uint64_t before;

	enough = false;
	CHECK_OK(thread_create(make_progress, NULL, 0, &t));
	while (progress == 0)
		thread_yield();
	before = progress;
	CHECK_OK(gate_call_compute(&serves.gate, &(struct gate_compute_params){80}, 0));
	CHECK(progress != before);
	before = progress;
	CHECK_OK(gate_call_compute(&computes.gate, &(struct gate_compute_params){80}, in_ms(5000)));
	CHECK(progress != before);
	enough = true;
	CHECK_OK(thread_join(t));
	return adds(&computes, 100);
}

static const char *check_caller_killed_of(struct server *s)
{
	const char *const argv[] = {"doors", "wait", s->name, NULL};
	struct gate_cancelled_results before, after;
	uint32_t domain;
	int64_t status;
	enum end_cause cause;
	const char *why;

	CHECK_OK(gate_call_cancelled(&s->gate, &before, 0));
	for (unsigned i = 0; i < 5; i++) { /* more often than there are shuttles */
		CHECK_OK(domain_spawn(argv, NULL, domain_core(), 0, &domain));
		why = wait_for_waiting(s, 1);
		CHECK_OK(domain_kill(domain));
		CHECK_OK(domain_wait(domain, &status, &cause));
		CHECK(cause == END_KILLED);
		why = why != NULL ? why : wait_for_waiting(s, 0);
		if (why != NULL)
			return why;
	}
	CHECK_OK(gate_call_cancelled(&s->gate, &after, 0));
	CHECK(after.count == before.count + 5);
	return NULL;
}

static const char *check_caller_killed(void)
{
	const char *why = check_caller_killed_of(&serves);

	return why != NULL ? why : check_caller_killed_of(&computes);
}

/* The first of its answers is given the next time. */
static const char *check_replies_that_are_none(void)
{
	struct gate_twice_results r = {0};

	for (unsigned i = 0; i < 100 && r.second == 0; i++) /* as a message it is refused */
		CHECK(!err_is(gate_call_twice(&computes.gate, &r, 0), ERR_NUMBER_PEER_GONE));
	CHECK(r.first == ERR_NUMBER_OK && r.second == ERR_NUMBER_NO_CALLER && r.foreign == ERR_NUMBER_NO_CALLER);
	return adds(&computes, 10);
}

static const char *check_calls_that_are_none(void)
{
	struct endpoint_message m = {{1, 2, 3, 4}};
	struct endpoint_request none;

	CHECK_ERROR(endpoint_call_with(computes.gate.client.fast, &m, CALL_FLAGS + 1), ARGUMENT);
	CHECK_ERROR(endpoint_reply_wait(REPLY_NONE, &m, REPLY_ASK + 1, &none), ARGUMENT);
	CHECK_ERROR(endpoint_reply_wait(REPLY_NONE, &m, REPLY_ASK, &none), NO_CALLER);
	CHECK_ERROR(endpoint_reply_wait(UINT64_MAX, &m, REPLY_LEAVE, &none), NO_CALLER);
	CHECK_OK(endpoint_reply_wait(REPLY_NONE, &m, REPLY_LEAVE, &none));
	return adds(&computes, 10);
}

/* Who runs is not entered, and the others' turns stay in order. */
static const char *check_calls_itself(void)
{
	struct gate_itself_results r;

	for (unsigned i = 0; i < 100; i++) {
		CHECK_OK(gate_call_itself(&computes.gate, &r, 0));
		CHECK(r.error == ERR_NUMBER_STATE);
	}
	return adds(&serves, 100);
}

/* What it says into its own frame is nobody else's business. If no place is free a call holds the dispatcher, until the timer ends it. */
static const char *check_forged_places(void)
{
	err_t e;

	for (unsigned i = 0; i < LATE_REPLIES; i++)
		DISPATCHER->late[i] = (struct late_reply){.token = UINT64_MAX, .server = UINT64_MAX};
	e = gate_call_sleep(&serves.gate, &(struct gate_sleep_params){5}, in_ms(1000));
	for (unsigned i = 0; i < LATE_REPLIES; i++)
		DISPATCHER->late[i].token = 0;
	CHECK(is_ok(e) || err_is(e, ERR_NUMBER_TIMEOUT));
	return adds(&computes, 100);
}

static const char *check_fault(void)
{
	struct server s = {.name = "gate.faults"};
	enum end_cause cause;

	CHECK_OK(start(&s, "serves", ""));
	CHECK_ERROR(gate_call_fault(&s.gate, 0), PEER_GONE);
	CHECK_OK(stop(&s, &cause));
	return NULL;
}

static const char *check_server_killed(const char *kind)
{
	struct server s = {.name = "gate.killed"};
	struct caller callers[3];
	enum end_cause cause;

	CHECK_OK(start(&s, kind, ""));
	for (unsigned i = 0; i < 3; i++) {
		callers[i] = (struct caller){.server = &s, .ms = 60000};
		CHECK_OK(call_by_thread(&callers[i]));
	}
	thread_sleep_until(in_ms(20));
	CHECK_OK(domain_kill(s.domain));
	for (unsigned i = 0; i < 3; i++) {
		CHECK_OK(thread_join(callers[i].thread));
		CHECK_ERROR(callers[i].e, PEER_GONE);
	}
	CHECK_OK(stop(&s, &cause));
	CHECK(cause == END_KILLED);
	return NULL;
}

static const char *check_server_killed_idle(void)
{
	return check_server_killed("serves");
}

static const char *check_server_killed_busy(void)
{
	return check_server_killed("computes");
}

static const char *check_no_entry(void)
{
	struct server s = {.name = "gate.nowhere"}, k = {.name = "gate.kernel"};
	struct gate_add_results r;
	enum end_cause cause;

	err_t e = OK;

	CHECK_OK(start(&s, "nowhere", ""));
	for (unsigned i = 0; i < 1000 && is_ok(e); i++) { /* it may be queued, and be taken there */
		thread_sleep_until(in_ms(1));
		e = gate_call_add(&s.gate, &(struct gate_add_params){1, 2}, &r, 0);
	}
	CHECK_ERROR(e, PEER_GONE);
	CHECK_OK(stop(&s, &cause));
	CHECK(cause == END_FAULT);
	CHECK_OK(start(&k, "kernel", ""));
	CHECK_OK(gate_call_add(&k.gate, &(struct gate_add_params){1, 2}, &r, in_ms(5000))); /* as if it were closed */
	CHECK_OK(domain_kill(k.domain));
	return is_ok(stop(&k, &cause)) && cause == END_KILLED ? NULL : "it does not end";
}

static const struct {
	const char *name;
	const char *(*run)(void);
} checks[] = {
    {"idle", check_idle},
    {"busy", check_busy},
    {"blocking_handler", check_blocking_handler},
    {"nested", check_nested},
    {"deadline", check_deadline},
    {"cancel", check_cancel},
    {"preemption", check_preemption},
    {"caller_killed", check_caller_killed},
    {"replies_that_are_none", check_replies_that_are_none},
    {"calls_that_are_none", check_calls_that_are_none},
    {"calls_itself", check_calls_itself},
    {"forged_places", check_forged_places},
    {"fault", check_fault},
    {"server_killed_idle", check_server_killed_idle},
    {"server_killed_busy", check_server_killed_busy},
    {"no_entry", check_no_entry},
};

static int run_all(void)
{
	unsigned failures = 0;
	enum end_cause cause;

	if (is_err(start(&serves, "serves", computes.name)) || is_err(start(&computes, "computes", serves.name)))
		return EXIT_FAILURE;
	for (unsigned i = 0; i < sizeof checks / sizeof *checks; i++) {
		const char *why = checks[i].run();

		printf("@test {\"name\":\"doors.%s\",\"ok\":%s}\n", checks[i].name, why == NULL ? "true" : "false");
		if (why != NULL)
			printf("doors.%s: %s\n", checks[i].name, why);
		failures += why != NULL;
	}
	if (is_err(domain_kill(serves.domain)) || is_err(domain_kill(computes.domain)) || is_err(stop(&serves, &cause)) ||
	    is_err(stop(&computes, &cause)))
		return EXIT_FAILURE;
	return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int wait_until_killed(const char *name)
{
	struct gate g;

	if (is_ok(gate_open(name, &g)))
		(void)!is_ok(gate_call_until_cancelled(&g, 0));
	return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	if (argc == 5 && strcmp(argv[1], "serve") == 0)
		return gate_main(argv[2], argv[3], argv[4]);
	if (argc == 3 && strcmp(argv[1], "wait") == 0)
		return wait_until_killed(argv[2]);
	return run_all();
}
