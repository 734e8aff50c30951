/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include "tests/programs/doors/gate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <atoll/capability.h>
#include <atoll/domain.h>

#include "generated/tests/programs/doors/gate.h"

#define NOWHERE        0x1000
#define KERNEL_ADDRESS UINT64_C(0xffffffff80000000)

static volatile uint64_t count;
static uint32_t cancelled_count, waiting;
static const char *next_gate;

static uint64_t in_ms(unsigned ms)
{
	return time_tsc() + time_tsc_hz() / 1000 * ms;
}

static err_t add(void *context, struct stub_call *call, const struct gate_add_params *p, struct gate_add_results *r)
{
	(void)context, (void)call;
	r->sum = p->a + p->b;
	return OK;
}

static err_t computed(void *context, struct stub_call *call, struct gate_computed_results *r)
{
	(void)context, (void)call;
	r->count = count;
	return OK;
}

static err_t sleep_for(void *context, struct stub_call *call, const struct gate_sleep_params *p)
{
	(void)context, (void)call;
	thread_sleep_until(in_ms(p->ms));
	return OK;
}

static err_t compute(void *context, struct stub_call *call, const struct gate_compute_params *p)
{
	uint64_t end = in_ms(p->ms);

	(void)context, (void)call;
	while (time_tsc() < end)
		;
	return OK;
}

/* Through the next gate, whose next one may be this one again. */
static err_t through(void *context, struct stub_call *call, const struct gate_through_params *p, struct gate_through_results *r)
{
	struct gate_through_results rest = {0};
	struct gate g;
	err_t e;

	(void)context, (void)call;
	r->gates = 1;
	if (p->depth == 0)
		return OK;
	e = gate_open(next_gate, &g);
	if (is_err(e))
		return e;
	e = gate_call_through(&g, &(struct gate_through_params){p->depth - 1}, &rest, in_ms(5000));
	gate_close(&g);
	r->gates += rest.gates;
	return e;
}

/* As a message it would keep the thread that serves from hearing of its end. */
static err_t until_cancelled(void *context, struct stub_call *call)
{
	struct stub_later later;
	err_t e;

	(void)context;
	if (call->token == REPLY_NONE) {
		e = stub_put_off(call, &later);
		waiting += is_ok(e);
		return is_ok(e) ? STUB_LATER : e;
	}
	waiting++;
	while (!stub_is_cancelled(call))
		thread_sleep_until(in_ms(1));
	waiting--;
	cancelled_count++;
	return OK;
}

static void taken_back(void *context, struct stub_session *s, struct stub_later later)
{
	(void)context, (void)s, (void)later;
	waiting--;
	cancelled_count++;
}

static err_t cancelled(void *context, struct stub_call *call, struct gate_cancelled_results *r)
{
	(void)context, (void)call;
	*r = (struct gate_cancelled_results){cancelled_count, waiting};
	return OK;
}

/* Answers by itself, then again, then somebody who has not called; the stub's answer is one too many as well. */
static err_t twice(void *context, struct stub_call *call, struct gate_twice_results *r)
{
	static struct gate_twice_results last;
	struct endpoint_message m = {{GATE_TWICE_REPLY, 0, 0, 0}};

	(void)context, (void)r;
	if (call->token == REPLY_NONE)
		return ERR(STATE);
	gate_twice_results_put(m.word + 1, &last);
	last.first = endpoint_reply(call->token, &m).number;
	last.second = endpoint_reply(call->token, &m).number;
	last.foreign = endpoint_reply(call->token + PAGE_BYTES, &m).number;
	return OK;
}

/* Calls an endpoint of its own dispatcher, whose door is open while it runs. */
static err_t itself(void *context, struct stub_call *call, struct gate_itself_results *r)
{
	struct endpoint_message m = {{0}};
	cap_t endpoint;
	err_t e = cap_slot_alloc(&endpoint);

	(void)context, (void)call;
	if (is_err(e))
		return e;
	e = cap_retype(CAP_SELF_DISPATCHER, CAP_Endpoint, 0, 0, 1, endpoint);
	if (is_ok(e))
		r->error = endpoint_call(endpoint, &m).number;
	if (is_ok(cap_delete(endpoint)))
		cap_slot_free(endpoint);
	return e;
}

static err_t fault(void *context, struct stub_call *call)
{
	static volatile int *volatile nowhere = (volatile int *)NOWHERE;

	(void)context, (void)call;
	*nowhere = 0;
	return OK;
}

static void compute_for_ever(void *argument)
{
	(void)argument;
	for (;;)
		count = count + 1;
}

/* Shuttles that come to rest open the door anew. */
static void write_entry_for_ever(void *entry)
{
	for (;;)
		*(volatile uint64_t *)&DISPATCHER->upcall[UPCALL_DOOR] = (uint64_t)entry;
}

static err_t compute_in_a_thread(const char *kind)
{
	struct thread *t;

	if (strcmp(kind, "computes") == 0)
		return thread_create(compute_for_ever, NULL, 0, &t);
	if (strcmp(kind, "nowhere") == 0)
		return thread_create(write_entry_for_ever, (void *)NOWHERE, 0, &t);
	if (strcmp(kind, "kernel") == 0)
		return thread_create(write_entry_for_ever, (void *)KERNEL_ADDRESS, 0, &t);
	return OK;
}

int gate_main(const char *name, const char *kind, const char *next)
{
	static const struct gate_service service = {
	    .add = add,
	    .computed = computed,
	    .sleep = sleep_for,
	    .compute = compute,
	    .through = through,
	    .until_cancelled = until_cancelled,
	    .cancelled = cancelled,
	    .twice = twice,
	    .fault = fault,
	    .itself = itself,
	    .events = {.shuttles = 4, .cancelled = taken_back},
	};
	err_t e = gate_offer(name, &service);

	next_gate = next;
	if (is_ok(e))
		e = compute_in_a_thread(kind);
	if (is_err(e)) {
		printf("doors: %s can't be offered: %s\n", name, err_sentence(e));
		return EXIT_FAILURE;
	}
	for (;;)
		ipc_serve_once(0);
}
