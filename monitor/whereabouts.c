/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include <stdlib.h>

#include "monitor/domain.h"
#include "monitor/handlers.h"
#include "monitor/mesh.h"
#include "monitor/move.h"
#include "monitor/names.h"
#include "monitor/report.h"
#include "monitor/tickets.h"
#include "monitor/whereabouts.h"

struct whereabouts {
	struct whereabouts *next;
	uint32_t domain, core;
};

static struct whereabouts *find(const struct monitor *m, uint32_t domain)
{
	struct whereabouts *w = m->whereabouts;

	while (w != NULL && w->domain != domain)
		w = w->next;
	return w;
}

uint32_t domain_lives_on(const struct monitor *m, uint32_t number)
{
	const struct whereabouts *w = find(m, number);

	return w != NULL ? w->core : domain_core_of(number);
}

bool whereabouts_has(const struct monitor *m, uint32_t domain)
{
	return find(m, domain) != NULL;
}

static void forget(struct monitor *m, uint32_t domain)
{
	for (struct whereabouts **link = &m->whereabouts; *link != NULL; link = &(*link)->next) {
		struct whereabouts *w = *link;

		if (w->domain == domain) {
			*link = w->next;
			free(w);
			return;
		}
	}
}

static void note(struct monitor *m, uint32_t domain, uint32_t core)
{
	struct whereabouts *w = find(m, domain);

	if (core == domain_core_of(domain)) {
		forget(m, domain);
		return;
	}
	if (w == NULL) {
		w = malloc(sizeof(*w));
		if (w == NULL) {
			report_line(m, "monitor %u: no memory to note where domain %u lives", m->core, domain);
			return;
		}
		*w = (struct whereabouts){.next = m->whereabouts, .domain = domain};
		m->whereabouts = w;
	}
	w->core = core;
}

static void tell_all(struct monitor *m, const struct message_lives *message)
{
	for (uint32_t to = 0; to < m->peers; to++)
		if (to != m->core)
			mesh_send(m, to, MESSAGE_lives, message);
	handle_lives(m, m->core, message);
}

void whereabouts_tell(struct monitor *m, uint32_t domain, uint32_t core)
{
	tell_all(m, &(struct message_lives){.domain = domain, .core = core});
}

void whereabouts_introduce(struct monitor *m, uint32_t core)
{
	for (unsigned i = 0; i < DOMAINS_MAX; i++) {
		const struct domain *d = &m->domain[i];

		if (d->phase == DOMAIN_RUNNING && d->member == 0 && domain_core_of(d->number) != m->core)
			MESH_SEND(m, core, lives, .domain = d->number, .core = m->core);
	}
}

/* Who waits for its end is answered from there from now on. */
static void follow(struct monitor *m, uint32_t domain, uint32_t core)
{
	for (unsigned i = 0; i < TICKETS_MAX; i++)
		if (m->ticket[i].kind == TICKET_WAIT && m->ticket[i].value == domain)
			m->ticket[i].core = core;
}

/* What only a core that has died could have told. */
static void lost(struct monitor *m, uint32_t domain, uint32_t core)
{
	for (unsigned i = 0; i < TICKETS_MAX; i++)
		if (m->ticket[i].kind == TICKET_WAIT && m->ticket[i].value == domain && m->ticket[i].core == core)
			ticket_fail(m, &m->ticket[i], ERR(CORE_DEAD));
	if (m->core == 0)
		names_forget_domain(m, domain);
	forget(m, domain);
}

void handle_lives(struct monitor *m, uint32_t from, const struct message_lives *message)
{
	(void)from;
	note(m, message->domain, message->core);
	if (!message->ended)
		follow(m, message->domain, message->core);
	if (!mesh_alive(m, message->core))
		lost(m, message->domain, message->core);
}

void whereabouts_end(struct monitor *m, const struct domain *d)
{
	const uint32_t home = domain_core_of(d->number);

	if (d->member != 0 || home == m->core)
		return;
	MESH_SEND(m, home, obituary, .domain = d->number, .cause = (uint32_t)d->cause, .status = d->status);
	tell_all(m, &(struct message_lives){.domain = d->number, .core = home, .ended = 1});
}

void handle_obituary(struct monitor *m, uint32_t from, const struct message_obituary *message)
{
	if (domain_lives_on(m, message->domain) == from && domain_core_of(message->domain) == m->core)
		domain_note_ending(m, message->domain, (enum end_cause)message->cause, message->status);
}

void whereabouts_lose_core(struct monitor *m, uint32_t core)
{
	struct whereabouts *next;

	for (struct whereabouts *w = m->whereabouts; w != NULL; w = next) {
		next = w->next;
		if (w->core == core)
			lost(m, w->domain, core);
	}
}

/* ---- Questions that missed it ---- */

void handle_elsewhere(struct monitor *m, uint32_t from, const struct message_elsewhere *message)
{
	const uint32_t index = message->ticket & 0xffff;
	struct ticket *t = &m->ticket[index < TICKETS_MAX ? index : 0];

	(void)from;
	if (t->kind == TICKET_FREE || ticket_number(m, t) != message->ticket || t->value != message->domain)
		return;
	t->core = message->core;
	if (!mesh_alive(m, message->core))
		ticket_fail(m, t, ERR(CORE_DEAD));
	else
		move_ask_again(m, t);
}
