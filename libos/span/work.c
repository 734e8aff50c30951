/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Threads of this member that others want, and those on which handlers go on that have to wait.
 *
 * A service thread has nothing but its service stack. A worker, which calls a function of the program, has a stack of its own in this
 * member's area; beside it stands a service thread that has made the stack, waits for its end, and gives it back. */

#include <string.h>

#include <atoll/address_space.h>

#include "libos/memory/memory.h"
#include "libos/span/link.h"
#include "libos/span/span.h"
#include "libos/upcall/dispatcher.h"

#define WORKER_STACK (128 * KIB)
#define WORKER_GUARD PAGE_BYTES /* below it: a page that nobody may touch */

/* ---- Service threads ---- */

struct service {
	void (*function)(void *argument);
	uint8_t argument[SERVICE_BYTES];
};

static void serve(void *argument)
{
	_Alignas(uint64_t) struct service own;

	memcpy(&own, argument, sizeof own);
	store_free(argument, sizeof own);
	own.function(own.argument);
	(void)dispatcher_enter();
	thread_end();
}

err_t service_begin(void (*function)(void *argument), const void *argument, size_t bytes)
{
	struct service *s;
	err_t e;

	if (bytes > SERVICE_BYTES)
		return ERR(ARGUMENT);
	store_prepare();
	s = store_alloc(sizeof *s);
	if (s == NULL)
		return ERR(NO_MEMORY);
	s->function = function;
	memcpy(s->argument, argument, bytes);
	e = thread_start_service(serve, s);
	if (is_err(e))
		store_free(s, sizeof *s);
	return e;
}

/* ---- Workers ---- */

struct worker {
	uint64_t function, arguments[2], result;
};

static unsigned workers;

unsigned span_workers(void)
{
	return workers;
}

/* The worker's thread begins here, on the stack that it was given. */
static void work(struct worker *w)
{
	w->result = ((uint64_t(*)(uint64_t, uint64_t))w->function)(w->arguments[0], w->arguments[1]);
	(void)dispatcher_enter();
	thread_end();
}

err_t span_worker_begin(uint64_t function, uint64_t argument0, uint64_t argument1, struct worker **out, struct thread **thread,
                        void **stack)
{
	struct registers frame = {.rip = (uint64_t)work};
	struct worker *w;
	struct thread *t;
	bool inside;
	err_t e = memory_map(WORKER_GUARD + WORKER_STACK, RIGHTS(RIGHT_READ | RIGHT_WRITE), PLACE_TOUCH, stack);

	if (is_err(e))
		return e;
	(void)!is_ok(memory_protect(*stack, WORKER_GUARD, RIGHTS(0))); /* if there is no memory for it, it goes without */
	store_prepare();
	w = store_alloc(sizeof *w);
	frame.rsp = (uint64_t)*stack + WORKER_GUARD + WORKER_STACK - 8; /* as if it had been called */
	frame.rdi = (uint64_t)w;
	t = w == NULL ? NULL : thread_new(&frame);
	if (t == NULL) {
		store_free(w, sizeof *w);
		(void)!is_ok(memory_unmap(*stack, WORKER_GUARD + WORKER_STACK));
		return ERR(NO_MEMORY);
	}
	*w = (struct worker){function, {argument0, argument1}, 0};
	t->kept = true;
	t->run.members = UINT64_C(1) << span_member();
	*out = w;
	*thread = t;
	inside = dispatcher_enter();
	workers++;
	thread_ready(t);
	dispatcher_leave(inside);
	return OK;
}

uint64_t span_worker_end(struct worker *w, struct thread *thread, void *stack)
{
	uint64_t result;
	bool inside;

	if (is_err(thread_join(thread)))
		__builtin_trap();
	result = w->result;
	store_free(w, sizeof *w);
	(void)!is_ok(memory_unmap(stack, WORKER_GUARD + WORKER_STACK));
	inside = dispatcher_enter();
	workers--;
	dispatcher_leave(inside);
	return result;
}

/* ---- For other members ---- */

struct order {
	unsigned from;
	struct link_run run;
};
_Static_assert(sizeof(struct order) <= SERVICE_BYTES, "");

static void answer(const struct order *o, err_t e, uint64_t result)
{
	(void)!is_ok(LINK_SEND(o->from, ran, .token = o->run.token, .error = e.number, .result = result));
}

static void supervise(void *argument)
{
	const struct order *o = argument;
	struct worker *worker;
	struct thread *thread;
	void *stack;
	uint64_t result;
	err_t e = span_worker_begin(o->run.function, o->run.argument, 0, &worker, &thread, &stack);

	if (is_err(e) || !o->run.call)
		answer(o, e, 0);
	if (is_err(e))
		return;
	result = span_worker_end(worker, thread, stack);
	if (o->run.call)
		answer(o, OK, result);
}

void link_handle_run(unsigned from, const struct link_run *m)
{
	const struct order o = {from, *m};
	err_t e = span_leaves() ? ERR(PEER_GONE) : service_begin(supervise, &o, sizeof o);

	if (is_err(e))
		answer(&o, e, 0);
}

/* On this very member nobody has to be asked. */
static err_t run_here(uint64_t function, uint64_t argument, uint64_t *result)
{
	struct worker *worker;
	struct thread *thread;
	void *stack;
	err_t e = span_worker_begin(function, argument, 0, &worker, &thread, &stack);

	if (is_ok(e))
		*result = span_worker_end(worker, thread, stack);
	return e;
}

static void supervise_here(void *argument)
{
	const struct link_run *r = argument;
	uint64_t result;

	(void)!is_ok(run_here(r->function, r->argument, &result));
}

static err_t order_worker(unsigned member, uint64_t function, uint64_t argument, bool call, uint64_t *result)
{
	struct link_run question = {.function = function, .argument = argument, .call = call};
	union link_message m;
	err_t e;

	if (member == span_member())
		return call ? run_here(function, argument, result) : service_begin(supervise_here, &question, sizeof question);
	e = link_ask(member, LINK_run, &question, &m);
	if (is_ok(e))
		e = (err_t){m.ran.error};
	if (is_ok(e))
		*result = m.ran.result;
	return e;
}

err_t span_run(unsigned member, void (*function)(void *), void *argument)
{
	uint64_t none;

	return order_worker(member, (uint64_t)function, (uint64_t)argument, false, &none);
}

err_t span_call(unsigned member, uint64_t (*function)(uint64_t), uint64_t argument, uint64_t *result)
{
	return order_worker(member, (uint64_t)function, argument, true, result);
}
