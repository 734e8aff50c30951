/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include <string.h>

#include "monitor/core_start.h"
#include "monitor/estate.h"
#include "monitor/fence.h"
#include "monitor/handlers.h"
#include "monitor/heartbeat.h"
#include "monitor/loss.h"
#include "monitor/mesh.h"
#include "monitor/report.h"

_Static_assert(CORES_MAX <= 1 << LEADER_BITS, "a view's number names its leader");
_Static_assert(SET_WORDS == 4, "as the message `view` has it");

bool membership_has(const struct monitor *m, uint32_t core)
{
	return set_has(&m->membership.alive, core);
}

uint32_t membership_leader(const struct monitor *m, uint32_t except)
{
	uint32_t leader = set_next(&m->membership.alive, 0);

	return leader == except ? set_next(&m->membership.alive, leader + 1) : leader;
}

/* ---- Views ---- */

static void enter(struct monitor *m, uint32_t number, const struct core_set *alive)
{
	const struct core_set before = m->membership.alive;

	m->membership.view = number;
	m->membership.alive = *alive;
	SET_FOR_EACH (core, &before) {
		if (!set_has(alive, core))
			core_lost(m, core);
	}
	agreement_view(&m->agreement, number, alive);
	heartbeat_view(m, platform_now());
	mesh_release(m);
	/* A new leader may have said that a core is alive of which this one has heard otherwise. */
	SET_FOR_EACH (core, alive) {
		if (core != m->core && m->peer[core].state == PEER_LOST)
			membership_suspect(m, core, (struct suspicion){0});
	}
}

static void announce(struct monitor *m, const struct core_set *alive)
{
	uint32_t number = ((m->membership.view >> LEADER_BITS) + 1) << LEADER_BITS | m->core;

	SET_FOR_EACH (core, alive) {
		if (core != m->core)
			MESH_SEND(m, core, view, .number = number, .alive0 = alive->word[0], .alive1 = alive->word[1],
			          .alive2 = alive->word[2], .alive3 = alive->word[3]);
	}
	enter(m, number, alive);
}

void membership_begin(struct monitor *m)
{
	struct core_set alive = {{0}};

	for (uint32_t core = 0; core < m->peers; core++)
		if (mesh_alive(m, core))
			set_add(&alive, core);
	if (m->peers > 1)
		announce(m, &alive);
}

/* Only the lowest member makes views, and only later ones than it knows. */
static bool is_next_view(const struct monitor *m, uint32_t from, const struct message_view *v, const struct core_set *alive)
{
	return v->number > m->membership.view && (v->number & ((1 << LEADER_BITS) - 1)) == from && set_next(alive, 0) == from &&
	       from != m->core && set_has(alive, m->core) && set_next(alive, m->peers) == CORES_MAX &&
	       (m->membership.view == 0 || membership_has(m, from));
}

static bool has_heard_of_all(const struct monitor *m, const struct core_set *cores)
{
	SET_FOR_EACH (core, cores) {
		if (core != m->core && m->peer[core].state == PEER_UNKNOWN)
			return false;
	}
	return true;
}

/* Nothing could be said to a core that is not known yet, so its view has to wait until it is. */
static void enter_next(struct monitor *m)
{
	const struct core_set alive = m->membership.next_alive;
	uint32_t number = m->membership.next_view;

	if (number == 0 || !has_heard_of_all(m, &alive))
		return;
	m->membership.next_view = 0;
	if (number > m->membership.view)
		enter(m, number, &alive);
}

void handle_view(struct monitor *m, uint32_t from, const struct message_view *message)
{
	const struct core_set alive = {{message->alive0, message->alive1, message->alive2, message->alive3}};

	if (!is_next_view(m, from, message, &alive) || message->number <= m->membership.next_view) {
		m->peer[from].refused++;
		return;
	}
	m->membership.next_view = message->number;
	m->membership.next_alive = alive;
	enter_next(m);
}

/* ---- Cores go ---- */

/* Without the first core nobody speaks for the others: each line goes to the serial port. */
static void report_first(void)
{
	static const char text[] = "\nCore 0 does not answer, and with it the serial line, the names and the firmware are lost:\n"
	                           "the machine starts again.\n";

	for (size_t at = 0; at + 1 < sizeof(text); at += 32)
		platform_print(text + at, sizeof(text) - 1 - at < 32 ? sizeof(text) - 1 - at : 32);
}

static void remove_core(struct monitor *m, uint32_t core, uint32_t by, struct suspicion why)
{
	struct core_set alive = m->membership.alive;

	if (core == 0)
		report_first();
	fence_begin(m, core);
	set_remove(&alive, core);
	announce(m, &alive);
	report_line(m,
	            "@event {\"event\":\"core_suspected\",\"core\":%u,\"by\":%u,\"silent_us\":%lu,\"bound_us\":%lu,\"strain_us\":%lu,"
	            "\"view\":%u}",
	            core, by, (unsigned long)why.silence_us, (unsigned long)why.bound_us, (unsigned long)why.strain_us,
	            m->membership.view >> LEADER_BITS);
}

static void suspect(struct monitor *m, uint32_t by, uint32_t core, struct suspicion why)
{
	uint32_t leader = membership_leader(m, core);

	if (leader == m->core)
		remove_core(m, core, by, why);
	else
		MESH_SEND(m, leader, suspect, .core = core, .view = m->membership.view, .silence_us = why.silence_us,
		          .bound_us = why.bound_us, .strain_us = why.strain_us);
}

void membership_suspect(struct monitor *m, uint32_t core, struct suspicion why)
{
	if (core != m->core && membership_has(m, core))
		suspect(m, m->core, core, why);
}

/* Whoever is suspected himself, or speaks of another view, accuses nobody. */
void handle_suspect(struct monitor *m, uint32_t from, const struct message_suspect *message)
{
	if (message->view == m->membership.view && membership_has(m, from) && membership_has(m, message->core) &&
	    message->core != m->core && membership_leader(m, message->core) == m->core)
		remove_core(m, message->core, from, (struct suspicion){message->silence_us, message->bound_us, message->strain_us});
}

/* ---- Cores come ---- */

void membership_up(struct monitor *m, uint32_t core)
{
	struct core_set alive = m->membership.alive;

	if (m->membership.view == 0 || membership_has(m, core) || membership_leader(m, core) != m->core || !mesh_alive(m, core))
		return;
	SET_FOR_EACH (member, &m->membership.alive) {
		if (member != m->core)
			mesh_send(m, member, MESSAGE_up, &m->peer[core].up);
	}
	set_add(&alive, core);
	announce(m, &alive);
	report_line(m, "@event {\"event\":\"core_joined\",\"core\":%u,\"view\":%u}", core, m->membership.view >> LEADER_BITS);
	fence_joined(m, core);
}

/* ---- Time ---- */

static void earlier(uint64_t *deadline, uint64_t candidate)
{
	if (candidate != 0 && (*deadline == 0 || candidate < *deadline))
		*deadline = candidate;
}

uint64_t membership_step(struct monitor *m, uint64_t now)
{
	uint64_t deadline;

	enter_next(m);
	deadline = heartbeat_step(m, now);
	earlier(&deadline, fence_step(m, now));
	earlier(&deadline, estate_step(m, now));
	return deadline;
}
