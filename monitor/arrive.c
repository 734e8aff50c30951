/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* The new core's part of a move (move.h).
 *
 *   HEARING ── arrive_end ──▶ COPYING ──▶ MAKING ──▶ FILLING ──▶ READY ── commit ──▶ it runs
 *
 *   HEARING  notes what the old core tells; nothing is made but what may be lacking: blocks, rings
 *   COPYING  what was in the domain's frames, a slice at a time, into the blocks, of which nothing has been made yet (arrive_objects.c)
 *   MAKING   every object once, for this monitor, each out of the smallest that contains it (arrive_objects.c)
 *   FILLING  the domain's slots with copies of these, mapped as they were (arrive_slots.c)
 *
 * What goes wrong on the way is told to the old core, where the domain goes on; what has been made here then ends like any domain. */

#include <stdlib.h>

#include "monitor/arrive.h"
#include "monitor/balance.h"
#include "monitor/block.h"
#include "monitor/capability.h"
#include "monitor/domain.h"
#include "monitor/handlers.h"
#include "monitor/mesh.h"
#include "monitor/move.h"
#include "monitor/platform.h"
#include "monitor/rebind.h"
#include "monitor/report.h"
#include "monitor/whereabouts.h"

#define CAPS_MAX 65536

/* ---- It fails ---- */

static void forget(struct domain *d)
{
	free(d->arrival->cap);
	free(d->arrival->object);
	free(d->arrival);
	d->arrival = NULL;
}

static void drop_objects(struct monitor *m, struct domain *d)
{
	struct arrival *a = d->arrival;

	for (unsigned i = 0; i < a->objects; i++) {
		if (a->object[i].given || a->object[i].cap.value == CAP_NULL.value)
			continue;
		capability_discard(m, a->object[i].cap);
	}
	a->objects = 0;
}

/* What has been made ends like a domain, of which nobody has heard. */
static void drop(struct monitor *m, struct domain *d)
{
	drop_objects(m, d);
	rebind_drop(m, d);
	forget(d);
	m->domains_ending--;
	d->phase = DOMAIN_RUNNING;
	domain_end(m, d, END_KILLED, 0);
}

/* The connections know the domain by its number. */
static void fail(struct monitor *m, struct domain *d, err_t e)
{
	MESH_SEND(m, d->arrival->from, arrived, .domain = d->number, .error = e.number);
	rebind_rename(m, d, domain_number(m));
	drop(m, d);
}

static struct domain *arriving_from(struct monitor *m, uint32_t number, uint32_t from)
{
	struct domain *d = domain_arriving(m, number);

	return d != NULL && d->arrival->from == from ? d : NULL;
}

void arrivals_lose_core(struct monitor *m, uint32_t core)
{
	for (unsigned i = 0; i < DOMAINS_MAX; i++) {
		struct domain *d = &m->domain[i];

		if (d->phase == DOMAIN_ARRIVING && d->arrival->from == core)
			fail(m, d, ERR(CORE_DEAD));
	}
}

/* ---- Hearing what it has ---- */

static err_t expect(struct monitor *m, uint32_t from, const struct message_arrive *message)
{
	struct domain *d;
	struct arrival *a;

	if (m->end != END_NOT_BEGUN || domain_is_moving(m, message->domain))
		return ERR(AGAIN);
	d = domain_new(m);
	if (d == NULL)
		return ERR(LIMIT);
	a = calloc(1, sizeof(*a));
	if (a == NULL)
		return ERR(NO_MEMORY);
	a->from = from;
	a->tag = message->tag;
	a->entry = message->entry;
	d->number = d->span = message->domain;
	d->parent = message->parent;
	d->quota = message->quota;
	d->moves = message->moves;
	d->arrival = a;
	copy_name(d->name, sizeof(d->name), message->name);
	d->rights = manifest_find(&m->manifest, d->name);
	d->phase = DOMAIN_ARRIVING;
	m->domains_ending++;
	return OK;
}

void handle_arrive(struct monitor *m, uint32_t from, const struct message_arrive *message)
{
	err_t e;

	balance_note(m);
	e = expect(m, from, message);
	if (is_err(e))
		MESH_SEND(m, from, arrived, .domain = message->domain, .error = e.number);
}

void handle_arrive_block(struct monitor *m, uint32_t from, const struct message_arrive_block *message)
{
	struct domain *d = arriving_from(m, message->domain, from);
	err_t e;

	if (d == NULL || message->index >= ARRIVAL_BLOCKS)
		return;
	d->arrival->old[message->index].base = message->base;
	d->arrival->old[message->index].bytes = message->bytes;
	if (message->index > 0)
		d->grant_of[message->index - 1] = (struct grant){.order = message->order, .kept = message->kept};
	if (message->order > d->granted)
		d->granted = message->order;
	e = block_take_like(m, message->base, message->bytes, arrival_block(d, message->index));
	if (is_err(e))
		fail(m, d, e);
}

void handle_arrive_connection(struct monitor *m, uint32_t from, const struct message_arrive_connection *message)
{
	struct domain *d = arriving_from(m, message->domain, from);
	struct arrival *a = d == NULL ? NULL : d->arrival;
	err_t e;

	if (a == NULL || a->connections == CONNECTIONS_MAX)
		return;
	a->was[a->connections] = message->number;
	e = rebind_arrive(m, d, message, from, &a->is[a->connections]);
	a->connections++;
	if (is_err(e))
		fail(m, d, e);
}

static err_t note_cap(struct arrival *a, const struct message_arrive_cap *message)
{
	unsigned room = a->room == 0 ? 256 : a->room * 2;
	struct message_arrive_cap *more;

	if (a->caps == CAPS_MAX)
		return ERR(LIMIT);
	if (a->caps == a->room) {
		more = realloc(a->cap, room * sizeof(*more));
		if (more == NULL)
			return ERR(NO_MEMORY);
		a->cap = more;
		a->room = room;
	}
	a->cap[a->caps++] = *message;
	return OK;
}

void handle_arrive_cap(struct monitor *m, uint32_t from, const struct message_arrive_cap *message)
{
	struct domain *d = arriving_from(m, message->domain, from);
	err_t e = d == NULL ? OK : note_cap(d->arrival, message);

	if (is_err(e))
		fail(m, d, e);
}

/* ---- The course ---- */

void handle_arrive_end(struct monitor *m, uint32_t from, const struct message_arrive_end *message)
{
	struct domain *d = arriving_from(m, message->domain, from);
	err_t e;

	if (d == NULL || d->arrival->state != ARRIVE_HEARING)
		return;
	if (message->error != ERR_NUMBER_OK) {
		rebind_rename(m, d, domain_number(m));
		drop(m, d);
		return;
	}

	e = d->block.bytes == 0 ? ERR(MESSAGE) : arrival_list_objects(d->arrival, d);
	d->arrival->state = ARRIVE_COPYING;
	if (is_err(e))
		fail(m, d, e);
}

static err_t go_on(struct monitor *m, struct domain *d)
{
	err_t e;

	switch (d->arrival->state) {
	case ARRIVE_COPYING:
		return arrival_copy_some(m, d);
	case ARRIVE_MAKING:
		return arrival_make_some(d);
	case ARRIVE_FILLING:
		e = arrival_fill_some(m, d);
		return is_ok(e) && d->arrival->state == ARRIVE_READY ? arrival_configure(m, d) : e;
	default:
		return OK;
	}
}

bool arrive_step(struct monitor *m, struct domain *d)
{
	struct arrival *a = d->arrival;
	err_t e;

	if (a->state == ARRIVE_HEARING || a->state == ARRIVE_READY)
		return false;
	e = go_on(m, d);
	if (is_err(e)) {
		report_line(m, "monitor %u: %s can't come here: %s", m->core, d->name, err_sentence(e));
		fail(m, d, e);
		return true;
	}
	if (a->state != ARRIVE_READY)
		return true;
	drop_objects(m, d);
	MESH_SEND(m, a->from, arrived, .domain = d->number, .error = ERR_NUMBER_OK);
	return false;
}

void handle_waiter(struct monitor *m, uint32_t from, const struct message_waiter *message)
{
	if (arriving_from(m, message->domain, from) != NULL && is_err(domain_wait_here(m, message->core, message->ticket, message->domain)))
		report_line(m, "monitor %u: no memory for who waits for domain %u", m->core, message->domain);
}

void handle_commit(struct monitor *m, uint32_t from, const struct message_commit *message)
{
	struct domain *d = arriving_from(m, message->domain, from);
	const bool doomed = d != NULL && (d->doomed || message->doomed || m->end != END_NOT_BEGUN);
	err_t e;

	if (d == NULL || d->arrival->state != ARRIVE_READY)
		return;
	m->domains_ending--;
	d->phase = DOMAIN_RUNNING;
	whereabouts_tell(m, d->number, m->core);
	for (unsigned i = 0; i < d->arrival->connections; i++)
		domain_event(m, d, EVENT_renumbered, (uint64_t[]){0, 0, d->arrival->was[i], d->arrival->is[i]}, 4);
	domain_event(m, d, EVENT_arrived, (uint64_t[]){0, 0, m->core, m->node}, 4);
	if (d->arrival->tag != 0)
		domain_event(m, d, EVENT_done, (uint64_t[]){d->arrival->tag, ERR_NUMBER_OK}, 2);
	rebind_commit(m, d);
	e = platform_dispatcher_start(d->dispatcher, d->arrival->entry, 0, USER_START_PAGE);
	forget(d);
	if (is_err(e) || doomed)
		domain_end(m, d, END_KILLED, 0);
}
