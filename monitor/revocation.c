/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include "monitor/revocation.h"
#include "monitor/bind.h"
#include "monitor/block.h"
#include "monitor/capability.h"
#include "monitor/clear.h"
#include "monitor/domain.h"
#include "monitor/handlers.h"
#include "monitor/mesh.h"
#include "monitor/report.h"
#include "monitor/span.h"
#include "monitor/tickets.h"
#include "monitor/whereabouts.h"

#define GRACE_US 500000 /* for a domain to forget one thing that is about to be taken: far more than that takes */

/* ---- Asking ---- */

err_t revocation_request(struct monitor *m, struct domain *d, uint32_t tag, const uint64_t word[4], bool any)
{
	const uint32_t domain = (uint32_t)word[1], place = (uint32_t)(word[1] >> 48);
	const uint32_t core = place == 0 ? domain_lives_on(m, domain) : place - 1;
	uint32_t ticket;

	if (word[3] > REVOCATION_DEADLINE_MS)
		return ERR(ARGUMENT);
	if (core >= m->peers || !mesh_alive(m, core))
		return place == 0 ? ERR(NOT_FOUND) : ERR(CORE_UNKNOWN);
	ticket = ticket_open(m, TICKET_RECLAIM, core, d->number, tag, NULL);
	if (ticket == 0)
		return ERR(LIMIT);
	MESH_SEND(m, core, reclaim, .ticket = ticket, .domain = domain, .by = d->span, .any = any, .kind = word[1] >> 32 & 0xffff,
	          .deadline_ms = (uint32_t)word[3], .amount = word[2]);
	return OK;
}

void handle_reclaimed(struct monitor *m, uint32_t from, const struct message_reclaimed *message)
{
	struct ticket *t = ticket_find(m, message->ticket, TICKET_RECLAIM, from);
	struct domain *d = t == NULL ? NULL : domain_find(m, t->domain);

	if (d != NULL)
		domain_event(m, d, EVENT_done, (uint64_t[]){t->tag, message->error, message->given, message->taken}, 4);
	if (t != NULL)
		ticket_close(m, t);
}

/* ---- The domain's monitor: the books ---- */

static uint64_t memory_of(const struct domain *d)
{
	uint64_t bytes = d->block.bytes;

	for (unsigned i = 0; i < GRANTS_MAX; i++)
		if (d->grant_of[i].state == GRANT_HELD)
			bytes += d->grant_of[i].block.bytes;
	return bytes;
}

static bool can_be_asked(const struct domain *d, const struct connection *c)
{
	return c->state == CONNECTION_OPEN && c->domain == d->number && !c->link && c->peer_domain != 0 && !c->taken;
}

static uint64_t connections_open(const struct monitor *m, const struct domain *d)
{
	uint64_t count = 0;

	for (unsigned i = 0; i < CONNECTIONS_MAX; i++)
		count += can_be_asked(d, &m->connection[i]);
	return count;
}

static uint64_t amount_of(const struct monitor *m, const struct domain *d, enum revocation_kind kind)
{
	switch (kind) {
	case REVOKE_MEMORY:
		return memory_of(d);
	case REVOKE_CORES:
		return span_others(d);
	case REVOKE_CHANNELS:
		return connections_open(m, d);
	default:
		return 0;
	}
}

static uint64_t missing(const struct revocation *r)
{
	const uint64_t back = r->given + r->taken;

	return back >= r->amount ? 0 : r->amount - back;
}

/* Under its own number, or that of the span of which a part is here. */
static struct domain *find(struct monitor *m, uint32_t number)
{
	struct domain *d = domain_find(m, number);

	for (unsigned i = 0; d == NULL && number != 0 && i < DOMAINS_MAX; i++)
		if (m->domain[i].phase == DOMAIN_RUNNING && m->domain[i].span == number)
			d = &m->domain[i];
	return d;
}

/* It hears of it whatever it does: if it waits for nothing it has not announced that it wants to be woken. */
static void tell(struct monitor *m, struct domain *d, enum monitor_event event, const uint64_t *words)
{
	domain_event(m, d, event, words, 5);
	platform_ring(d->doorbell);
}

static err_t begin(struct monitor *m, uint32_t from, const struct message_reclaim *message)
{
	const enum revocation_kind kind = (enum revocation_kind)message->kind;
	struct domain *d = find(m, message->domain);

	if (d == NULL && (domain_departing(m, message->domain) != NULL || domain_arriving(m, message->domain) != NULL))
		return ERR(AGAIN);
	if (d == NULL)
		return ERR(NOT_FOUND);
	if (d->number == m->acpi || (!message->any && d->parent != message->by))
		return ERR(PERMISSION);
	if (kind == REVOKE_NOTHING || kind >= REVOCATION_KINDS || message->amount == 0 || message->deadline_ms > REVOCATION_DEADLINE_MS)
		return ERR(ARGUMENT);
	if (d->revocation.kind != REVOKE_NOTHING)
		return ERR(REVOKING);
	if (message->amount > amount_of(m, d, kind))
		return ERR(RANGE);

	d->revocation = (struct revocation){
	    .kind = kind,
	    .asker = from,
	    .ticket = message->ticket,
	    .amount = message->amount,
	    .deadline = platform_now() + platform_ticks(message->deadline_ms * UINT64_C(1000)),
	};
	for (unsigned i = 0; kind == REVOKE_CHANNELS && i < CONNECTIONS_MAX; i++)
		m->connection[i].asked |= can_be_asked(d, &m->connection[i]);
	m->revocations++;
	tell(m, d, EVENT_revoke, (uint64_t[]){0, 0, kind, message->amount, d->revocation.deadline});
	return OK;
}

void handle_reclaim(struct monitor *m, uint32_t from, const struct message_reclaim *message)
{
	err_t e = begin(m, from, message);

	if (is_err(e))
		MESH_SEND(m, from, reclaimed, .ticket = message->ticket, .error = e.number);
}

static void end(struct monitor *m, struct domain *d, err_t e)
{
	const struct revocation was = d->revocation;

	d->revocation = (struct revocation){.kind = REVOKE_NOTHING};
	for (unsigned i = 0; was.kind == REVOKE_CHANNELS && i < CONNECTIONS_MAX; i++)
		if (m->connection[i].domain == d->number)
			m->connection[i].asked = false;
	MESH_SEND(m, was.asker, reclaimed, .ticket = was.ticket, .error = e.number, .given = was.given, .taken = was.taken);
}

/* ---- Blocks ---- */

static struct grant *grant_at(struct domain *d, uint64_t base)
{
	for (unsigned i = 0; i < GRANTS_MAX; i++)
		if (d->grant_of[i].block.bytes != 0 && d->grant_of[i].block.base == base)
			return &d->grant_of[i];
	return NULL;
}

/* It forgets one after the other. */
static void more_grace(struct domain *d)
{
	for (unsigned i = 0; i < GRANTS_MAX; i++)
		if (d->grant_of[i].state == GRANT_WARNED)
			d->grant_of[i].until = platform_now() + platform_ticks(GRACE_US);
}

static err_t give_block(struct monitor *m, struct domain *d, uint64_t base)
{
	struct grant *g = grant_at(d, base);

	if (g == NULL)
		return ERR(NOT_FOUND);
	if (g->state != GRANT_HELD && g->state != GRANT_WARNED)
		return ERR(STATE);
	if (g->state == GRANT_HELD && d->revocation.kind == REVOKE_MEMORY)
		d->revocation.given += g->block.bytes;
	g->state = GRANT_GIVEN;
	more_grace(d);
	m->revocations++; /* it is to be looked at */
	return OK;
}

/* What was granted last, of what it can spare if there is such a thing. */
static struct grant *victim(struct domain *d)
{
	struct grant *found = NULL;

	for (unsigned i = 0; i < GRANTS_MAX; i++) {
		struct grant *g = &d->grant_of[i];

		if (g->block.bytes == 0 || g->state != GRANT_HELD)
			continue;
		if (found == NULL || (found->kept && !g->kept) || (found->kept == g->kept && g->order > found->order))
			found = g;
	}
	return found;
}

/* False: there is nothing left but what it lives of. */
static bool take_block(struct monitor *m, struct domain *d, uint64_t now)
{
	struct grant *g = victim(d);

	if (g == NULL)
		return false;
	g->state = GRANT_WARNED;
	g->until = now + platform_ticks(GRACE_US);
	d->revocation.taken += g->block.bytes;
	d->robbed = true;
	tell(m, d, EVENT_taken, (uint64_t[]){0, 0, REVOKE_MEMORY, g->block.base, g->block.bytes});
	return true;
}

static void begin_revoke(struct monitor *m, struct domain *d, struct grant *g)
{
	err_t e;

	g->state = GRANT_REVOKING; /* it may be over before the call is */
	e = capability_revoke_grant(m, d, g->block.cap);
	/* LIMIT: too much is under way. Its turn comes. */
	if (err_is(e, ERR_NUMBER_LIMIT))
		g->state = GRANT_GIVEN;
	else if (is_err(e))
		revocation_revoked(m, d->number, e);
}

void revocation_revoked(struct monitor *m, uint32_t number, err_t e)
{
	for (unsigned i = 0; i < DOMAINS_MAX; i++) {
		struct domain *d = &m->domain[i];

		for (unsigned k = 0; d->phase != DOMAIN_FREE && d->number == number && k < GRANTS_MAX; k++) {
			struct grant *g = &d->grant_of[k];

			if (g->state != GRANT_REVOKING)
				continue;
			g->cleared = 0;
			/* A core has died meanwhile: what it held is decided anew. If the domain ends, its end sees to all that is left. */
			g->state = is_ok(e) ? GRANT_CLEARING : GRANT_GIVEN;
			if (is_err(e) && !err_is(e, ERR_NUMBER_CORE_DEAD))
				report_line(m, "monitor %u: a block of %s can't be revoked: %s", m->core, d->name, err_sentence(e));
		}
	}
}

static void clear(struct monitor *m, struct domain *d, struct grant *g)
{
	err_t e = clear_slice(&g->block, &g->cleared);

	if (is_ok(e) && g->cleared < g->block.bytes)
		return;
	if (is_ok(e))
		block_give(m, &g->block);
	else
		report_line(m, "monitor %u: %lu bytes of memory of %s can't be used again: %s", m->core, (unsigned long)g->block.bytes,
		            d->name, err_sentence(e));
	*g = (struct grant){.state = GRANT_HELD};
}

static void earlier(uint64_t *due, uint64_t candidate)
{
	if (*due == 0 || candidate < *due)
		*due = candidate;
}

bool revocation_busy(const struct domain *d)
{
	for (unsigned i = 0; i < GRANTS_MAX; i++)
		if (d->grant_of[i].state == GRANT_REVOKING)
			return true;
	return false;
}

bool revocation_under_way(const struct domain *d)
{
	bool any = d->revocation.kind != REVOKE_NOTHING;

	for (unsigned i = 0; i < GRANTS_MAX; i++)
		any |= d->grant_of[i].state != GRANT_HELD;
	return any;
}

/* One slice. Returns whether blocks are on their way back. */
static bool blocks_step(struct monitor *m, struct domain *d, uint64_t now, uint64_t *due, bool *more)
{
	bool busy = revocation_busy(d), any = false;

	for (unsigned i = 0; i < GRANTS_MAX; i++) {
		struct grant *g = &d->grant_of[i];

		any |= g->state != GRANT_HELD;
		if (g->state == GRANT_WARNED && now >= g->until)
			g->state = GRANT_GIVEN;
		if (g->state == GRANT_WARNED)
			earlier(due, g->until);
		if (g->state == GRANT_GIVEN && !busy && m->peer != NULL) {
			begin_revoke(m, d, g);
			busy = true;
			*more = true;
		} else if (g->state == GRANT_CLEARING) {
			clear(m, d, g);
			*more = true;
		}
	}
	return any;
}

/* ---- Connections ---- */

static struct connection *latest(struct monitor *m, const struct domain *d)
{
	struct connection *found = NULL;

	for (unsigned i = 0; i < CONNECTIONS_MAX; i++) {
		struct connection *c = &m->connection[i];

		if (c->asked && can_be_asked(d, c) && (found == NULL || c->order > found->order))
			found = c;
	}
	return found;
}

static bool take_connection(struct monitor *m, struct domain *d, uint64_t now)
{
	struct connection *c = latest(m, d);

	if (c == NULL)
		return false;
	c->taken = true;
	c->until = now + platform_ticks(GRACE_US);
	d->revocation.taken++;
	tell(m, d, EVENT_taken, (uint64_t[]){0, 0, REVOKE_CHANNELS, c->number, 0});
	return true;
}

static bool is_being_taken(const struct domain *d, const struct connection *c)
{
	return c->state == CONNECTION_OPEN && c->domain == d->number && c->taken;
}

static err_t give_connection(struct monitor *m, struct domain *d, uint64_t number)
{
	for (unsigned i = 0; i < CONNECTIONS_MAX; i++)
		if (m->connection[i].number == number && is_being_taken(d, &m->connection[i]))
			return bind_close(m, d, (uint32_t)number);
	return ERR(NOT_FOUND);
}

void revocation_closes(struct domain *d, const struct connection *c)
{
	if (c->asked && !c->taken)
		d->revocation.given++;
}

static bool connections_step(struct monitor *m, struct domain *d, uint64_t now, uint64_t *due)
{
	bool any = false;

	for (unsigned i = 0; i < CONNECTIONS_MAX; i++) {
		const struct connection *c = &m->connection[i];

		if (!is_being_taken(d, c))
			continue;
		if (now >= c->until) {
			(void)!is_ok(bind_close(m, d, c->number));
		} else {
			earlier(due, c->until);
			any = true;
		}
	}
	return any;
}

/* ---- Members ---- */

void revocation_member_gone(struct domain *d, bool taken)
{
	if (d->revocation.kind == REVOKE_CORES && !taken)
		d->revocation.given++;
}

static bool take_member(struct monitor *m, struct domain *d)
{
	if (!span_take(m, d))
		return false;
	d->revocation.taken++;
	return true;
}

/* ---- A domain's requests ---- */

err_t revocation_give_back(struct monitor *m, struct domain *d, uint64_t kind, uint64_t what)
{
	if (kind == REVOKE_MEMORY)
		return give_block(m, d, what);
	return kind == REVOKE_CHANNELS ? give_connection(m, d, what) : ERR(ARGUMENT);
}

err_t revocation_given_back(struct domain *d)
{
	if (d->revocation.kind == REVOKE_NOTHING)
		return ERR(STATE);
	d->revocation.answered = true;
	return OK;
}

err_t revocation_keep(struct domain *d, uint64_t base)
{
	struct grant *g = grant_at(d, base);

	if (g == NULL)
		return ERR(NOT_FOUND);
	g->kept = true;
	return OK;
}

/* ---- The deadline ---- */

static bool take_next(struct monitor *m, struct domain *d, uint64_t now)
{
	switch (d->revocation.kind) {
	case REVOKE_MEMORY:
		return take_block(m, d, now);
	case REVOKE_CORES:
		return take_member(m, d);
	case REVOKE_CHANNELS:
		return take_connection(m, d, now);
	default:
		return false;
	}
}

/* The deadline has passed, or the domain has no more to give. */
static void take(struct monitor *m, struct domain *d, uint64_t now)
{
	while (missing(&d->revocation) > 0)
		if (!take_next(m, d, now))
			break;
	if (missing(&d->revocation) == 0)
		return;
	if (d->revocation.kind != REVOKE_MEMORY) {
		/* What was there has gone otherwise: with a core that died, say. */
		d->revocation.amount = d->revocation.given + d->revocation.taken;
		return;
	}
	report_line(m, "The domain %s (%u) on core %u ends: all its memory is taken back.", d->name, d->number, m->core);
	d->revocation.taken += d->block.bytes;
	domain_end(m, d, END_REVOKED, 0);
}

static void step(struct monitor *m, struct domain *d, uint64_t now, uint64_t *due, bool *more)
{
	const struct revocation *r = &d->revocation;
	bool under_way;

	if (r->kind != REVOKE_NOTHING && missing(r) > 0) {
		if (now >= r->deadline || r->answered)
			take(m, d, now);
		else
			earlier(due, r->deadline);
	}
	if (d->phase != DOMAIN_RUNNING)
		return;
	under_way = blocks_step(m, d, now, due, more);
	under_way |= connections_step(m, d, now, due);
	under_way |= r->kind == REVOKE_CORES && span_is_taken(d);
	if (r->kind != REVOKE_NOTHING && missing(r) == 0 && !under_way) {
		end(m, d, OK);
		*more = true;
	}
	m->revocations += under_way || r->kind != REVOKE_NOTHING;
}

uint64_t revocations_step(struct monitor *m, uint64_t now, bool *more)
{
	uint64_t due = 0;

	if (m->revocations == 0)
		return 0;
	m->revocations = 0; /* counted anew */
	for (unsigned i = 0; i < DOMAINS_MAX; i++)
		if (m->domain[i].phase == DOMAIN_RUNNING)
			step(m, &m->domain[i], now, &due, more);
	return due;
}

/* ---- The domain's end ---- */

void revocation_domain_ends(struct monitor *m, struct domain *d)
{
	if (d->revocation.kind != REVOKE_NOTHING && d->cause != END_REVOKED)
		end(m, d, ERR(PEER_GONE));
}

void revocation_domain_over(struct monitor *m, struct domain *d)
{
	if (d->revocation.kind != REVOKE_NOTHING)
		end(m, d, OK);
}
