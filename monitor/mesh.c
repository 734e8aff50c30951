/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include <stdlib.h>
#include <string.h>

#include <atoll/address_space.h>

#include "monitor/core_start.h"
#include "monitor/estate.h"
#include "libos/trace/trace.h"
#include "monitor/handlers.h"
#include "monitor/mesh.h"
#include "monitor/report.h"
#include "monitor/whereabouts.h"

/* The notice of a page that nobody has connected yet: odd, so the first writer rings, and no number that a channel counts up to. */
#define NOTICE_UNCONNECTED UINT64_MAX

#define BEAT_AT   (MESH_LINES * sizeof(struct channel_slot)) /* in a page */
#define HELD_MOST 256                                        /* messages of a later view, from one core */
_Static_assert(BEAT_AT + LINE_BYTES <= PAGE_BYTES, "a ring and a beat in a page");

void mesh_prepare_page(void *page)
{
	struct channel_slot *slots = page;

	/* A channel looks at nothing else before it is written. */
	for (unsigned i = 0; i < MESH_LINES; i++)
		channel_store_header(&slots[i].line.header, 0);
	channel_store_notice(&slots[0].notice.parking, NOTICE_UNCONNECTED);
	memset((uint8_t *)page + BEAT_AT, 0, LINE_BYTES);
}

/* ---- Who is looked at ---- */

/* Where this core would write to itself. */
static const channel_shared_word silence;

/* Before two monitors connect. */
static void watch_knocks(struct monitor *m, uint32_t core)
{
	const struct channel_slot *first = (const struct channel_slot *)(m->mesh + core * PAGE_BYTES);

	m->watch[core] = (struct watch){core == m->core ? &silence : &first->line.header, 0};
}

static void watch_next_line(struct monitor *m, uint32_t core)
{
	const struct channel *ch = &m->peer[core].channel;
	const channel_shared_word *header = &ch->rx[ch->next_in & ch->mask].line.header;

	m->watch[core] = (struct watch){header, channel_load_header(header)};
}

static void make_lively(struct monitor *m, uint32_t core)
{
	struct peer *p = &m->peer[core];

	p->talked = true;
	if (p->lively)
		return;
	if (p->state == PEER_CONNECTED)
		channel_unpark(&p->channel);
	p->lively = true;
	m->lively[m->livelies++] = (uint16_t)core;
}

static void look_at_everybody(struct monitor *m)
{
	m->rung = false;
	for (uint32_t core = 0; core < m->peers; core++)
		if (channel_load_header(m->watch[core].header) != m->watch[core].seen)
			make_lively(m, core);
}

void mesh_rung(struct monitor *m)
{
	m->rung = true;
}

err_t mesh_start(struct monitor *m, uint64_t base, uint8_t *area)
{
	m->peer = calloc(m->peers, sizeof(*m->peer));
	m->watch = calloc(m->peers, sizeof(*m->watch));
	m->lively = calloc(m->peers, sizeof(*m->lively));
	if (m->peer == NULL || m->watch == NULL || m->lively == NULL)
		return ERR(NO_MEMORY);
	m->mesh_base = base;
	m->mesh = area;
	m->rung = true; /* whoever has written until now */
	for (uint32_t core = 0; core < m->peers; core++)
		watch_knocks(m, core);
	agreement_start(&m->agreement, m->core, m->peers);
	return OK;
}

bool mesh_alive(const struct monitor *m, uint32_t core)
{
	return core == m->core || (core < m->peers && (m->peer[core].state == PEER_KNOWN || m->peer[core].state == PEER_CONNECTED));
}

/* ---- Connecting ---- */

static void ring_peer(void *argument)
{
	const struct peer *p = argument;

	platform_ring(p->doorbell);
}

static err_t install_page(struct monitor *m, uint32_t core, void **page)
{
	struct peer *p = &m->peer[core];
	const uint8_t rights = RIGHT_READ | RIGHT_WRITE;
	err_t e = cap_slots_alloc(2, &p->doorbell);

	if (is_err(e))
		return e;
	p->page = CAP(p->doorbell.value >> 8, (p->doorbell.value & 0xff) + 1);
	e = platform_install(p->doorbell, &(struct platform_remote){CAP_Doorbell, RIGHT_WRITE, core, p->up.doorbell, DISPATCHER_BYTES,
	                                                            p->up.doorbell_extra});
	if (is_ok(e))
		e = platform_install(p->page,
		                     &(struct platform_remote){CAP_Frame, rights, core, p->up.mesh + m->core * PAGE_BYTES, PAGE_BYTES, 0});
	return is_ok(e) ? frame_map(p->page, 0, PAGE_BYTES, RIGHTS(rights), page) : e;
}

/* A slot that does not get empty is not used again. */
static void drop_capability(struct monitor *m, cap_t *cap)
{
	err_t e;

	if (cap->value == CAP_NULL.value)
		return;
	platform_sweep_plain(*cap);
	e = platform_surrender(*cap);
	if (is_ok(e) || err_is(e, ERR_NUMBER_CAP_EMPTY))
		cap_slot_free(*cap);
	else
		report_line(m, "monitor %u: another monitor's page or doorbell can't be given back: %s", m->core, err_sentence(e));
	*cap = CAP_NULL;
}

static void drop_page(struct monitor *m, struct peer *p)
{
	if (p->at != NULL)
		(void)!is_ok(frame_unmap(p->at));
	p->at = NULL;
	drop_capability(m, &p->page);
	drop_capability(m, &p->doorbell);
}

bool mesh_has_page(const struct monitor *m, uint64_t base)
{
	for (uint32_t core = 0; core < m->peers; core++)
		if (m->peer[core].page.value != CAP_NULL.value && base == m->peer[core].up.mesh + m->core * PAGE_BYTES)
			return true;
	return false;
}

static bool connect_peer(struct monitor *m, uint32_t core)
{
	struct peer *p = &m->peer[core];
	void *page;
	err_t e;

	if (p->state == PEER_CONNECTED)
		return true;
	if (p->state != PEER_KNOWN)
		return false;
	e = install_page(m, core, &page);
	if (is_ok(e) && !channel_ok(channel_init(&p->channel, m->mesh + core * PAGE_BYTES, page, MESH_LINES, ring_peer, p)))
		e = ERR(CHANNEL_BROKEN);
	if (is_err(e)) {
		report_line(m, "monitor %u: can't connect to core %u: %s", m->core, core, err_sentence(e));
		drop_page(m, p);
		return false;
	}
	p->state = PEER_CONNECTED;
	p->at = page;
	make_lively(m, core);
	return true;
}

/* ---- Sending ---- */

/* The agreement's messages have a table of their own. */
static unsigned bytes_of(unsigned type)
{
	return type >= AGREEMENT_FIRST ? agreement_bytes(type) : message_bytes(type);
}

static const char *name_of(unsigned type)
{
	return type >= AGREEMENT_FIRST ? agreement_name(type) : message_name(type);
}

static struct queued *make_queued(unsigned type, const void *message)
{
	struct queued *q = calloc(1, sizeof(*q));

	if (q != NULL) {
		q->type = (uint16_t)type;
		memcpy(&q->message, message, bytes_of(type));
	}
	return q;
}

static void append(struct queued **first, struct queued **last, struct queued *q)
{
	if (*first == NULL)
		*first = q;
	else
		(*last)->next = q;
	*last = q;
}

static struct queued *take_first(struct queued **first)
{
	struct queued *q = *first;

	if (q != NULL)
		*first = q->next;
	return q;
}

/* Where that core receives what this one says. */
static uint64_t ring_there(const struct monitor *m, const struct peer *p)
{
	return p->up.mesh + m->core * PAGE_BYTES;
}

static void send_queued(struct monitor *m, struct peer *p)
{
	while (p->first != NULL) {
		const struct queued *q = p->first;

		trace_send(&p->channel, ring_there(m, p), TRACE_MONITORS, q->type, bytes_of(q->type));
		if (!channel_ok(channel_send(&p->channel, q->type, q->message.words, bytes_of(q->type) / 8)))
			return;
		free(take_first(&p->first));
	}
}

/* Most messages find room at once. */
static bool sent_at_once(struct monitor *m, struct peer *p, unsigned type, const void *message)
{
	union message copy;

	if (p->first != NULL)
		return false;
	memcpy(copy.words, message, bytes_of(type));
	trace_send(&p->channel, ring_there(m, p), TRACE_MONITORS, (uint16_t)type, bytes_of(type));
	return channel_ok(channel_send(&p->channel, (uint16_t)type, copy.words, bytes_of(type) / 8));
}

bool mesh_send(struct monitor *m, uint32_t core, unsigned type, const void *message)
{
	struct queued *q;

	if (core != m->core && (core >= m->peers || !connect_peer(m, core)))
		return false;
	if (core != m->core) {
		m->talks = true;
		make_lively(m, core); /* there will be an answer */
	}
	if (core != m->core && sent_at_once(m, &m->peer[core], type, message))
		return true;
	q = make_queued(type, message);
	if (q == NULL)
		return false;
	if (core == m->core) {
		append(&m->local_first, &m->local_last, q);
		return true;
	}
	append(&m->peer[core].first, &m->peer[core].last, q);
	send_queued(m, &m->peer[core]);
	return true;
}

/* ---- Receiving ---- */

_Static_assert(MESSAGE_TYPES <= AGREEMENT_FIRST, "the tables have no number in common");

static err_t check(const struct monitor *m, unsigned type, unsigned bytes, const uint64_t words[CHANNEL_WORDS])
{
	if (type >= AGREEMENT_FIRST)
		return agreement_check(type, bytes, (const union agreement_message *)words, m->peers);
	return message_check(type, bytes, (const union message *)words, m->peers);
}

static void note_arrival(struct monitor *m, const struct agreement_head *head)
{
	estate_arrival(m, head->object & AGREEMENT_BASE_MASK, head->size);
}

static void dispatch(struct monitor *m, uint32_t from, unsigned type, const union message *message)
{
	m->stirred |= type < AGREEMENT_FIRST;
	if (type >= AGREEMENT_FIRST) {
		if (type == AGREEMENT_install)
			note_arrival(m, (const struct agreement_head *)message->words);
		agreement_receive(&m->agreement, from, type, message->words);
		return;
	}
	switch (type) {
#define MESSAGE(name, number, fields)                                                                                                      \
	case number:                                                                                                                       \
		handle_##name(m, from, &message->name);                                                                                    \
		break;
#include "monitor/messages.def"
#undef MESSAGE
	default:
		break;
	}
}

/* The agreement's messages of a view that has not come here yet wait for it, and those behind them too. */
static bool must_wait(const struct monitor *m, const struct peer *p, unsigned type, const union message *message)
{
	const union agreement_message *a = (const union agreement_message *)message;

	return type >= AGREEMENT_FIRST && (p->held != NULL || a->head.view > m->membership.view);
}

/* What comes after as many as that stays in the channel until the view comes; whatever makes it come was sent before them. */
static bool holds_enough(const struct peer *p)
{
	return p->holds >= HELD_MOST;
}

static void hold(struct peer *p, unsigned type, const union message *message)
{
	struct queued *q = make_queued(type, message);

	if (q == NULL) {
		p->refused++;
		return;
	}
	append(&p->held, &p->held_last, q);
	p->holds++;
}

static void receive(struct monitor *m, uint32_t core, const struct channel_message *line)
{
	struct peer *p = &m->peer[core];
	union message message;

	memcpy(message.words, line->words, sizeof(message));
	if (is_err(check(m, line->type, line->length, message.words))) {
		if (p->refused++ == 0)
			report_line(m, "Core %u refuses a malformed message of core %u: type %u (%s), %u bytes.", m->core, core, line->type,
			            name_of(line->type), line->length);
		return;
	}
	if (must_wait(m, p, line->type, &message))
		hold(p, line->type, &message);
	else
		dispatch(m, core, line->type, &message);
}

static bool release(struct monitor *m, uint32_t core)
{
	struct peer *p = &m->peer[core];
	const union agreement_message *a = p->held == NULL ? NULL : (const union agreement_message *)&p->held->message;
	struct queued *q;

	if (a == NULL || a->head.view > m->membership.view)
		return false;
	q = take_first(&p->held);
	p->holds--;
	make_lively(m, core); /* more of it may have stayed in the channel */
	dispatch(m, core, q->type, &q->message);
	free(q);
	return true;
}

void mesh_release(struct monitor *m)
{
	for (uint32_t core = 0; core < m->peers; core++)
		while (release(m, core))
			;
}

/* Whether an unconnected core has begun to write to us. */
static bool has_knocked(const struct monitor *m, uint32_t core)
{
	const struct channel_slot *first = (const struct channel_slot *)(m->mesh + core * PAGE_BYTES);

	return m->peer[core].state <= PEER_KNOWN && core != m->core && channel_load_header(&first->line.header) != 0;
}

/* Who does not keep the rules is not believed any more. In each view that still has it, it is accused once. */
static void channel_broken_by(struct monitor *m, uint32_t core)
{
	struct peer *p = &m->peer[core];

	m->stirred = true;
	if (p->faults++ == 0)
		report_line(m, "monitor %u: core %u: %s", m->core, core, channel_fault_sentence(channel_fault(&p->channel)));
	if (p->accused == m->membership.view)
		return;
	p->accused = m->membership.view;
	membership_suspect(m, core, (struct suspicion){0});
}

static void poll_peer(struct monitor *m, uint32_t core)
{
	struct peer *p = &m->peer[core];
	struct channel_message line;

	if (has_knocked(m, core)) {
		m->stirred = true;
		if (p->state == PEER_UNKNOWN)
			core_start_heard(m, core);
		connect_peer(m, core);
	}
	/* At most a ring's worth: one chatty peer must not keep the others waiting. */
	for (unsigned i = 0; i < MESH_LINES && p->state == PEER_CONNECTED && !holds_enough(p); i++) {
		struct channel_result r = channel_try_receive(&p->channel, &line);

		if (r.code == CHANNEL_BROKEN)
			channel_broken_by(m, core);
		if (!channel_ok(r))
			break;
		trace_receive(&p->channel, m->mesh_base + core * PAGE_BYTES, TRACE_MONITORS, line.type);
		receive(m, core, &line);
		m->talks = p->talked = true;
	}
	if (p->state == PEER_CONNECTED)
		send_queued(m, p);
}

void mesh_poll(struct monitor *m)
{
	struct queued *q;

	if (platform_take_ring() || m->rung)
		look_at_everybody(m);
	for (unsigned i = 0; i < m->livelies; i++)
		poll_peer(m, m->lively[i]);
	while ((q = take_first(&m->local_first)) != NULL) {
		dispatch(m, m->core, q->type, &q->message);
		free(q);
	}
}

/* Whether there is something to do about what the core has written. */
static bool has_written(struct monitor *m, uint32_t core)
{
	struct peer *p = &m->peer[core];

	if (p->state == PEER_CONNECTED)
		return !holds_enough(p) && channel_poll(&p->channel).code != CHANNEL_EMPTY;
	return p->state == PEER_KNOWN && has_knocked(m, core);
}

bool mesh_waiting(struct monitor *m)
{
	if (m->rung || platform_rung())
		return true;
	for (unsigned i = 0; i < m->livelies; i++)
		if (has_written(m, m->lively[i]))
			return true;
	return m->local_first != NULL;
}

bool mesh_glance(const struct monitor *m)
{
	for (unsigned i = 0; i < m->livelies; i++) {
		const struct peer *p = &m->peer[m->lively[i]];

		if (p->state == PEER_CONNECTED && !holds_enough(p) && channel_glance(&p->channel))
			return true;
	}
	return platform_rung();
}

static void take_back(struct monitor *m)
{
	for (unsigned i = 0; i < m->livelies; i++)
		if (m->peer[m->lively[i]].state == PEER_CONNECTED)
			channel_unpark(&m->peer[m->lively[i]].channel);
}

bool mesh_park(struct monitor *m)
{
	if (m->local_first != NULL)
		return false;
	for (unsigned i = 0; i < m->livelies; i++) {
		if (m->peer[m->lively[i]].state != PEER_CONNECTED)
			continue;
		channel_announce(&m->peer[m->lively[i]].channel);
		watch_next_line(m, m->lively[i]);
	}
	channel_fence();
	if (!mesh_waiting(m))
		return true;
	take_back(m);
	return false;
}

/* Room for what waits to be sent comes with a line as well. */
void mesh_unpark(struct monitor *m)
{
	unsigned stay = 0;

	for (unsigned i = 0; i < m->livelies; i++) {
		struct peer *p = &m->peer[m->lively[i]];

		p->lively = p->talked && p->state == PEER_CONNECTED;
		p->talked = false;
		if (!p->lively)
			continue;
		channel_unpark(&p->channel);
		m->lively[stay++] = m->lively[i];
	}
	m->livelies = stay;
}

/* ---- Who is there ---- */

void mesh_learn(struct monitor *m, uint32_t from, const struct message_up *up)
{
	struct peer *p = &m->peer[up->core];

	if (up->core == m->core || p->state != PEER_UNKNOWN)
		return;
	if (is_err(platform_peer(up->core, up->apic, up->mailbox))) {
		report_line(m, "monitor %u: the CPU driver does not take core %u as a peer", m->core, up->core);
		return;
	}
	p->up = *up;
	p->state = PEER_KNOWN;
	mesh_rung(m); /* it may have knocked before */
	for (uint32_t core = 0; core < m->peers; core++)
		if (m->peer[core].neighbour && core != from && core != up->core)
			mesh_send(m, core, MESSAGE_up, up);
	whereabouts_introduce(m, up->core);
}

void mesh_introduce(struct monitor *m, uint32_t core, const struct message_up *up)
{
	mesh_learn(m, core, up);
	for (uint32_t other = 0; other < m->peers; other++)
		if (other != m->core && other != core && mesh_alive(m, other))
			mesh_send(m, core, MESSAGE_up, &m->peer[other].up);
}

/* ---- Who is there no more ---- */

static void drop_queue(struct queued **first)
{
	while (*first != NULL)
		free(take_first(first));
}

void mesh_forget(struct monitor *m, uint32_t core)
{
	struct peer *p = &m->peer[core];

	p->state = PEER_LOST;
	p->neighbour = false;
	(void)!is_ok(platform_peer(core, p->up.apic, 0));
	drop_page(m, p);
	drop_queue(&p->first);
	drop_queue(&p->held);
	p->holds = p->line_bytes = 0;
}

void mesh_bury(struct monitor *m, uint32_t core)
{
	struct peer *p = &m->peer[core];

	if (p->state != PEER_LOST)
		return;
	mesh_prepare_page(m->mesh + core * PAGE_BYTES);
	p->state = PEER_UNKNOWN;
	p->faults = 0;
	watch_knocks(m, core);
}

/* ---- Beats ---- */

uint64_t mesh_beat_here(const struct monitor *m, uint32_t core)
{
	return m->mesh_base + core * PAGE_BYTES + BEAT_AT;
}

uint64_t mesh_beat_there(const struct monitor *m, uint32_t core)
{
	return m->peer[core].up.mesh + m->core * PAGE_BYTES + BEAT_AT;
}
