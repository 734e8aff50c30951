/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include <stdlib.h>
#include <string.h>

#include <atoll/console.h>

#include "monitor/domain.h"
#include "monitor/handlers.h"
#include "monitor/mesh.h"
#include "monitor/names.h"
#include "monitor/tickets.h"
#include "monitor/voice.h"
#include "monitor/whereabouts.h"

/* How a question for `wanted` goes that found the service: who asks for 0 takes any. */
static err_t compare(const struct name *n, uint64_t wanted)
{
	return wanted == 0 || wanted == n->interface ? OK : ERR(INTERFACE);
}

static struct name *find(struct monitor *m, const char *name)
{
	for (unsigned i = 0; i < NAMES_MAX; i++)
		if (m->name[i].domain != 0 && strcmp(m->name[i].name, name) == 0)
			return &m->name[i];
	return NULL;
}

static unsigned offered_by(const struct monitor *m, uint32_t domain)
{
	unsigned count = 0;

	for (unsigned i = 0; i < NAMES_MAX; i++)
		count += m->name[i].domain == domain;
	return count;
}

/* Answers those who have waited for the name. */
static void serve_waiters(struct monitor *m, const struct name *n)
{
	for (struct name_waiter **link = &m->name_waiters; *link != NULL;) {
		struct name_waiter *w = *link;

		if (strcmp(w->name, n->name) != 0) {
			link = &w->next;
			continue;
		}
		MESH_SEND(m, w->core, resolved, .ticket = w->ticket, .error = compare(n, w->interface).number, .server = n->domain,
		          .service = n->service);
		*link = w->next;
		free(w);
	}
}

static err_t offer(struct monitor *m, uint32_t from, const struct message_offer *message)
{
	if (domain_lives_on(m, message->domain) != from || message->domain == 0)
		return ERR(PERMISSION);
	if (find(m, message->name) != NULL)
		return ERR(EXISTS);
	if (offered_by(m, message->domain) >= SERVICES_EACH)
		return ERR(LIMIT);
	for (unsigned i = 0; i < NAMES_MAX; i++)
		if (m->name[i].domain == 0) {
			m->name[i].domain = message->domain;
			m->name[i].service = message->service;
			m->name[i].interface = message->interface;
			memcpy(m->name[i].name, message->name, sizeof(m->name[i].name));
			if (strcmp(message->name, CONSOLE_SERVICE) == 0 && domain_find(m, message->domain) != NULL)
				voice_begin(m, domain_find(m, message->domain), message->service);
			serve_waiters(m, &m->name[i]);
			return OK;
		}
	return ERR(LIMIT);
}

void handle_offer(struct monitor *m, uint32_t from, const struct message_offer *message)
{
	err_t e = offer(m, from, message);

	MESH_SEND(m, from, offered, .ticket = message->ticket, .error = e.number);
}

void handle_offered(struct monitor *m, uint32_t from, const struct message_offered *message)
{
	struct ticket *t = ticket_find(m, message->ticket, TICKET_OFFER, from);

	if (t == NULL)
		return;
	platform_reply(&(struct platform_reply){t->token, {message->error}});
	ticket_close(m, t);
}

/* Removes waiters: of a domain (or any: 0), on a core (or any: ~0), of a ticket (or any: 0). */
static void remove_waiters(struct monitor *m, uint32_t domain, uint32_t core, uint32_t ticket)
{
	for (struct name_waiter **link = &m->name_waiters; *link != NULL;) {
		struct name_waiter *w = *link;

		if ((domain != 0 && w->domain != domain) || (core != UINT32_MAX && w->core != core) ||
		    (ticket != 0 && w->ticket != ticket)) {
			link = &w->next;
			continue;
		}
		*link = w->next;
		free(w);
	}
}

void names_forget_domain(struct monitor *m, uint32_t domain)
{
	for (unsigned i = 0; i < NAMES_MAX; i++)
		if (m->name[i].domain == domain)
			m->name[i].domain = 0;
	remove_waiters(m, domain, UINT32_MAX, 0);
}

void names_forget_core(struct monitor *m, uint32_t core)
{
	for (unsigned i = 0; i < NAMES_MAX; i++)
		if (m->name[i].domain != 0 && domain_lives_on(m, m->name[i].domain) == core)
			names_forget_domain(m, m->name[i].domain);
	remove_waiters(m, 0, core, 0);
}

void handle_withdraw(struct monitor *m, uint32_t from, const struct message_withdraw *message)
{
	struct name *n = find(m, message->name);
	bool own = domain_lives_on(m, message->domain) == from && message->domain != 0, known = n != NULL && n->domain == message->domain;

	if (message->ticket == 0) {
		if (own)
			names_forget_domain(m, message->domain);
		return;
	}
	if (own && known)
		n->domain = 0;
	MESH_SEND(m, from, offered, .ticket = message->ticket, .error = own && known ? ERR_NUMBER_OK : ERR_NUMBER_NOT_FOUND);
}

void handle_forget(struct monitor *m, uint32_t from, const struct message_forget *message)
{
	remove_waiters(m, message->domain, from, message->ticket);
}

void handle_resolve(struct monitor *m, uint32_t from, const struct message_resolve *message)
{
	const struct name *n = find(m, message->name);
	struct name_waiter *w;

	if (n != NULL) {
		MESH_SEND(m, from, resolved, .ticket = message->ticket, .error = compare(n, message->interface).number, .server = n->domain,
		          .service = n->service);
		return;
	}
	if (message->now) {
		MESH_SEND(m, from, resolved, .ticket = message->ticket, .error = ERR_NUMBER_NOT_FOUND);
		return;
	}
	w = malloc(sizeof(*w));
	if (w == NULL) {
		MESH_SEND(m, from, resolved, .ticket = message->ticket, .error = ERR_NUMBER_NO_MEMORY);
		return;
	}
	*w = (struct name_waiter){
	    .next = m->name_waiters, .interface = message->interface, .core = from, .ticket = message->ticket, .domain = message->domain};
	memcpy(w->name, message->name, sizeof(w->name));
	m->name_waiters = w;
}

/* ---- Lists ---- */

void handle_list_names(struct monitor *m, uint32_t from, const struct message_list_names *message)
{
	struct message_name_listed record = {.ticket = message->ticket};
	unsigned listed = 0;
	uint32_t i;

	for (i = message->first; i < NAMES_MAX && listed < SERVICES_PAGE; i++) {
		if (m->name[i].domain == 0)
			continue;
		record.domain = m->name[i].domain;
		record.interface = m->name[i].interface;
		memcpy(record.name, m->name[i].name, sizeof(record.name));
		mesh_send(m, from, MESSAGE_name_listed, &record);
		listed++;
	}
	MESH_SEND(m, from, name_listed, .ticket = message->ticket, .last = 1, .next = i < NAMES_MAX ? i : 0);
}

void handle_name_listed(struct monitor *m, uint32_t from, const struct message_name_listed *message)
{
	struct ticket *t = ticket_find(m, message->ticket, TICKET_SERVICES, from);
	struct domain *d = t == NULL ? NULL : domain_find(m, t->domain);

	if (t == NULL)
		return;
	if (message->last) {
		if (d != NULL)
			domain_event(m, d, EVENT_done, (uint64_t[]){t->tag, 0, t->value, message->next}, 4);
		ticket_close(m, t);
		return;
	}
	if (d != NULL && t->value < SERVICES_PAGE) {
		struct service_info *out = (struct service_info *)(d->start + PAGE_BYTES) + t->value++;

		*out = (struct service_info){
		    .interface = message->interface, .domain = message->domain, .core = domain_lives_on(m, message->domain)};
		memcpy(out->name, message->name, sizeof(out->name));
	}
}
