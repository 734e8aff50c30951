/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* The console: the one domain that has the serial line. It takes text from any domain on any core over streams (atoll/console.h), shows whole
 * lines, and hands typed lines to whoever asked for one last. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <atoll/console.h>
#include <atoll/domain.h>
#include <atoll/ipc.h>

#include "apps/console/lines.h"
#include "apps/console/uart.h"

#define PORTS     CAP(ROOT_TASK, TASK_IO_PORTS)
#define INTERRUPT CAP(ROOT_TASK, TASK_INTERRUPTS)
#define ISA_IRQ   4 /* of COM1 (IBM PC/AT technical reference, interrupt levels) */

struct reader {
	struct ipc_connection *connection;
	bool key; /* wants one character, else a line */
	struct reader *next; /* who asked before */
};

struct console {
	struct console_sink sink;
	struct console_input input;
	struct reader *readers; /* last asked first */
};

static void put_uart(void *context, const char *text, size_t bytes)
{
	(void)context;
	uart_write(PORTS, text, bytes);
}

/* What is typed is the last reader's, who then is one no more. One that has gone, or is stuck, loses it; nobody else does. */
static void answer_reader(struct console *console, const char *text, size_t bytes)
{
	struct reader *reader = console->readers;

	console->readers = reader->next;
	(void)!is_ok(ipc_send(reader->connection, CONSOLE_INPUT, text, bytes));
	free(reader);
}

/* Lines typed ahead of any reader stay in the UART: it is only read while somebody wants input. */
static void take_input(void *context)
{
	struct console *console = context;

	while (console->readers != NULL) {
		int c = uart_read(PORTS);

		if (c < 0)
			return;
		if (console->readers->key) {
			const char key = (char)c;

			answer_reader(console, &key, 1);
		} else if (console_type(&console->input, &console->sink, c) != CONSOLE_TYPED_MORE) {
			answer_reader(console, console->input.line, console->input.used);
			console->input.used = 0;
		}
	}
}

static void forget_reader(struct console *console, struct ipc_connection *connection)
{
	for (struct reader **link = &console->readers; *link != NULL;) {
		struct reader *reader = *link;

		if (reader->connection != connection) {
			link = &reader->next;
			continue;
		}
		*link = reader->next;
		free(reader);
	}
}

static void opened(void *context, struct ipc_connection *connection)
{
	struct console_writer *writer = calloc(1, sizeof(*writer));

	(void)context;
	if (writer == NULL) {
		ipc_close(connection);
		return;
	}
	writer->core = ipc_peer_core(connection);
	writer->system = ipc_peer_domain(connection) == 0;
	strncpy(writer->name, ipc_peer_name(connection), sizeof(writer->name) - 1);
	ipc_set_data(connection, writer);
}

static void want_input(struct console *console, struct ipc_connection *connection, bool key)
{
	struct reader *reader = malloc(sizeof(*reader));

	if (reader == NULL) {
		ipc_close(connection);
		return;
	}
	forget_reader(console, connection);
	*reader = (struct reader){connection, key, console->readers};
	console->readers = reader;
	if (!key)
		console_prompt(ipc_get_data(connection), &console->sink);
	take_input(console);
}

static void message(void *context, struct ipc_connection *connection, uint16_t label, const void *data, size_t bytes)
{
	struct console *console = context;

	switch (label) {
	case CONSOLE_WRITE:
		console_write(ipc_get_data(connection), &console->sink, data, bytes);
		break;
	case CONSOLE_READ:
	case CONSOLE_READ_KEY:
		want_input(console, connection, label == CONSOLE_READ_KEY);
		break;
	default:
		ipc_close(connection); /* no client of ours sends anything else */
	}
}

static void closed(void *context, struct ipc_connection *connection)
{
	struct console *console = context;
	struct console_writer *writer = ipc_get_data(connection);

	forget_reader(console, connection);
	if (writer == NULL)
		return;
	console_writer_end(writer, &console->sink);
	free(writer);
}

static int fail(const char *what, err_t e)
{
	fprintf(stderr, "console: %s: %s\n", what, err_sentence(e));
	return EXIT_FAILURE;
}

/* Before there is a console, and about it. */
static void say(const char *line) { uart_write(PORTS, line, strlen(line)); }

int main(void)
{
	static struct console console = {.sink = {.put = put_uart}};
	const struct ipc_server server = {.message = message, .opened = opened, .closed = closed, .context = &console};
	struct ipc_service *service;
	struct monitor_reply route;
	err_t e;

	e = uart_init(PORTS);
	if (is_err(e))
		return fail("the serial port can't be set up", e);
	route = monitor_request(REQUEST_interrupt, 0, ISA_IRQ, 0, 0);
	if (is_ok(route.error))
		route.error = interrupt_attach(INTERRUPT, (unsigned)route.word[1], take_input, &console);
	if (is_err(route.error))
		say("console: its interrupt can't be had, there will be no input\r\n");
	e = ipc_offer(CONSOLE_SERVICE, &server, &service);
	if (is_err(e))
		return fail("the service can't be offered", e);
	ipc_serve();
}
