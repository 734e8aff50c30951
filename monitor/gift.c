/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include "monitor/bind.h"
#include "monitor/capability.h"
#include "monitor/domain.h"
#include "monitor/gift.h"

struct gift {
	struct connection *connection;
	cap_t cap;
	struct cap_identity id;
	uint32_t tag;
	unsigned rights;
	bool move;
};

/* Memory of this core that belongs to no domain is the monitor's: rings, and what else it shares with domains. Of another core's memory,
 * the rings of peers are its monitor's. */
static bool is_monitors(const struct monitor *m, const struct cap_identity *id)
{
	if (id->type != CAP_Frame)
		return false;
	if (id->owner != m->core)
		return connection_has_ring(m, id->base);
	for (unsigned i = 0; i < m->roots; i++)
		if (id->base >= m->root[i].base && id->base - m->root[i].base < m->root[i].bytes)
			return !domain_has_memory(m, id->base, id->size);
	return false;
}

static err_t to_this_core(struct monitor *m, struct capability_work *w, const struct gift *g)
{
	struct connection *peer = connection_of(m, domain_find(m, g->connection->peer_domain), g->connection->peer_number);
	struct domain *giver = domain_find(m, g->connection->domain);
	err_t e = peer == NULL ? ERR(PEER_GONE) : connection_give(m, peer, g->cap, g->rights, g->tag);

	/* From now on it can't take its memory elsewhere. */
	if (is_ok(e) && giver != NULL && domain_has_memory(m, g->id.base, g->id.size))
		giver->shares = true;

	/* A move takes the giver's own away, with its mapping. */
	if (is_ok(e))
		capability_finish(m, w, OK, g->cap, 0);
	return e;
}

static err_t introduce(struct monitor *m, struct domain *d, struct capability_work *w, const struct gift *g)
{
	const struct domain *server = domain_of_dispatcher(m, g->id.base);
	err_t e;

	if (g->move)
		return ERR(CAP_TYPE);
	if (!(g->id.rights & RIGHT_WRITE))
		return ERR(CAP_RIGHTS);
	e = server == NULL ? ERR(PERMISSION) : connection_introduce(m, d, w->tag, g->connection, server, g->id.extra, g->tag);
	if (is_err(e))
		return e;
	/* The ticket says how it went. */
	w->tag = 0;
	capability_finish(m, w, OK, g->cap, 0);
	return OK;
}

static err_t send(struct monitor *m, struct domain *d, struct capability_work *w, const struct gift *g)
{
	const struct connection *c = g->connection;

	if (g->id.type == CAP_Endpoint)
		return introduce(m, d, w, g);
	if (is_monitors(m, &g->id))
		return ERR(PERMISSION);
	if (c->peer_core == m->core)
		return to_this_core(m, w, g);
	return agreement_copy(&m->agreement, capability_token(m, w), g->cap, (uint16_t)g->rights, c->peer_core,
	                      (uint64_t)c->peer_number << 32 | g->tag, g->move);
}

err_t gift_begin(struct monitor *m, struct domain *d, struct capability_work *w)
{
	const struct capability_request *r = &w->request;
	struct gift g = {
	    .connection = connection_of(m, d, (uint32_t)r->offset),
	    .tag = (uint32_t)(r->offset >> 32),
	    .rights = r->bytes & RIGHTS_ALL,
	    .move = r->operation == CAPABILITY_MOVE,
	};
	err_t e;

	if (g.connection == NULL)
		return ERR(NOT_FOUND);
	e = capability_fetch(d, r->cap, g.move, &g.cap);
	if (is_err(e))
		return e;
	e = cap_identify(g.cap, &g.id);
	if (is_ok(e))
		e = send(m, d, w, &g);
	if (is_err(e))
		capability_put_back(m, d, r, g.cap);
	return e;
}
