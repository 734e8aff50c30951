/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include <string.h>

#include <atoll/capability.h>

#include "libos/ipc/events.h"
#include "libos/ipc/gift.h"
#include "libos/ipc/server.h"
#include "libos/memory/agreement.h"
#include "libos/memory/memory.h"
#include "libos/thread/waiters.h"
#include "libos/upcall/dispatcher.h"

#define GIFTS_MAX 64 /* of one connection; further ones are refused by letting them go */
#define EARLY_MAX 16

static struct gift *early; /* for connections that are not there yet */

/* ---- Lists ---- */

static unsigned count(const struct gift *g)
{
	unsigned n = 0;

	for (; g != NULL; g = g->next)
		n++;
	return n;
}

static void append(struct gift **list, struct gift *g)
{
	while (*list != NULL)
		list = &(*list)->next;
	g->next = NULL;
	*list = g;
}

static void take_out(struct gift **link, struct gift *out)
{
	struct gift *g = *link;

	*link = g->next;
	*out = *g;
	store_free(g, sizeof *g);
}

/* Nobody wants it. */
static void let_go(const struct gift *g)
{
	if (g->connection != NULL)
		connection_close(g->connection);
	else if (cap_forget(g->cap))
		cap_slot_free(g->cap);
}

/* ---- What the monitor says ---- */

static void arrived(const struct gift *gift)
{
	struct ipc_connection *c = connection_find(gift->number);
	struct gift **list = c == NULL ? &early : &c->gifts, *g, oldest;

	if (c == NULL && count(early) == EARLY_MAX) {
		take_out(&early, &oldest);
		let_go(&oldest);
	}
	store_prepare();
	g = count(*list) < GIFTS_MAX ? store_alloc(sizeof *g) : NULL;
	if (g == NULL) {
		let_go(gift);
		return;
	}
	*g = *gift;
	append(list, g);
	if (c == NULL)
		return;
	gifts_wake(c);
	if (c->on_gift != NULL)
		c->on_gift(c);
	if (c->service != NULL)
		server_given(c);
}

/* The monitor fills slots of the task CNode, which has few: the capability moves to a slot of our own. */
static void given(const uint64_t word[EVENT_WORDS])
{
	const cap_t from = CAP(ROOT_TASK, word[3] & 0xff);
	struct gift g = {.number = (uint32_t)word[2], .tag = (uint32_t)word[4]};
	err_t e = cap_slot_alloc(&g.cap);

	if (is_err(e)) {
		(void)cap_forget(from);
		return;
	}
	e = cap_move(from, g.cap);
	if (is_ok(e))
		arrived(&g);
	else
		cap_slot_free(g.cap); /* it has been revoked already */
}

static void introduced(const uint64_t word[EVENT_WORDS])
{
	struct bound_event bound;
	struct gift g;
	err_t e;

	memcpy(&bound, word, sizeof bound);
	g = (struct gift){.number = bound.over, .tag = bound.over_tag, .cap = CAP_NULL};
	e = connection_open(&bound, NULL, &g.connection);
	if (is_err(e)) {
		(void)monitor_request(REQUEST_close, 0, bound.connection, 0, 0);
		return;
	}
	if (is_ok(connection_greet(g.connection, GREETING_CALL)))
		arrived(&g);
	else
		connection_close(g.connection);
}

void gifts_start(void)
{
	events_handle(EVENT_given, given);
	events_handle(EVENT_introduced, introduced);
}

/* ---- A connection's ---- */

void gifts_claim(struct ipc_connection *c)
{
	for (struct gift **link = &early; *link != NULL;) {
		struct gift *g = *link;

		if (g->number != c->number) {
			link = &g->next;
			continue;
		}
		*link = g->next;
		append(&c->gifts, g);
	}
	if (c->gifts != NULL && c->service != NULL)
		server_given(c);
}

void gifts_wake(struct ipc_connection *c)
{
	waiters_wake(&c->takers);
}

void gifts_drop(struct ipc_connection *c)
{
	struct gift g;

	gifts_wake(c);
	while (c->gifts != NULL) {
		take_out(&c->gifts, &g);
		let_go(&g);
	}
}

bool gifts_next(struct ipc_connection *c, struct gift *out)
{
	bool inside = dispatcher_enter(), any = c->gifts != NULL;

	if (any)
		take_out(&c->gifts, out);
	dispatcher_leave(inside);
	return any;
}

/* ---- For programs ---- */

static struct gift **find(struct ipc_connection *c, uint32_t tag, bool connection)
{
	struct gift **link = &c->gifts;

	while (*link != NULL && ((*link)->tag != tag || ((*link)->connection != NULL) != connection))
		link = &(*link)->next;
	return link;
}

static err_t take(struct ipc_connection *c, uint32_t tag, bool connection, uint64_t deadline_tsc, struct gift *out)
{
	uint64_t deadline = deadline_tsc == 0 ? THREAD_FOREVER : deadline_tsc;
	bool inside = dispatcher_enter(), in_time = true;
	struct gift **link = NULL;
	err_t e = OK;

	connection_hold(c);
	events_poll();
	while (is_ok(e)) {
		if (c->late.closed)
			e = ERR(PEER_GONE);
		else if (*(link = find(c, tag, connection)) != NULL)
			break;
		else if (c->closed)
			e = ERR(PEER_GONE);
		else if (in_time)
			in_time = waiters_wait(&c->takers, deadline);
		else if (!events_fetch()) /* what has been given need not have found room in the event ring yet */
			e = ERR(TIMEOUT);
	}
	if (is_ok(e))
		take_out(link, out);
	connection_let_go(c);
	dispatcher_leave(inside);
	return e;
}

err_t ipc_take(struct ipc_connection *c, uint32_t tag, uint64_t deadline_tsc, cap_t *cap)
{
	struct gift g;
	err_t e = connection_visit(c);

	if (is_ok(e))
		e = take(c, tag, false, deadline_tsc, &g);
	if (is_ok(e))
		*cap = g.cap;
	return e;
}

err_t ipc_take_connection(struct ipc_connection *c, uint32_t tag, uint64_t deadline_tsc, struct ipc_connection **out)
{
	struct gift g;
	err_t e = connection_visit(c);

	if (is_ok(e))
		e = take(c, tag, true, deadline_tsc, &g);
	if (is_ok(e))
		*out = g.connection;
	return e;
}

static err_t give(enum capability_operation operation, const struct ipc_connection *c, cap_t cap, rights_t rights, uint32_t tag)
{
	err_t e = connection_visit(c);

	if (is_err(e))
		return e;
	e = agreement_ask(&(struct capability_request){
	    .cap = cap.value,
	    .operation = (uint8_t)operation,
	    .offset = c->number | (uint64_t)tag << 32,
	    .bytes = rights.bits,
	});

	return err_is(e, ERR_NUMBER_NOT_FOUND) ? ERR(PEER_GONE) : e;
}

err_t ipc_give(struct ipc_connection *c, cap_t cap, rights_t rights, uint32_t tag)
{
	return give(CAPABILITY_GIVE, c, cap, rights, tag);
}

err_t ipc_move(struct ipc_connection *c, cap_t cap, rights_t rights, uint32_t tag)
{
	return give(CAPABILITY_MOVE, c, cap, rights, tag);
}
