/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include "bench/ipcbench/single.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atoll/address_space.h>
#include <atoll/capability.h>
#include <atoll/domain.h>
#include <atoll/ipc.h>
#include <atoll/thread.h>

#include "bench/common/started.h"
#include "libos/ipc/endpoint.h"

enum {
	REPEATS = 1000,
	CAP_REPEATS = 256, /* of what takes slots or memory */
	WARM_UP = 16,      /* first rounds that are not counted: caches, lazily made page tables */
	DESCENDANTS = 10,
	MANY = 10000, /* capabilities */
};
#define PARTNER "bench.partner"

static struct samples samples;
static const struct lens *lens;

/* The body once per sample. Variables of the body that are set before are the caller's. */
#define MEASURE(repeats, body)                                                                                                             \
	do {                                                                                                                               \
		samples_begin(&samples);                                                                                                   \
		for (unsigned round = 0; round < (repeats) + WARM_UP; round++) {                                                           \
			uint64_t begin = sample_now();                                                                                     \
                                                                                                                                           \
			body;                                                                                                              \
			if (round >= WARM_UP)                                                                                              \
				samples_add(&samples, sample_now() - begin, 1);                                                            \
		}                                                                                                                          \
	} while (0)

static bool print(const char *id)
{
	samples_print(&samples, lens, id, domain_core(), domain_core());
	return true;
}

static bool failed(const char *id, err_t e)
{
	printf("ipcbench: %s: %s\n", id, err_sentence(e));
	return false;
}

/* ---- Calls that stay in this domain ---- */

static bool measure_null_call(void)
{
	struct call_result r = {.error = OK};

	MEASURE(REPEATS, r = invoke(CAP_SELF_DISPATCHER, OP_Any_identify, 0, 0, 0, 0, 0));
	return is_err(r.error) ? failed("call.null", r.error) : print("call.null");
}

static bool measure_foreign_call(void)
{
	long answer = 0;

	MEASURE(REPEATS, answer = syscall(SYS_getppid));
	return answer < 0 ? failed("foreign.null", ERR(NOT_SUPPORTED)) : print("foreign.null");
}

static bool measure_fault(void)
{
	volatile char *memory;
	void *mapped;
	err_t e = memory_map((REPEATS + WARM_UP) * PAGE_BYTES, RIGHTS(RIGHT_READ | RIGHT_WRITE), PLACE_TOUCH, &mapped);

	if (is_err(e))
		return failed("fault.self", e);
	memory = mapped;
	MEASURE(REPEATS, memory[round * PAGE_BYTES] = 1);
	e = memory_unmap(mapped, (REPEATS + WARM_UP) * PAGE_BYTES);
	return is_err(e) ? failed("fault.self", e) : print("fault.self");
}

/* ---- Two domains on this core ---- */

struct partner {
	uint32_t domain;
	struct ipc_connection *connection;
};

enum {
	PARTNER_REPLY = 1,          /* the reply is the request; served without the library OS's loop */
	PARTNER_YIELD = 0x5969656c, /* replies, then yields for ever; no word that an empty call leaves in its registers */
};

static err_t partner_start(struct partner *p)
{
	const char *const arguments[] = {"ipcbench", "--partner", PARTNER, NULL};
	err_t e = domain_spawn(arguments, NULL, CORE_HERE, 0, &p->domain);

	if (is_ok(e))
		e = started(p->domain, domain_core(), PARTNER);
	return is_err(e) ? e : ipc_bind(PARTNER, false, &p->connection);
}

static err_t partner_end(struct partner *p)
{
	int64_t status;
	enum end_cause cause;
	err_t e = domain_kill(p->domain);

	ipc_close(p->connection);
	return is_err(e) ? e : domain_wait(p->domain, &status, &cause);
}

/* The bare call does not keep the library OS's own timer from ending it; the library OS sees to the timer when it is entered. */
static void after_call(err_t e)
{
	if (__builtin_expect(err_is(e, ERR_NUMBER_TIMEOUT), 0))
		thread_yield();
}

static bool measure_local_ipc(void)
{
	struct partner partner;
	struct endpoint_message message = {{PARTNER_REPLY, 0, 0, 0}};
	err_t e = partner_start(&partner);
	cap_t endpoint;

	if (is_err(e))
		return failed("ipc.local.rtt", e);
	endpoint = ipc_endpoint(partner.connection);
	MEASURE(REPEATS, after_call(e = endpoint_call_empty(endpoint)));
	if (is_ok(e))
		print("ipc.local.rtt");
	MEASURE(REPEATS, after_call(e = endpoint_call(endpoint, &message)));
	if (is_ok(e))
		print("ipc.local.rtt.4");
	if (is_err(e))
		failed("ipc.local.rtt", e);
	return is_ok(partner_end(&partner)) && is_ok(e);
}

/* Each of our yields is one switch there and, by the partner's, one back. */
static bool measure_switch(void)
{
	struct partner partner;
	struct endpoint_message message = {{PARTNER_YIELD, 0, 0, 0}};
	err_t e = partner_start(&partner);

	if (is_ok(e))
		e = endpoint_call(ipc_endpoint(partner.connection), &message);
	if (is_err(e))
		return failed("switch.dispatcher", e);
	samples_begin(&samples);
	for (unsigned round = 0; round < REPEATS + WARM_UP; round++) {
		uint64_t begin = sample_now();

		e = endpoint_yield(CAP_NULL, YIELD_NOW);
		if (round >= WARM_UP)
			samples_add(&samples, sample_now() - begin, 2);
	}
	print("switch.dispatcher");
	return is_ok(partner_end(&partner)) && is_ok(e);
}

/* Serves with nothing but the two stubs, then as it was told. */
int single_partner_main(const char *service)
{
	const struct ipc_server server = {.call = NULL};
	struct ipc_service *offered;
	struct endpoint_request request;
	struct endpoint_message reply = {{0, 0, 0, 0}};
	uint64_t token = REPLY_NONE;
	err_t e = ipc_offer(service, &server, &offered);

	if (is_err(e)) {
		failed(service, e);
		return EXIT_FAILURE;
	}
	for (;;) {
		e = endpoint_reply_wait(token, &reply, REPLY_BLOCK, &request);
		token = REPLY_NONE;
		if (err_is(e, ERR_NUMBER_NO_CALLER)) /* its deadline took it away meanwhile */
			continue;
		if (err_is(e, ERR_NUMBER_NOTIFIED)) {
			ipc_serve_once(time_tsc());
			continue;
		}
		if (is_err(e)) {
			failed(service, e);
			return EXIT_FAILURE;
		}
		reply = request.message;
		token = request.token;
		if (reply.word[0] == PARTNER_YIELD)
			break;
	}
	e = endpoint_reply(token, &reply);
	while (is_ok(e))
		e = endpoint_yield(CAP_NULL, YIELD_NOW);
	return EXIT_FAILURE;
}

/* ---- Capability operations ---- */

struct bench_caps {
	cap_t ram, copy, first; /* a block of RAM; a slot; CAP_REPEATS slots */
};

static bool measure_copy_and_delete(struct bench_caps *c, const char *copy_id, const char *delete_id)
{
	static struct samples deletes;
	err_t e = OK;

	samples_begin(&samples);
	samples_begin(&deletes);
	for (unsigned round = 0; round < CAP_REPEATS + WARM_UP && is_ok(e); round++) {
		uint64_t begin = sample_now(), middle, end;

		e = cap_copy(c->ram, c->copy);
		middle = sample_now();
		if (is_ok(e))
			e = cap_delete(c->copy);
		end = sample_now();
		if (round >= WARM_UP) {
			samples_add(&samples, middle - begin, 1);
			samples_add(&deletes, end - middle, 1);
		}
	}
	if (is_err(e))
		return failed(copy_id, e);
	samples_print(&samples, lens, copy_id, domain_core(), domain_core());
	samples_print(&deletes, lens, delete_id, domain_core(), domain_core());
	return true;
}

static bool measure_retype(struct bench_caps *c, const char *id)
{
	err_t e = OK;

	samples_begin(&samples);
	for (unsigned round = 0; round < CAP_REPEATS && is_ok(e); round++) {
		const cap_t slot = {(uint16_t)(c->first.value + round)};
		uint64_t begin = sample_now();

		e = cap_retype(c->ram, CAP_Frame, round * PAGE_BYTES, PAGE_BYTES, 1, slot);
		if (round >= WARM_UP)
			samples_add(&samples, sample_now() - begin, 1);
	}
	if (is_ok(e))
		e = cap_revoke(c->ram);
	return is_err(e) ? failed(id, e) : print(id);
}

static bool measure_revoke(struct bench_caps *c, const char *id)
{
	err_t e = OK;

	samples_begin(&samples);
	for (unsigned round = 0; round < CAP_REPEATS && is_ok(e); round++) {
		uint64_t begin;

		e = cap_retype(c->ram, CAP_Frame, 0, PAGE_BYTES, DESCENDANTS, c->first);
		if (is_err(e))
			break;
		begin = sample_now();
		e = cap_revoke(c->ram);
		if (round >= WARM_UP)
			samples_add(&samples, sample_now() - begin, 1);
	}
	return is_err(e) ? failed(id, e) : print(id);
}

static err_t take_caps(struct bench_caps *c)
{
	paddr_t base;
	err_t e = cap_slot_alloc(&c->ram);

	if (is_ok(e))
		e = cap_slot_alloc(&c->copy);
	if (is_ok(e))
		e = cap_slots_alloc(CAP_REPEATS, &c->first);
	return is_err(e) ? e : memory_object(CAP_RAM, CAP_REPEATS * PAGE_BYTES, PAGE_BYTES, c->ram, &base);
}

/* MANY copies of one capability: as deep a database as MANY objects make. */
static err_t crowd(cap_t source, cap_t *slots)
{
	err_t e = OK;

	for (unsigned i = 0; i < MANY && is_ok(e); i++) {
		e = cap_slot_alloc(&slots[i]);
		if (is_ok(e))
			e = cap_copy(source, slots[i]);
	}
	return e;
}

static err_t disperse(const cap_t *slots)
{
	err_t e = OK;

	for (unsigned i = 0; i < MANY && is_ok(e); i++) {
		e = cap_delete(slots[i]);
		cap_slot_free(slots[i]);
	}
	return e;
}

static bool measure_capabilities(void)
{
	static cap_t slots[MANY];
	struct bench_caps c;
	err_t e = take_caps(&c);
	bool ok;

	if (is_err(e))
		return failed("cap.copy", e);
	ok = measure_copy_and_delete(&c, "cap.copy", "cap.delete") && measure_retype(&c, "cap.retype") && measure_revoke(&c, "cap.revoke");
	e = crowd(CAP_START_FRAME, slots);
	if (is_err(e))
		return failed("cap.copy.10000", e);
	ok = ok && measure_copy_and_delete(&c, "cap.copy.10000", "cap.delete.10000") && measure_retype(&c, "cap.retype.10000") &&
	     measure_revoke(&c, "cap.revoke.10000");
	e = disperse(slots);
	return is_err(e) ? failed("cap.delete", e) : ok;
}

bool single_measure(const struct lens *with)
{
	static bool (*const measurements[])(void) = {measure_null_call, measure_foreign_call, measure_local_ipc,
	                                             measure_switch,    measure_fault,        measure_capabilities};
	bool ok = true;

	lens = with;
	for (size_t i = 0; i < sizeof(measurements) / sizeof(measurements[0]); i++)
		ok = measurements[i]() && ok;
	return ok;
}
