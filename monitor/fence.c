/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include <atoll/address_space.h>

#include "monitor/core_start.h"
#include "monitor/domain.h"
#include "monitor/estate.h"
#include "monitor/fence.h"
#include "monitor/handlers.h"
#include "monitor/loss.h"
#include "monitor/mesh.h"
#include "monitor/report.h"
#include "monitor/tickets.h"
#include "monitor/trampoline.h"

#define POLL_US        500
#define PATIENCE_US    20000 /* before INIT is sent again; doubles each time */
#define PATIENCE_LIMIT 1000000

struct fence *fence_of(struct monitor *m, uint32_t core)
{
	return &m->membership.fence[core];
}

/* ---- Stopping ---- */

static uint32_t apic_of(const struct monitor *m, uint32_t core)
{
	return m->machine->cores[core].apic;
}

static void send_sipi(const struct monitor *m, uint32_t core)
{
	(void)!is_ok(platform_sipi(apic_of(m, core), m->boot->trampoline / PAGE_BYTES));
}

/* What a dead core's core_boot says. The core itself can't write there any more. */
struct last_words {
	bool crashed; /* its CPU driver has said that it can't go on */
	uint64_t trace_base, trace_bytes;
};

static struct last_words read_last_words(const struct core_boot *boot, uint32_t core)
{
	if (boot->magic != CORE_BOOT_MAGIC || boot->core != core)
		return (struct last_words){false, 0, 0};
	return (struct last_words){boot->stopped != 0, boot->trace_base, boot->trace_bytes};
}

static struct last_words last_words_of(uint32_t core, uint64_t boot_page)
{
	struct block page = {.base = boot_page, .bytes = PAGE_BYTES};
	struct last_words words = {false, 0, 0};
	void *at;
	err_t e = boot_page == 0 ? ERR(NOT_FOUND) : cap_slot_alloc(&page.cap);

	if (is_err(e))
		return words;
	e = platform_install(page.cap, &(struct platform_remote){CAP_Frame, RIGHT_READ, core, page.base, page.bytes, 0});
	if (is_ok(e) && is_ok(frame_map(page.cap, 0, PAGE_BYTES, RIGHTS(RIGHT_READ), &at))) {
		words = read_last_words(at, core);
		(void)!is_ok(frame_unmap(at));
	}
	if (is_ok(e))
		(void)!is_ok(platform_surrender(page.cap));
	cap_slot_free(page.cap);
	return words;
}

static void bury(struct monitor *m, uint32_t core, struct fence *f)
{
	const struct last_words words = last_words_of(core, f->boot_page);

	trampoline_leave(m, apic_of(m, core));
	SET_FOR_EACH (member, &m->membership.alive)
		MESH_SEND(m, member, buried, .core = core);
	f->state = FENCE_BURIED;
	f->buried = platform_now();
	f->returned = f->held = 0;
	f->inheriting = 0;
	f->heirs = (struct core_set){{0}};
	if (!words.crashed && f->restarts < RESTARTS_MAX) {
		f->restarts++;
		f->wanted = true;
	}
	estate_keep(m, core, words.trace_base, words.trace_bytes);
	estate_orphan(m, core);
}

static void step(struct monitor *m, uint32_t core, struct fence *f, uint64_t now)
{
	switch (f->state) {
	case FENCE_INIT:
		f->deadline = now + platform_ticks(INIT_WAIT_US);
		(void)!is_ok(platform_init(apic_of(m, core)));
		if (trampoline_enter(m, apic_of(m, core), 0))
			f->state = FENCE_SIPI;
		break;
	case FENCE_SIPI:
		send_sipi(m, core);
		f->state = FENCE_WAITING;
		f->polls = 0;
		f->deadline = now + platform_ticks(POLL_US);
		break;
	case FENCE_WAITING:
		f->deadline = now + platform_ticks(POLL_US);
		if (trampoline_passed(m, apic_of(m, core)))
			bury(m, core, f);
		else if (f->polls++ == 0)
			send_sipi(m, core);
		else if (f->polls > f->patience / POLL_US) {
			f->state = FENCE_INIT;
			f->patience = f->patience * 2 < PATIENCE_LIMIT ? f->patience * 2 : PATIENCE_LIMIT;
		}
		break;
	default:
		break;
	}
}

void fence_begin(struct monitor *m, uint32_t core)
{
	struct fence *f = fence_of(m, core);

	m->membership.fencing = true;
	f->state = FENCE_INIT;
	f->patience = PATIENCE_US;
	f->begun = f->deadline = platform_now();
	step(m, core, f, f->deadline);
}

/* ---- Starting again ---- */

static void answer(struct monitor *m, struct fence *f, err_t e)
{
	f->wanted = false;
	if (f->ticket != 0)
		MESH_SEND(m, f->asker, started, .ticket = f->ticket, .error = e.number);
	f->ticket = 0;
}

static void start(struct monitor *m, uint32_t core, struct fence *f)
{
	m->membership.fencing = true;
	f->wanted = false;
	f->state = FENCE_STARTING;
	f->starter = estate_heir(m, m->machine->cores[core].node);
	MESH_SEND(m, f->starter, start, .core = core);
}

void fence_settled(struct monitor *m, uint32_t core)
{
	struct fence *f = fence_of(m, core);

	report_line(m,
	            "@event {\"event\":\"memory_returned\",\"core\":%u,\"returned\":%lu,\"held\":%lu,\"kept\":%lu,\"stopped_us\":%lu,"
	            "\"us\":%lu}",
	            core, (unsigned long)f->returned, (unsigned long)f->held, (unsigned long)f->kept.bytes,
	            (unsigned long)platform_microseconds(f->buried - f->begun),
	            (unsigned long)platform_microseconds(platform_now() - f->begun));
	f->state = FENCE_OUT;
	if (f->wanted)
		start(m, core, f);
}

void fence_joined(struct monitor *m, uint32_t core)
{
	struct fence *f = fence_of(m, core);

	f->state = FENCE_NONE;
	answer(m, f, OK);
}

void fence_failed(struct monitor *m, uint32_t core)
{
	struct fence *f = fence_of(m, core);

	if (f->state != FENCE_STARTING)
		return;
	f->state = FENCE_OUT;
	answer(m, f, ERR(CORE_DEAD));
}

/* The one who started it has died meanwhile: from the beginning, and with what that one had taken for it. */
static void check_starter(struct monitor *m, uint32_t core, struct fence *f)
{
	if (f->state != FENCE_STARTING || membership_has(m, f->starter))
		return;
	f->wanted = true;
	fence_begin(m, core);
}

static bool stops(const struct fence *f)
{
	return f->state >= FENCE_INIT && f->state <= FENCE_WAITING;
}

bool fence_stops(const struct monitor *m)
{
	for (uint32_t core = 0; m->membership.fencing && core < m->peers; core++)
		if (stops(&m->membership.fence[core]))
			return true;
	return false;
}

uint64_t fence_step(struct monitor *m, uint64_t now)
{
	uint64_t next = 0;
	bool busy = false;

	for (uint32_t core = 0; m->membership.fencing && core < m->peers; core++) {
		struct fence *f = &m->membership.fence[core];

		check_starter(m, core, f);
		if (stops(f) && now >= f->deadline)
			step(m, core, f, now);
		if (stops(f) && (next == 0 || f->deadline < next))
			next = f->deadline;
		busy |= stops(f) || f->state == FENCE_STARTING;
	}
	m->membership.fencing = busy;
	return next;
}

/* ---- Messages ---- */

void handle_buried(struct monitor *m, uint32_t from, const struct message_buried *message)
{
	if (from == membership_leader(m, CORES_MAX) && !membership_has(m, message->core))
		core_buried(m, message->core);
}

err_t fence_ask(struct monitor *m, const struct domain *d, uint32_t tag, uint32_t core)
{
	uint32_t leader = membership_leader(m, CORES_MAX), ticket;

	if (core >= m->peers)
		return ERR(CORE_UNKNOWN);
	if (leader >= m->peers)
		return ERR(STATE);
	ticket = ticket_open(m, TICKET_START, leader, d->number, tag, NULL);
	if (ticket == 0)
		return ERR(LIMIT);
	MESH_SEND(m, leader, wanted, .ticket = ticket, .core = core);
	return OK;
}

void handle_wanted(struct monitor *m, uint32_t from, const struct message_wanted *message)
{
	struct fence *f = fence_of(m, message->core);
	err_t e = OK;

	if (membership_leader(m, CORES_MAX) != m->core || membership_has(m, message->core) || f->ticket != 0)
		e = ERR(STATE);
	if (is_err(e)) {
		MESH_SEND(m, from, started, .ticket = message->ticket, .error = e.number);
		return;
	}
	f->asker = from;
	f->ticket = message->ticket;
	f->restarts = 0;
	f->wanted = true;
	if (f->state == FENCE_OUT || f->state == FENCE_NONE)
		start(m, message->core, f);
}

void handle_start(struct monitor *m, uint32_t from, const struct message_start *message)
{
	if (from == membership_leader(m, CORES_MAX) && !membership_has(m, message->core))
		core_start_again(m, message->core);
}

void handle_started(struct monitor *m, uint32_t from, const struct message_started *message)
{
	struct ticket *t = ticket_find(m, message->ticket, TICKET_START, from);
	struct domain *d = t == NULL ? NULL : domain_find(m, t->domain);

	if (t == NULL)
		return;
	if (d != NULL)
		domain_event(m, d, EVENT_done, (uint64_t[]){t->tag, message->error}, 2);
	ticket_close(m, t);
}
