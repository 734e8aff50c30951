/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include "monitor/heartbeat.h"
#include "monitor/mesh.h"
#include "monitor/report.h"

static uint32_t member_behind(const struct monitor *m)
{
	uint32_t next = set_next(&m->membership.alive, m->core + 1);

	return next < CORES_MAX ? next : set_next(&m->membership.alive, 0);
}

static uint32_t member_before(const struct monitor *m)
{
	uint32_t before = CORES_MAX, last = m->core;

	SET_FOR_EACH (core, &m->membership.alive) {
		if (core < m->core)
			before = core;
		last = core;
	}
	return before < CORES_MAX ? before : last;
}

static uint64_t longer(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* How long the watched core may be silent. */
static uint64_t bound(const struct heartbeat *h, const struct platform_silence *s)
{
	bool calm = s->met && s->strain < platform_ticks(DELAY_US);
	uint64_t bound = calm ? platform_ticks(CALM_US) : longer(platform_ticks(STRAINED_US), 8 * s->strain);

	if (s->over)
		return 0;
	return h->watched == 0 ? longer(bound, platform_ticks(FIRST_US)) : bound;
}

/* Says that this monitor is there, and asks. */
static err_t watch(struct monitor *m, uint64_t now, struct platform_silence *s)
{
	const struct heartbeat *h = &m->membership.heartbeat;

	return platform_watch(&(struct platform_watch){.there = mesh_beat_there(m, h->watcher),
	                                               .here = mesh_beat_here(m, h->watched),
	                                               .period = h->watched == m->core ? 0 : platform_ticks(BEAT_US),
	                                               .limit = platform_ticks(CALM_US),
	                                               .lease = now + platform_ticks(LEASE_US)},
	                      s);
}

void heartbeat_view(struct monitor *m, uint64_t now)
{
	struct heartbeat *h = &m->membership.heartbeat;
	struct platform_silence ignored;

	h->watched = member_behind(m);
	h->watcher = member_before(m);
	h->bound = 0;
	h->next = h->watched == m->core ? 0 : now;
	if (h->watched == m->core)
		(void)!is_ok(watch(m, now, &ignored));
}

void heartbeat_silence(struct monitor *m)
{
	if (m->membership.heartbeat.next != 0)
		m->membership.heartbeat.next = platform_now();
}

uint64_t heartbeat_step(struct monitor *m, uint64_t now)
{
	struct heartbeat *h = &m->membership.heartbeat;
	struct platform_silence s;
	uint64_t limit;
	err_t e;

	if (h->next == 0 || now < h->next)
		return h->next;
	h->next = now + platform_ticks(RENEW_US);
	e = watch(m, now, &s);
	if (is_err(e)) {
		report_line(m, "monitor %u: core %u can't be watched: %s", m->core, h->watched, err_sentence(e));
		return h->next;
	}
	limit = bound(h, &s);
	if (s.silence < platform_ticks(CALM_US) && !s.over) {
		h->bound = 0;
		return h->next;
	}
	/* From here on it is looked at again and again: the machine may get calm, and a suspicion may get lost with the leader. */
	h->next = now + platform_ticks(BEAT_US);
	h->bound = s.over ? 0 : longer(h->bound, limit);
	if (s.silence >= limit)
		membership_suspect(
		    m, h->watched,
		    (struct suspicion){platform_microseconds(s.silence), platform_microseconds(h->bound), platform_microseconds(s.strain)});
	return h->next;
}
