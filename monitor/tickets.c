/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include "monitor/bind.h"
#include "monitor/domain.h"
#include "monitor/mesh.h"
#include "monitor/span.h"
#include "monitor/tickets.h"

uint32_t ticket_number(const struct monitor *m, const struct ticket *t)
{
	return (uint32_t)t->generation << 16 | (uint32_t)(t - m->ticket);
}

uint32_t ticket_open(struct monitor *m, enum ticket_kind kind, uint32_t core, uint32_t domain, uint32_t tag, struct ticket **out)
{
	for (unsigned i = 0; i < TICKETS_MAX; i++) {
		struct ticket *t = &m->ticket[i];
		struct domain *d = domain_find(m, domain);

		if (t->kind != TICKET_FREE)
			continue;
		*t = (struct ticket){.kind = kind, .generation = (uint16_t)(t->generation + 1), .core = core, .domain = domain, .tag = tag};
		if (t->generation == 0)
			t->generation = 1;
		if (d != NULL)
			d->tickets++;
		if (out != NULL)
			*out = t;
		return ticket_number(m, t);
	}
	return 0;
}

struct ticket *ticket_find(struct monitor *m, uint32_t number, enum ticket_kind kind, uint32_t from)
{
	uint32_t index = number & 0xffff;
	struct ticket *t = &m->ticket[index < TICKETS_MAX ? index : 0];

	return t->kind == kind && t->core == from && ticket_number(m, t) == number ? t : NULL;
}

void ticket_close(struct monitor *m, struct ticket *t)
{
	struct domain *d = domain_find(m, t->domain);

	if (d != NULL && d->tickets > 0)
		d->tickets--;
	t->kind = TICKET_FREE;
}

uint32_t ticket_renew(struct monitor *m, struct ticket *t, enum ticket_kind kind, uint32_t core)
{
	t->kind = kind;
	t->core = core;
	t->generation++;
	if (t->generation == 0)
		t->generation = 1;
	return ticket_number(m, t);
}

void ticket_fail(struct monitor *m, struct ticket *t, err_t e)
{
	struct domain *d = domain_find(m, t->domain);
	const struct ticket was = *t;

	ticket_close(m, t);
	if (was.kind == TICKET_CONNECT || was.kind == TICKET_LINK)
		connection_abandon(m, was.value);
	if (was.kind == TICKET_OFFER) {
		platform_reply(&(struct platform_reply){was.token, {e.number}});
		return;
	}
	if (introduction_failed(m, &was, e))
		return;
	if (d == NULL)
		return;
	switch (was.kind) {
	case TICKET_RESOLVE:
	case TICKET_CONNECT:
		domain_bound_failed(m, d, was.tag, e);
		break;
	case TICKET_LINK:
		span_link_bound(m, d, e);
		break;
	case TICKET_SPAWN:
		domain_event(m, d, EVENT_spawned, (uint64_t[]){was.tag, e.number, 0}, 3);
		break;
	case TICKET_WAIT:
		/* The core is gone, and with it the domain: that is an answer. */
		domain_event(m, d, EVENT_ended,
		             (uint64_t[]){was.tag, err_is(e, ERR_NUMBER_CORE_DEAD) ? ERR_NUMBER_OK : e.number, was.value, 0, END_CORE}, 5);
		break;
	default:
		domain_event(m, d, EVENT_done, (uint64_t[]){was.tag, e.number, 0}, 3);
		break;
	}
}
