/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* What the agreement of a core has in hand, told to who may ask (REQUEST_list_agreement). The records have an order, and a listing begins
 * at any of them, because a page does not hold them all; between two pages the tables may change, so it is a picture and no basis for
 * decisions.
 *
 *   domain                  its monitor                    the monitor of the core in question
 *      list_agreement ────────▶ list_agreement ───────────────▶
 *                               ◀─────────────── agreement_listed ...    a record each, the last one of kind END
 *      ◀──────────────── done */

#include <string.h>

#include "monitor/agreement/agreement.h"
#include "monitor/balance.h"
#include "monitor/domain.h"
#include "monitor/handlers.h"
#include "monitor/mesh.h"
#include "monitor/platform.h"
#include "monitor/tickets.h"

_Static_assert(sizeof(struct message_agreement_listed) == sizeof(struct agreement_info), "a record is the message that brings it");
_Static_assert(sizeof(struct core_set) == sizeof(((struct agreement_info *)0)->word), "the holders of an object");

#define SAME(a, b) _Static_assert((int)(a) == (int)(b), "an operation's kind, as domains know it")
SAME(OPERATION_COPY, ASKED_COPY);
SAME(OPERATION_MOVE, ASKED_MOVE);
SAME(OPERATION_RETYPE, ASKED_RETYPE);
SAME(OPERATION_DELETE, ASKED_DELETE);
SAME(OPERATION_REVOKE, ASKED_REVOKE);
SAME(OPERATION_SWEEP, PART_SWEEP);
SAME(OPERATION_OWNER, PART_OWNER);
SAME(OPERATION_HOLDER, PART_HOLDER);
SAME(OPERATION_TRANSFER, PART_TRANSFER);

/* One page of a listing while it is made. */
struct listing {
	struct monitor *m;
	uint32_t to, ticket;
	uint64_t first, count; /* records before the page; all so far */
};

static bool is_on_page(const struct listing *l, uint64_t number)
{
	return number >= l->first && number < l->first + AGREEMENT_PAGE;
}

static void tell(struct listing *l, const struct agreement_info *record)
{
	const uint64_t number = l->count++;
	struct message_agreement_listed message;

	if (!is_on_page(l, number))
		return;
	memcpy(&message, record, sizeof(message));
	message.ticket = l->ticket;
	mesh_send(l->m, l->to, MESSAGE_agreement_listed, &message);
}

static void tell_numbers(struct listing *l)
{
	const struct agreement *a = &l->m->agreement;
	const struct agreement_statistics *s = &a->statistics;

	tell(l, &(struct agreement_info){.kind = AGREEMENT_INFO_TRAFFIC, .base = a->view, .word = {s->sent, s->received, s->refused}});
	for (unsigned kind = 1; kind < ASKED_KINDS; kind++) {
		const struct agreement_cost *cost = &l->m->cost[kind];

		tell(l, &(struct agreement_info){.kind = AGREEMENT_INFO_COST,
		                                 .detail = (uint8_t)kind,
		                                 .word = {cost->operations, cost->messages, cost->cycles, cost->longest}});
	}
}

/* Every capability is looked at for it. */
static void tell_balance(struct listing *l)
{
	struct balance b = {0};

	if (is_on_page(l, l->count)) {
		balance_note(l->m); /* a core where nothing has been started yet */
		b = balance_now(l->m);
	}
	tell(l, &(struct agreement_info){
	            .kind = AGREEMENT_INFO_BALANCE, .base = b.ram, .size = l->m->ram.total, .word = {b.capabilities, b.channels}});
}

static void tell_load(struct listing *l)
{
	uint64_t counter[CORE_COUNTERS];

	platform_counters(counter);
	tell(l, &(struct agreement_info){
	            .kind = AGREEMENT_INFO_LOAD,
	            .base = counter[COUNTER_SENT],
	            .size = counter[COUNTER_RECEIVED],
	            .word = {counter[COUNTER_BUSY], counter[COUNTER_WAKE_UPS], counter[COUNTER_FAULTS], counter[COUNTER_CALLS]}});
}

static void tell_operations(struct listing *l)
{
	for (unsigned i = 0; i < OPERATIONS_MAX; i++) {
		const struct operation *o = &l->m->agreement.operation[i];

		if (o->kind != OPERATION_NONE)
			tell(l, &(struct agreement_info){.kind = AGREEMENT_INFO_OPERATION,
			                                 .type = (uint8_t)o->object.type,
			                                 .core = (uint8_t)o->core,
			                                 .detail = (uint8_t)o->kind,
			                                 .base = o->object.base,
			                                 .size = o->object.size,
			                                 .word = {o->messages, set_count(&o->left), o->serving, o->phase}});
	}
}

static void tell_objects(struct listing *l)
{
	for (unsigned i = 0; i < SHARED_MAX; i++) {
		const struct shared *s = &l->m->agreement.shared[i];
		struct agreement_info record = {.kind = AGREEMENT_INFO_OBJECT,
		                                .type = (uint8_t)s->object.type,
		                                .core = (uint8_t)s->owner,
		                                .base = s->object.base,
		                                .size = s->object.size};

		if (s->object.type == CAP_Null)
			continue;
		record.detail = (uint8_t)((s->anchor.value != CAP_NULL.value ? AGREEMENT_ANCHORED : 0) |
		                          (s->busy != 0 ? AGREEMENT_BUSY : 0) | (s->moving_to != 0 ? AGREEMENT_MOVING : 0));
		memcpy(record.word, &s->holders, sizeof(record.word));
		tell(l, &record);
	}
}

void handle_list_agreement(struct monitor *m, uint32_t from, const struct message_list_agreement *message)
{
	struct listing l = {.m = m, .to = from, .ticket = message->ticket, .first = message->first};

	tell_numbers(&l);
	tell_load(&l);
	tell_balance(&l);
	tell_operations(&l);
	tell_objects(&l);
	MESH_SEND(m, from, agreement_listed, .ticket = message->ticket, .kind = AGREEMENT_INFO_END, .base = l.count);
}

void handle_agreement_listed(struct monitor *m, uint32_t from, const struct message_agreement_listed *message)
{
	struct ticket *t = ticket_find(m, message->ticket, TICKET_LIST, from);
	struct domain *d = t == NULL ? NULL : domain_find(m, t->domain);

	if (t == NULL)
		return;
	if (message->kind == AGREEMENT_INFO_END) {
		if (d != NULL)
			domain_event(m, d, EVENT_done, (uint64_t[]){t->tag, ERR_NUMBER_OK, t->value, message->base}, 4);
		ticket_close(m, t);
		return;
	}
	if (d != NULL && t->value < AGREEMENT_PAGE)
		memcpy((struct agreement_info *)(d->start + PAGE_BYTES) + t->value++, message, sizeof(*message));
}
