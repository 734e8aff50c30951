/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include <stdio.h>
#include <stdlib.h>

#include <atoll/address_space.h>
#include <atoll/capability.h>
#include <atoll/domain.h>
#include <atoll/ipc.h>
#include <atoll/thread.h>

#include "apps/chaos/chaos.h"

#define VISIT_ROUNDS 20
#define PATIENCE_MS  2000

static uint64_t visits, looks, tags;

static uint64_t in_ms(uint64_t ms)
{
	return time_tsc() + time_tsc_hz() / 1000 * ms;
}

/* ---- For others ---- */

static err_t look(struct ipc_connection *c, uint64_t tag, uint64_t expected, uint64_t *right)
{
	const uint64_t *at;
	void *page;
	cap_t frame;
	err_t e = ipc_take(c, (uint32_t)tag, in_ms(PATIENCE_MS), &frame);

	if (is_err(e))
		return e;
	e = frame_map(frame, 0, PAGE_BYTES, RIGHTS(RIGHT_READ), &page);
	if (is_ok(e)) {
		at = page;
		*right = at[0] == expected && at[PAGE_BYTES / 8 - 1] == expected;
		(void)!is_ok(frame_unmap(page));
	}
	(void)!is_ok(cap_delete(frame));
	cap_slot_free(frame);
	return e;
}

static void serve(void *context, struct ipc_connection *c, const struct ipc_message *request, struct ipc_message *reply)
{
	(void)context;
	*reply = (struct ipc_message){.label = request->label};
	switch (request->label) {
	case CHAOS_ADD:
		reply->word[0] = request->word[0] + request->word[1];
		break;
	case CHAOS_LOOK:
		reply->word[0] = look(c, request->word[0], request->word[1], &reply->word[1]).number;
		break;
	case CHAOS_ROUNDS:
		reply->word[0] = visits;
		reply->word[1] = looks;
		break;
	}
}

static void serve_for_ever(void *argument)
{
	static const struct ipc_server server = {.call = serve};
	struct ipc_service *service;
	char name[SERVICE_NAME_BYTES];

	(void)argument;
	snprintf(name, sizeof(name), CHAOS_SERVICE, domain_core());
	if (is_err(ipc_offer(name, &server, &service))) {
		printf("chaos: %s can't be offered\n", name);
		exit(EXIT_FAILURE);
	}
	ipc_serve();
}

/* ---- Of others ---- */

static _Noreturn void wrong(const char *what, unsigned core)
{
	printf("chaos: core %u answered core %u wrongly: %s\n", core, domain_core(), what);
	exit(EXIT_FAILURE);
}

static err_t have_added(struct ipc_connection *c, struct chaos_random *r)
{
	struct ipc_message m = {.label = CHAOS_ADD, .word = {chaos_draw(r, 1 << 20), chaos_draw(r, 1 << 20)}};
	uint64_t sum = m.word[0] + m.word[1];
	err_t e = ipc_call(c, &m, &m);

	if (is_ok(e) && m.word[0] != sum)
		wrong("a sum", ipc_peer_core(c));
	return e;
}

static err_t have_looked_at(struct ipc_connection *c, cap_t frame, uint64_t content)
{
	uint32_t tag = (uint32_t)(++tags % 0xffff + 1);
	struct ipc_message m = {.label = CHAOS_LOOK, .word = {tag, content}};
	err_t e = ipc_give(c, frame, RIGHTS(RIGHT_READ), tag);

	if (is_ok(e))
		e = ipc_call(c, &m, &m);
	if (is_ok(e))
		e = (err_t){(uint32_t)m.word[0]};
	if (is_ok(e) && m.word[1] != 1)
		wrong("what is in a page", ipc_peer_core(c));
	looks += is_ok(e);
	return e;
}

/* A core that dies meanwhile ends the operation, not what it was for. */
static void take_back(cap_t frame)
{
	uint64_t end = in_ms(PATIENCE_MS);
	err_t e;

	while (err_is(e = cap_revoke(frame), ERR_NUMBER_CORE_DEAD) && time_tsc() < end)
		thread_sleep_until(in_ms(1));
	if (is_ok(e))
		return;
	printf("chaos: core %u can't take a page back: %s\n", domain_core(), err_sentence(e));
	exit(EXIT_FAILURE);
}

/* Gives a page of one's own, and takes it back. */
static err_t pass_a_page(struct ipc_connection *c, struct chaos_random *r)
{
	uint64_t content = chaos_draw(r, UINT32_MAX);
	uint64_t *at;
	void *page;
	cap_t frame;
	err_t e = frame_create(PAGE_BYTES, RIGHTS(RIGHT_READ | RIGHT_WRITE), &frame, &page, NULL);

	if (is_err(e))
		return e;
	at = page;
	at[0] = at[PAGE_BYTES / 8 - 1] = content;
	e = have_looked_at(c, frame, content);
	(void)!is_ok(frame_unmap(page));
	take_back(frame);
	memory_object_free(frame);
	return e;
}

static void visit(unsigned core, struct chaos_random *r)
{
	struct ipc_connection *c;
	char name[SERVICE_NAME_BYTES];
	err_t e;

	snprintf(name, sizeof(name), CHAOS_SERVICE, core);
	if (is_err(ipc_bind(name, false, &c)))
		return;
	e = have_added(c, r);
	for (unsigned i = 0; i < VISIT_ROUNDS && is_ok(e); i++) {
		e = have_added(c, r);
		if (is_ok(e) && i % 4 == 0)
			e = pass_a_page(c, r);
	}
	ipc_close(c);
	visits += is_ok(e);
}

static unsigned pick(struct chaos_random *r)
{
	static struct core_info cores[MACHINE_CORES];
	unsigned count = 0, core;

	if (is_err(core_list(cores, MACHINE_CORES, &count)) || count < 2)
		return domain_core();
	do
		core = (unsigned)chaos_draw(r, count);
	while (!cores[core].alive || core == domain_core());
	return core;
}

int chaos_work(uint64_t seed)
{
	struct chaos_random r = {seed * 2654435761 + domain_core() + 1};
	struct thread *server;

	if (is_err(thread_create(serve_for_ever, NULL, 0, &server)))
		return EXIT_FAILURE;
	for (;;) {
		unsigned core = pick(&r);

		if (core != domain_core())
			visit(core, &r);
		thread_sleep_until(in_ms(1)); /* an emulator has fewer processors than there are cores, and the monitors need them too */
	}
}
