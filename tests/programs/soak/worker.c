/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* A worker: its main thread serves the leader and takes what other workers give, its other threads work. */

#include <stdarg.h>

#include "tests/programs/soak/worker.h"

struct worker me;
static bool ended;
static struct thread *threads[THREADS];
static unsigned thread_number[THREADS];

void fail(const char *format, ...)
{
	char text[200];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	printf("soak: seed %llu, round %u, core %u: %s\n", (unsigned long long)soak_seed, soak_round, domain_core(), text);
	me.failed = me.stop = true;
}

/* ---- Work ---- */

static void work_on(void *argument)
{
	const unsigned thread = *(unsigned *)argument;
	struct random r = random_from((soak_seed * 1000 + soak_round) * 64 + me.number * THREADS + thread);

	while (!me.stop) {
		operate(&r, thread);
		thread_yield();
	}
	me.at_work--;
}

static void give_back(void *argument)
{
	(void)argument;
	things_give_back();
	me.at_work--;
}

static err_t begin(void (*function)(void *), unsigned count)
{
	err_t e = OK;

	for (unsigned i = 0; i < count && is_ok(e); i++) {
		thread_number[i] = i;
		e = thread_create(function, &thread_number[i], 0, &threads[i]);
		me.at_work += is_ok(e);
	}
	return e;
}

static err_t join(unsigned count)
{
	err_t e = OK;

	for (unsigned i = 0; i < count && is_ok(e); i++)
		e = thread_join(threads[i]);
	return e;
}

/* ---- The leader's calls ---- */

static err_t connect_to(unsigned number)
{
	char name[SERVICE_NAME_BYTES];

	if (number >= WORKERS_MAX || number == me.number)
		return ERR(ARGUMENT);
	snprintf(name, sizeof(name), SERVICE, soak_round, number);
	return ipc_bind(name, false, &me.peer[number]);
}

static void tell_held(unsigned index, struct ipc_message *reply)
{
	struct cap_identity id;

	if (!thing_look(index, &id))
		return;
	reply->word[0] = (uint64_t)id.type | (uint64_t)id.rights << 8 | (uint64_t)id.flags << 16 | (uint64_t)id.owner << 32;
	reply->word[1] = id.base;
	reply->word[2] = id.size;
}

static err_t obey(const struct ipc_message *m, struct ipc_message *reply)
{
	switch ((enum label)m->label) {
	case SOAK_HELLO:
		reply->word[0] = me.arena_base;
		return OK;
	case SOAK_CONNECT:
		return connect_to((unsigned)m->word[0]);
	case SOAK_RUN:
		return begin(work_on, THREADS);
	case SOAK_STOP:
		me.stop = true;
		return OK;
	case SOAK_STATUS:
		reply->word[0] = me.at_work;
		reply->word[1] = me.operations;
		reply->word[2] = me.refused;
		return OK;
	case SOAK_HELD:
		if (m->word[0] == 0)
			things_unmap();
		tell_held((unsigned)m->word[0], reply);
		return OK;
	case SOAK_GIVE_BACK:
		if (is_err(join(THREADS)))
			return ERR(STATE);
		return begin(give_back, 1);
	case SOAK_END:
		ended = true;
		return join(1);
	}
	return ERR(ARGUMENT);
}

static void serve(void *context, struct ipc_connection *c, const struct ipc_message *request, struct ipc_message *reply)
{
	err_t e;

	(void)context, (void)c;
	*reply = (struct ipc_message){.label = request->label};
	e = obey(request, reply);
	if (is_err(e))
		fail("the leader's request %u: %s", request->label, err_sentence(e));
	reply->word[3] = me.failed;
}

/* The tag says which rights it has at most. */
static void given(void *context, struct ipc_connection *c, uint32_t tag, cap_t cap, struct ipc_connection *connection)
{
	struct cap_identity id;

	(void)context, (void)connection;
	if (is_err(cap_identify(cap, &id)) || id.type == CAP_Null) {
		cap_slot_free(cap);
		return;
	}
	if (id.rights & ~tag)
		fail("a %s from core %u has the rights %u, it was given with %u", cap_type_name(id.type), ipc_peer_core(c), id.rights, tag);
	if (!thing_add(cap, false))
		thing_discard(cap);
}

/* ---- Life ---- */

/* Nobody has anything of it any more, as soon as all others have given back what they had. */
static bool arena_is_free(void)
{
	const uint64_t end = in_us(10000000);
	cap_t probe;
	err_t e = cap_slot_alloc(&probe);

	while (is_ok(e) && is_err(e = cap_retype(me.arena, CAP_Frame, 0, ARENA_BYTES, 1, probe)) && time_tsc() < end) {
		sleep_us(1000);
		e = OK;
	}
	return is_ok(e) && is_ok(cap_delete(probe)) && is_ok(cap_delete(me.arena));
}

int work(unsigned number)
{
	const struct ipc_server server = {.call = serve, .given = given};
	struct ipc_service *service;
	char name[SERVICE_NAME_BYTES];
	paddr_t base;

	me.number = number;
	if (is_err(cap_slot_alloc(&me.arena)) || is_err(memory_object(CAP_RAM, ARENA_BYTES, ARENA_BYTES, me.arena, &base)))
		return EXIT_FAILURE;
	me.arena_base = base.value;
	snprintf(name, sizeof(name), SERVICE, soak_round, number);
	if (is_err(ipc_offer(name, &server, &service)))
		return EXIT_FAILURE;
	while (!ended)
		ipc_serve_once(0);
	if (!me.failed && !things_keep_the_last() && !arena_is_free())
		fail("something of the arena is left");
	return me.failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
