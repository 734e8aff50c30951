/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include <string.h>

#include "monitor/block.h"
#include "monitor/domain.h"
#include "monitor/ends.h"
#include "monitor/foreign_frame.h"
#include "monitor/handlers.h"
#include "monitor/mesh.h"
#include "monitor/move.h"
#include "monitor/rebind.h"

/* The next end of the domain's after `c` (NULL: the first); NULL: there are no more. */
static struct connection *next_of(struct monitor *m, const struct domain *d, const struct connection *c)
{
	for (unsigned i = c == NULL ? 0 : (unsigned)(c - m->connection) + 1; i < CONNECTIONS_MAX; i++)
		if (m->connection[i].state != CONNECTION_FREE && m->connection[i].domain == d->number)
			return &m->connection[i];
	return NULL;
}

/* ---- The old core: endpoints become channels ---- */

static void tell_ring(struct monitor *m, struct domain *d, enum monitor_event event, const struct connection *c)
{
	uint64_t words[CHANNEL_WORDS] = {0};
	const struct bound_event b = {
	    .connection = c->number,
	    .kind = CONNECTION_CHANNEL,
	    .peer_core = (uint16_t)c->peer_core,
	    .slot_send = c->slot_send,
	    .slot_receive = c->slot_receive,
	    .slot_doorbell = c->slot_doorbell,
	    .ring_slots = RING_LINES,
	    .peer_domain = c->peer_domain,
	};

	memcpy(words, &b, sizeof(b));
	domain_event(m, d, event, words, CHANNEL_WORDS);
	platform_ring(d->doorbell); /* it may look at nothing for long */
}

static err_t widen_end(struct monitor *m, struct connection *c, const struct connection *other)
{
	struct domain *d = domain_find(m, c->domain);
	const struct domain *peer = domain_find(m, other->domain);
	err_t e = d == NULL || peer == NULL ? ERR(AGAIN) : task_open(d);

	if (is_err(e))
		return e;
	e = end_place_all(d, c, c->ring.cap, other->ring.cap, peer->doorbell);
	task_close();
	if (is_err(e)) {
		end_unplace_all(m, c);
		return e;
	}
	c->widening = WIDEN_ASKED;
	tell_ring(m, d, EVENT_widened, c);
	return OK;
}

static err_t begin_widening(struct monitor *m, struct connection *client, struct connection *server)
{
	err_t e = client->ring.bytes == 0 ? end_take_ring(m, client) : OK;

	if (is_ok(e) && server->ring.bytes == 0)
		e = end_take_ring(m, server);
	return is_ok(e) ? widen_end(m, client, server) : e;
}

/* AGAIN: it is under way. */
static err_t widen(struct monitor *m, struct connection *c)
{
	struct connection *other = end_other(m, c), *client = c->serves ? other : c, *server = c->serves ? c : other;
	err_t e;

	if (other == NULL || c->peer_closed || c->domain == 0 || other->domain == 0)
		return ERR(AGAIN);
	if (client->widening == WIDEN_REFUSED)
		return ERR(STAYS);
	if (client->widening != WIDEN_NOT)
		return ERR(AGAIN);
	e = begin_widening(m, client, server);
	return is_ok(e) ? ERR(AGAIN) : e;
}

/* Both hear that there is no connection any more. */
static void part(struct monitor *m, struct domain *d, struct connection *c)
{
	c->peer_closed = true;
	MESH_SEND(m, c->peer_core, close, .connection = c->peer_number, .ended = 0);
	domain_event(m, d, EVENT_closed, (uint64_t[]){0, 0, c->number, 0, c->peer_core}, 5);
}

/* The client, which comes first, may refuse. Then it speaks where the server has to listen, and if that can't there is no way back. */
err_t rebind_widened(struct monitor *m, struct domain *d, uint32_t number, bool refused)
{
	struct connection *c = end_find(m, number), *other = c == NULL ? NULL : end_other(m, c);

	if (c == NULL || c->domain != d->number || c->widening != WIDEN_ASKED)
		return ERR(NOT_FOUND);
	c->widening = refused ? WIDEN_REFUSED : WIDEN_DONE;
	if (other == NULL)
		return OK;
	if (c->serves && refused)
		part(m, d, c);
	else if (c->serves)
		c->kind = other->kind = CONNECTION_CHANNEL;
	else if (!refused && is_err(widen_end(m, other, c)))
		part(m, d, c);
	return OK;
}

/* ---- The old core: every peer stays meanwhile ---- */

static bool is_between_states(const struct connection *c)
{
	return c->state != CONNECTION_OPEN || c->peer_closed || c->lost || c->held || c->switching || c->unsettled;
}

err_t rebind_hold(struct monitor *m, struct domain *d)
{
	err_t e = OK;

	for (struct connection *c = next_of(m, d, NULL); c != NULL; c = next_of(m, d, c)) {
		if (c->peer_domain == 0 || c->link)
			return ERR(STAYS);
		if (c->state == CONNECTION_OPEN && c->kind == CONNECTION_ENDPOINT) {
			err_t w = widen(m, c);

			if (!err_is(w, ERR_NUMBER_AGAIN))
				return w;
			e = w;
			continue;
		}
		if (is_between_states(c) || c->hold != HOLD_GRANTED)
			e = ERR(AGAIN);
		if (is_between_states(c) || c->hold != HOLD_NONE)
			continue;
		c->hold = HOLD_ASKED;
		MESH_SEND(m, c->peer_core, hold, .connection = c->peer_number, .mine = c->number);
	}
	return e;
}

static bool is_leaving(struct monitor *m, uint32_t number)
{
	const struct domain *d = domain_find(m, number);

	return domain_is_moving(m, number) || (d != NULL && d->departure != NULL);
}

static err_t hold(struct monitor *m, uint32_t from, const struct message_hold *message)
{
	struct connection *c = end_find(m, message->connection);

	if (c == NULL || c->peer_core != from || c->peer_number != message->mine)
		return ERR(PEER_GONE);
	if (c->domain != 0 && is_leaving(m, c->domain))
		return ERR(AGAIN);
	c->held = true;
	return OK;
}

void handle_hold(struct monitor *m, uint32_t from, const struct message_hold *message)
{
	err_t e = hold(m, from, message);

	MESH_SEND(m, from, held, .connection = message->mine, .error = e.number);
}

/* PEER_GONE: the news of it are under way. */
void handle_held(struct monitor *m, uint32_t from, const struct message_held *message)
{
	struct connection *c = end_find(m, message->connection);
	struct domain *d = c == NULL ? NULL : domain_find(m, c->domain);

	if (d == NULL || c->peer_core != from || c->hold != HOLD_ASKED)
		return;
	c->hold = message->error == ERR_NUMBER_OK ? HOLD_GRANTED : HOLD_NONE;
	if (message->error != ERR_NUMBER_PEER_GONE)
		depart_held(m, d, (err_t){message->error});
}

void rebind_release(struct monitor *m, struct domain *d)
{
	for (struct connection *c = next_of(m, d, NULL); c != NULL; c = next_of(m, d, c)) {
		if (c->hold != HOLD_NONE && !c->lost)
			MESH_SEND(m, c->peer_core, release, .connection = c->peer_number);
		c->hold = HOLD_NONE;
	}
}

void handle_release(struct monitor *m, uint32_t from, const struct message_release *message)
{
	struct connection *c = end_find(m, message->connection);

	if (c != NULL && c->peer_core == from)
		c->held = false;
}

void rebind_tell_closed(struct monitor *m, struct domain *d)
{
	for (struct connection *c = next_of(m, d, NULL); c != NULL; c = next_of(m, d, c))
		if (c->state == CONNECTION_OPEN && c->peer_closed)
			domain_event(m, d, EVENT_closed, (uint64_t[]){0, 0, c->number, c->lost, c->peer_core}, 5);
}

/* ---- What belongs to a connection ---- */

/* Where the peer receives, and what wakes it. */
static struct face face_of(struct monitor *m, const struct connection *c)
{
	struct platform_remote bell = {0};
	unsigned flags;

	if (c->peer_core != m->core) {
		if (is_err(platform_identify(c->peer_doorbell, &bell, &flags)))
			bell = (struct platform_remote){0};
		return (struct face){c->peer_ring_base, bell.base, bell.extra};
	}

	const struct connection *other = end_other(m, c);
	const struct domain *peer = other == NULL ? NULL : domain_find(m, other->domain);

	return (struct face){
	    other == NULL ? 0 : other->ring.base,
	    peer == NULL ? 0 : peer->doorbell_base,
	    peer == NULL ? 0 : peer->doorbell_extra,
	};
}

void rebind_tell(struct monitor *m, const struct domain *d, uint32_t to)
{
	for (const struct connection *c = next_of(m, d, NULL); c != NULL; c = next_of(m, d, c)) {
		const struct face face = face_of(m, c);

		MESH_SEND(m, to, arrive_connection, .domain = d->number, .number = c->number, .peer_domain = c->peer_domain,
		          .peer_core = c->peer_core, .peer_number = c->peer_number, .ring = c->ring.base, .peer_ring = face.ring,
		          .doorbell = face.doorbell, .doorbell_extra = face.doorbell_extra);
	}
}

bool rebind_find_ring(struct monitor *m, const struct domain *d, const struct platform_remote *what, uint64_t *number)
{
	for (const struct connection *c = next_of(m, d, NULL); c != NULL; c = next_of(m, d, c)) {
		if (c->ring.bytes == 0 || c->ring.base != what->base)
			continue;
		*number = c->number;
		return true;
	}
	return false;
}

bool rebind_find_peer_ring(struct monitor *m, const struct domain *d, const struct platform_remote *what, uint64_t *number)
{
	for (const struct connection *c = next_of(m, d, NULL); c != NULL; c = next_of(m, d, c)) {
		if (face_of(m, c).ring != what->base)
			continue;
		*number = c->number;
		return true;
	}
	return false;
}

bool rebind_find_doorbell(struct monitor *m, const struct domain *d, const struct platform_remote *what, uint64_t *number)
{
	for (const struct connection *c = next_of(m, d, NULL); c != NULL; c = next_of(m, d, c)) {
		const struct face face = face_of(m, c);

		if (face.doorbell != what->base || face.doorbell_extra != what->extra)
			continue;
		*number = c->number;
		return true;
	}
	return false;
}

void rebind_depart(struct monitor *m, struct domain *d, uint32_t to)
{
	for (struct connection *c = next_of(m, d, NULL); c != NULL; c = next_of(m, d, c)) {
		end_drop_foreign(m, c);
		c->hold = HOLD_NONE;
		c->domain = 0;
		c->state = CONNECTION_CLOSING;
		c->peer_closed = false;
		c->departed = true;
		c->went = to;
	}
}

/* The peer does without the old ring. */
void handle_left(struct monitor *m, uint32_t from, const struct message_left *message)
{
	struct connection *c = end_find(m, message->connection);

	if (c != NULL && c->peer_core == from && c->state == CONNECTION_CLOSING)
		end_free(m, c);
}

/* ---- The new core ---- */

/* What the peer has written to the old ring so far. */
static err_t copy_ring(struct monitor *m, const struct connection *c, uint64_t ring, uint32_t from)
{
	const struct platform_remote what = {CAP_Frame, RIGHT_READ, from, ring, RING_BYTES, 0};
	struct foreign_frame old;
	struct view view;
	err_t e = foreign_frame_open(m, &what, 0, RING_BYTES, &old);

	if (is_err(e))
		return e;
	e = view_open(&c->ring, 0, RING_BYTES, &view);
	if (is_ok(e)) {
		memset(view.at, 0, RING_BYTES);
		channel_copy_lines(view.at, old.at, RING_LINES);
		view_close(&view);
	}
	foreign_frame_close(m, &old);
	return e;
}

err_t rebind_arrive(struct monitor *m, struct domain *d, const struct message_arrive_connection *was, uint32_t from, uint32_t *number)
{
	const struct face face = {was->peer_ring, was->doorbell, was->doorbell_extra};
	struct connection *c;
	err_t e;

	if (!mesh_alive(m, was->peer_core))
		return ERR(AGAIN);
	c = end_new(m, d->number);
	if (c == NULL)
		return ERR(LIMIT);
	c->state = CONNECTION_OPEN;
	c->kind = CONNECTION_CHANNEL;
	c->peer_core = was->peer_core;
	c->peer_domain = was->peer_domain;
	c->peer_number = was->peer_number;
	c->unsettled = true;
	*number = c->number;
	e = end_take_ring(m, c);
	if (is_ok(e))
		e = copy_ring(m, c, was->ring, from);
	return is_ok(e) && c->peer_core != m->core ? end_install_face(c, &face) : e;
}

struct rebound rebind_caps(struct monitor *m, uint32_t number)
{
	const struct connection *c = end_find(m, number), *other = c == NULL ? NULL : end_other(m, c);
	const struct domain *peer = other == NULL ? NULL : domain_find(m, other->domain);

	if (c == NULL)
		return (struct rebound){CAP_NULL, CAP_NULL, CAP_NULL};
	if (c->peer_core != m->core)
		return (struct rebound){c->ring.cap, c->peer_ring, c->peer_doorbell};
	return (struct rebound){c->ring.cap, other == NULL ? CAP_NULL : other->ring.cap, peer == NULL ? CAP_NULL : peer->doorbell};
}

void rebind_commit(struct monitor *m, struct domain *d)
{
	for (struct connection *c = next_of(m, d, NULL); c != NULL; c = next_of(m, d, c)) {
		c->unsettled = !c->peer_closed;
		if (c->unsettled)
			MESH_SEND(m, c->peer_core, reconnect, .connection = c->peer_number, .number = c->number, .domain = d->number,
			          .ring = c->ring.base, .doorbell = d->doorbell_base, .doorbell_extra = d->doorbell_extra);
	}
	rebind_tell_closed(m, d);
}

void rebind_rename(struct monitor *m, struct domain *d, uint32_t number)
{
	for (struct connection *c = next_of(m, d, NULL), *next; c != NULL; c = next) {
		next = next_of(m, d, c);
		c->domain = number;
	}
	d->number = d->span = number;
}

void rebind_drop(struct monitor *m, struct domain *d)
{
	for (struct connection *c = next_of(m, d, NULL); c != NULL; c = next_of(m, d, c)) {
		c->peer_number = 0;
		c->peer_closed = true;
	}
}

void handle_settled(struct monitor *m, uint32_t from, const struct message_settled *message)
{
	struct connection *c = end_find(m, message->connection);

	if (c != NULL && c->peer_core == from)
		c->unsettled = false;
}

/* ---- The peer's core ---- */

static err_t give_new(struct monitor *m, struct domain *d, struct connection *c, const struct face *face)
{
	struct rebound there;
	err_t e = c->peer_core != m->core ? end_install_face(c, face) : OK;

	if (is_err(e))
		return e;
	there = rebind_caps(m, c->number);
	e = task_open(d);
	if (is_err(e))
		return e;
	c->slot_receive = 0;
	e = end_place(d, there.peer_ring, RIGHTS_READ_WRITE, &c->slot_send);
	if (is_ok(e))
		e = end_place(d, there.doorbell, RIGHT_WRITE, &c->slot_doorbell);
	task_close();
	return e;
}

static void break_off(struct monitor *m, struct domain *d, struct connection *c)
{
	end_unplace_all(m, c);
	rebind_finish(m, c);
	part(m, d, c);
}

void handle_reconnect(struct monitor *m, uint32_t from, const struct message_reconnect *message)
{
	const struct face face = {message->ring, message->doorbell, message->doorbell_extra};
	struct connection *c = end_find(m, message->connection);
	struct domain *d = c == NULL ? NULL : domain_find(m, c->domain);

	if (c == NULL || !c->held || c->peer_domain != message->domain) {
		MESH_SEND(m, from, close, .connection = message->number, .ended = 0);
		return;
	}
	c->old.ring = c->peer_ring;
	c->old.doorbell = c->peer_doorbell;
	c->old.ring_base = c->peer_ring_base;
	c->old.core = c->peer_core;
	c->old.number = c->peer_number;
	c->old.lost = c->lost;
	c->switching = true;
	c->held = c->lost = false;
	c->peer_ring = c->peer_doorbell = CAP_NULL;
	c->peer_core = from;
	c->peer_number = message->number;
	if (d == NULL) {
		rebind_finish(m, c);
		MESH_SEND(m, from, close, .connection = message->number, .ended = 0);
	} else if (is_ok(give_new(m, d, c, &face))) {
		tell_ring(m, d, EVENT_switched, c);
	} else {
		break_off(m, d, c);
	}
}

err_t rebind_switched(struct monitor *m, struct domain *d, uint32_t number)
{
	struct connection *c = end_find(m, number);

	if (c == NULL || c->domain != d->number || !c->switching)
		return ERR(NOT_FOUND);
	rebind_finish(m, c);
	return OK;
}

void rebind_finish(struct monitor *m, struct connection *c)
{
	if (!c->switching)
		return;
	c->switching = false;
	end_drop(m, &c->old.ring, &c->old.doorbell, c->old.core, c->old.lost);
	if (!c->old.lost && mesh_alive(m, c->old.core))
		MESH_SEND(m, c->old.core, left, .connection = c->old.number);
	if (!c->lost && mesh_alive(m, c->peer_core))
		MESH_SEND(m, c->peer_core, settled, .connection = c->peer_number);
}

/* ---- A core dies ---- */

void rebind_lose_core(struct monitor *m, uint32_t core)
{
	for (unsigned i = 0; i < CONNECTIONS_MAX; i++) {
		struct connection *c = &m->connection[i];

		if (c->state == CONNECTION_FREE)
			continue;
		/* Whether the peer has heard of the new place is not known; if not, this is all that it hears. */
		if (c->departed && c->went == core) {
			c->departed = false;
			if (c->peer_core != core)
				MESH_SEND(m, c->peer_core, close, .connection = c->peer_number, .ended = 1);
		}
		if (c->switching && c->old.core == core) {
			c->old.lost = true;
			if (c->old.ring.value != CAP_NULL.value) {
				platform_sweep_plain(c->old.doorbell);
				(void)!is_ok(platform_mark(c->old.ring, false, m->core));
			}
		}
	}
}
