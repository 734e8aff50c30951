/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include <errno.h>
#include <string.h>

#include <atoll/console.h>
#include <atoll/domain.h>
#include <atoll/ipc.h>

#include "cpudriver/abi/calls.h"
#include "libos/domain/start.h"
#include "libos/linux/console.h"
#include "libos/linux/linux.h"
#include "libos/start/start.h"
#include "libos/thread/waiters.h"
#include "libos/upcall/dispatcher.h"

#define BUFFER_BYTES    8192
#define CONSOLE_SECONDS 2 /* so long a program waits for a console that is not there */
#define CHUNK_BYTES     256

/* Written by everybody, read by the writer thread; inside sections. */
static char buffer[BUFFER_BYTES];
static size_t buffer_read, buffer_filled;
static bool writer_started, writer_busy;
static struct queue writer_waits, others_wait; /* for text, for room or the end of the text */

static struct ipc_connection *console; /* NULL: not bound yet */
static bool console_lost;

/* Lines of input: what of the last one has not been asked for. */
static struct mutex input_lock;
static char input[IPC_STREAM_BYTES];
static size_t input_read, input_filled;

void early_print(const char *text, size_t bytes)
{
	while (bytes > 0) {
		size_t here = bytes < 32 ? bytes : 32;
		uint64_t words[4] = {0, 0, 0, 0};

		memcpy(words, text, here);
		(void)!is_ok(invoke(CAP_KERNEL, OP_Kernel_print, words[0], words[1], words[2], words[3], 0).error);
		text += here;
		bytes -= here;
	}
}

static size_t put(const char *data, size_t bytes)
{
	size_t room = BUFFER_BYTES - buffer_filled, count = bytes < room ? bytes : room;

	for (size_t i = 0; i < count; i++)
		buffer[(buffer_read + buffer_filled + i) % BUFFER_BYTES] = data[i];
	buffer_filled += count;
	waiters_wake(&writer_waits);
	return count;
}

static size_t get(char *data, size_t capacity)
{
	size_t count = buffer_filled < capacity ? buffer_filled : capacity;

	for (size_t i = 0; i < count; i++)
		data[i] = buffer[(buffer_read + i) % BUFFER_BYTES];
	buffer_read = (buffer_read + count) % BUFFER_BYTES;
	buffer_filled -= count;
	return count;
}

/* The writer thread. Without a console it still empties the buffer. */
static void writer(void *unused)
{
	static char text[IPC_STREAM_BYTES];
	struct ipc_connection *c;

	(void)unused;
	console_lost = is_err(ipc_bind(CONSOLE_SERVICE, true, &c));
	console = console_lost ? NULL : c;
	for (;;) {
		bool inside = dispatcher_enter();
		size_t bytes;

		writer_busy = false;
		while (buffer_filled == 0) {
			waiters_wake(&others_wait);
			waiters_wait(&writer_waits, THREAD_FOREVER);
		}
		writer_busy = true;
		bytes = get(text, sizeof text);
		waiters_wake(&others_wait);
		dispatcher_leave(inside);
		if (!console_lost)
			console_lost = is_err(ipc_send(console, CONSOLE_WRITE, text, bytes));
	}
}

/* Inside a section. */
static void start_writer(void)
{
	if (writer_started)
		return;
	writer_started = true;
	writer_busy = true;
	console_lost = is_err(thread_start_service(writer, NULL));
}

/* Until the writer has taken something; a console that isn't bound yet may also never come. Inside a section. */
static bool wait_for_room(void)
{
	static bool given_up;

	if (console != NULL)
		return waiters_wait(&others_wait, THREAD_FOREVER);
	given_up = given_up || !waiters_wait(&others_wait, time_tsc() + CONSOLE_SECONDS * time_tsc_hz());
	return !given_up;
}

static void write_chunk(const char *chunk, size_t bytes)
{
	bool inside = dispatcher_enter();
	size_t done;

	start_writer();
	for (done = put(chunk, bytes); done < bytes && !console_lost && wait_for_room(); done += put(chunk + done, bytes - done))
		;
	dispatcher_leave(inside);
}

int64_t linux_console_write(uint64_t address, uint64_t bytes)
{
	char chunk[CHUNK_BYTES];
	uint64_t done = 0;

	for (size_t here; done < bytes; done += here) {
		here = bytes - done < sizeof chunk ? bytes - done : sizeof chunk;
		if (!program_read(chunk, address + done, here))
			return done > 0 ? (int64_t)done : -EFAULT;
		if (start_boot != NULL)
			early_print(chunk, here);
		else
			write_chunk(chunk, here);
	}
	return (int64_t)done;
}

void console_report(const char *data, size_t bytes)
{
	if (start_boot != NULL) {
		early_print(data, bytes);
		return;
	}
	start_writer();
	put(data, bytes);
}

void console_flush(void)
{
	bool inside = dispatcher_enter(), in_time = true;

	while (writer_started && !console_lost && (buffer_filled > 0 || writer_busy) && in_time)
		in_time = waiters_wait(&others_wait, console != NULL ? THREAD_FOREVER : time_tsc() + CONSOLE_SECONDS * time_tsc_hz());
	dispatcher_leave(inside);
}

/* ---- Input ---- */

static bool wait_for_console(void)
{
	bool inside = dispatcher_enter();

	start_writer();
	while (console == NULL && !console_lost)
		waiters_wait(&others_wait, THREAD_FOREVER);
	dispatcher_leave(inside);
	return !console_lost;
}

static int64_t next_line(void)
{
	uint16_t label;
	err_t e;

	if (!wait_for_console())
		return -EIO;
	console_flush();
	e = ipc_send(console, CONSOLE_READ, NULL, 0);
	do
		if (is_ok(e))
			e = ipc_receive(console, &label, input, sizeof input, &input_filled);
	while (is_ok(e) && label != CONSOLE_INPUT);
	input_read = 0;
	if (is_err(e))
		input_filled = 0;
	return is_ok(e) ? 0 : -EIO;
}

int64_t linux_console_read(uint64_t address, uint64_t bytes)
{
	size_t count = 0;
	int64_t error = 0;

	if (start_boot != NULL)
		return 0;
	mutex_lock(&input_lock);
	if (input_read == input_filled)
		error = next_line();
	if (error == 0) {
		count = input_filled - input_read < bytes ? input_filled - input_read : bytes;
		if (program_write(address, input + input_read, count))
			input_read += count;
		else
			error = -EFAULT;
	}
	mutex_unlock(&input_lock);
	return error != 0 ? error : (int64_t)count;
}
