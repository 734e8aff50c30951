/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* The monitor of one core: the only holder of Kernel. main is its life as a list; from then on it serves whoever calls, writes or ends, one
 * thing after the other, and waits for nobody. */

#include <stdlib.h>
#include <string.h>

#include <atoll/address_space.h>
#include <atoll/domain.h>

#include "channels/memory.h"
#include "cpudriver/abi/core_image.h"
#include "monitor/balance.h"
#include "monitor/block.h"
#include "monitor/capability.h"
#include "monitor/core_start.h"
#include "monitor/discovery.h"
#include "monitor/domain.h"
#include "monitor/heartbeat.h"
#include "monitor/membership.h"
#include "monitor/mesh.h"
#include "monitor/modules.h"
#include "monitor/move.h"
#include "monitor/power.h"
#include "monitor/report.h"
#include "monitor/requests.h"
#include "monitor/revocation.h"
#include "monitor/trace.h"

#define EVENTS_RETRY_US 2000
#define LIFE_NUMBERS    64    /* domain numbers between two lives of a core */
#define OVERDUE_US      10000 /* how often to look at what should have happened already */
/* How long to look on before sleeping (patience.h): about as long as it takes to be woken; for an answer, the other core too; before a
 * reply, since it was asked for, as long as that takes and to switch to who waits for it and back. */
#define PATIENCE_US        50
#define ANSWER_PATIENCE_US 100
#define REPLY_PATIENCE_US  100
#define AWAY_US            10 /* between two looks: others ran here, or the host gave the processor to somebody else */

static uint32_t since_start(const struct monitor *m)
{
	return (uint32_t)platform_microseconds(platform_now() - m->start_tsc);
}

/* ---- Start ---- */

static err_t open_archive(struct monitor *m)
{
	const void *bytes;
	const char *why = "it has no file named manifest";
	struct archive_file file;
	unsigned line = 0;
	size_t size, offset;
	err_t e = module_map(m, "archive", &bytes, &size);

	if (is_ok(e))
		e = archive_open(bytes, size, &m->archive, &why, &offset);
	if (is_ok(e))
		e = archive_find(&m->archive, "manifest", &file);
	if (is_ok(e))
		e = manifest_read((const char *)file.data, file.size, &m->manifest, &why, &line);
	if (is_err(e))
		report_line(m, line > 0 ? "The manifest can't be used: %s (line %u)." : "The boot archive can't be used: %s.", why, line);
	return e;
}

static err_t make_doorbell(struct monitor *m)
{
	err_t e = cap_slot_alloc(&m->own_doorbell);

	return is_ok(e) ? platform_doorbell(CAP_SELF_DISPATCHER, m->own_doorbell, &m->own_doorbell_base, &m->own_doorbell_extra) : e;
}

/* What the @boot fact calls the image: everything of the CPU driver's, without the monitor. */
static uint32_t driver_bytes(const struct core_boot *boot)
{
	uint64_t bytes = boot->image_bytes - boot->trace_bytes;

	for (unsigned i = 0; i < boot->monitor.segments && i < BOOT_SEGMENTS_MAX; i++)
		bytes -= boot->monitor.segment[i].bytes;
	return (uint32_t)bytes;
}

/* For debuggers (boot/gdb/monitors.py); the monitor itself is handed what it works on. */
extern struct monitor *monitor_here;
struct monitor *monitor_here;

static struct monitor *begin(const struct core_boot *boot)
{
	struct monitor *m = calloc(1, sizeof(*m));

	if (m == NULL)
		return NULL;
	monitor_here = m;
	m->boot = boot;
	m->core = boot->core;
	m->node = boot->node;
	m->start_tsc = boot->start_tsc;
	m->driver_us = since_start(m);
	m->life = LIFE_READY;
	m->stirred = true;
	m->reply.token = REPLY_NONE;
	/* The numbers of domains that died with the core are not given out again soon. */
	m->domain_count = (uint16_t)(boot->restarted * LIFE_NUMBERS);
	return m;
}

/* A Frame over memory that the starter has laid out for this core, mapped. */
static err_t map_laid_out(uint64_t base, uint64_t bytes, unsigned rights, cap_t *frame, void **at)
{
	err_t e = cap_slot_alloc(frame);

	if (is_ok(e))
		e = platform_install(*frame, &(struct platform_remote){CAP_Frame, (uint8_t)rights, domain_core(), base, bytes, 0});
	return is_ok(e) ? frame_map(*frame, 0, bytes, RIGHTS(rights), at) : e;
}

static err_t join(struct monitor *m)
{
	const struct core_boot *boot = m->boot;
	void *machine, *area;
	cap_t mesh;
	err_t e = map_laid_out(boot->model_base, page_up(boot->model_bytes), RIGHT_READ, &m->machine_frame, &machine);

	if (is_ok(e))
		e = map_laid_out(boot->channel_receive, boot->channel_bytes, RIGHT_READ | RIGHT_WRITE, &mesh, &area);
	if (is_err(e))
		return e;
	m->machine = machine;
	m->peers = (unsigned)(boot->channel_bytes / PAGE_BYTES);
	e = mesh_start(m, boot->channel_receive, area);
	if (is_err(e))
		return e;
	m->self.mesh = m->mesh_base;
	m->self.ready_us = since_start(m);
	e = core_start_answer(m);
	return is_ok(e) ? core_start_begin(m) : e;
}

static err_t start(struct monitor *m)
{
	const struct core_boot *boot = m->boot;
	err_t e = blocks_start(m);

	if (is_ok(e))
		e = make_doorbell(m);
	if (is_ok(e))
		e = open_archive(m);
	if (is_ok(e))
		e = tracing_begin(m);
	if (is_err(e))
		return e;
	m->monitor_us = since_start(m);
	m->self = (struct message_up){.core = m->core,
	                              .apic = boot->apic,
	                              .mailbox = boot->mailbox_base,
	                              .doorbell = m->own_doorbell_base,
	                              .doorbell_extra = m->own_doorbell_extra,
	                              .entered_us = (uint32_t)platform_microseconds(boot->entered_tsc - boot->start_tsc),
	                              .driver_us = (uint32_t)m->driver_us,
	                              .ready_us = (uint32_t)m->monitor_us,
	                              .image_bytes = driver_bytes(boot)};
	return m->core == 0 ? discovery_begin(m) : join(m);
}

/* ---- Service ---- */

static void earlier(uint64_t *deadline, uint64_t candidate)
{
	if (candidate != 0 && (*deadline == 0 || candidate < *deadline))
		*deadline = candidate;
}

/* Nothing is under way that goes on by itself. */
static bool is_calm(const struct monitor *m)
{
	const struct agreement *a = &m->agreement;

	return m->life == LIFE_READY && m->end == END_NOT_BEGUN && !a->changing && !a->recounts && !m->membership.settlement.busy &&
	       m->membership.next_view == 0 && m->domains_ending == 0 && m->departures == 0 && m->revocations == 0 && !m->events_waiting;
}

/* Starts and ends of domains and cores, who is alive, and so on: all that is seldom. */
static bool look_after_rest(struct monitor *m, uint64_t now)
{
	bool more;

	m->stirred = false;
	tracing_tell(m);
	more = domains_step(m);
	m->rest_deadline = core_start_step(m, now);
	if (m->core == 0)
		discovery_step(m, now);
	more |= power_step(m, now);
	earlier(&m->rest_deadline, revocations_step(m, now, &more));
	earlier(&m->rest_deadline, membership_step(m, now));
	earlier(&m->rest_deadline, departures_check(m, now));
	if (m->life_deadline != UINT64_MAX && m->life_deadline != 0)
		earlier(&m->rest_deadline, m->life_deadline > now ? m->life_deadline : now + platform_ticks(OVERDUE_US));
	if (m->events_waiting)
		earlier(&m->rest_deadline, now + platform_ticks(EVENTS_RETRY_US));
	return more;
}

/* Everything but calls. Returns whether there is more to do at once; *deadline is when to look again at the latest. Operations on
 * capabilities are what comes in quick succession, and they don't concern the rest. */
static bool work(struct monitor *m, uint64_t *deadline)
{
	const uint64_t now = platform_now();
	bool more, calm = is_calm(m);

	mesh_poll(m);
	more = agreement_step(&m->agreement);
	if (more) /* what the first slice leaves is seldom more than to tidy up */
		more = agreement_step(&m->agreement);
	more |= capability_step(m);
	if (!calm || m->stirred || !is_calm(m) || (m->rest_deadline != 0 && now >= m->rest_deadline))
		more |= look_after_rest(m, now);
	*deadline = m->rest_deadline;
	/* The end of a domain begins an operation behind the agreement's turn. */
	return more || m->agreement.due_first != 0 || m->leftovers != NULL;
}

/* ---- Looking on, and sleeping ---- */

/* Somebody else on this core runs, if there is anybody. Whether this monitor has something to do. */
static bool look_once(struct monitor *m, bool *came)
{
	const bool called = platform_yield();

	*came = mesh_waiting(m);
	return *came || called;
}

/* Looks for what the other monitors say next, until then. Whoever else on this core can run does so between two looks, or not at all.
 * Returns whether something came, or somebody called. */
static bool look_until(struct monitor *m, struct patience *p, uint64_t until, bool alone)
{
	uint64_t now = platform_now(), away;
	bool came, any;

	do {
		channel_pause(); /* an emulator that runs one core at a time goes on with another */
		if (alone)
			any = came = mesh_glance(m);
		else
			any = look_once(m, &came);
		away = platform_now() - now;
		now += away;
	} while (!any && now < until);
	/* A call of a domain says nothing about the others. What came while this core was away would have come to a sleeper too. */
	if (came || !any)
		patience_learn(p, came && away < platform_ticks(AWAY_US));
	return any;
}

static void give_reply(struct monitor *m)
{
	if (m->reply.token != REPLY_NONE)
		platform_reply(&m->reply);
	m->reply.token = REPLY_NONE;
	m->awaited = NULL;
}

static uint64_t reply_is_due(const struct monitor *m)
{
	return m->awaited->begun + platform_ticks(REPLY_PATIENCE_US);
}

/* What is asked of the other monitors is often answered sooner than the domain that asked could be switched to and back again: then it gets
 * that with the reply. Longer it is not kept waiting, for its other threads wait with it. */
static bool look_with_reply(struct monitor *m)
{
	struct patience *p = &m->patience[PATIENCE_REPLY];

	return m->awaited != NULL && patience_has(p) && look_until(m, p, reply_is_due(m), true);
}

/* Looks on, if it is worth it. Who waits for the reply is not kept waiting any more: it runs first. Returns whether something came. */
static bool look_on(struct monitor *m)
{
	const bool answer = !agreement_is_quiet(&m->agreement);
	struct patience *p = &m->patience[answer ? PATIENCE_ANSWER : PATIENCE_ANYTHING];
	bool came;

	if (!answer && m->reply.token != REPLY_NONE)
		return false; /* this core has something else to do: when it has not any more */
	m->talks = false;
	if (!patience_has(p))
		return false;
	give_reply(m);
	if (look_once(m, &came))
		return true; /* others ran first, so this says nothing about looking on */
	return look_until(m, p, platform_now() + platform_ticks(answer ? ANSWER_PATIENCE_US : PATIENCE_US), false);
}

/* What it has not looked on for yet it does when the others on this core sleep. */
static unsigned how_to_sleep(const struct monitor *m)
{
	return m->talks ? REPLY_UNTIL_IDLE : REPLY_BLOCK;
}

static _Noreturn void serve(struct monitor *m)
{
	struct platform_call call;
	uint64_t deadline, pending;

	for (;;) {
		bool more = work(m, &deadline) || look_with_reply(m) || (m->talks && look_on(m));
		bool parked, called;

		if (more && m->awaited != NULL && platform_now() < reply_is_due(m))
			continue; /* what is to be done may complete the reply */
		parked = !more && mesh_park(m);
		called = is_ok(platform_wait(&m->reply, parked ? how_to_sleep(m) : REPLY_POLL, deadline, &call, &pending));
		m->reply.token = REPLY_NONE;
		m->awaited = NULL;
		if (parked)
			mesh_unpark(m);
		if (pending & PENDING_DOORBELL)
			mesh_rung(m);
		m->stirred |= (pending & (PENDING_TIMER | PENDING_SILENCE | PENDING_STOPPED)) != 0;
		if (pending & PENDING_SILENCE)
			heartbeat_silence(m);
		if (pending & PENDING_STOPPED)
			domains_stopped(m);
		if (called)
			request_serve(m, &call);
	}
}

int main(void)
{
	struct monitor *m = begin((const struct core_boot *)USER_START_PAGE);
	err_t e = m == NULL ? ERR(NO_MEMORY) : start(m);

	if (is_err(e)) {
		if (m != NULL && m->core == 0)
			report_line(m, "@event {\"event\":\"panic\",\"reason\":\"The monitor of core 0 can't start: %s.\"}",
			            err_sentence(e));
		if (m != NULL && m->core == 0)
			platform_reset();
		return EXIT_FAILURE;
	}
	serve(m);
}
