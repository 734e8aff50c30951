/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include <string.h>

#include "monitor/bind.h"
#include "monitor/capability.h"
#include "monitor/discovery.h"
#include "monitor/domain.h"
#include "monitor/fence.h"
#include "monitor/handlers.h"
#include "monitor/mesh.h"
#include "monitor/move.h"
#include "monitor/power.h"
#include "monitor/rebind.h"
#include "monitor/requests.h"
#include "monitor/revocation.h"
#include "monitor/span.h"
#include "monitor/spawn.h"
#include "monitor/tickets.h"
#include "monitor/trace.h"
#include "monitor/whereabouts.h"

struct request {
	struct monitor *m;
	struct domain *domain;
	const struct platform_call *call;
	uint32_t tag;
	uint64_t word[4]; /* of the call */
	uint64_t *result; /* words 1..3 of the reply */
	bool later;       /* no reply now */
};

#define QUESTIONS_MAX   64   /* that one domain may have open */
#define KEPT_MAX        1024 /* events that a domain has not read, and still may ask for more: each is memory of this monitor's */
#define FILE_NAME_BYTES 256

static char *buffer_of(const struct domain *d)
{
	return (char *)d->start + PAGE_BYTES;
}

static bool may(const struct domain *d, enum monitor_request request)
{
	return d->rights != NULL && (d->rights->may >> request & 1);
}

static err_t serve_exit(struct request *r)
{
	r->later = true;
	domain_end(r->m, r->domain, r->word[2] == END_CORE || r->word[2] == END_REVOKED ? (enum end_cause)r->word[2] : END_EXIT,
	           r->word[1]);
	return OK;
}

static err_t serve_spawn(struct request *r)
{
	static char text[PAGE_BYTES]; /* a copy: the domain may go on writing to its buffer */
	uint64_t core = r->word[1] >= CORE_HERE ? r->m->core : r->word[1], bytes = r->word[2];

	if (bytes > sizeof(text) || core >= r->m->peers)
		return core >= r->m->peers ? ERR(CORE_UNKNOWN) : ERR(ARGUMENT);
	memcpy(text, buffer_of(r->domain), bytes);
	return spawn_request(r->m, r->domain, r->tag, (uint32_t)core, text, bytes, r->word[3]);
}

/* A question to the monitor of another domain's core; `more` is kept with it. */
static err_t ask_core_of(struct request *r, enum ticket_kind kind, uint64_t more, uint32_t *core, uint32_t *ticket)
{
	struct ticket *t;

	if (r->word[1] > UINT32_MAX)
		return ERR(ARGUMENT);
	*core = domain_lives_on(r->m, (uint32_t)r->word[1]);
	if (!mesh_alive(r->m, *core))
		return ERR(NOT_FOUND);
	*ticket = ticket_open(r->m, kind, *core, r->domain->number, r->tag, &t);
	if (*ticket == 0)
		return ERR(LIMIT);
	t->value = (uint32_t)r->word[1];
	t->token = more;
	return OK;
}

static err_t serve_wait(struct request *r)
{
	uint32_t core, ticket;
	err_t e = ask_core_of(r, TICKET_WAIT, 0, &core, &ticket);

	if (is_ok(e))
		MESH_SEND(r->m, core, wait, .ticket = ticket, .domain = (uint32_t)r->word[1]);
	return e;
}

static err_t serve_kill(struct request *r)
{
	const bool any = may(r->domain, REQUEST_kill);
	uint32_t core, ticket;
	err_t e = ask_core_of(r, TICKET_KILL, any, &core, &ticket);

	if (is_ok(e))
		MESH_SEND(r->m, core, kill, .ticket = ticket, .domain = (uint32_t)r->word[1], .by = r->domain->span, .any = any);
	return e;
}

static err_t serve_memory(struct request *r)
{
	const uint64_t alignment = r->word[3] == 0 ? PAGE_BYTES : r->word[3];

	/* Who wants little can't put it where much would fit. */
	if (alignment > PAGE_BYTES && alignment > r->word[1])
		return ERR(ARGUMENT);
	return domain_more_memory(r->m, r->domain, r->word[1], alignment, r->word[2], &r->result[0], &r->result[1]);
}

/* A copy of what is in the buffer: the domain may go on writing there. */
static err_t read_service(const struct request *r, struct service_request *out)
{
	memcpy(out, buffer_of(r->domain), sizeof(*out));
	return out->name[0] == '\0' || memchr(out->name, 0, sizeof(out->name)) == NULL ? ERR(ARGUMENT) : OK;
}

/* The first core's monitor answers with `offered`; so long the domain waits for its reply. */
static err_t change_names(struct request *r, enum message_type type)
{
	struct service_request service;
	struct ticket *t;
	uint32_t ticket;
	err_t e = read_service(r, &service);

	if (is_ok(e) && type == MESSAGE_offer && r->word[1] > UINT32_MAX)
		e = ERR(ARGUMENT);
	if (is_err(e))
		return e;
	ticket = ticket_open(r->m, TICKET_OFFER, 0, r->domain->number, 0, &t);
	if (ticket == 0)
		return ERR(LIMIT);
	t->token = r->call->token;
	if (type == MESSAGE_offer) {
		struct message_offer offer = {
		    .ticket = ticket, .domain = r->domain->number, .interface = service.interface, .service = (uint32_t)r->word[1]};

		memcpy(offer.name, service.name, sizeof(offer.name));
		r->later = mesh_send(r->m, 0, type, &offer);
	} else {
		struct message_withdraw withdraw = {.ticket = ticket, .domain = r->domain->number};

		memcpy(withdraw.name, service.name, sizeof(withdraw.name));
		r->later = mesh_send(r->m, 0, type, &withdraw);
	}
	if (!r->later)
		ticket_close(r->m, t);
	return r->later ? OK : ERR(CORE_DEAD);
}

static err_t serve_offer(struct request *r)
{
	return change_names(r, MESSAGE_offer);
}

static err_t serve_withdraw(struct request *r)
{
	return change_names(r, MESSAGE_withdraw);
}

static err_t serve_bind(struct request *r)
{
	struct service_request service;
	err_t e = read_service(r, &service);

	return is_err(e) ? e : bind_request(r->m, r->domain, r->tag, r->word[0] >> 48, &service);
}

static err_t serve_cancel(struct request *r)
{
	return bind_cancel(r->m, r->domain, (uint32_t)r->word[1]);
}

static err_t serve_list_services(struct request *r)
{
	uint32_t ticket = ticket_open(r->m, TICKET_SERVICES, 0, r->domain->number, r->tag, NULL);

	if (ticket == 0)
		return ERR(LIMIT);
	MESH_SEND(r->m, 0, list_names, .ticket = ticket, .first = r->word[1] < NAMES_MAX ? (uint32_t)r->word[1] : NAMES_MAX);
	return OK;
}

/* A list is asked of the core in word 1. */
static err_t ask_for_list(struct request *r, uint32_t *ticket)
{
	if (r->word[1] >= CORE_HERE)
		r->word[1] = r->m->core;
	if (r->word[1] >= r->m->peers || !mesh_alive(r->m, (uint32_t)r->word[1]))
		return ERR(CORE_UNKNOWN);
	*ticket = ticket_open(r->m, TICKET_LIST, (uint32_t)r->word[1], r->domain->number, r->tag, NULL);
	return *ticket == 0 ? ERR(LIMIT) : OK;
}

static err_t serve_list_domains(struct request *r)
{
	uint32_t ticket;
	err_t e = ask_for_list(r, &ticket);

	if (is_ok(e))
		MESH_SEND(r->m, (uint32_t)r->word[1], list, .ticket = ticket);
	return e;
}

static err_t serve_list_agreement(struct request *r)
{
	uint32_t ticket;
	err_t e = r->word[2] > UINT32_MAX ? ERR(ARGUMENT) : ask_for_list(r, &ticket);

	if (is_ok(e))
		MESH_SEND(r->m, (uint32_t)r->word[1], list_agreement, .ticket = ticket, .first = (uint32_t)r->word[2]);
	return e;
}

static err_t serve_list_cores(struct request *r)
{
	const struct monitor *m = r->m;
	struct core_info *out = (struct core_info *)buffer_of(r->domain);
	uint32_t count = 0;

	for (uint64_t core = r->word[1]; core < m->peers && count < PAGE_BYTES / sizeof(*out); core++) {
		const struct peer *p = &m->peer[core];
		bool here = core == m->core;

		out[count++] = (struct core_info){
		    .core = (uint32_t)core,
		    .apic = m->machine == NULL ? m->boot->apic : m->machine->cores[core].apic,
		    .node = m->machine == NULL ? 0 : m->machine->cores[core].node,
		    .alive = mesh_alive(m, (uint32_t)core),
		    .ram_free = here ? m->ram.free : 0,
		    .ram_total = here ? m->ram.total : 0,
		    .boot_us = here ? m->self.ready_us : p->up.ready_us,
		};
	}
	r->result[0] = count;
	return OK;
}

static err_t serve_power_off(struct request *r)
{
	power_off_begin(r->m, r->word[1]);
	return OK;
}

static err_t serve_close(struct request *r)
{
	return r->word[1] > UINT32_MAX ? ERR(ARGUMENT) : bind_close(r->m, r->domain, (uint32_t)r->word[1]);
}

static err_t serve_capability(struct request *r)
{
	struct capability_request request;

	memcpy(&request, &r->word[1], sizeof(request));
	return capability_begin(r->m, r->domain, r->tag, &request);
}

static err_t serve_take_machine(struct request *r)
{
	return r->domain->number == r->m->acpi ? discovery_take_machine(r->m, r->domain, r->word[1], r->word[2]) : ERR(PERMISSION);
}

static err_t serve_powered(struct request *r)
{
	if (r->domain->number != r->m->acpi)
		return ERR(PERMISSION);
	power_told(r->m, r->word[1], r->word[2]);
	return OK;
}

static err_t serve_interrupt(struct request *r)
{
	struct machine_override o;

	if (r->word[1] > 15)
		return ERR(ARGUMENT);
	if (r->m->machine == NULL)
		return ERR(STATE);
	o = machine_isa_interrupt(r->m->machine, (unsigned)r->word[1]);
	r->result[0] = o.gsi;
	r->result[1] = (o.trigger == MACHINE_TRIGGER_LEVEL ? INTERRUPT_LEVEL : INTERRUPT_EDGE) |
	               (o.polarity == MACHINE_POLARITY_LOW ? INTERRUPT_ACTIVE_LOW : INTERRUPT_ACTIVE_HIGH);
	return OK;
}

static err_t serve_crash(struct request *r)
{
	if (r->word[1] >= r->m->peers || !mesh_alive(r->m, (uint32_t)r->word[1]))
		return ERR(CORE_UNKNOWN);
	MESH_SEND(r->m, (uint32_t)r->word[1], crash, .vector = (uint32_t)r->word[2]);
	return OK;
}

static err_t serve_grow(struct request *r)
{
	return r->word[1] >= r->m->peers ? ERR(CORE_UNKNOWN) : span_ask_grow(r->m, r->domain, r->tag, (uint32_t)r->word[1], r->word[2]);
}

static err_t serve_shrink(struct request *r)
{
	return r->word[1] >= SPAN_MAX ? ERR(ARGUMENT) : span_ask_shrink(r->m, r->domain, r->tag, (unsigned)r->word[1]);
}

static err_t serve_start_core(struct request *r)
{
	return r->word[1] > UINT32_MAX ? ERR(ARGUMENT) : fence_ask(r->m, r->domain, r->tag, (uint32_t)r->word[1]);
}

static err_t serve_adopt(struct request *r)
{
	return r->word[1] > UINT32_MAX ? ERR(ARGUMENT) : bind_adopt(r->m, r->domain, r->tag, (uint32_t)r->word[1]);
}

static err_t serve_move(struct request *r)
{
	if (r->word[1] > UINT32_MAX || r->word[2] >= r->m->peers)
		return r->word[1] > UINT32_MAX ? ERR(ARGUMENT) : ERR(CORE_UNKNOWN);
	return move_ask(r->m, r->domain, r->tag, (uint32_t)r->word[1], (uint32_t)r->word[2], may(r->domain, REQUEST_move));
}

static err_t serve_leave(struct request *r)
{
	return depart_now(r->m, r->domain, r->word[1], r->call->token, &r->later);
}

static err_t serve_switched(struct request *r)
{
	return r->word[1] > UINT32_MAX ? ERR(ARGUMENT) : rebind_switched(r->m, r->domain, (uint32_t)r->word[1]);
}

static err_t serve_widened(struct request *r)
{
	return r->word[1] > UINT32_MAX ? ERR(ARGUMENT) : rebind_widened(r->m, r->domain, (uint32_t)r->word[1], r->word[2] != 0);
}

static err_t serve_events(struct request *r)
{
	domain_events_retry(r->domain);
	return OK;
}

static err_t serve_file(struct request *r)
{
	char name[FILE_NAME_BYTES], *buffer = buffer_of(r->domain);
	struct archive_file file;
	err_t e;

	memcpy(name, buffer, sizeof(name));
	if (memchr(name, 0, sizeof(name)) == NULL)
		return ERR(ARGUMENT);
	e = archive_find(&r->m->archive, name, &file);
	if (is_err(e))
		return e;
	if (r->word[1] > file.size)
		return ERR(RANGE);
	r->result[0] = file.size - r->word[1] < PAGE_BYTES ? file.size - r->word[1] : PAGE_BYTES;
	r->result[1] = file.size;
	memcpy(buffer, file.data + r->word[1], r->result[0]);
	return OK;
}

static err_t serve_reclaim(struct request *r)
{
	return revocation_request(r->m, r->domain, r->tag, r->word, may(r->domain, REQUEST_reclaim));
}

static err_t serve_give_back(struct request *r)
{
	return revocation_give_back(r->m, r->domain, r->word[1], r->word[2]);
}

static err_t serve_given_back(struct request *r)
{
	return revocation_given_back(r->domain);
}

static err_t serve_keep(struct request *r)
{
	return revocation_keep(r->domain, r->word[1]);
}

void handle_crash(struct monitor *m, uint32_t from, const struct message_crash *message)
{
	(void)m, (void)from;
	platform_crash(message->vector);
}

static const struct {
	err_t (*serve)(struct request *r);
	bool privileged;
} requests[REQUESTS] = {
#define REQUEST(name, number, needs_right) [number] = {serve_##name, needs_right},
#include "monitor/abi/requests.def"
#undef REQUEST
};

/* What a domain may ask whatever it has asked before, and has not read: afterwards there is less of it. */
static bool ends_something(enum monitor_request request)
{
	switch (request) {
	case REQUEST_events:
	case REQUEST_exit:
	case REQUEST_close:
	case REQUEST_cancel:
	case REQUEST_give_back:
	case REQUEST_given_back:
	case REQUEST_switched:
	case REQUEST_widened:
	case REQUEST_leave:
		return true;
	default:
		return false;
	}
}

void request_serve(struct monitor *m, const struct platform_call *call)
{
	struct request r = {.m = m, .domain = domain_find(m, (uint32_t)call->badge), .call = call, .result = &m->reply.word[1]};
	uint64_t number = call->word[0] & 0xffff;
	err_t e;

	if (trace_is_on())
		trace_write(trace_word(TRACE_request, (uint16_t)number, (uint32_t)call->badge), call->word[1], call->word[2]);
	m->reply = (struct platform_reply){.token = call->token};
	memcpy(r.word, call->word, sizeof(r.word));
	r.tag = (uint32_t)(call->word[0] >> 16);
	if (r.domain == NULL)
		e = ERR(PEER_GONE);
	else if (number >= REQUESTS || requests[number].serve == NULL)
		e = ERR(OPERATION);
	else if (requests[number].privileged && !may(r.domain, (enum monitor_request)number))
		e = ERR(PERMISSION);
	else if ((r.domain->tickets >= QUESTIONS_MAX || r.domain->kept >= KEPT_MAX) && !ends_something((enum monitor_request)number))
		e = ERR(LIMIT);
	else
		e = requests[number].serve(&r);
	m->reply.word[0] = e.number;
	if (r.later)
		m->reply.token = REPLY_NONE;
	m->stirred |= number != REQUEST_capability;
}
