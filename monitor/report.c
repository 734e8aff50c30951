/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "monitor/handlers.h"
#include "monitor/mesh.h"
#include "monitor/report.h"
#include "monitor/voice.h"

#define PRINT_PIECE 32 /* of Kernel.print */

/* Whole lines, but for what is said before there is a console. */
static void print_here(struct monitor *m, const char *text, size_t bytes)
{
	if (voice_say(m, text, bytes))
		return;
	for (size_t at = 0; at < bytes; at += PRINT_PIECE)
		platform_print(text + at, bytes - at < PRINT_PIECE ? bytes - at : PRINT_PIECE);
}

static void print_there(struct monitor *m, const char *text, size_t bytes)
{
	struct message_print piece;

	for (size_t at = 0; at < bytes; at += piece.bytes) {
		piece = (struct message_print){.bytes = (uint32_t)(bytes - at < sizeof(piece.text) ? bytes - at : sizeof(piece.text))};
		piece.last = at + piece.bytes == bytes;
		memcpy(piece.text, text + at, piece.bytes);
		if (!mesh_send(m, 0, MESSAGE_print, &piece))
			return;
	}
}

void report_line(struct monitor *m, const char *format, ...)
{
	char line[PRINT_LINE];
	va_list arguments;
	int bytes;

	va_start(arguments, format);
	bytes = vsnprintf(line, sizeof(line) - 1, format, arguments);
	va_end(arguments);
	if (bytes < 0)
		return;
	if ((size_t)bytes > sizeof(line) - 2)
		bytes = sizeof(line) - 2;
	line[bytes] = '\n';
	if (m->core == 0)
		print_here(m, line, (size_t)bytes + 1);
	else if (m->peer != NULL)
		print_there(m, line, (size_t)bytes + 1);
}

void handle_print(struct monitor *m, uint32_t from, const struct message_print *message)
{
	struct peer *p = &m->peer[from];

	if (m->core != 0 || from == m->core)
		return;
	if (p->line == NULL) {
		p->line = malloc(PRINT_LINE);
		if (p->line == NULL)
			return;
	}
	if (p->line_bytes + message->bytes > PRINT_LINE)
		p->line_bytes = 0;
	memcpy(p->line + p->line_bytes, message->text, message->bytes);
	p->line_bytes += message->bytes;
	if (message->last) {
		print_here(m, p->line, p->line_bytes);
		p->line_bytes = 0;
	}
}

static void report_topology(struct monitor *m)
{
	size_t bytes = machine_print_topology_json(m->machine, NULL, 0);
	char *text = malloc(bytes + 1);

	if (text == NULL)
		return;
	machine_print_topology_json(m->machine, text, bytes + 1);
	print_here(m, "@topology ", 10);
	print_here(m, text, bytes);
	print_here(m, "\n", 1);
	free(text);
}

void report_boot(struct monitor *m)
{
	uint32_t slowest = 0;

	report_topology(m);
	for (unsigned i = 0; i < m->machine->note_count; i++)
		report_line(m, "%s", m->machine->notes[i]);
	for (uint32_t core = 0; core < m->peers; core++) {
		const struct message_up *up = core == m->core ? &m->self : &m->peer[core].up;

		if (core != m->core && m->peer[core].state == PEER_UNKNOWN)
			continue;
		if (up->ready_us > slowest)
			slowest = up->ready_us;
		report_line(m,
		            "@boot {\"core\":%u,\"apic\":%u,\"node\":%u,\"us\":%u,\"image_bytes\":%u,\"entered_us\":%u,\"driver_us\":%u}",
		            core, up->apic, m->machine->cores[core].node, up->ready_us, up->image_bytes, up->entered_us, up->driver_us);
	}
	report_line(m,
	            "@boot_phases {\"first_monitor_us\":%lu,\"first_ready_us\":%lu,\"acpi_started_us\":%lu,\"acpi_tables_us\":%lu,"
	            "\"prepared_us\":%lu,\"last_core_us\":%u,\"complete_us\":%lu}",
	            (unsigned long)m->driver_us, (unsigned long)m->monitor_us, (unsigned long)m->discovery_us, (unsigned long)m->acpi_us,
	            (unsigned long)m->prepared_us, slowest, (unsigned long)m->complete_us);
}
