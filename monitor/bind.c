/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include <string.h>

#include "monitor/bind.h"
#include "monitor/capability.h"
#include "monitor/domain.h"
#include "monitor/ends.h"
#include "monitor/handlers.h"
#include "monitor/mesh.h"
#include "monitor/rebind.h"
#include "monitor/revocation.h"
#include "monitor/span.h"
#include "monitor/tickets.h"
#include "monitor/voice.h"
#include "monitor/whereabouts.h"

/* `t`: the client's question; NULL: this is not the client's end. */
static void tell_bound(struct monitor *m, const struct connection *c, enum monitor_event event, const struct ticket *t, const char *name)
{
	struct domain *d = domain_find(m, c->domain);
	uint64_t words[CHANNEL_WORDS] = {0};
	struct bound_event b = {
	    .tag = t == NULL ? 0 : t->tag,
	    .over = t == NULL ? 0 : t->introduction.over,
	    .over_tag = t == NULL ? c->service : t->introduction.tag,
	    .connection = c->number,
	    .kind = (uint16_t)c->kind,
	    .peer_core = (uint16_t)c->peer_core,
	    .slot_send = c->slot_send,
	    .slot_receive = c->slot_receive,
	    .slot_doorbell = c->slot_doorbell,
	    .ring_slots = c->kind == CONNECTION_CHANNEL ? RING_LINES : 0,
	    .peer_domain = c->peer_domain,
	};

	if (d == NULL)
		return;
	if (c->link)
		b.over = c->member;
	copy_name(b.name, sizeof(b.name), name);
	memcpy(words, &b, sizeof(b));
	domain_event(m, d, event, words, CHANNEL_WORDS);
}

static void tell_server(struct monitor *m, const struct connection *c, const char *client)
{
	tell_bound(m, c, EVENT_accepted, NULL, client);
}

/* It has asked for the connection, or somebody has given it. */
static void tell_client(struct monitor *m, const struct connection *c, const struct ticket *t)
{
	const struct introduction *i = &t->introduction;

	tell_bound(m, c, i->over == 0 ? EVENT_bound : EVENT_introduced, t, t->name);
	if (i->over != 0)
		MESH_SEND(m, i->core, introduced, .ticket = i->ticket);
}

/* This side holds nothing of the peer's any more, and says so. */
static void close_here(struct monitor *m, struct connection *c, bool ended, bool taken)
{
	if (c->kind == CONNECTION_CHANNEL && c->peer_domain == 0)
		voice_end(m);
	rebind_finish(m, c);
	end_drop_foreign(m, c);
	c->domain = 0;
	c->state = CONNECTION_CLOSING;
	/* Whoever is on a lost core's place now has other connections under the same numbers. */
	if (c->peer_number != 0 && !c->lost && mesh_alive(m, c->peer_core))
		MESH_SEND(m, c->peer_core, close, .connection = c->peer_number, .ended = ended, .taken = taken);
	if (c->peer_closed)
		end_free(m, c);
}

/* ---- Binding: the client's side ---- */

err_t bind_request(struct monitor *m, struct domain *d, uint32_t tag, uint64_t flags, const struct service_request *service)
{
	struct message_resolve question = {.domain = d->number, .interface = service->interface, .now = (flags & BIND_NOW) != 0};
	struct ticket *t;

	question.ticket = ticket_open(m, TICKET_RESOLVE, 0, d->number, tag, &t);
	if (question.ticket == 0)
		return ERR(LIMIT);
	t->value = flags & (BIND_STREAM | BIND_FIND);
	memcpy(t->name, service->name, sizeof(t->name));
	memcpy(question.name, service->name, sizeof(question.name));
	if (mesh_send(m, 0, MESSAGE_resolve, &question))
		return OK;
	ticket_close(m, t);
	return ERR(CORE_DEAD);
}

err_t bind_cancel(struct monitor *m, struct domain *d, uint32_t tag)
{
	for (unsigned i = 0; i < TICKETS_MAX; i++) {
		struct ticket *t = &m->ticket[i];

		if (t->kind != TICKET_RESOLVE || t->domain != d->number || t->tag != tag || t->introduction.over != 0)
			continue;
		MESH_SEND(m, 0, forget, .domain = d->number, .ticket = ticket_number(m, t));
		ticket_close(m, t);
		return OK;
	}
	return ERR(NOT_FOUND);
}

/* Who only wants to know who the server is. */
static void tell_found(struct monitor *m, struct domain *client, uint32_t server, struct ticket *t)
{
	uint64_t words[CHANNEL_WORDS] = {0};
	struct bound_event b = {.tag = t->tag, .peer_core = (uint16_t)domain_lives_on(m, server), .peer_domain = server};

	memcpy(words, &b, sizeof(b));
	domain_event(m, client, EVENT_bound, words, CHANNEL_WORDS);
	ticket_close(m, t);
}

/* An endpoint: two records, one for each end, and nothing to agree on. */
static err_t bind_endpoint(struct monitor *m, struct domain *client, struct domain *server, uint32_t service, const struct ticket *t)
{
	struct connection *c = end_new(m, client->number), *s = end_new(m, server->number);
	cap_t endpoint;
	err_t e = c == NULL || s == NULL ? ERR(LIMIT) : cap_slot_alloc(&endpoint);

	if (is_ok(e)) {
		e = platform_endpoint(server->dispatcher, endpoint, s->number);
		if (is_ok(e) && is_ok(e = task_open(client))) {
			e = end_place(client, endpoint, RIGHT_WRITE, &c->slot_send);
			task_close();
		}
		(void)!is_ok(cap_delete(endpoint));
		cap_slot_free(endpoint);
	}
	if (is_err(e)) {
		if (c != NULL)
			end_free(m, c);
		if (s != NULL)
			end_free(m, s);
		return e;
	}
	c->state = s->state = CONNECTION_OPEN;
	c->kind = s->kind = CONNECTION_ENDPOINT;
	c->peer_core = s->peer_core = m->core;
	c->peer_domain = server->number;
	c->peer_number = s->number;
	s->peer_domain = client->number;
	s->peer_number = c->number;
	s->serves = true;
	s->service = service;
	tell_server(m, s, client->name);
	tell_client(m, c, t);
	return OK;
}

/* The client's end of a channel that the server's monitor has not heard of yet. */
static err_t begin_channel(struct monitor *m, const struct domain *client, uint32_t server, struct connection **out)
{
	struct connection *c = end_new(m, client->number);
	err_t e;

	if (c == NULL)
		return ERR(LIMIT);
	c->kind = CONNECTION_CHANNEL;
	c->peer_core = domain_lives_on(m, server);
	c->peer_domain = server;
	e = end_take_ring(m, c);
	if (is_err(e))
		end_free(m, c);
	*out = c;
	return e;
}

static err_t bind_channel(struct monitor *m, struct domain *client, uint32_t server, uint32_t service, struct ticket *t)
{
	struct message_connect question = {.server = server, .client = client->number, .service = service};
	struct connection *c;
	err_t e = begin_channel(m, client, server, &c);

	if (is_err(e))
		return e;
	t->value = c->number;
	question.ticket = ticket_renew(m, t, TICKET_CONNECT, c->peer_core);
	question.connection = c->number;
	question.ring = c->ring.base;
	question.doorbell = client->doorbell_base;
	question.doorbell_extra = (uint32_t)client->doorbell_extra;
	copy_name(question.name, sizeof(question.name), client->name);
	if (mesh_send(m, c->peer_core, MESSAGE_connect, &question))
		return OK;
	end_free(m, c);
	return ERR(CORE_DEAD);
}

/* A channel with that very domain, not with a service: a link, or adoption. */
static err_t link_with(struct monitor *m, struct domain *d, uint32_t peer, enum ticket_kind kind, uint32_t tag, unsigned member)
{
	struct message_link question = {.server = peer, .client = d->number, .span = d->span, .member = d->member};
	struct connection *c;
	struct ticket *t;
	err_t e;

	question.ticket = ticket_open(m, kind, domain_lives_on(m, peer), d->number, tag, &t);
	if (question.ticket == 0)
		return ERR(LIMIT);
	e = begin_channel(m, d, peer, &c);
	if (is_ok(e)) {
		c->link = kind == TICKET_LINK;
		c->member = (uint8_t)member;
		t->value = c->number;
		question.connection = c->number;
		question.ring = c->ring.base;
		question.doorbell = d->doorbell_base;
		question.doorbell_extra = d->doorbell_extra;
		if (mesh_send(m, c->peer_core, MESSAGE_link, &question))
			return OK;
		end_free(m, c);
		e = ERR(CORE_DEAD);
	}
	ticket_close(m, t);
	return e;
}

err_t bind_link(struct monitor *m, struct domain *d, unsigned member, uint32_t fellow)
{
	return link_with(m, d, fellow, TICKET_LINK, 0, member);
}

err_t bind_adopt(struct monitor *m, struct domain *d, uint32_t tag, uint32_t child)
{
	uint32_t core = domain_lives_on(m, child);

	return core < m->peers && mesh_alive(m, core) ? link_with(m, d, child, TICKET_CONNECT, tag, 0) : ERR(PEER_GONE);
}

void handle_resolved(struct monitor *m, uint32_t from, const struct message_resolved *message)
{
	struct ticket *t = ticket_find(m, message->ticket, TICKET_RESOLVE, from);
	struct domain *client, *server;
	err_t e = (err_t){message->error};

	if (t == NULL)
		return;
	client = domain_find(m, t->domain);
	server = domain_find(m, message->server);
	if (client == NULL) {
		ticket_close(m, t);
		return;
	}
	if (is_ok(e) && (t->value & BIND_FIND)) {
		tell_found(m, client, message->server, t);
		return;
	}
	if (is_ok(e) && domain_lives_on(m, message->server) == m->core && server == NULL)
		e = ERR(PEER_GONE);
	if (is_ok(e) && server != NULL && t->value == BIND_CALL) {
		e = bind_endpoint(m, client, server, message->service, t);
		if (is_ok(e)) {
			ticket_close(m, t);
			return;
		}
	} else if (is_ok(e)) {
		e = domain_lives_on(m, message->server) < m->peers ? bind_channel(m, client, message->server, message->service, t)
		                                                   : ERR(MESSAGE);
	}
	if (is_err(e)) {
		t->kind = TICKET_RESOLVE;
		ticket_fail(m, t, e);
	}
}

/* The client's domain has all that it needs. */
static void connected(struct monitor *m, struct connection *c, struct ticket *t)
{
	struct domain *d = domain_find(m, c->domain);

	if (c->link)
		tell_bound(m, c, EVENT_joined, NULL, "");
	else
		tell_client(m, c, t);
	ticket_close(m, t);
	if (c->link && d != NULL)
		span_link_bound(m, d, OK);
}

/* The client has ended meanwhile. */
static void connected_too_late(struct monitor *m, uint32_t from, const struct message_connected *message)
{
	struct connection *c = end_find(m, message->asked);

	if (message->error == ERR_NUMBER_OK)
		MESH_SEND(m, from, close, .connection = message->connection, .ended = 1);
	else if (c != NULL && c->state == CONNECTION_CLOSING && c->peer_core == from)
		end_free(m, c);
}

void handle_connected(struct monitor *m, uint32_t from, const struct message_connected *message)
{
	const struct face face = {message->ring, message->doorbell, message->doorbell_extra};
	struct ticket *t = ticket_find(m, message->ticket, TICKET_CONNECT, from);
	struct connection *c;
	err_t e = (err_t){message->error};

	if (t == NULL)
		t = ticket_find(m, message->ticket, TICKET_LINK, from);
	c = t == NULL ? NULL : end_find(m, t->value);
	if (t == NULL || c == NULL) {
		if (t != NULL)
			ticket_close(m, t);
		connected_too_late(m, from, message);
		return;
	}
	if (is_err(e)) {
		t->value = 0;
		end_free(m, c);
		ticket_fail(m, t, e);
		return;
	}
	c->peer_number = message->connection;
	c->state = CONNECTION_OPEN;
	e = end_give_channel(m, c, &face);
	if (is_ok(e)) {
		connected(m, c, t);
		return;
	}
	t->value = 0;
	end_unplace_all(m, c);
	close_here(m, c, false, false);
	ticket_fail(m, t, e);
}

/* ---- Binding: the server's side ---- */

static err_t accept_connection(struct monitor *m, uint32_t from, const struct message_connect *message, struct connection **out)
{
	const struct face face = {message->ring, message->doorbell, message->doorbell_extra};
	struct domain *server = domain_find(m, message->server);
	struct connection *c;
	err_t e;

	if (server == NULL)
		return ERR(PEER_GONE);
	if (domain_lives_on(m, message->client) != from)
		return ERR(PERMISSION);
	c = end_new(m, server->number);
	if (c == NULL)
		return ERR(LIMIT);
	c->kind = CONNECTION_CHANNEL;
	c->peer_core = from;
	c->peer_domain = message->client;
	c->peer_number = message->connection;
	c->service = message->service;
	e = end_take_ring(m, c);
	if (is_ok(e))
		e = end_give_channel(m, c, &face);
	if (is_err(e)) {
		end_unplace_all(m, c);
		end_free(m, c);
		return e;
	}
	c->state = CONNECTION_OPEN;
	*out = c;
	return OK;
}

/* How it went: this side's end, or an error. */
static void answer_connect(struct monitor *m, uint32_t from, const struct message_connect *message, const struct connection *c, err_t e)
{
	struct message_connected answer = {.ticket = message->ticket, .error = e.number, .asked = message->connection};

	if (is_ok(e)) {
		const struct domain *server = domain_find(m, c->domain);

		answer.connection = c->number;
		answer.ring = c->ring.base;
		answer.doorbell = server->doorbell_base;
		answer.doorbell_extra = server->doorbell_extra;
	}
	mesh_send(m, from, MESSAGE_connected, &answer);
}

void handle_connect(struct monitor *m, uint32_t from, const struct message_connect *message)
{
	struct connection *c = NULL;
	err_t e = accept_connection(m, from, message, &c);

	if (is_ok(e))
		tell_server(m, c, message->name);
	answer_connect(m, from, message, c, e);
}

/* The same for a member of a span by another one of it, and for a domain by who has spawned it. */
void handle_link(struct monitor *m, uint32_t from, const struct message_link *message)
{
	const struct message_connect connect = {
	    .ticket = message->ticket,
	    .server = message->server,
	    .client = message->client,
	    .connection = message->connection,
	    .ring = message->ring,
	    .doorbell = message->doorbell,
	    .doorbell_extra = (uint32_t)message->doorbell_extra,
	};
	const struct domain *server = domain_find(m, message->server);
	struct connection *c = NULL;
	bool fellow = server != NULL && server->span == message->span;
	bool child = server != NULL && !fellow && message->span != 0 && server->parent == message->span;
	err_t e = server != NULL && !fellow && !child ? ERR(PERMISSION) : accept_connection(m, from, &connect, &c);

	if (is_ok(e)) {
		c->link = fellow;
		c->member = (uint8_t)message->member;
		tell_bound(m, c, fellow ? EVENT_joined : EVENT_adopted, NULL, "");
	}
	answer_connect(m, from, &connect, c, e);
}

/* ---- Gifts ---- */

struct connection *connection_of(struct monitor *m, const struct domain *d, uint32_t number)
{
	struct connection *c = end_find(m, number);
	bool open = c != NULL && c->state == CONNECTION_OPEN && c->domain == d->number;

	return open && !c->peer_closed && c->peer_domain != 0 ? c : NULL;
}

bool connection_has_ring(const struct monitor *m, uint64_t base)
{
	for (unsigned i = 0; i < CONNECTIONS_MAX; i++) {
		const struct connection *c = &m->connection[i];

		if (c->state != CONNECTION_FREE && c->peer_ring.value != CAP_NULL.value && base - c->peer_ring_base < RING_BYTES)
			return true;
	}
	return false;
}

/* Whether the domain has read enough of what it was told to be given something more by that one. */
static bool may_give(const struct domain *d, uint32_t giver)
{
	const unsigned unread = domain_unread(d);
	unsigned own = 0;

	for (unsigned i = 0; i < UNREAD_MAX; i++)
		own += d->gift[i].giver == giver && d->told - d->gift[i].event < unread;
	return unread < UNREAD_MAX && own < UNREAD_EACH;
}

static void tell_given(struct monitor *m, struct domain *d, const struct connection *c, uint8_t slot, uint32_t tag)
{
	domain_event(m, d, EVENT_given, (uint64_t[]){0, 0, c->number, slot, tag}, 5);
	d->gift[d->next_gift].event = d->told;
	d->gift[d->next_gift].giver = c->peer_domain;
	d->next_gift = (d->next_gift + 1) % UNREAD_MAX;
}

err_t connection_give(struct monitor *m, struct connection *c, cap_t cap, unsigned rights, uint32_t tag)
{
	struct domain *d = domain_find(m, c->domain);
	err_t e = d == NULL ? ERR(PEER_GONE) : task_open(d);
	uint8_t slot;

	if (is_err(e))
		return e;
	e = may_give(d, c->peer_domain) ? end_place(d, cap, rights, &slot) : ERR(LIMIT);
	task_close();
	if (is_ok(e))
		tell_given(m, d, c, slot, tag);
	return e;
}

static struct connection *connection_from(struct monitor *m, uint32_t number, uint32_t from)
{
	struct connection *c = end_find(m, number);

	return c != NULL && c->state == CONNECTION_OPEN && c->domain != 0 && c->peer_core == from ? c : NULL;
}

err_t connection_deliver(struct monitor *m, uint32_t from, uint32_t number, cap_t cap, uint32_t tag)
{
	struct connection *c = connection_from(m, number, from);

	return c == NULL ? ERR(PEER_GONE) : connection_give(m, c, cap, RIGHTS_ALL, tag);
}

/* A badge is the number of the server's end, which begins with its place. */
static const struct connection *end_of_badge(const struct monitor *m, const struct domain *server, uint16_t badge)
{
	const struct connection *c = badge < CONNECTIONS_MAX ? &m->connection[badge] : NULL;

	return c != NULL && c->state == CONNECTION_OPEN && c->serves && c->domain == server->number ? c : NULL;
}

err_t connection_introduce(struct monitor *m, struct domain *giver, uint32_t asked, const struct connection *c, const struct domain *server,
                           uint16_t badge, uint32_t tag)
{
	const struct connection *served = end_of_badge(m, server, badge);
	struct message_introduce question = {.connection = c->peer_number, .tag = tag, .server = server->number};
	struct ticket *t;

	if (served == NULL)
		return ERR(PEER_GONE);
	question.service = served->service;
	question.ticket = ticket_open(m, TICKET_INTRODUCE, c->peer_core, giver->number, asked, &t);
	if (question.ticket == 0)
		return ERR(LIMIT);
	copy_name(question.name, sizeof(question.name), server->name);
	if (mesh_send(m, c->peer_core, MESSAGE_introduce, &question))
		return OK;
	ticket_close(m, t);
	return ERR(CORE_DEAD);
}

/* So many connections may be under way for a domain that did not ask for them. */
#define INTRODUCTIONS_MAX 8

static err_t introduce(struct monitor *m, uint32_t from, const struct message_introduce *message)
{
	const struct connection *over = connection_from(m, message->connection, from);
	struct domain *client = over == NULL ? NULL : domain_find(m, over->domain);
	struct domain *server = domain_find(m, message->server);
	struct ticket *t;
	err_t e;

	if (client == NULL)
		return ERR(PEER_GONE);
	/* An endpoint leads to a server on the giver's own core. */
	if (domain_lives_on(m, message->server) != from || message->server == client->number)
		return ERR(PERMISSION);
	if (client->tickets >= INTRODUCTIONS_MAX || ticket_open(m, TICKET_RESOLVE, from, client->number, 0, &t) == 0)
		return ERR(LIMIT);
	copy_name(t->name, sizeof(t->name), message->name);
	t->introduction = (struct introduction){over->number, message->tag, from, message->ticket};
	if (from != m->core)
		e = bind_channel(m, client, message->server, message->service, t);
	else
		e = server == NULL ? ERR(PEER_GONE) : bind_endpoint(m, client, server, message->service, t);
	if (from == m->core || is_err(e))
		ticket_close(m, t);
	return e;
}

void handle_introduce(struct monitor *m, uint32_t from, const struct message_introduce *message)
{
	err_t e = introduce(m, from, message);

	if (is_err(e))
		MESH_SEND(m, from, introduced, .ticket = message->ticket, .error = e.number);
}

bool introduction_failed(struct monitor *m, const struct ticket *t, err_t e)
{
	const struct introduction *i = &t->introduction;

	if (i->over != 0)
		MESH_SEND(m, i->core, introduced, .ticket = i->ticket, .error = e.number);
	return i->over != 0;
}

void handle_introduced(struct monitor *m, uint32_t from, const struct message_introduced *message)
{
	struct ticket *t = ticket_find(m, message->ticket, TICKET_INTRODUCE, from);
	struct domain *d = t == NULL ? NULL : domain_find(m, t->domain);

	if (d != NULL)
		domain_event(m, d, EVENT_done, (uint64_t[]){t->tag, message->error, 0, 0}, 4);
	if (t != NULL)
		ticket_close(m, t);
}

/* ---- The monitor itself as a client ---- */

const struct block *bind_monitor(struct monitor *m, struct domain *d, uint32_t service, const struct block *ring)
{
	struct connection *c = end_new(m, d->number);
	err_t e;

	if (c == NULL)
		return NULL;
	c->kind = CONNECTION_CHANNEL;
	c->service = service;
	c->peer_closed = true; /* there is no record of the other end */
	e = end_take_ring(m, c);
	if (is_ok(e) && is_ok(e = task_open(d))) {
		e = end_place_all(d, c, c->ring.cap, ring->cap, m->own_doorbell);
		task_close();
	}
	if (is_err(e)) {
		end_unplace_all(m, c);
		end_free(m, c);
		return NULL;
	}
	c->state = CONNECTION_OPEN;
	tell_server(m, c, "monitor");
	return &c->ring;
}

/* ---- The end ---- */

err_t bind_close(struct monitor *m, struct domain *d, uint32_t connection)
{
	struct connection *c = end_find(m, connection);

	if (c == NULL || c->domain != d->number || c->state != CONNECTION_OPEN)
		return ERR(NOT_FOUND);
	revocation_closes(d, c);
	close_here(m, c, false, false);
	return OK;
}

void connections_end(struct monitor *m, const struct domain *d)
{
	for (unsigned i = 0; i < CONNECTIONS_MAX; i++) {
		struct connection *c = &m->connection[i];

		if (c->state == CONNECTION_OPEN && c->domain == d->number)
			close_here(m, c, !d->leaving, d->cause == END_REVOKED);
	}
}

void connection_abandon(struct monitor *m, uint32_t number)
{
	struct connection *c = end_find(m, number);

	if (c == NULL || c->state != CONNECTION_ASKED)
		return;
	/* The server's monitor may have mapped the ring already; it hears of the end when its `connected` arrives here. Until then
	 * the ring stays, unless the peer never saw the question. */
	c->domain = 0;
	c->state = CONNECTION_CLOSING;
}

static void peer_has_closed(struct monitor *m, struct connection *c, enum end_cause why)
{
	struct domain *d = domain_find(m, c->domain);

	c->peer_closed = true;
	if (c->state == CONNECTION_CLOSING)
		end_free(m, c);
	else if (d != NULL && c->link)
		domain_event(m, d, EVENT_left, (uint64_t[]){0, 0, c->number, c->member, c->peer_core, why}, 6);
	else if (d != NULL)
		domain_event(m, d, EVENT_closed, (uint64_t[]){0, 0, c->number, c->lost, c->peer_core}, 5);
}

void handle_close(struct monitor *m, uint32_t from, const struct message_close *message)
{
	struct connection *c = end_find(m, message->connection);

	/* What is left of an end that has moved hears from its peer as `left`. */
	if (c != NULL && c->peer_core == from && !c->peer_closed && !c->departed)
		peer_has_closed(m, c, message->ended ? END_KILLED : message->taken ? END_REVOKED : END_EXIT);
}

void connections_lose_core(struct monitor *m, uint32_t core)
{
	rebind_lose_core(m, core);
	for (unsigned i = 0; i < CONNECTIONS_MAX; i++) {
		struct connection *c = &m->connection[i];

		if (c->state == CONNECTION_FREE || c->peer_core != core)
			continue;
		c->lost = true;
		/* Nobody is there to be woken. The ring has to stay until the domain has heard of it; it is nobody else's any more. */
		if (c->peer_ring.value != CAP_NULL.value) {
			platform_sweep_plain(c->peer_doorbell);
			(void)!is_ok(platform_mark(c->peer_ring, false, m->core));
		}
		if (!c->peer_closed)
			peer_has_closed(m, c, END_CORE);
	}
}

bool connections_of(const struct monitor *m, uint32_t domain, uint32_t except)
{
	for (unsigned i = 0; i < CONNECTIONS_MAX; i++)
		if (m->connection[i].state == CONNECTION_OPEN && m->connection[i].domain == domain &&
		    m->connection[i].peer_domain != except && m->connection[i].peer_domain != 0)
			return true;
	return false;
}
