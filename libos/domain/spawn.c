/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Starting programs. The request buffer has the order; what the program is given beyond that goes over a channel that the monitors make
 * between the two domains once the new one is there (adopt): the agreement on capabilities knows how those cross cores. */

#include <string.h>

#include <atoll/ipc.h>
#include <atoll/span.h>

#include "libos/domain/command.h"
#include "libos/domain/options.h"
#include "libos/domain/start.h"
#include "libos/ipc/connection.h"
#include "libos/ipc/events.h"
#include "libos/thread/waiters.h"
#include "libos/upcall/dispatcher.h"

#define LISTED_MAX (PAGE_BYTES / sizeof(struct domain_info))

/* ---- Where ---- */

/* One thread looks for a place at a time. */
static struct mutex place_lock; /* of the following */
static struct core_info cores[CORES_MAX];
static struct core_load loads[CORES_MAX];
static struct domain_info listed[LISTED_MAX];

/* A core that can't be asked any more has died meanwhile; it is left out. */
static err_t least_of_node(uint32_t node, unsigned count, uint64_t *core)
{
	unsigned candidates = 0, domains;

	for (unsigned i = 0; i < count; i++) {
		if (!cores[i].alive || cores[i].node != node || is_err(domain_list(cores[i].core, listed, LISTED_MAX, &domains)))
			continue;
		loads[candidates].core = cores[i].core;
		load_of(listed, domains, &loads[candidates++]);
	}
	if (candidates == 0)
		return ERR(CORE_DEAD);
	*core = load_least(loads, candidates);
	return OK;
}

/* `more`: the cores to grow to. */
static err_t find_place(const struct domain_options *o, uint64_t *core, uint64_t more[CORE_SET_WORDS], struct text *why)
{
	unsigned count, word = 0;
	err_t e;

	memset(more, 0, CORE_SET_WORDS * sizeof *more);
	mutex_lock(&place_lock);
	e = core_list(cores, CORES_MAX, &count);
	if (is_ok(e))
		e = options_check(o, cores, count, why);
	if (is_ok(e) && o->where == DOMAIN_ON_NODE)
		e = least_of_node(o->node, count, core);
	mutex_unlock(&place_lock);
	if (is_err(e) || o->where == DOMAIN_ON_NODE)
		return e;
	*core = o->where == DOMAIN_ON_CORE ? o->core : CORE_HERE;
	if (o->where != DOMAIN_ON_CORES)
		return OK;
	memcpy(more, o->cores, sizeof o->cores);
	while (more[word] == 0)
		word++;
	*core = 64 * word + (uint64_t)__builtin_ctzll(more[word]);
	more[word] &= more[word] - 1;
	return OK;
}

/* ---- Gifts ---- */

static err_t adopt(uint32_t domain, struct ipc_connection **out)
{
	struct event_wait w;
	struct bound_event bound;
	err_t e = request_and_wait(REQUEST_adopt, domain, 0, 0, &w);
	bool inside;

	if (is_err(e))
		return e;
	memcpy(&bound, w.word, sizeof bound);
	inside = dispatcher_enter();
	e = connection_open(&bound, NULL, out);
	dispatcher_leave(inside);
	return e;
}

static err_t hand_over(const struct domain_options *o, uint32_t domain)
{
	struct ipc_connection *c;
	err_t e = adopt(domain, &c);

	if (is_err(e))
		return e;
	for (unsigned i = 0; i < o->gifts && is_ok(e); i++)
		e = ipc_give(c, o->gift[i].cap, o->gift[i].rights, o->gift[i].tag);
	ipc_close(c);
	return e;
}

/* ---- Starting ---- */

static err_t order(const struct domain_options *o, uint64_t core, const uint64_t more[CORE_SET_WORDS], uint32_t *domain)
{
	struct event_wait w;
	struct spawn_order *head = (struct spawn_order *)domain_lock_buffer();
	size_t length;
	err_t e = command_build(o->arguments, o->environment, (char *)head, PAGE_BYTES, &length);

	if (is_ok(e)) {
		head->gifts = (uint16_t)o->gifts;
		head->flags = o->pinned ? SPAWN_PINNED : 0;
		head->quota = o->quota;
		memcpy(head->cores, more, sizeof head->cores);
		e = request_and_wait(REQUEST_spawn, core, length, o->memory, &w);
	}
	domain_unlock_buffer();
	if (is_ok(e))
		*domain = (uint32_t)w.word[2];
	return e;
}

static err_t start(const struct domain_options *o, struct text *why, uint32_t *domain)
{
	uint64_t more[CORE_SET_WORDS], core = CORE_HERE;
	err_t e = find_place(o, &core, more, why);

	if (is_ok(e))
		e = order(o, core, more, domain);
	if (is_err(e)) {
		if (why->length == 0)
			options_explain(o, core, e, why);
		return e;
	}
	if (o->gifts == 0 || is_ok(e = hand_over(o, *domain)) || err_is(e, ERR_NUMBER_PEER_GONE))
		return OK; /* one that has ended already is found so by domain_wait */
	text_add(why, "a capability can't be handed over: ");
	text_add(why, err_sentence(e));
	(void)!is_ok(domain_kill(*domain));
	return e;
}

err_t domain_spawn_with(const struct domain_options *o, uint32_t *domain)
{
	struct text why = {.length = 0};
	err_t e = start(o, &why, domain);
	size_t bytes = why.length < o->why_bytes ? why.length : o->why_bytes - 1;

	if (o->why_bytes == 0)
		return e;
	memcpy(o->why, why.bytes, bytes);
	o->why[bytes] = '\0';
	return e;
}

err_t domain_spawn(const char *const argv[], const char *const envp[], uint64_t core, uint64_t memory, uint32_t *domain)
{
	static const uint64_t nowhere[CORE_SET_WORDS];
	const struct domain_options o = {.arguments = argv, .environment = envp, .memory = memory};

	return order(&o, core, nowhere, domain);
}

/* ---- What the domain itself was given ---- */

static struct ipc_connection *spawner;
static struct queue waiting; /* for it */

static void adopted(const uint64_t word[EVENT_WORDS])
{
	struct bound_event bound;

	memcpy(&bound, word, sizeof bound);
	if (spawner != NULL || is_err(connection_open(&bound, NULL, &spawner))) {
		(void)monitor_request(REQUEST_close, 0, bound.connection, 0, 0);
		return;
	}
	waiters_wake(&waiting);
}

void spawn_start(void)
{
	events_handle(EVENT_adopted, adopted);
}

static err_t wait_for_spawner(uint64_t deadline)
{
	bool inside = dispatcher_enter(), in_time = true;

	events_poll();
	while (spawner == NULL && in_time)
		in_time = waiters_wait(&waiting, deadline);
	dispatcher_leave(inside);
	return spawner != NULL ? OK : ERR(TIMEOUT);
}

/* The spawner hands over on member 0. */
static err_t go_to_spawner(uint64_t deadline)
{
	err_t e = span_member() == 0 ? OK : thread_move(0);

	if (is_err(e))
		return e;
	return start_page->gifts == 0 ? ERR(NOT_FOUND) : wait_for_spawner(deadline == 0 ? THREAD_FOREVER : deadline);
}

/* A spawner closes the connection when it has handed over everything. */
static err_t not_among_them(err_t e)
{
	return err_is(e, ERR_NUMBER_PEER_GONE) ? ERR(NOT_FOUND) : e;
}

err_t domain_take(uint32_t tag, uint64_t deadline_tsc, cap_t *cap)
{
	err_t e = go_to_spawner(deadline_tsc);

	return is_ok(e) ? not_among_them(ipc_take(spawner, tag, deadline_tsc, cap)) : e;
}

err_t domain_take_connection(uint32_t tag, uint64_t deadline_tsc, struct ipc_connection **out)
{
	err_t e = go_to_spawner(deadline_tsc);

	return is_ok(e) ? not_among_them(ipc_take_connection(spawner, tag, deadline_tsc, out)) : e;
}
