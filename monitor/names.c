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

static struct name *find(struct monitor *m, const char *name)
{
	for (unsigned i = 0; i < NAMES_MAX; i++)
		if (m->name[i].domain != 0 && strcmp(m->name[i].name, name) == 0)
			return &m->name[i];
	return NULL;
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
		MESH_SEND(m, w->core, resolved, .ticket = w->ticket, .server = n->domain);
		*link = w->next;
		free(w);
	}
}

static err_t offer(struct monitor *m, uint32_t from, const struct message_offer *message)
{
	if (domain_core_of(message->domain) != from || message->domain == 0)
		return ERR(PERMISSION);
	if (find(m, message->name) != NULL)
		return ERR(EXISTS);
	for (unsigned i = 0; i < NAMES_MAX; i++)
		if (m->name[i].domain == 0) {
			m->name[i].domain = message->domain;
			memcpy(m->name[i].name, message->name, sizeof(m->name[i].name));
			if (strcmp(message->name, CONSOLE_SERVICE) == 0 && domain_find(m, message->domain) != NULL)
				voice_begin(m, domain_find(m, message->domain));
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

/* Removes waiters: of a domain (or any: 0), on a core (or any: ~0). */
static void remove_waiters(struct monitor *m, uint32_t domain, uint32_t core)
{
	for (struct name_waiter **link = &m->name_waiters; *link != NULL;) {
		struct name_waiter *w = *link;

		if ((domain != 0 && w->domain != domain) || (core != UINT32_MAX && w->core != core)) {
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
	remove_waiters(m, domain, UINT32_MAX);
}

void names_forget_core(struct monitor *m, uint32_t core)
{
	for (unsigned i = 0; i < NAMES_MAX; i++)
		if (m->name[i].domain != 0 && domain_core_of(m->name[i].domain) == core)
			names_forget_domain(m, m->name[i].domain);
	remove_waiters(m, 0, core);
}

void handle_withdraw(struct monitor *m, uint32_t from, const struct message_withdraw *message)
{
	if (domain_core_of(message->domain) == from && message->domain != 0)
		names_forget_domain(m, message->domain);
}

void handle_forget(struct monitor *m, uint32_t from, const struct message_forget *message)
{
	remove_waiters(m, message->domain, from);
}

void handle_resolve(struct monitor *m, uint32_t from, const struct message_resolve *message)
{
	const struct name *n = find(m, message->name);
	struct name_waiter *w;

	if (n != NULL) {
		MESH_SEND(m, from, resolved, .ticket = message->ticket, .server = n->domain);
		return;
	}
	w = malloc(sizeof(*w));
	if (w == NULL) {
		MESH_SEND(m, from, resolved, .ticket = message->ticket, .error = ERR_NUMBER_NO_MEMORY);
		return;
	}
	*w = (struct name_waiter){.next = m->name_waiters, .core = from, .ticket = message->ticket, .domain = message->domain};
	memcpy(w->name, message->name, sizeof(w->name));
	m->name_waiters = w;
}
