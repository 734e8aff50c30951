/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Who asks for a move, and questions about domains that have moved. */

#include "monitor/domain.h"
#include "monitor/handlers.h"
#include "monitor/mesh.h"
#include "monitor/move.h"
#include "monitor/tickets.h"
#include "monitor/whereabouts.h"

/* What the ticket keeps for when it has to be asked again. */
static uint64_t pack(uint32_t core, bool any)
{
	return core | (uint64_t)any << 32;
}

err_t move_ask(struct monitor *m, struct domain *d, uint32_t tag, uint32_t domain, uint32_t core, bool any)
{
	struct ticket *t;

	if (core >= m->peers)
		return ERR(CORE_UNKNOWN);
	if (!mesh_alive(m, core))
		return ERR(CORE_DEAD);
	if (!mesh_alive(m, domain_lives_on(m, domain)))
		return ERR(NOT_FOUND);
	if (ticket_open(m, TICKET_MOVE, domain_lives_on(m, domain), d->number, tag, &t) == 0)
		return ERR(LIMIT);
	t->value = domain;
	t->token = pack(core, any);
	move_ask_again(m, t);
	return OK;
}

void move_ask_again(struct monitor *m, const struct ticket *t)
{
	const uint32_t ticket = ticket_number(m, t);
	const struct domain *d = domain_find(m, t->domain);
	const uint32_t by = d == NULL ? 0 : d->span;

	switch (t->kind) {
	case TICKET_WAIT:
		MESH_SEND(m, t->core, wait, .ticket = ticket, .domain = t->value);
		break;
	case TICKET_KILL:
		MESH_SEND(m, t->core, kill, .ticket = ticket, .domain = t->value, .by = by, .any = t->token != 0);
		break;
	case TICKET_MOVE:
		MESH_SEND(m, t->core, move, .ticket = ticket, .domain = t->value, .by = by, .any = t->token >> 32 != 0,
		          .core = (uint32_t)t->token);
		break;
	default:
		break;
	}
}

void handle_moved(struct monitor *m, uint32_t from, const struct message_moved *message)
{
	struct ticket *t = ticket_find(m, message->ticket, TICKET_MOVE, from);
	struct domain *d = t == NULL ? NULL : domain_find(m, t->domain);

	if (d != NULL)
		domain_event(m, d, EVENT_done, (uint64_t[]){t->tag, message->error}, 2);
	if (t != NULL)
		ticket_close(m, t);
}
