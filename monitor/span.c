/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include <stdlib.h>
#include <string.h>

#include "monitor/bind.h"
#include "monitor/domain.h"
#include "monitor/handlers.h"
#include "monitor/mesh.h"
#include "monitor/revocation.h"
#include "monitor/span.h"
#include "monitor/spawn.h"
#include "monitor/tickets.h"

enum member_state { MEMBER_NONE, MEMBER_WANTED, MEMBER_JOINING, MEMBER_HERE, MEMBER_LEAVING };

struct member {
	enum member_state state;
	uint32_t core, domain;
	uint64_t memory;
	uint32_t asker, ticket; /* wanted, joining, leaving: who waits for it */
	bool taken;             /* leaving: it was not asked */
};

struct members {
	struct member member[SPAN_MAX];
	unsigned others; /* that are not NONE, but for member 0 */
};

/* ---- Asking ---- */

err_t span_ask_grow(struct monitor *m, struct domain *d, uint32_t tag, uint32_t core, uint64_t memory)
{
	uint32_t home = domain_core_of(d->span);
	struct ticket *t;
	uint32_t ticket = ticket_open(m, TICKET_GROW, home, d->number, tag, &t);

	if (ticket == 0)
		return ERR(LIMIT);
	if (MESH_SEND(m, home, grow, .ticket = ticket, .span = d->span, .core = core, .memory = memory))
		return OK;
	ticket_close(m, t);
	return ERR(CORE_DEAD);
}

err_t span_ask_shrink(struct monitor *m, struct domain *d, uint32_t tag, unsigned member)
{
	uint32_t home = domain_core_of(d->span);
	struct ticket *t;
	uint32_t ticket = ticket_open(m, TICKET_SHRINK, home, d->number, tag, &t);

	if (ticket == 0)
		return ERR(LIMIT);
	if (MESH_SEND(m, home, shrink, .ticket = ticket, .span = d->span, .member = member))
		return OK;
	ticket_close(m, t);
	return ERR(CORE_DEAD);
}

void handle_grown(struct monitor *m, uint32_t from, const struct message_grown *message)
{
	struct ticket *t = ticket_find(m, message->ticket, TICKET_GROW, from);
	struct domain *d = t == NULL ? NULL : domain_find(m, t->domain);

	if (d != NULL)
		domain_event(m, d, EVENT_grown, (uint64_t[]){t->tag, message->error, message->member, message->domain}, 4);
	if (t != NULL)
		ticket_close(m, t);
}

void handle_shrunk(struct monitor *m, uint32_t from, const struct message_shrunk *message)
{
	struct ticket *t = ticket_find(m, message->ticket, TICKET_SHRINK, from);
	struct domain *d = t == NULL ? NULL : domain_find(m, t->domain);

	if (d != NULL)
		domain_event(m, d, EVENT_done, (uint64_t[]){t->tag, message->error, 0}, 3);
	if (t != NULL)
		ticket_close(m, t);
}

/* ---- The home: its records ---- */

/* Member 0 of the span, also when it is ending. */
static struct domain *home_of(struct monitor *m, uint32_t span)
{
	for (unsigned i = 0; i < DOMAINS_MAX; i++) {
		struct domain *d = &m->domain[i];

		if (d->phase != DOMAIN_FREE && d->number == span && d->member == 0)
			return d;
	}
	return NULL;
}

static struct member *member_of(struct monitor *m, uint32_t span, unsigned member, uint32_t core)
{
	struct domain *d = home_of(m, span);
	struct member *r = d == NULL || d->others == NULL || member == 0 ? NULL : &d->others->member[member];

	return r != NULL && r->state > MEMBER_WANTED && r->core == core ? r : NULL;
}

static bool has_member(const struct domain *d, uint32_t core)
{
	for (unsigned i = 0; d->others != NULL && i < SPAN_MAX; i++)
		if (d->others->member[i].state != MEMBER_NONE && d->others->member[i].core == core)
			return true;
	return domain_core_of(d->span) == core;
}

static err_t add_record(struct domain *d, const struct member *wanted)
{
	if (d->others == NULL) {
		d->others = calloc(1, sizeof(*d->others));
		if (d->others == NULL)
			return ERR(NO_MEMORY);
		d->others->member[0] = (struct member){.state = MEMBER_HERE, .core = domain_core_of(d->number), .domain = d->number};
	}
	for (unsigned i = 1; i < SPAN_MAX; i++)
		if (d->others->member[i].state == MEMBER_NONE) {
			d->others->member[i] = *wanted;
			d->others->others++;
			return OK;
		}
	return ERR(LIMIT);
}

/* Tells who has asked for what the record was waiting for. */
static void answer(struct monitor *m, const struct domain *d, const struct member *r, err_t e)
{
	if (r->ticket == 0)
		return;
	if (r->state == MEMBER_LEAVING)
		MESH_SEND(m, r->asker, shrunk, .ticket = r->ticket, .error = e.number);
	else
		MESH_SEND(m, r->asker, grown, .ticket = r->ticket, .error = e.number, .member = (uint32_t)(r - d->others->member),
		          .domain = r->domain);
}

static void drop_record(struct monitor *m, struct domain *d, struct member *r, err_t e)
{
	answer(m, d, r, e);
	if (r->state == MEMBER_LEAVING)
		revocation_member_gone(d, r->taken);
	*r = (struct member){.state = MEMBER_NONE};
	d->others->others--;
}

/* ---- Growing ---- */

static bool send_enlist(struct monitor *m, const struct domain *d, unsigned member)
{
	const struct members *all = d->others;
	const struct member *r = &all->member[member];
	struct message_enlist wish = {.span = d->span, .member = member, .parent = d->parent, .memory = r->memory, .quota = d->quota};

	for (unsigned i = 0; i < SPAN_MAX; i++)
		wish.fellows += all->member[i].state == MEMBER_HERE;
	copy_name(wish.name, sizeof(wish.name), d->name);
	if (!mesh_send(m, r->core, MESSAGE_enlist, &wish))
		return false;
	for (unsigned i = 0; i < SPAN_MAX; i++)
		if (all->member[i].state == MEMBER_HERE)
			MESH_SEND(m, r->core, fellow, .span = d->span, .member = member, .fellow = i, .domain = all->member[i].domain);
	return true;
}

/* The next one that is wanted joins, if nobody does. */
static void begin_next(struct monitor *m, struct domain *d)
{
	struct members *all = d->others;

	if (d->phase != DOMAIN_RUNNING)
		return;
	for (unsigned i = 1; i < SPAN_MAX; i++)
		if (all->member[i].state == MEMBER_JOINING)
			return;
	for (unsigned i = 1; i < SPAN_MAX; i++) {
		struct member *r = &all->member[i];

		if (r->state != MEMBER_WANTED)
			continue;
		r->state = MEMBER_JOINING;
		if (send_enlist(m, d, i))
			return;
		drop_record(m, d, r, ERR(CORE_DEAD));
	}
}

static err_t want(struct monitor *m, uint32_t from, const struct message_grow *message)
{
	struct domain *d = domain_find(m, message->span);
	const struct member wanted = {
	    .state = MEMBER_WANTED, .core = message->core, .memory = message->memory, .asker = from, .ticket = message->ticket};
	err_t e;

	if (d == NULL || d->member != 0)
		return ERR(PEER_GONE);
	if (!has_member(d, from))
		return ERR(PERMISSION);
	if (!mesh_alive(m, message->core))
		return ERR(CORE_DEAD);
	if (has_member(d, message->core))
		return ERR(EXISTS);
	if (d->revocation.kind == REVOKE_CORES)
		return ERR(REVOKING);
	e = add_record(d, &wanted);
	if (is_ok(e))
		begin_next(m, d);
	return e;
}

void handle_grow(struct monitor *m, uint32_t from, const struct message_grow *message)
{
	err_t e = want(m, from, message);

	if (is_err(e))
		MESH_SEND(m, from, grown, .ticket = message->ticket, .error = e.number);
}

void handle_enlisted(struct monitor *m, uint32_t from, const struct message_enlisted *message)
{
	struct domain *d = home_of(m, message->span);
	struct member *r = member_of(m, message->span, message->member, from);

	if (r == NULL || r->state != MEMBER_JOINING)
		return;
	r->domain = message->domain;
	if (message->error == ERR_NUMBER_OK) {
		answer(m, d, r, OK);
		r->state = MEMBER_HERE;
		r->ticket = 0;
	} else {
		drop_record(m, d, r, (err_t){message->error});
	}
	begin_next(m, d);
	domain_over(m, d);
}

/* ---- The new member's monitor ---- */

static struct domain *member_here(struct monitor *m, uint32_t span, unsigned member)
{
	for (unsigned i = 0; i < DOMAINS_MAX; i++) {
		struct domain *d = &m->domain[i];

		if (d->phase == DOMAIN_RUNNING && d->span == span && d->member == member)
			return d;
	}
	return NULL;
}

/* *number is not 0 if there is something that has to end again, in case of an error. */
static err_t make_member(struct monitor *m, const struct message_enlist *wish, uint32_t *number)
{
	const struct spawn_order order = {.arguments = 1, .quota = wish->quota};
	char text[sizeof(order) + sizeof(wish->name)];

	memcpy(text, &order, sizeof(order));
	memcpy(text + sizeof(order), wish->name, sizeof(wish->name));
	return spawn_archived(m,
	                      &(struct spawn_request){.text = text,
	                                              .text_bytes = sizeof(order) + strlen(wish->name) + 1,
	                                              .memory = wish->memory,
	                                              .parent = wish->parent,
	                                              .span = wish->span,
	                                              .member = (uint8_t)wish->member},
	                      number);
}

void handle_enlist(struct monitor *m, uint32_t from, const struct message_enlist *message)
{
	uint32_t number = 0;
	err_t e = domain_core_of(message->span) != from || message->member == 0 ? ERR(PERMISSION) : make_member(m, message, &number);
	struct domain *d = domain_find(m, number);

	if (number == 0)
		MESH_SEND(m, from, enlisted, .span = message->span, .member = message->member, .error = e.number);
	if (d == NULL)
		return;
	d->leaving = false;
	d->links_due = message->fellows;
}

void handle_fellow(struct monitor *m, uint32_t from, const struct message_fellow *message)
{
	struct domain *d = domain_core_of(message->span) == from ? member_here(m, message->span, message->member) : NULL;
	err_t e;

	if (d == NULL || d->links_due == 0)
		return;
	e = bind_link(m, d, message->fellow, message->domain);
	if (is_err(e))
		span_link_bound(m, d, e);
}

/* A fellow that is gone needs no link. */
void span_link_bound(struct monitor *m, struct domain *d, err_t e)
{
	if (d->links_due == 0)
		return;
	if (is_err(e) && !err_is(e, ERR_NUMBER_PEER_GONE) && !err_is(e, ERR_NUMBER_CORE_DEAD)) {
		d->links_due = 0;
		d->failure = e.number;
		d->leaving = true;
		domain_end(m, d, END_KILLED, 0);
		return;
	}
	if (--d->links_due == 0)
		MESH_SEND(m, domain_core_of(d->span), enlisted, .span = d->span, .member = d->member, .domain = d->number);
}

/* ---- Ending ---- */

static err_t dismiss(struct monitor *m, uint32_t from, const struct message_shrink *message)
{
	struct domain *d = domain_find(m, message->span);
	struct member *r = d == NULL || d->others == NULL ? NULL : &d->others->member[message->member];

	if (d != NULL && !has_member(d, from))
		return ERR(PERMISSION);
	if (message->member == 0)
		return ERR(STATE);
	if (r == NULL || r->state != MEMBER_HERE)
		return ERR(NOT_FOUND);
	r->state = MEMBER_LEAVING;
	r->asker = from;
	r->ticket = message->ticket;
	MESH_SEND(m, r->core, dismiss, .span = d->span, .member = message->member, .cause = END_EXIT, .leaves = 1);
	return OK;
}

void handle_shrink(struct monitor *m, uint32_t from, const struct message_shrink *message)
{
	err_t e = dismiss(m, from, message);

	if (is_err(e))
		MESH_SEND(m, from, shrunk, .ticket = message->ticket, .error = e.number);
}

/* ---- Revocation ---- */

unsigned span_others(const struct domain *d)
{
	unsigned count = 0;

	for (unsigned i = 1; d->others != NULL && i < SPAN_MAX; i++)
		count += d->others->member[i].state == MEMBER_HERE;
	return count;
}

bool span_take(struct monitor *m, struct domain *d)
{
	for (unsigned i = SPAN_MAX - 1; d->others != NULL && i > 0; i--) {
		struct member *r = &d->others->member[i];

		if (r->state != MEMBER_HERE)
			continue;
		*r = (struct member){.state = MEMBER_LEAVING, .core = r->core, .domain = r->domain, .taken = true};
		MESH_SEND(m, r->core, dismiss, .span = d->span, .member = i, .cause = END_REVOKED, .leaves = 1);
		return true;
	}
	return false;
}

bool span_is_taken(const struct domain *d)
{
	for (unsigned i = 1; d->others != NULL && i < SPAN_MAX; i++)
		if (d->others->member[i].state == MEMBER_LEAVING && d->others->member[i].taken)
			return true;
	return false;
}

void handle_dismiss(struct monitor *m, uint32_t from, const struct message_dismiss *message)
{
	struct domain *d = member_here(m, message->span, message->member);

	if (d == NULL || d->member == 0 || domain_core_of(message->span) != from)
		return;
	d->leaving = message->leaves;
	domain_end(m, d, (enum end_cause)message->cause, message->status);
}

void handle_falls(struct monitor *m, uint32_t from, const struct message_falls *message)
{
	struct domain *d = domain_find(m, message->span);

	if (d != NULL && member_of(m, message->span, message->member, from) != NULL)
		domain_end(m, d, (enum end_cause)message->cause, message->status);
}

void span_member_ends(struct monitor *m, struct domain *d)
{
	struct members *all = d->others;

	if (d->member != 0 && !d->leaving)
		MESH_SEND(m, domain_core_of(d->span), falls, .span = d->span, .member = d->member, .cause = (uint32_t)d->cause,
		          .status = d->status);
	for (unsigned i = 1; all != NULL && i < SPAN_MAX; i++) {
		struct member *r = &all->member[i];

		if (r->state == MEMBER_WANTED)
			drop_record(m, d, r, ERR(PEER_GONE));
		else if (r->state != MEMBER_NONE)
			MESH_SEND(m, r->core, dismiss, .span = d->span, .member = i, .cause = (uint32_t)d->cause, .status = d->status);
	}
}

void span_member_gone(struct monitor *m, struct domain *d)
{
	free(d->others);
	d->others = NULL;
	if (d->member != 0)
		MESH_SEND(m, domain_core_of(d->span), gone, .span = d->span, .member = d->member, .error = d->failure);
}

bool span_goes_on(const struct domain *d)
{
	return d->others != NULL && d->others->others > 0;
}

void handle_gone(struct monitor *m, uint32_t from, const struct message_gone *message)
{
	struct domain *d = home_of(m, message->span);
	struct member *r = member_of(m, message->span, message->member, from);
	err_t e = {message->error};

	if (r == NULL)
		return;
	if (r->state == MEMBER_JOINING && is_ok(e))
		e = ERR(PEER_GONE);
	drop_record(m, d, r, e);
	begin_next(m, d);
	domain_over(m, d);
}

static void lose_records(struct monitor *m, struct domain *d, uint32_t core)
{
	for (unsigned i = 1; i < SPAN_MAX; i++) {
		struct member *r = &d->others->member[i];

		if (r->state != MEMBER_NONE && r->core == core)
			drop_record(m, d, r, ERR(CORE_DEAD));
	}
	begin_next(m, d);
	domain_over(m, d);
}

void spans_lose_core(struct monitor *m, uint32_t core)
{
	for (unsigned i = 0; i < DOMAINS_MAX; i++) {
		struct domain *d = &m->domain[i];

		if (d->phase == DOMAIN_RUNNING && d->member != 0 && domain_core_of(d->span) == core)
			domain_end(m, d, END_CORE, 0);
		else if (d->phase != DOMAIN_FREE && d->others != NULL)
			lose_records(m, d, core);
	}
}
