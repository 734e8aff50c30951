/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* The capability space and the dispatcher of a domain that comes here. Each slot gets a copy of what it held: of an object that has been
 * made (arrive_objects.c), or of what takes the place here of something that belongs to a core. It is mapped where it was mapped. */

#include <string.h>

#include <atoll/address_space.h>

#include "monitor/arrive.h"
#include "monitor/domain.h"
#include "monitor/move.h"
#include "monitor/platform.h"
#include "monitor/rebind.h"
#include "monitor/trace.h"

#define ARRIVE_WINDOW 251 /* a root slot of ours through which the domain's CNodes are filled */

static uint32_t renumbered(const struct arrival *a, uint64_t was)
{
	for (unsigned i = 0; i < a->connections; i++)
		if (a->was[i] == was)
			return a->is[i];
	return 0;
}

/* What the slot holds a copy of; CAP_NULL: nothing any more. */
static cap_t source_of(struct monitor *m, struct domain *d, const struct message_arrive_cap *c)
{
	const struct arrival *a = d->arrival;
	const struct rebound r = rebind_caps(m, renumbered(a, c->base));
	const struct carried_object *o;

	switch ((enum carried)c->what) {
	case CARRIED_OWN:
		o = arrival_find_object(a, c->base, c->size, (enum cap_type)c->type);
		return o == NULL ? CAP_NULL : o->cap;
	case CARRIED_MACHINE:
		return m->machine_frame;
	case CARRIED_RING:
		return r.ring;
	case CARRIED_PEER_RING:
		return r.peer_ring;
	case CARRIED_DOORBELL:
		return r.doorbell;
	case CARRIED_TRACE:
		return tracing_take(m, d);
	default:
		return CAP_NULL;
	}
}

static const struct carried_object *table_at(const struct arrival *a, uint64_t base)
{
	for (enum cap_type type = CAP_PageTable1; type <= CAP_PageTable4; type++) {
		const struct carried_object *o = arrival_find_object(a, base, PAGE_TABLE_BYTES, type);

		if (o != NULL)
			return o;
	}
	return NULL;
}

static err_t map_slot(const struct arrival *a, const struct message_arrive_cap *c, cap_t here)
{
	const struct carried_object *table = table_at(a, c->table);

	if (table == NULL)
		return ERR(MESSAGE);
	if (c->type >= CAP_PageTable1 && c->type <= CAP_PageTable3)
		return platform_map_table(here, c->type - CAP_PageTable1 + 1u, table->cap, c->entry);
	return platform_map_frame(here, table->cap, c->entry, c->map_rights, c->offset, c->count);
}

static err_t fill_slot(struct monitor *m, struct domain *d, const struct message_arrive_cap *c)
{
	const cap_t here = CAP(ARRIVE_WINDOW, c->cap & 0xff);
	cap_t source;
	err_t e;

	if (c->what == CARRIED_MONITOR)
		return platform_endpoint(CAP_SELF_DISPATCHER, here, d->number);
	source = source_of(m, d, c);
	if (source.value == CAP_NULL.value && c->what == CARRIED_TRACE)
		return ERR(LIMIT); /* a thread may be writing to it */
	if (source.value == CAP_NULL.value)
		return c->what == CARRIED_OWN || c->what >= CARRIED_KINDS ? ERR(MESSAGE) : OK;
	e = cap_mint(source, here, RIGHTS(c->rights), 0);
	return is_ok(e) && c->count != 0 ? map_slot(d->arrival, c, here) : e;
}

/* The CNode in that root slot, which is known by now. */
static err_t open_cnode(const struct arrival *a, unsigned root)
{
	for (unsigned i = 0; i < a->caps && a->cap[i].cap >> 8 == ROOT_SELF; i++) {
		const struct message_arrive_cap *c = &a->cap[i];
		const struct carried_object *o = arrival_find_object(a, c->base, c->size, (enum cap_type)c->type);

		if (c->cap == CAP(ROOT_SELF, root).value && c->type == CAP_CNode && o != NULL)
			return cap_copy(o->cap, CAP(ROOT_SELF, ARRIVE_WINDOW));
	}
	return ERR(MESSAGE);
}

static void close_cnode(void)
{
	(void)!is_ok(cap_delete(CAP(ROOT_SELF, ARRIVE_WINDOW)));
}

err_t arrival_fill_some(struct monitor *m, struct domain *d)
{
	struct arrival *a = d->arrival;
	unsigned root = a->at < a->caps ? a->cap[a->at].cap >> 8 : 0;
	err_t e = open_cnode(a, root);

	if (is_err(e))
		return e;
	for (unsigned i = 0; is_ok(e) && i < ARRIVAL_MAKE_SLICE && a->at < a->caps && a->cap[a->at].cap >> 8 == root; i++)
		e = fill_slot(m, d, &a->cap[a->at++]);
	close_cnode();
	if (is_ok(e) && a->at == a->caps)
		a->state = ARRIVE_READY;
	return e;
}

/* ---- Its dispatcher, and what this monitor keeps ---- */

static const struct carried_object *object_in(const struct arrival *a, cap_t slot, enum cap_type type)
{
	for (unsigned i = 0; i < a->caps; i++)
		if (a->cap[i].cap == slot.value && a->cap[i].type == type)
			return arrival_find_object(a, a->cap[i].base, a->cap[i].size, type);
	return NULL;
}

static err_t keep(const struct carried_object *o, cap_t *out)
{
	err_t e = cap_slot_alloc(out);

	if (is_err(e)) {
		*out = CAP_NULL;
		return e;
	}
	return cap_copy(o->cap, *out);
}

static err_t map_start_area(struct monitor *m, struct domain *d)
{
	struct domain_start *page;
	void *at;
	err_t e = frame_map(d->start_frame, 0, DOMAIN_START_BYTES, RIGHTS(RIGHT_READ | RIGHT_WRITE), &at);

	if (is_err(e))
		return e;
	d->start = at;
	page = at;
	page->core = m->core;
	page->node = m->node;
	page->moves = d->moves;
	page->ram_base = d->block.base;
	page->trace_bytes = tracing_bytes_of(m, d);
	memset(d->start + 2 * PAGE_BYTES, 0, 2 * PAGE_BYTES);
	return OK;
}

static void ring_domain(void *argument)
{
	const struct domain *d = argument;

	platform_ring(d->doorbell);
}

err_t arrival_configure(struct monitor *m, struct domain *d)
{
	const struct arrival *a = d->arrival;
	const struct carried_object *dispatcher = object_in(a, CAP_SELF_DISPATCHER, CAP_Dispatcher);
	const struct carried_object *root = object_in(a, CAP(ROOT_SELF, ROOT_SELF), CAP_CNode),
	                            *task = object_in(a, CAP(ROOT_SELF, ROOT_TASK), CAP_CNode);
	const struct carried_object *level4 = object_in(a, CAP_PAGE_TABLE4, CAP_PageTable4);
	struct cap_identity id;
	err_t e;

	if (dispatcher == NULL || root == NULL || task == NULL || level4 == NULL)
		return ERR(STAYS);
	e = keep(dispatcher, &d->dispatcher);
	if (is_ok(e))
		e = keep(task, &d->task);
	if (is_ok(e))
		e = cap_identify(d->dispatcher, &id);
	if (is_ok(e))
		e = cap_slot_alloc(&d->doorbell);
	if (is_err(e))
		return e;
	d->dispatcher_base = id.base;
	tracing_describe(m, d);
	e = platform_doorbell(d->dispatcher, d->doorbell, &d->doorbell_base, &d->doorbell_extra);
	if (is_ok(e))
		e = platform_dispatcher_configure(d->dispatcher, root->cap, level4->cap, USER_DISPATCHER, d->name);
	if (is_ok(e))
		e = map_start_area(m, d);
	if (is_ok(e) &&
	    !channel_ok(channel_init(&d->events, d->start + 3 * PAGE_BYTES, d->start + 2 * PAGE_BYTES, DOMAIN_EVENT_SLOTS, ring_domain, d)))
		e = ERR(STATE);
	return e;
}
