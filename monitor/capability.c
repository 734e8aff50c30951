/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include <stdlib.h>

#include "monitor/bind.h"
#include "monitor/block.h"
#include "monitor/capability.h"
#include "monitor/clear.h"
#include "monitor/domain.h"
#include "monitor/estate.h"
#include "monitor/gift.h"
#include "monitor/membership.h"
#include "monitor/mesh.h"
#include "monitor/report.h"
#include "monitor/revocation.h"

#define WORKS_OF_DOMAIN 16 /* that one domain may have under way */

/* A domain's CNode is filled through a root slot of ours. */
#define DESTINATION_WINDOW 253

/* ---- Who asked the agreement: its tokens ---- */

enum user {
	USER_NOBODY, /* a capability that was discarded */
	USER_WORK,   /* number: index of the record */
	USER_DOMAIN, /* number: the ending domain's */
	USER_GRANT,  /* number: the domain's that loses a block */
};

static uint64_t token_of(enum user user, uint32_t number)
{
	return (uint64_t)user << 32 | number;
}

uint64_t capability_token(const struct monitor *m, const struct capability_work *w)
{
	return token_of(USER_WORK, (uint32_t)(w - m->work));
}

/* ---- Nobody's capabilities ---- */

static bool is_empty(cap_t cap, struct cap_identity *id)
{
	return is_err(cap_identify(cap, id)) || id->type == CAP_Null;
}

/* The bit of work is small and the memory always there but when the monitor itself has run out of it. */
static void leave_over(struct monitor *m, cap_t cap, bool returned)
{
	struct leftover *l = calloc(1, sizeof(*l));

	if (l == NULL) {
		report_line(m, "monitor %u: no memory to give a capability back", m->core);
		return;
	}
	*l = (struct leftover){m->leftovers, cap, returned, 0};
	m->leftovers = l;
}

void capability_discard(struct monitor *m, cap_t cap)
{
	struct cap_identity id;
	err_t e = cap_delete(cap);

	if (is_empty(cap, &id))
		cap_slot_free(cap);
	else
		leave_over(m, cap, is_ok(e) || err_is(e, ERR_NUMBER_LAST_COPY));
}

/* The last capability to memory need not have had all rights to it; whose the memory is has. */
static err_t regain_rights(cap_t *ram, const struct cap_identity *id)
{
	cap_t all;
	err_t e = id->rights == RIGHTS_ALL ? OK : cap_slot_alloc(&all);

	if (is_err(e) || id->rights == RIGHTS_ALL)
		return e;
	e = platform_rescue(&(struct platform_obstacle){id->type, id->base, id->size}, all);
	if (is_err(e)) {
		cap_slot_free(all);
		return e;
	}
	e = cap_delete(*ram); /* there is another one */
	cap_slot_free(*ram);
	*ram = all;
	return e;
}

/* What nothing of this core's covers was a dead core's, and goes the way of that one's memory: to whoever serves what lies around it now.
 * Here it would stay a splinter. So long as nobody else is known to be there, or if it is not to be parted with, it stays all the same. */
static bool let_go(struct monitor *m, cap_t ram, const struct cap_identity *id)
{
	const uint32_t other = membership_leader(m, m->core);

	if (other >= m->peers || is_err(platform_mark(ram, false, other)))
		return false;
	if (is_err(platform_surrender(ram))) {
		(void)!is_ok(platform_mark(ram, false, m->core));
		return false;
	}
	cap_slot_free(ram);
	estate_tell_dropped(m, id->base, id->size);
	return true;
}

/* Memory that nothing else covers is not discarded, it is this core's from now on. Who had it may have left something in it. */
static bool clear_returned(struct monitor *m, struct leftover *l, const struct cap_identity *id)
{
	err_t e = regain_rights(&l->cap, id);
	const struct block b = {id->base, id->size, l->cap};

	if (is_ok(e))
		e = clear_slice(&b, &l->cleared);
	if (is_ok(e) && l->cleared < b.bytes)
		return false;
	if (is_ok(e))
		e = block_adopt(m, l->cap);
	if (is_ok(e))
		estate_tell_returned(m, b.base, b.bytes);
	else
		report_line(m, "monitor %u: %lu bytes of memory can't be used again: %s", m->core, (unsigned long)b.bytes, err_sentence(e));
	return true;
}

/* True: nothing more is to be done for it here. */
static bool leftover_step(struct monitor *m, struct leftover *l)
{
	struct cap_identity id;
	err_t e;

	if (is_empty(l->cap, &id)) {
		cap_slot_free(l->cap);
		return true;
	}
	if (l->returned)
		return (l->cleared == 0 && let_go(m, l->cap, &id)) || clear_returned(m, l, &id);
	e = agreement_delete(&m->agreement, token_of(USER_NOBODY, 0), l->cap);
	/* LIMIT: too much is under way. Its turn comes. */
	if (is_err(e) && !err_is(e, ERR_NUMBER_LIMIT))
		report_line(m, "monitor %u: a %s can't be given back: %s", m->core, cap_type_name(id.type), err_sentence(e));
	return !err_is(e, ERR_NUMBER_LIMIT);
}

bool capability_step(struct monitor *m)
{
	struct leftover *l = m->leftovers, *next;

	/* What is done here may leave something over anew. */
	m->leftovers = NULL;
	for (; l != NULL; l = next) {
		next = l->next;
		if (leftover_step(m, l)) {
			free(l);
		} else {
			l->next = m->leftovers;
			m->leftovers = l;
		}
	}
	return m->leftovers != NULL;
}

static void discarded(struct monitor *m, err_t e, cap_t cap)
{
	struct cap_identity id;

	if (is_empty(cap, &id))
		cap_slot_free(cap);
	else if (is_ok(e))
		leave_over(m, cap, true);
	else if (err_is(e, ERR_NUMBER_CORE_DEAD))
		leave_over(m, cap, false);
	else
		report_line(m, "monitor %u: a %s can't be given back: %s", m->core, cap_type_name(id.type), err_sentence(e));
}

/* ---- The capabilities of a domain ---- */

err_t capability_fetch(const struct domain *d, uint64_t address, bool move, cap_t *out)
{
	err_t e = cap_slot_alloc(out);

	if (is_err(e))
		return e;
	e = platform_fetch(d->dispatcher, address, move, *out);
	if (is_err(e))
		cap_slot_free(*out);
	return e;
}

/* Whether a copy serves; what the operation may take away is moved. */
static bool by_copy(const struct capability_request *r)
{
	return r->operation == CAPABILITY_RETYPE || r->operation == CAPABILITY_GIVE;
}

void capability_put_back(struct monitor *m, const struct domain *d, const struct capability_request *r, cap_t cap)
{
	struct cap_identity id;

	if (!by_copy(r) && !is_empty(cap, &id) && d != NULL && is_ok(platform_deliver(cap, d->dispatcher, r->cap)))
		cap_slot_free(cap);
	else
		capability_discard(m, cap);
}

/* ---- Retype: what the CPU driver would check first (cpudriver/capability/retype.c) ---- */

#define FROM(type) (1u << CAP_##type)
static const struct {
	uint64_t bytes, alignment;
	unsigned sources;
} types[CAP_TYPES] = {
#define CAPABILITY(name, number, bytes, align, rights, sources, crosses) [number] = {bytes, align, sources},
#include "cpudriver/abi/capabilities.def"
#undef CAPABILITY
};

static err_t retype_range(const struct capability_request *r, const struct cap_identity *source, uint64_t *bytes)
{
	uint64_t each;

	if (r->type == CAP_Null || r->type >= CAP_TYPES || r->count == 0 || r->count > CNODE_SLOTS)
		return ERR(ARGUMENT);
	if (!(types[r->type].sources >> source->type & 1))
		return ERR(RETYPE);
	each = types[r->type].bytes != 0 ? types[r->type].bytes : r->bytes;
	if (each == 0 || (r->bytes != 0 && r->bytes != each))
		return ERR(ARGUMENT);
	if (r->offset % types[r->type].alignment != 0 || each % types[r->type].alignment != 0)
		return ERR(ALIGNMENT);
	if (r->offset > source->size || each > (source->size - r->offset) / r->count)
		return ERR(RANGE);
	*bytes = each * r->count;
	return OK;
}

static err_t begin_retype(struct monitor *m, const struct capability_work *w, cap_t cap, const struct cap_identity *id)
{
	uint64_t bytes;
	err_t e = retype_range(&w->request, id, &bytes);

	return is_ok(e) ? agreement_retype(&m->agreement, capability_token(m, w), cap, id->base + w->request.offset, bytes) : e;
}

/* The other cores have nothing there. */
static err_t retype(const struct domain *d, const struct capability_request *r, cap_t source)
{
	const cap_t window = CAP(ROOT_SELF, DESTINATION_WINDOW);
	err_t e = d == NULL ? ERR(PEER_GONE) : platform_fetch(d->dispatcher, CAP(ROOT_SELF, r->first >> 8).value, false, window);

	if (is_err(e))
		return e;
	e = platform_retype(source, (enum cap_type)r->type, r->offset, r->bytes, r->count, CAP(DESTINATION_WINDOW, r->first & 0xff));
	(void)!is_ok(cap_delete(window));
	return e;
}

/* ---- Requests ---- */

static struct capability_work *work_new(struct monitor *m, const struct domain *d, uint32_t tag, const struct capability_request *r)
{
	struct capability_work *free_one = NULL;
	unsigned of_domain = 0, seen = 0;

	for (unsigned i = 0; i < CAPABILITY_WORKS_MAX && (seen < m->works || free_one == NULL); i++) {
		seen += m->work[i].domain != 0;
		of_domain += m->work[i].domain == d->number;
		if (m->work[i].domain == 0 && free_one == NULL)
			free_one = &m->work[i];
	}
	if (free_one == NULL || of_domain >= WORKS_OF_DOMAIN)
		return NULL;
	m->works++;
	*free_one = (struct capability_work){d->number, tag, *r, platform_now()};
	return free_one;
}

static void work_end(struct monitor *m, struct capability_work *w)
{
	w->domain = 0;
	m->works--;
}

static err_t begin(struct monitor *m, struct domain *d, const struct capability_work *w)
{
	const struct capability_request *r = &w->request;
	const uint64_t token = capability_token(m, w);
	struct cap_identity id;
	cap_t cap;
	err_t e = capability_fetch(d, r->cap, !by_copy(r), &cap);

	if (is_err(e))
		return e;
	e = cap_identify(cap, &id);
	if (is_ok(e) && r->operation != CAPABILITY_DELETE && !(id.rights & RIGHT_CONTROL))
		e = ERR(CAP_RIGHTS);
	if (is_ok(e) && r->operation == CAPABILITY_RETYPE)
		e = begin_retype(m, w, cap, &id);
	else if (is_ok(e) && r->operation == CAPABILITY_REVOKE)
		e = agreement_revoke(&m->agreement, token, cap);
	else if (is_ok(e))
		e = agreement_delete(&m->agreement, token, cap);
	if (is_err(e))
		capability_put_back(m, d, r, cap);
	return e;
}

err_t capability_begin(struct monitor *m, struct domain *d, uint32_t tag, const struct capability_request *request)
{
	const unsigned operation = request->operation;
	const bool is_gift = operation == CAPABILITY_GIVE || operation == CAPABILITY_MOVE; /* it takes time: another domain has to run */
	struct capability_work *w;
	err_t e;

	if (operation < CAPABILITY_DELETE || operation > CAPABILITY_MOVE)
		return ERR(ARGUMENT);
	if (m->peer == NULL)
		return ERR(STATE);
	w = work_new(m, d, tag, request);
	if (w == NULL)
		return ERR(LIMIT);
	m->awaited = tag != 0 && !is_gift ? w : NULL;
	e = is_gift ? gift_begin(m, d, w) : begin(m, d, w);
	if (is_err(e)) {
		m->awaited = NULL;
		work_end(m, w);
	}
	return e;
}

/* Who asked gets to know it with the reply if that is not given yet, else by an event. */
static void tell_done(struct monitor *m, struct domain *d, const struct capability_work *was, bool with_reply, uint32_t error, bool ram,
                      uint32_t messages)
{
	if (with_reply) {
		m->reply.word[1] = CAPABILITY_COMPLETED | (uint64_t)ram << 32;
		m->reply.word[2] = error;
		m->reply.word[3] = messages;
	} else if (d != NULL && was->tag != 0) {
		domain_event(m, d, EVENT_done, (uint64_t[]){was->tag, error, ram, messages}, 4);
	}
}

void capability_finish(struct monitor *m, struct capability_work *w, err_t e, cap_t cap, uint32_t messages)
{
	struct domain *d = domain_find(m, w->domain);
	const struct capability_work was = *w;
	const bool with_reply = m->awaited == w;
	struct cap_identity id;
	bool left;

	work_end(m, w);
	if (with_reply)
		m->awaited = NULL;
	if (was.request.operation == CAPABILITY_RETYPE && is_ok(e))
		e = retype(d, &was.request, cap);
	left = !is_empty(cap, &id);
	/* Who does not want to hear how a deletion went has something else in the slot by now. */
	if ((was.request.operation == CAPABILITY_MOVE && is_ok(e)) || (was.request.operation == CAPABILITY_DELETE && was.tag == 0))
		capability_discard(m, cap);
	else
		capability_put_back(m, d, &was.request, cap);
	tell_done(m, d, &was, with_reply, e.number, was.request.operation == CAPABILITY_DELETE && is_ok(e) && left, messages);
}

bool capability_busy(const struct monitor *m, const struct domain *d)
{
	for (unsigned i = 0; i < CAPABILITY_WORKS_MAX && m->works > 0; i++)
		if (m->work[i].domain == d->number)
			return true;
	return false;
}

err_t capability_revoke_block(struct monitor *m, const struct domain *d, cap_t cap)
{
	return agreement_revoke(&m->agreement, token_of(USER_DOMAIN, d->number), cap);
}

err_t capability_revoke_grant(struct monitor *m, const struct domain *d, cap_t cap)
{
	return agreement_revoke(&m->agreement, token_of(USER_GRANT, d->number), cap);
}

/* ---- What the agreement asks of its surroundings ---- */

static struct monitor *monitor_of(struct agreement *a)
{
	return (struct monitor *)((char *)a - offsetof(struct monitor, agreement));
}

void agreement_send(struct agreement *a, uint32_t to, unsigned type, const union agreement_message *message)
{
	/* A core that can't be reached any more is about to leave the view. */
	mesh_send(monitor_of(a), to, type, message);
}

static void note_cost(struct monitor *m, const struct capability_work *w, enum operation_kind kind, uint32_t messages)
{
	const uint64_t cycles = platform_now() - w->begun;
	struct agreement_cost *cost = &m->cost[(unsigned)kind < ASKED_KINDS ? kind : 0];

	cost->operations++;
	cost->messages += messages;
	cost->cycles += cycles;
	if (cycles > cost->longest)
		cost->longest = cycles;
}

void agreement_done(struct agreement *a, uint64_t token, enum operation_kind kind, err_t error, cap_t cap, uint32_t messages)
{
	struct monitor *m = monitor_of(a);
	const uint32_t number = (uint32_t)token;

	switch ((enum user)(token >> 32)) {
	case USER_WORK:
		note_cost(m, &m->work[number], kind, messages);
		capability_finish(m, &m->work[number], error, cap, messages);
		break;
	case USER_GRANT:
		revocation_revoked(m, number, error);
		break;
	case USER_DOMAIN:
		domain_revoked(m, number, error);
		break;
	default:
		discarded(m, error, cap);
		break;
	}
}

err_t agreement_deliver(struct agreement *a, uint64_t recipient, cap_t cap, uint32_t from)
{
	struct monitor *m = monitor_of(a);
	err_t e = connection_deliver(m, from, (uint32_t)(recipient >> 32), cap, (uint32_t)recipient);

	/* The domain has a copy now. */
	return is_ok(e) ? cap_delete(cap) : e;
}

/* Where monitors write to each other, and their domains through channels. Doorbells are not asked for. */
bool agreement_is_private(struct agreement *a, const struct object *object)
{
	const struct monitor *m = monitor_of(a);

	return object->type == CAP_Frame && (mesh_has_page(m, object->base) || connection_has_ring(m, object->base));
}

void agreement_put_off(struct agreement *a, cap_t cap)
{
	leave_over(monitor_of(a), cap, false);
}

void agreement_return_memory(struct agreement *a, cap_t ram)
{
	leave_over(monitor_of(a), ram, true);
}
