/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include <stdlib.h>
#include <string.h>

#include <atoll/address_space.h>

#include "libos/trace/trace.h"
#include "monitor/bind.h"
#include "monitor/block.h"
#include "monitor/capability.h"
#include "monitor/clear.h"
#include "monitor/domain.h"
#include "monitor/handlers.h"
#include "monitor/mesh.h"
#include "monitor/move.h"
#include "monitor/names.h"
#include "monitor/report.h"
#include "monitor/revocation.h"
#include "monitor/span.h"
#include "monitor/tickets.h"
#include "monitor/trace.h"
#include "monitor/whereabouts.h"

static struct domain *in_phase(struct monitor *m, uint32_t number, enum domain_phase phase)
{
	for (unsigned i = 0; i < DOMAINS_MAX && number != 0; i++)
		if (m->domain[i].number == number && m->domain[i].phase == phase)
			return &m->domain[i];
	return NULL;
}

struct domain *domain_find(struct monitor *m, uint32_t number)
{
	return in_phase(m, number, DOMAIN_RUNNING);
}

struct domain *domain_departing(struct monitor *m, uint32_t number)
{
	return in_phase(m, number, DOMAIN_DEPARTING);
}

struct domain *domain_arriving(struct monitor *m, uint32_t number)
{
	return in_phase(m, number, DOMAIN_ARRIVING);
}

bool domain_is_moving(struct monitor *m, uint32_t number)
{
	return domain_departing(m, number) != NULL || domain_arriving(m, number) != NULL;
}

static bool number_in_use(const struct monitor *m, uint32_t number)
{
	for (unsigned i = 0; i < DOMAINS_MAX; i++)
		if (m->domain[i].phase != DOMAIN_FREE && m->domain[i].number == number)
			return true;
	return false;
}

uint32_t domain_number(struct monitor *m)
{
	uint32_t number;

	do {
		m->domain_count++;
		number = m->core << 16 | m->domain_count;
	} while (m->domain_count == 0 || number_in_use(m, number) || whereabouts_has(m, number));
	return number;
}

struct domain *domain_new(struct monitor *m)
{
	for (unsigned i = 0; i < DOMAINS_MAX; i++) {
		struct domain *d = &m->domain[i];

		if (d->phase != DOMAIN_FREE)
			continue;
		*d = (struct domain){0};
		d->number = domain_number(m);
		return d;
	}
	return NULL;
}

struct domain *domain_of_dispatcher(struct monitor *m, uint64_t base)
{
	for (unsigned i = 0; i < DOMAINS_MAX; i++)
		if (m->domain[i].phase == DOMAIN_RUNNING && m->domain[i].dispatcher_base == base)
			return &m->domain[i];
	return NULL;
}

static bool contains(const struct block *b, uint64_t base, uint64_t bytes)
{
	return base >= b->base && base - b->base < b->bytes && bytes <= b->bytes - (base - b->base);
}

bool domain_has_memory(const struct monitor *m, uint64_t base, uint64_t bytes)
{
	for (unsigned i = 0; i < DOMAINS_MAX; i++) {
		const struct domain *d = &m->domain[i];
		bool any = contains(&d->block, base, bytes);

		for (unsigned b = 0; b < GRANTS_MAX; b++)
			any |= contains(&d->grant_of[b].block, base, bytes);
		if (any && d->phase != DOMAIN_FREE)
			return true;
	}
	return false;
}

/* ---- Events ---- */

static bool event_sent(struct domain *d, uint16_t type, const uint64_t *words)
{
	struct channel_message ignored;
	struct channel_result r;

	/* Receiving is how acknowledgements arrive; the domain has nothing else to say here. */
	while (channel_ok(channel_try_receive(&d->events, &ignored)))
		;
	if (trace_is_on())
		trace_sending(&d->events, trace_tidings_ring(d->number), TRACE_TIDINGS, type, sizeof(uint64_t) * CHANNEL_WORDS);
	r = channel_send(&d->events, type, words, CHANNEL_WORDS);
	/* A domain that breaks its own event channel hears no more: as good as sent. */
	return r.code != CHANNEL_FULL;
}

void domain_events_retry(struct domain *d)
{
	while (d->first != NULL && event_sent(d, d->first->type, d->first->words)) {
		struct event *sent = d->first;

		d->first = sent->next;
		d->kept--;
		free(sent);
	}
}

unsigned domain_unread(const struct domain *d)
{
	return channel_outstanding(&d->events) + d->kept;
}

static void event_keep(struct monitor *m, struct domain *d, const struct event *event)
{
	struct event *e = malloc(sizeof(*e));

	if (e == NULL) {
		report_line(m, "monitor %u: no memory for an event of %s", m->core, d->name);
		return;
	}
	*e = *event;
	if (d->first == NULL)
		d->first = e;
	else
		d->last->next = e;
	d->last = e;
	d->kept++;
	m->events_waiting = m->stirred = true;
}

void domain_event(struct monitor *m, struct domain *d, enum monitor_event event, const uint64_t *words, unsigned count)
{
	struct event e = {.type = (uint16_t)event};

	memcpy(e.words, words, count * sizeof(uint64_t));
	d->told++;
	domain_events_retry(d);
	if (d->first != NULL || !event_sent(d, e.type, e.words))
		event_keep(m, d, &e);
}

void domain_bound_failed(struct monitor *m, struct domain *d, uint32_t tag, err_t e)
{
	uint64_t words[CHANNEL_WORDS] = {0};

	memcpy(words, &(struct bound_event){.tag = tag, .error = e.number}, sizeof(struct bound_event));
	domain_event(m, d, EVENT_bound, words, CHANNEL_WORDS);
}

/* ---- Its capability space ---- */

err_t task_open(const struct domain *d)
{
	return cap_copy(d->task, CAP(ROOT_SELF, TASK_WINDOW));
}

void task_close(void)
{
	(void)!is_ok(cap_delete(CAP(ROOT_SELF, TASK_WINDOW)));
}

static uint64_t memory_of(const struct domain *d)
{
	uint64_t bytes = d->block.bytes;

	for (unsigned i = 0; i < GRANTS_MAX; i++)
		bytes += d->grant_of[i].block.bytes;
	return bytes;
}

/* Blocks are whole pages, the quota need not be. */
static bool exceeds_quota(const struct domain *d, uint64_t bytes)
{
	const uint64_t has = memory_of(d), whole = page_up(bytes);

	return d->quota != 0 && (has > d->quota || whole > d->quota - has);
}

err_t domain_more_memory(struct monitor *m, struct domain *d, uint64_t bytes, uint64_t alignment, uint64_t slot, uint64_t *base,
                         uint64_t *size)
{
	struct grant *g = NULL;
	struct block *b;
	err_t e;

	for (unsigned i = 0; i < GRANTS_MAX && g == NULL; i++)
		if (d->grant_of[i].block.bytes == 0)
			g = &d->grant_of[i];
	if (g == NULL)
		return ERR(LIMIT);
	if (slot >= CNODE_SLOTS || bytes == 0 || bytes > WINDOW_BYTES)
		return ERR(ARGUMENT);
	if (exceeds_quota(d, bytes + PAGE_BYTES))
		return ERR(NO_MEMORY);
	if (d->revocation.kind == REVOKE_MEMORY)
		return ERR(NO_MEMORY);
	*g = (struct grant){.state = GRANT_HELD, .order = ++d->granted};
	b = &g->block;
	/* An object of its own, smaller by a page: revoking it is not revoking this monitor's block. */
	e = block_take_aligned(m, CAP_RAM, bytes + PAGE_BYTES, alignment, b);
	if (is_err(e))
		return e;
	e = task_open(d);
	if (is_ok(e)) {
		e = cap_retype(b->cap, CAP_RAM, 0, b->bytes - PAGE_BYTES, 1, CAP(TASK_WINDOW, slot));
		task_close();
	}
	*base = b->base;
	*size = b->bytes - PAGE_BYTES;
	if (is_err(e))
		block_give(m, b);
	return e;
}

/* ---- The end ---- */

static void forget_tickets(struct monitor *m, const struct domain *d)
{
	for (unsigned i = 0; i < TICKETS_MAX; i++) {
		struct ticket *t = &m->ticket[i];

		if (t->kind == TICKET_FREE || t->domain != d->number)
			continue;
		if (t->kind == TICKET_RESOLVE)
			MESH_SEND(m, 0, forget, .domain = d->number);
		if (t->kind == TICKET_CONNECT || t->kind == TICKET_LINK)
			connection_abandon(m, t->value);
		introduction_failed(m, t, ERR(PEER_GONE));
		ticket_close(m, t);
	}
}

void domain_end(struct monitor *m, struct domain *d, enum end_cause cause, uint64_t status)
{
	if (d->phase != DOMAIN_RUNNING)
		return;
	d->cause = cause;
	d->status = status;
	if (trace_is_on())
		trace_write(trace_word(TRACE_end_domain, (uint16_t)cause, d->number), status, 0);
	platform_dispatcher_stop(d->dispatcher);
	depart_forget(m, d);
	forget_tickets(m, d);
	d->phase = DOMAIN_STOPPING;
	m->domains_ending++;
	MESH_SEND(m, 0, withdraw, .domain = d->number); /* all its names */
	revocation_domain_ends(m, d);
	span_member_ends(m, d);
	connections_end(m, d);
}

static bool ends_last(const struct monitor *m, const struct domain *d)
{
	return d->number == m->acpi || (d->rights != NULL && d->rights->last);
}

void domain_end_all(struct monitor *m, bool spare_last)
{
	for (unsigned i = 0; i < DOMAINS_MAX; i++) {
		struct domain *d = &m->domain[i];

		if (d->phase == DOMAIN_RUNNING && d->number != m->acpi && !(spare_last && ends_last(m, d)))
			domain_end(m, d, END_KILLED, 0);
		else if (d->phase == DOMAIN_DEPARTING || d->phase == DOMAIN_ARRIVING)
			d->doomed = true;
	}
}

unsigned domains_left(const struct monitor *m, bool spare_last)
{
	unsigned left = 0;

	for (unsigned i = 0; i < DOMAINS_MAX; i++) {
		const struct domain *d = &m->domain[i];

		left += d->phase != DOMAIN_FREE && d->number != m->acpi && !(spare_last && d->phase == DOMAIN_RUNNING && ends_last(m, d));
	}
	return left;
}

static void tell(struct monitor *m, uint32_t core, uint32_t ticket, const struct ending *e)
{
	MESH_SEND(m, core, ended, .ticket = ticket, .domain = e->domain, .cause = (uint32_t)e->cause, .status = e->status);
}

void domain_note_ending(struct monitor *m, uint32_t domain, enum end_cause cause, uint64_t status)
{
	m->ending[m->endings++ % ENDINGS_MAX] = (struct ending){domain, cause, status};
}

static void tell_waiters(struct monitor *m, const struct domain *d)
{
	const struct ending *ending = &m->ending[m->endings % ENDINGS_MAX];

	domain_note_ending(m, d->number, d->cause, d->status);
	for (struct waiter **link = &m->waiters; *link != NULL;) {
		struct waiter *w = *link;

		if (w->domain != d->number) {
			link = &w->next;
			continue;
		}
		tell(m, w->core, w->ticket, ending);
		*link = w->next;
		free(w);
	}
}

err_t domain_wait_here(struct monitor *m, uint32_t core, uint32_t ticket, uint32_t domain)
{
	struct waiter *w;

	for (unsigned i = 0; i < ENDINGS_MAX; i++)
		if (m->ending[i].domain == domain && domain != 0 && !number_in_use(m, domain)) {
			tell(m, core, ticket, &m->ending[i]);
			return OK;
		}
	if (!number_in_use(m, domain))
		return ERR(NOT_FOUND);
	w = malloc(sizeof(*w));
	if (w == NULL)
		return ERR(NO_MEMORY);
	*w = (struct waiter){m->waiters, core, ticket, domain};
	m->waiters = w;
	return OK;
}

/* What the monitor held of the domain besides its blocks: if these were revoked, the slots are empty. */
static void let_go(struct domain *d)
{
	const cap_t held[] = {d->dispatcher, d->task, d->doorbell, d->start_frame, d->grant};

	for (unsigned i = 0; i < sizeof(held) / sizeof(held[0]); i++)
		if (held[i].value != CAP_NULL.value) {
			(void)!is_ok(cap_delete(held[i]));
			cap_slot_free(held[i]);
		}
	d->dispatcher = d->task = d->doorbell = d->start_frame = d->grant = CAP_NULL;
	while (d->first != NULL) {
		struct event *e = d->first;

		d->first = e->next;
		free(e);
	}
	d->kept = 0;
}

static struct block *next_block(struct domain *d)
{
	for (unsigned i = 0; i < GRANTS_MAX; i++)
		if (d->grant_of[i].block.bytes != 0)
			return &d->grant_of[i].block;
	return d->block.bytes != 0 ? &d->block : NULL;
}

static void begin_revoke(struct monitor *m, struct domain *d)
{
	err_t e;

	d->phase = DOMAIN_AGREEING; /* it may be over before the call is */
	e = capability_revoke_block(m, d, next_block(d)->cap);
	/* LIMIT: too much is under way. Its turn comes. */
	if (err_is(e, ERR_NUMBER_LIMIT))
		d->phase = DOMAIN_REVOKING;
	else if (is_err(e))
		domain_revoked(m, d->number, e);
}

void domain_revoked(struct monitor *m, uint32_t number, err_t e)
{
	for (unsigned i = 0; i < DOMAINS_MAX; i++) {
		struct domain *d = &m->domain[i];

		if (d->number != number || d->phase != DOMAIN_AGREEING)
			continue;
		d->cleared = 0;
		/* A core has died meanwhile: what it held is decided anew. */
		d->phase = err_is(e, ERR_NUMBER_CORE_DEAD) ? DOMAIN_REVOKING : DOMAIN_CLEARING;
		if (is_err(e) && d->phase == DOMAIN_CLEARING)
			report_line(m, "monitor %u: the memory of %s can't be revoked: %s", m->core, d->name, err_sentence(e));
	}
}

static void clear(struct monitor *m, struct domain *d)
{
	struct block *b = next_block(d);
	err_t e = clear_slice(b, &d->cleared);

	if (is_ok(e) && d->cleared < b->bytes)
		return;
	if (is_ok(e)) {
		block_give(m, b);
	} else {
		report_line(m, "monitor %u: %lu bytes of memory of %s can't be used again: %s", m->core, (unsigned long)b->bytes, d->name,
		            err_sentence(e));
		*b = (struct block){0};
	}
	d->phase = DOMAIN_REVOKING;
}

/* All its memory has been given back; one that could not come here may never have had any. */
static void linger(struct monitor *m, struct domain *d)
{
	let_go(d);
	tracing_give(m, d);
	d->phase = DOMAIN_LINGERING;
	domain_over(m, d);
}

void domain_over(struct monitor *m, struct domain *d)
{
	if (d->phase != DOMAIN_LINGERING || span_goes_on(d))
		return;
	revocation_domain_over(m, d);
	d->phase = DOMAIN_FREE;
	m->domains_ending--;
	tell_waiters(m, d);
	whereabouts_end(m, d);
	span_member_gone(m, d);
}

/* Returns whether there is more to do at once. */
static bool step(struct monitor *m, struct domain *d)
{
	switch (d->phase) {
	case DOMAIN_STOPPING:
		if (d->start != NULL)
			(void)!is_ok(frame_unmap(d->start));
		d->start = NULL;
		d->phase = DOMAIN_REVOKING;
		break;
	case DOMAIN_REVOKING:
		/* Before it knows its peers there is no agreement. */
		if (next_block(d) == NULL)
			linger(m, d);
		else if (m->peer != NULL && !revocation_busy(d))
			begin_revoke(m, d);
		break;
	case DOMAIN_CLEARING:
		clear(m, d);
		break;
	case DOMAIN_DEPARTING:
		return depart_step(m, d);
	case DOMAIN_ARRIVING:
		return arrive_step(m, d);
	default:
		break;
	}
	return d->phase != DOMAIN_AGREEING && d->phase != DOMAIN_LINGERING && d->phase != DOMAIN_FREE;
}

bool domains_step(struct monitor *m)
{
	bool more = false;

	if (m->domains_ending == 0 && !m->events_waiting)
		return false;
	m->events_waiting = false;
	for (unsigned i = 0; i < DOMAINS_MAX; i++) {
		struct domain *d = &m->domain[i];

		if (d->phase == DOMAIN_RUNNING) {
			domain_events_retry(d);
			m->events_waiting |= d->first != NULL;
		} else if (d->phase != DOMAIN_FREE) {
			more |= step(m, d);
		}
	}
	return more;
}

static const char *stop_sentence(uint64_t reason)
{
	static const char *const sentences[] = {
	    [STOP_REQUESTED] = "it was asked to stop",
	    [STOP_FAULT] = "a fault while it could not handle one",
	    [STOP_SHARED_FRAME] = "an upcall entry or stack that no user address can be",
	    [STOP_ADDRESS_SPACE] = "its address space or capability space is gone",
	};

	return reason < sizeof(sentences) / sizeof(sentences[0]) ? sentences[reason] : "an unknown reason";
}

void domains_stopped(struct monitor *m)
{
	uint64_t base, reason, rip;

	while (platform_next_stopped(&base, &reason, &rip))
		for (unsigned i = 0; i < DOMAINS_MAX; i++) {
			struct domain *d = &m->domain[i];

			if (d->phase != DOMAIN_RUNNING || d->dispatcher_base != base || reason == STOP_REQUESTED)
				continue;
			report_line(m, "The domain %s (%u) on core %u was stopped at 0x%lx: %s%s.", d->name, d->number, m->core,
			            (unsigned long)rip, stop_sentence(reason),
			            d->robbed ? ", after memory had been taken back from it" : "");
			domain_end(m, d, d->robbed ? END_REVOKED : END_FAULT, reason);
		}
}

/* ---- Messages ---- */

void handle_wait(struct monitor *m, uint32_t from, const struct message_wait *message)
{
	if (!number_in_use(m, message->domain) && domain_lives_on(m, message->domain) != m->core) {
		MESH_SEND(m, from, elsewhere, .ticket = message->ticket, .domain = message->domain,
		          .core = domain_lives_on(m, message->domain));
		return;
	}

	err_t e = domain_wait_here(m, from, message->ticket, message->domain);

	if (is_err(e))
		MESH_SEND(m, from, ended, .ticket = message->ticket, .error = e.number, .domain = message->domain);
}

void handle_ended(struct monitor *m, uint32_t from, const struct message_ended *message)
{
	struct ticket *t = ticket_find(m, message->ticket, TICKET_WAIT, from);
	struct domain *d;

	if (t == NULL)
		return;
	d = domain_find(m, t->domain);
	if (d != NULL)
		domain_event(m, d, EVENT_ended, (uint64_t[]){t->tag, message->error, message->domain, message->status, message->cause}, 5);
	ticket_close(m, t);
}

void handle_kill(struct monitor *m, uint32_t from, const struct message_kill *message)
{
	struct domain *d = domain_find(m, message->domain);
	err_t e = OK;

	if (d == NULL)
		d = domain_departing(m, message->domain);
	if (d == NULL)
		d = domain_arriving(m, message->domain);
	if (d == NULL && domain_lives_on(m, message->domain) != m->core) {
		MESH_SEND(m, from, elsewhere, .ticket = message->ticket, .domain = message->domain,
		          .core = domain_lives_on(m, message->domain));
		return;
	}
	if (d == NULL)
		e = ERR(NOT_FOUND);
	else if (d->number == m->acpi || (!message->any && d->parent != message->by))
		e = ERR(PERMISSION);
	else if (d->phase != DOMAIN_RUNNING)
		d->doomed = true; /* it ends where it comes to be */
	else
		domain_end(m, d, END_KILLED, 0);
	MESH_SEND(m, from, killed, .ticket = message->ticket, .error = e.number);
}

void handle_killed(struct monitor *m, uint32_t from, const struct message_killed *message)
{
	struct ticket *t = ticket_find(m, message->ticket, TICKET_KILL, from);
	struct domain *d;

	if (t == NULL)
		return;
	d = domain_find(m, t->domain);
	if (d != NULL)
		domain_event(m, d, EVENT_done, (uint64_t[]){t->tag, message->error}, 2);
	ticket_close(m, t);
}

void handle_list(struct monitor *m, uint32_t from, const struct message_list *message)
{
	for (unsigned i = 0; i < DOMAINS_MAX; i++) {
		const struct domain *d = &m->domain[i];
		struct message_listed entry = {.ticket = message->ticket, .domain = d->span};
		uint64_t state, cycles;

		if (d->phase == DOMAIN_FREE || d->phase == DOMAIN_LINGERING)
			continue;
		platform_dispatcher_inspect(d->dispatcher, &state, &cycles);
		entry.state = (uint32_t)state;
		entry.tsc_run = cycles;
		entry.ram_bytes = memory_of(d);
		memcpy(entry.name, d->name, sizeof(entry.name));
		mesh_send(m, from, MESSAGE_listed, &entry);
	}
	MESH_SEND(m, from, listed, .ticket = message->ticket, .last = 1);
}

void handle_listed(struct monitor *m, uint32_t from, const struct message_listed *message)
{
	struct ticket *t = ticket_find(m, message->ticket, TICKET_LIST, from);
	struct domain *d = t == NULL ? NULL : domain_find(m, t->domain);

	if (t == NULL)
		return;
	if (message->last) {
		if (d != NULL)
			domain_event(m, d, EVENT_done, (uint64_t[]){t->tag, 0, t->value}, 3);
		ticket_close(m, t);
		return;
	}
	if (d != NULL && t->value < PAGE_BYTES / sizeof(struct domain_info)) {
		struct domain_info *out = (struct domain_info *)(d->start + PAGE_BYTES) + t->value++;

		*out = (struct domain_info){.domain = message->domain,
		                            .core = from,
		                            .ram_bytes = message->ram_bytes,
		                            .tsc_run = message->tsc_run,
		                            .state = message->state};
		memcpy(out->name, message->name, sizeof(out->name));
	}
}
