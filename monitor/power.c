/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include "monitor/balance.h"
#include "monitor/bind.h"
#include "monitor/domain.h"
#include "monitor/handlers.h"
#include "monitor/mesh.h"
#include "monitor/power.h"
#include "monitor/report.h"
#include "numa/acpi/hand_over.h"

#define END_BOUND_US     10000000 /* for all domains of all cores */
#define CONSOLE_BOUND_US 1000000  /* for the console to show what is left */
#define LOAD_BOUND_US    20000000 /* for the acpi domain to get ready, on top of that */
#define SWITCH_BOUND_US  3000000  /* for the firmware */

void power_off_begin(struct monitor *m, uint64_t status)
{
	if (m->core != 0) {
		MESH_SEND(m, 0, power_off, .status = status);
		return;
	}
	if (m->life >= LIFE_ENDING)
		return;
	m->life = LIFE_ENDING;
	m->exit_status = status;
	m->life_deadline = platform_now() + platform_ticks(END_BOUND_US);
	m->cores_left = 0;
	for (uint32_t core = 0; core < m->peers; core++)
		if (mesh_alive(m, core) && MESH_SEND(m, core, shutdown, .reserved = 0)) {
			m->cores_left++;
			m->peer[core].owes_balance = true;
		}
}

void handle_power_off(struct monitor *m, uint32_t from, const struct message_power_off *message)
{
	(void)from;
	if (m->core == 0)
		power_off_begin(m, message->status);
}

void handle_shutdown(struct monitor *m, uint32_t from, const struct message_shutdown *message)
{
	(void)message;
	if (from != 0 || m->end != END_NOT_BEGUN)
		return;
	m->end = END_OTHERS;
	if (m->core != 0)
		m->life_deadline = platform_now() + platform_ticks(END_BOUND_US);
	balance_note(m);
	domain_end_all(m, true);
}

static void send_balance(struct monitor *m)
{
	const struct balance now = balance_now(m);

	MESH_SEND(m, 0, balance, .ram_before = m->before.ram, .ram_after = now.ram, .caps_before = m->before.capabilities,
	          .caps_after = now.capabilities, .channels_before = m->before.channels, .channels_after = now.channels);
}

void handle_balance(struct monitor *m, uint32_t from, const struct message_balance *b)
{
	if (m->core != 0 || !m->peer[from].owes_balance)
		return;
	m->peer[from].owes_balance = false;
	m->peer[from].balance = *b;
	m->peer[from].balanced = true;
	m->cores_left--;
}

/* The domains that end last may still be at work for others. */
static bool last_ones_are_idle(const struct monitor *m)
{
	for (unsigned i = 0; i < DOMAINS_MAX; i++) {
		const struct domain *d = &m->domain[i];

		if (d->phase == DOMAIN_RUNNING && d->rights != NULL && d->rights->last && connections_of(m, d->number, m->acpi))
			return false;
	}
	return true;
}

/* On the first core the domains marked `last` go when all other cores have no domain any more. */
static void end_last_ones(struct monitor *m, uint64_t now)
{
	if (domains_left(m, true) > 0 || (m->core == 0 && m->cores_left > 1 && now < m->life_deadline))
		return;
	if (m->core == 0 && !last_ones_are_idle(m) && now < m->life_deadline)
		return;
	m->end = END_ALL;
	domain_end_all(m, false);
}

/* When the console has ended and nobody else writes. */
static void report_balances(struct monitor *m)
{
	for (uint32_t core = 0; core < m->peers; core++) {
		const struct message_balance *b = &m->peer[core].balance;

		if (!m->peer[core].balanced)
			continue;
		report_line(
		    m,
		    "@leak {\"core\":%u,\"ram_before\":%lu,\"ram_after\":%lu,\"caps_before\":%u,\"caps_after\":%u,\"channels_before\":%u,"
		    "\"channels_after\":%u}",
		    core, (unsigned long)b->ram_before, (unsigned long)b->ram_after, b->caps_before, b->caps_after, b->channels_before,
		    b->channels_after);
	}
}

static void switch_off(struct monitor *m)
{
	struct domain *acpi = domain_find(m, m->acpi);

	m->life = LIFE_ENDED;
	m->life_deadline = platform_now() + platform_ticks(SWITCH_BOUND_US);
	report_balances(m);
	report_line(m, "@event {\"event\":\"poweroff\",\"status\":%ld}", (long)m->exit_status);
	if (acpi != NULL && m->acpi_can_switch_off)
		domain_event(m, acpi, EVENT_power_off, (uint64_t[]){0, 0}, 2);
	else
		platform_reset();
}

void power_told(struct monitor *m, uint64_t what, uint64_t value)
{
	if (what == ACPI_READY) {
		m->acpi_ready = true;
		m->acpi_can_switch_off = value != 0;
	}
	if (what == ACPI_BUTTON)
		power_off_begin(m, 0);
	else if (what == ACPI_STILL_ON && m->life == LIFE_ENDED)
		platform_reset();
}

/* All is told, and the acpi domain is not still loading the namespace that it needs for the last step. */
static bool ready_to_switch_off(struct monitor *m, uint64_t now)
{
	bool loading = !m->acpi_ready && domain_find(m, m->acpi) != NULL;

	if (m->cores_left > 0)
		return now > m->life_deadline + platform_ticks(CONSOLE_BOUND_US);
	return !loading || now > m->life_deadline + platform_ticks(LOAD_BOUND_US);
}

static void step(struct monitor *m, uint64_t now)
{
	if (m->end == END_OTHERS)
		end_last_ones(m, now);
	if (m->end == END_ALL && domains_left(m, false) == 0 && (m->connections == 0 || now > m->life_deadline)) {
		m->end = END_DONE;
		send_balance(m);
	}
	if (m->core != 0)
		return;
	if (m->life == LIFE_ENDING && ready_to_switch_off(m, now))
		switch_off(m);
	else if (m->life == LIFE_ENDED && now > m->life_deadline) {
		m->life_deadline = UINT64_MAX;
		platform_reset();
	}
}

bool power_step(struct monitor *m, uint64_t now)
{
	const enum life life = m->life;
	const enum end_phase end = m->end;

	step(m, now);
	return m->life != life || m->end != end;
}
