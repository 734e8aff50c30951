/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include <stdlib.h>

#include "monitor/bind.h"
#include "monitor/loss.h"
#include "monitor/names.h"
#include "monitor/report.h"
#include "monitor/tickets.h"

static void drop_queue(struct peer *p)
{
	while (p->first != NULL) {
		struct queued *q = p->first;

		p->first = q->next;
		free(q);
	}
}

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
	if (m->peer[core].state == PEER_SUSPECTED)
		return;
	m->peer[core].state = PEER_SUSPECTED;
	report_line(m, "@event {\"event\":\"core_suspected\",\"core\":%u,\"by\":%u}", core, m->core);
	for (unsigned i = 0; i < TICKETS_MAX; i++)
		if (m->ticket[i].kind != TICKET_FREE && m->ticket[i].core == core)
			ticket_fail(m, &m->ticket[i], ERR(CORE_DEAD));
	connections_lose_core(m, core);
	drop_queue(&m->peer[core]);
	drop_waiters(m, core);
	drop_texts(m, core);
	if (m->core != 0)
		return;
	names_forget_core(m, core);
	/* Its balance will never come. */
	if (m->peer[core].owes_balance && m->cores_left > 0)
		m->cores_left--;
	m->peer[core].owes_balance = false;
}
