/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include <stdlib.h>
#include <string.h>

#include <atoll/address_space.h>

#include "monitor/block.h"
#include "monitor/core_start.h"
#include "monitor/discovery.h"
#include "monitor/domain.h"
#include "monitor/handlers.h"
#include "monitor/mesh.h"
#include "monitor/modules.h"
#include "monitor/power.h"
#include "monitor/report.h"
#include "monitor/spawn.h"

#define STARTING_BOUND_US 30000000 /* for all cores; a single one's is in core_start.c */

static uint64_t since_start(const struct monitor *m)
{
	return platform_microseconds(platform_now() - m->start_tsc);
}

err_t discovery_begin(struct monitor *m)
{
	static const struct {
		struct spawn_order order;
		char name[8];
	} text = {{.arguments = 1}, "acpi"};
	struct spawn_request r = {.text = (const char *)&text, .text_bytes = sizeof(text.order) + strlen(text.name) + 1};
	err_t e = module_map(m, text.name, &r.program, &r.program_bytes);

	m->life = LIFE_DISCOVERING;
	if (is_ok(e))
		e = spawn_here(m, &r, &m->acpi);
	m->discovery_us = since_start(m);
	return e;
}

/* ---- The model ---- */

static err_t keep_machine(struct monitor *m, const struct machine *machine)
{
	void *at;
	err_t e = block_take(m, CAP_Frame, sizeof(*machine), &m->machine_block);

	if (is_ok(e))
		e = frame_map(m->machine_block.cap, 0, m->machine_block.bytes, RIGHTS(RIGHT_READ | RIGHT_WRITE), &at);
	if (is_err(e))
		return e;
	memcpy(at, machine, sizeof(*machine));
	m->machine_frame = m->machine_block.cap;
	m->machine = at;
	return OK;
}

static void use_io_apics(struct monitor *m)
{
	for (unsigned i = 0; i < m->machine->ioapic_count; i++) {
		const struct machine_ioapic *io = &m->machine->ioapics[i];
		err_t e = platform_io_apic(io->address, io->first_gsi);

		if (is_err(e))
			report_line(m, "The I/O APIC at 0x%lx can't be used: %s.", (unsigned long)io->address, err_sentence(e));
	}
}

/* The first core makes its own mesh area. */
static err_t make_mesh(struct monitor *m)
{
	struct block area;
	void *at;
	err_t e = block_take(m, CAP_Frame, m->peers * PAGE_BYTES, &area);

	if (is_ok(e))
		e = frame_map(area.cap, 0, area.bytes, RIGHTS(RIGHT_READ | RIGHT_WRITE), &at);
	if (is_err(e))
		return e;
	for (uint32_t page = 0; page < m->peers; page++)
		mesh_prepare_page((uint8_t *)at + page * PAGE_BYTES);
	return mesh_start(m, area.base, at);
}

static void go_on(struct monitor *m)
{
	err_t e;

	m->node = m->machine->cores[m->core].node;
	m->peers = m->machine->core_count < m->boot->cores ? m->machine->core_count : m->boot->cores;
	m->acpi_us = since_start(m);
	use_io_apics(m);
	e = make_mesh(m);
	m->life = LIFE_STARTING;
	m->life_deadline = platform_now() + platform_ticks(STARTING_BOUND_US);
	m->cores_left = m->peers - 1;
	m->self.mesh = m->mesh_base;
	if (is_ok(e))
		e = core_start_begin(m);
	if (is_err(e)) {
		report_line(m, "Other cores can't be started: %s.", err_sentence(e));
		m->cores_left = 0;
	}
	m->prepared_us = since_start(m);
	if (m->cores_left == 0)
		discovery_complete(m);
}

err_t discovery_take_machine(struct monitor *m, const struct domain *acpi, uint64_t bytes, uint64_t slot)
{
	struct machine *copy;
	cap_t frame;
	void *at;
	err_t e;

	if (m->life != LIFE_DISCOVERING || m->machine != NULL)
		return ERR(STATE);
	if (bytes != sizeof(*copy) || slot >= CNODE_SLOTS)
		return ERR(ARGUMENT);
	e = cap_slot_alloc(&frame);
	if (is_ok(e))
		e = task_open(acpi);
	if (is_err(e))
		return e;
	e = cap_copy(CAP(TASK_WINDOW, slot), frame);
	task_close();
	if (is_ok(e))
		e = frame_map(frame, 0, page_up(bytes), RIGHTS(RIGHT_READ), &at);
	if (is_err(e))
		return e;
	copy = malloc(sizeof(*copy));
	if (copy != NULL)
		memcpy(copy, at, sizeof(*copy));
	(void)!is_ok(frame_unmap(at));
	(void)!is_ok(cap_delete(frame));
	cap_slot_free(frame);
	e = copy == NULL ? ERR(NO_MEMORY) : machine_check(copy, sizeof(*copy)) ? keep_machine(m, copy) : ERR(FORMAT);
	free(copy);
	/* The cores are started when the acpi domain has its answer. */
	return e;
}

/* Without any table: one core, one node. */
static void assume_machine(struct monitor *m)
{
	const struct machine_sources none = {.boot_apic = m->boot->apic};
	struct machine *machine = calloc(1, sizeof(*machine));
	err_t e = machine == NULL ? ERR(NO_MEMORY) : OK;

	report_line(m, "The acpi domain has ended before it described the machine: only this core is used.");
	if (is_ok(e)) {
		machine_build(machine, &none);
		e = keep_machine(m, machine);
	}
	free(machine);
	if (is_err(e)) {
		report_line(m, "@event {\"event\":\"panic\",\"reason\":\"%s\"}", err_sentence(e));
		platform_reset();
	}
}

static void give_cores_up(struct monitor *m)
{
	const struct message_failed silent = {.reason = 0};

	for (uint32_t core = 1; core < m->peers && m->life == LIFE_STARTING; core++) {
		struct message_failed f = silent;

		f.core = core;
		handle_failed(m, m->core, &f);
	}
}

void discovery_step(struct monitor *m, uint64_t now)
{
	if (m->life == LIFE_DISCOVERING && m->machine == NULL && domain_find(m, m->acpi) == NULL)
		assume_machine(m);
	if (m->life == LIFE_DISCOVERING && m->machine != NULL)
		go_on(m);
	if (m->life == LIFE_STARTING && now > m->life_deadline)
		give_cores_up(m);
}

/* ---- The first programs ---- */

/* The program's name, then, if the manifest says so, the kernel's command line, word by word. */
static size_t make_text(const struct monitor *m, const struct manifest_program *p, char *text)
{
	const char *line = p->arguments ? m->boot->command_line : "";
	struct spawn_order order = {.arguments = 1};
	size_t at = sizeof(order) + strlen(p->name) + 1;

	memcpy(text + sizeof(order), p->name, strlen(p->name) + 1);
	for (line += strspn(line, " "); *line != '\0'; line += strspn(line, " ")) {
		size_t bytes = strcspn(line, " ");

		memcpy(text + at, line, bytes);
		text[at + bytes] = '\0';
		at += bytes + 1;
		line += bytes;
		order.arguments++;
	}
	memcpy(text, &order, sizeof(order));
	return at;
}

void discovery_complete(struct monitor *m)
{
	char text[sizeof(struct spawn_order) + MANIFEST_NAME + COMMAND_LINE_BYTES];

	m->life = LIFE_READY;
	m->life_deadline = 0;
	m->complete_us = since_start(m);
	membership_begin(m);
	report_boot(m);
	for (unsigned i = 0; i < m->manifest.programs; i++) {
		const struct manifest_program *p = &m->manifest.program[i];
		uint32_t domain;
		err_t e;

		if (!p->boot)
			continue;
		e = spawn_archived(m, &(struct spawn_request){.text = text, .text_bytes = make_text(m, p, text)}, &domain);
		if (is_ok(e))
			continue;
		report_line(m, "The program %s of the manifest can't be started: %s.", p->name, err_sentence(e));
		if (p->may >> REQUEST_power_off & 1) /* nobody else will end the system */
			power_off_begin(m, EXIT_FAILURE);
	}
}
