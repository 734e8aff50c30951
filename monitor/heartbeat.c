/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include "monitor/heartbeat.h"
#include "monitor/mesh.h"

#define FADES_BY  16 /* a delay loses a sixteenth with each beat */
#define LOSES_BY  8  /* and an eighth with each core that tells it on */
#define TOLD_MOST 10000000

static uint64_t shorter(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}
static uint64_t longer(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

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

void heartbeat_view(struct monitor *m, uint64_t now)
{
	struct heartbeat *h = &m->membership.heartbeat;
	uint32_t watched = member_behind(m);

	h->watcher = member_before(m);
	if (h->next == 0)
		h->strain = 4 * platform_ticks(BEAT_US);
	if (watched != h->watched || h->next == 0) {
		h->met = false;
		h->silence = 0;
	}
	h->watched = watched;
	h->looked = now;
	h->next = watched == m->core ? 0 : now;
}

static void beat(struct monitor *m)
{
	struct heartbeat *h = &m->membership.heartbeat;
	struct beat *b = mesh_beat_there(m, h->watcher);

	if (b == NULL)
		return;
	channel_store_payload(&b->strain, h->strain);
	channel_store_payload(&b->count, ++h->count);
}

static uint64_t bound(const struct heartbeat *h)
{
	uint64_t bound = platform_ticks(CALM_US);

	if (!h->met || h->strain >= platform_ticks(BEAT_US))
		bound = longer(platform_ticks(STRAINED_US), 4 * h->strain);
	return h->watched == 0 ? longer(bound, platform_ticks(FIRST_US)) : bound;
}

static void look(struct monitor *m, uint64_t now)
{
	struct heartbeat *h = &m->membership.heartbeat;
	const struct beat *b = mesh_beat_here(m, h->watched);
	uint64_t count = channel_load_payload(&b->count), told = shorter(channel_load_payload(&b->strain), platform_ticks(TOLD_MOST));

	if (count == h->seen) {
		h->silence += shorter(now - h->looked, 2 * platform_ticks(BEAT_US));
	} else {
		h->seen = count;
		h->met = true;
		h->silence = 0;
		m->peer[h->watched].beats++;
		h->strain = longer(h->strain, told - told / LOSES_BY);
	}
	h->looked = now;
}

uint64_t heartbeat_step(struct monitor *m, uint64_t now)
{
	struct heartbeat *h = &m->membership.heartbeat;
	uint64_t period = platform_ticks(BEAT_US), limit;

	if (h->next == 0 || now < h->next)
		return h->next;
	h->strain = longer(h->strain - h->strain / FADES_BY, now - h->next);
	h->next = now + period;
	beat(m);
	look(m, now);
	limit = bound(h);
	if (h->silence >= limit)
		membership_suspect(m, h->watched, platform_microseconds(h->silence), platform_microseconds(limit));
	else if (h->silence > 0)
		h->next = now + shorter(period, limit - h->silence);
	return h->next;
}
