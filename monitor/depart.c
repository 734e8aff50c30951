/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* The old core's part of a move (move.h).
 *
 *   (asked) ── event leave ──▶ ASKED ── request leave ──▶ TELLING ── arrive_end ──▶ TOLD ── arrived ──▶ commit: what is left ends
 *                                │                          │                        │
 *                                └── too long ──────────────┴── something is wrong ──┴── error, the new core dies ──▶ it stays */

#include <stdlib.h>

#include "monitor/bind.h"
#include "monitor/capability.h"
#include "monitor/domain.h"
#include "monitor/handlers.h"
#include "monitor/mesh.h"
#include "monitor/move.h"
#include "monitor/platform.h"
#include "monitor/rebind.h"
#include "monitor/revocation.h"
#include "monitor/tickets.h"
#include "monitor/trace.h"
#include "monitor/whereabouts.h"

#define DEPART_WINDOW 252     /* a root slot of ours through which the domain's CNodes are read */
#define PATIENCE_US   2000000 /* for the domain to say that it can go */

enum depart_state { DEPART_ASKED, DEPART_TELLING, DEPART_TOLD };

struct departure {
	enum depart_state state;
	uint32_t to;
	uint32_t asker, ticket; /* who waits to hear how it went */
	uint32_t own;           /* the domain itself does: the ticket's tag; else 0 */
	uint64_t deadline;      /* ASKED */
	uint64_t token;         /* of the request that is not answered yet */
	unsigned cnode;         /* TELLING: the next one, by its root slot */
};

static void tell_asker(struct monitor *m, const struct departure *p, err_t e)
{
	MESH_SEND(m, p->asker, moved, .ticket = p->ticket, .error = e.number);
}

static void drop(struct monitor *m, struct domain *d)
{
	free(d->departure);
	d->departure = NULL;
	m->departures--;
}

/* It stays, for that reason. */
static void stay(struct monitor *m, struct domain *d, err_t e)
{
	const struct departure p = *d->departure;

	rebind_release(m, d);
	drop(m, d);
	if (p.state != DEPART_ASKED) {
		d->phase = DOMAIN_RUNNING;
		m->domains_ending--;
		platform_reply(&(struct platform_reply){p.token, {e.number}});
		rebind_tell_closed(m, d);
	}
	tell_asker(m, &p, e);
	if (d->doomed)
		domain_end(m, d, END_KILLED, 0);
}

/* ---- Asking the domain ---- */

/* What belongs to one core for life. */
static bool has_to_stay(const struct monitor *m, const struct domain *d)
{
	const struct manifest_program *p = d->rights;

	if (d->number == m->acpi || d->others != NULL || d->member != 0 || d->shares || d->pinned)
		return true;
	return p != NULL && (p->devices || p->ports != 0 || p->interrupt_kind != INTERRUPT_NONE || p->core != MANIFEST_ANY_CORE);
}

static err_t may_leave(struct monitor *m, const struct domain *d, const struct message_move *message)
{
	if (d->number == m->acpi || (!message->any && d->parent != message->by && d->number != message->by))
		return ERR(PERMISSION);
	if (message->core == m->core)
		return ERR(EXISTS);
	if (!mesh_alive(m, message->core))
		return ERR(CORE_DEAD);
	if (d->departure != NULL || m->end != END_NOT_BEGUN)
		return ERR(AGAIN);
	return has_to_stay(m, d) ? ERR(STAYS) : OK;
}

/* The tag under which the domain itself has asked; 0: somebody else has. */
static uint32_t own_tag(struct monitor *m, const struct domain *d, uint32_t from, uint32_t ticket)
{
	const struct ticket *t = from == m->core ? ticket_find(m, ticket, TICKET_MOVE, m->core) : NULL;

	return t != NULL && t->domain == d->number ? t->tag : 0;
}

static err_t begin(struct monitor *m, struct domain *d, uint32_t from, const struct message_move *message)
{
	struct departure *p;
	err_t e = may_leave(m, d, message);

	if (is_err(e))
		return e;
	p = calloc(1, sizeof(*p));
	if (p == NULL)
		return ERR(NO_MEMORY);
	*p = (struct departure){.to = message->core,
	                        .asker = from,
	                        .ticket = message->ticket,
	                        .own = own_tag(m, d, from, message->ticket),
	                        .deadline = platform_now() + platform_ticks(PATIENCE_US)};
	d->departure = p;
	m->departures++;
	domain_event(m, d, EVENT_leave, (uint64_t[]){0, 0, p->to}, 3);
	platform_ring(d->doorbell); /* it may compute, and look at nothing */
	return OK;
}

void handle_move(struct monitor *m, uint32_t from, const struct message_move *message)
{
	struct domain *d = domain_find(m, message->domain);
	err_t e = d == NULL ? ERR(NOT_FOUND) : OK;

	if (d == NULL && domain_lives_on(m, message->domain) != m->core) {
		MESH_SEND(m, from, elsewhere, .ticket = message->ticket, .domain = message->domain,
		          .core = domain_lives_on(m, message->domain));
		return;
	}
	if (d == NULL && domain_is_moving(m, message->domain))
		e = ERR(AGAIN);
	if (is_ok(e))
		e = begin(m, d, from, message);
	if (is_err(e))
		MESH_SEND(m, from, moved, .ticket = message->ticket, .error = e.number);
}

uint64_t departures_check(struct monitor *m, uint64_t now)
{
	uint64_t first = 0;

	for (unsigned i = 0; i < DOMAINS_MAX && m->departures > 0; i++) {
		struct domain *d = &m->domain[i];

		if (d->phase != DOMAIN_RUNNING || d->departure == NULL)
			continue;
		if (now >= d->departure->deadline)
			stay(m, d, ERR(TIMEOUT));
		else if (first == 0 || d->departure->deadline < first)
			first = d->departure->deadline;
	}
	return first;
}

void depart_forget(struct monitor *m, struct domain *d)
{
	if (d->departure == NULL)
		return;
	tell_asker(m, d->departure, ERR(PEER_GONE));
	rebind_release(m, d);
	drop(m, d);
}

void depart_held(struct monitor *m, struct domain *d, err_t e)
{
	if (is_err(e) && d->departure != NULL && d->phase == DOMAIN_RUNNING)
		stay(m, d, e);
}

/* ---- The domain can go ---- */

static void tell_blocks(struct monitor *m, const struct domain *d)
{
	const uint32_t to = d->departure->to;

	MESH_SEND(m, to, arrive_block, .domain = d->number, .index = 0, .base = d->block.base, .bytes = d->block.bytes);
	for (unsigned i = 0; i < GRANTS_MAX; i++) {
		const struct grant *g = &d->grant_of[i];

		if (g->block.bytes != 0)
			MESH_SEND(m, to, arrive_block, .domain = d->number, .index = i + 1, .base = g->block.base, .bytes = g->block.bytes,
			          .order = g->order, .kept = g->kept);
	}
}

err_t depart_now(struct monitor *m, struct domain *d, uint64_t next_event, uint64_t token, bool *later)
{
	struct departure *p = d->departure;
	struct message_arrive message = {.domain = d->number, .parent = d->parent, .moves = d->moves + 1, .quota = d->quota};
	err_t e;

	if (p == NULL)
		return ERR(STATE);
	/* Answers that are under way would not find it. */
	if (d->tickets != (p->own != 0) || d->first != NULL || next_event != d->events.next_out || capability_busy(m, d) ||
	    revocation_under_way(d))
		return ERR(AGAIN);
	e = rebind_hold(m, d);
	if (is_err(e)) {
		if (!err_is(e, ERR_NUMBER_AGAIN))
			stay(m, d, e);
		return e;
	}
	message.tag = p->own;
	message.entry = ((const struct domain_start *)d->start)->entry;
	copy_name(message.name, sizeof(message.name), d->name);
	if (!mesh_send(m, p->to, MESSAGE_arrive, &message)) {
		stay(m, d, ERR(CORE_DEAD));
		return ERR(CORE_DEAD);
	}
	tell_blocks(m, d);
	rebind_tell(m, d, p->to);
	p->state = DEPART_TELLING;
	p->token = token;
	d->phase = DOMAIN_DEPARTING;
	m->domains_ending++;
	*later = true;
	return OK;
}

/* ---- Its capabilities ---- */

static bool is_own(const struct domain *d, const struct platform_remote *what)
{
	const struct block *b = &d->block;
	bool own = what->base >= b->base && what->base - b->base < b->bytes && what->bytes <= b->bytes - (what->base - b->base);

	for (unsigned i = 0; i < GRANTS_MAX && !own; i++) {
		b = &d->grant_of[i].block;
		own = what->base >= b->base && what->base - b->base < b->bytes && what->bytes <= b->bytes - (what->base - b->base);
	}
	return own;
}

static bool is_machine(const struct monitor *m, const struct platform_remote *what)
{
	struct cap_identity machine;

	return m->machine_frame.value != CAP_NULL.value && is_ok(cap_identify(m->machine_frame, &machine)) && what->base == machine.base &&
	       what->bytes == machine.size;
}

/* What it is; STAYS: something that this core can't let go. */
static err_t classify(struct monitor *m, const struct domain *d, const struct platform_remote *what, unsigned flags,
                      struct message_arrive_cap *out)
{
	const bool shared = (flags & CAP_FLAG_REMOTE) != 0;

	switch (what->type) {
	case CAP_Endpoint:
		out->what = CARRIED_MONITOR;
		return out->cap == CAP_MONITOR.value ? OK : ERR(STAYS);
	case CAP_Doorbell:
		out->what = CARRIED_DOORBELL;
		return rebind_find_doorbell(m, d, what, &out->base) ? OK : ERR(STAYS);
	case CAP_Dispatcher:
		return what->base == d->dispatcher_base ? OK : ERR(STAYS);
	case CAP_Frame:
		if (is_machine(m, what))
			out->what = CARRIED_MACHINE;
		else if (tracing_is_ring(m, d, what->base))
			out->what = CARRIED_TRACE;
		else if (rebind_find_ring(m, d, what, &out->base))
			out->what = CARRIED_RING;
		else if (rebind_find_peer_ring(m, d, what, &out->base))
			out->what = CARRIED_PEER_RING;
		else
			return is_own(d, what) && !shared ? OK : ERR(STAYS);
		return OK;
	case CAP_RAM:
	case CAP_CNode:
	case CAP_PageTable1:
	case CAP_PageTable2:
	case CAP_PageTable3:
	case CAP_PageTable4:
		return is_own(d, what) ? OK : ERR(STAYS);
	default:
		return ERR(STAYS);
	}
}

static err_t tell_slot(struct monitor *m, const struct domain *d, unsigned root, unsigned slot)
{
	const cap_t here = CAP(DEPART_WINDOW, slot);
	struct message_arrive_cap message = {.domain = d->number, .cap = CAP(root, slot).value, .what = CARRIED_OWN};
	struct platform_remote what;
	struct platform_mapping map = {0};
	unsigned flags;
	err_t e = platform_identify(here, &what, &flags);

	if (is_err(e) || what.type == CAP_Null)
		return err_is(e, ERR_NUMBER_CAP_EMPTY) ? OK : e;
	message.type = (uint8_t)what.type;
	message.rights = what.rights;
	message.base = what.base;
	message.size = what.bytes;
	e = classify(m, d, &what, flags, &message);
	if (is_ok(e) && (flags & CAP_FLAG_MAPPED) != 0)
		e = platform_mapped(here, &map);
	if (is_err(e))
		return e;
	message.table = map.table;
	message.entry = (uint16_t)map.entry;
	message.count = (uint16_t)map.count;
	message.map_rights = (uint16_t)map.rights;
	message.offset = map.offset;
	return mesh_send(m, d->departure->to, MESSAGE_arrive_cap, &message) ? OK : ERR(CORE_DEAD);
}

/* All that lies in the CNode in that root slot, if there is one. */
static err_t tell_cnode(struct monitor *m, const struct domain *d, unsigned root)
{
	const cap_t window = CAP(ROOT_SELF, DEPART_WINDOW);
	struct cap_identity id;
	err_t e = platform_fetch(d->dispatcher, CAP(ROOT_SELF, root).value, false, window);

	if (is_err(e))
		return err_is(e, ERR_NUMBER_CAP_EMPTY) && root > ROOT_TASK ? OK : e;
	e = cap_identify(window, &id);
	for (unsigned slot = 0; is_ok(e) && id.type == CAP_CNode && slot < CNODE_SLOTS; slot++)
		e = tell_slot(m, d, root, slot);
	(void)!is_ok(cap_delete(window));
	return e;
}

bool depart_step(struct monitor *m, struct domain *d)
{
	struct departure *p = d->departure;
	err_t e;

	if (p->state != DEPART_TELLING)
		return false;
	e = tell_cnode(m, d, p->cnode++);
	if (is_ok(e) && p->cnode < CNODE_SLOTS)
		return true;
	MESH_SEND(m, p->to, arrive_end, .domain = d->number, .error = e.number);
	p->state = DEPART_TOLD;
	if (is_err(e))
		stay(m, d, e);
	return false;
}

/* ---- How it went ---- */

static void tell_waiters_place(struct monitor *m, const struct domain *d, uint32_t to)
{
	for (struct waiter **link = &m->waiters; *link != NULL;) {
		struct waiter *w = *link;

		if (w->domain != d->number) {
			link = &w->next;
			continue;
		}
		MESH_SEND(m, to, waiter, .domain = d->number, .core = w->core, .ticket = w->ticket);
		*link = w->next;
		free(w);
	}
}

/* What is left here is nobody's that anyone has ever heard of. */
static void commit(struct monitor *m, struct domain *d)
{
	const struct departure p = *d->departure;
	const uint32_t number = d->number;
	struct ticket *own = p.own == 0 ? NULL : ticket_find(m, p.ticket, TICKET_MOVE, m->core);

	tell_waiters_place(m, d, p.to);
	MESH_SEND(m, p.to, commit, .domain = number, .doomed = d->doomed);
	rebind_depart(m, d, p.to);
	drop(m, d);
	d->number = domain_number(m);
	d->span = d->number;
	d->parent = 0;
	if (own != NULL)
		ticket_close(m, own);
	d->phase = DOMAIN_RUNNING;
	m->domains_ending--;
	whereabouts_tell(m, number, p.to);
	if (own == NULL)
		tell_asker(m, &p, OK);
	domain_end(m, d, END_EXIT, 0);
}

void handle_arrived(struct monitor *m, uint32_t from, const struct message_arrived *message)
{
	struct domain *d = domain_departing(m, message->domain);

	if (d == NULL || d->departure->to != from || d->departure->state == DEPART_ASKED)
		return;
	if (message->error != ERR_NUMBER_OK)
		stay(m, d, (err_t){message->error});
	else if (d->departure->state == DEPART_TOLD)
		commit(m, d);
}

void departures_lose_core(struct monitor *m, uint32_t core)
{
	for (unsigned i = 0; i < DOMAINS_MAX && m->departures > 0; i++) {
		struct domain *d = &m->domain[i];

		if (d->phase != DOMAIN_FREE && d->departure != NULL && d->departure->to == core)
			stay(m, d, ERR(CORE_DEAD));
	}
}
