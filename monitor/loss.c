/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include <stdlib.h>

#include "monitor/bind.h"
#include "monitor/block.h"
#include "monitor/loss.h"
#include "monitor/mesh.h"
#include "monitor/move.h"
#include "monitor/names.h"
#include "monitor/span.h"
#include "monitor/tickets.h"
#include "monitor/whereabouts.h"

static void drop_waiters(struct monitor *m, uint32_t core)
{
	for (struct waiter **link = &m->waiters; *link != NULL;) {
		struct waiter *w = *link;

		if (w->core != core) {
			link = &w->next;
			continue;
		}
		*link = w->next;
		free(w);
	}
}

static void drop_texts(struct monitor *m, uint32_t core)
{
	for (struct spawn_text **link = &m->texts; *link != NULL;) {
		struct spawn_text *t = *link;

		if (t->core != core) {
			link = &t->next;
			continue;
		}
		*link = t->next;
		free(t);
	}
}

void core_lost(struct monitor *m, uint32_t core)
{
	if (m->peer[core].state == PEER_LOST)
		return;
	mesh_forget(m, core);
	for (unsigned i = 0; i < TICKETS_MAX; i++)
		if (m->ticket[i].kind != TICKET_FREE && m->ticket[i].core == core)
			ticket_fail(m, &m->ticket[i], ERR(CORE_DEAD));
	connections_lose_core(m, core);
	spans_lose_core(m, core);
	departures_lose_core(m, core);
	arrivals_lose_core(m, core);
	whereabouts_lose_core(m, core);
	drop_waiters(m, core);
	drop_texts(m, core);
	if (m->core != 0)
		return;
	names_forget_core(m, core);
	/* Its balance will never come. */
	if (m->peer[core].owes_balance && m->cores_left > 0)
		m->cores_left--;
	m->peer[core].owes_balance = m->peer[core].balanced = false;
}

/* ---- What it could write to ---- */

struct quarantined {
	struct quarantined *next;
	uint32_t core;
	struct block block;
};

void core_lost_keeps(struct monitor *m, uint32_t core, struct block *b)
{
	struct quarantined *q;

	if (b->bytes == 0)
		return;
	q = malloc(sizeof(*q));
	if (q == NULL)
		return; /* lost, and seen in the balance */
	*q = (struct quarantined){m->membership.quarantine, core, *b};
	m->membership.quarantine = q;
	*b = (struct block){0};
}

void core_buried(struct monitor *m, uint32_t core)
{
	for (struct quarantined **link = &m->membership.quarantine; *link != NULL;) {
		struct quarantined *q = *link;

		if (q->core != core) {
			link = &q->next;
			continue;
		}
		*link = q->next;
		block_give(m, &q->block);
		free(q);
	}
	mesh_bury(m, core);
}
