/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include <stdlib.h>
#include <string.h>

#include <atoll/console.h>

#include "libos/ipc/connection.h"
#include "libos/trace/trace.h"
#include "monitor/bind.h"
#include "monitor/block.h"
#include "monitor/voice.h"

struct voice {
	struct block ring;         /* where the console writes to the monitor; only acknowledgements come */
	struct view receive, send; /* both rings, as the monitor sees them */
	struct channel channel;
	uint64_t ring_there; /* for the trace */
	cap_t doorbell;      /* the console's */
};

static void ring_console(void *argument)
{
	const struct voice *v = argument;

	platform_ring(v->doorbell);
}

/* Both rings mapped, the greeting sent. */
static err_t open_voice(struct monitor *m, struct voice *v, const struct block *console_ring)
{
	err_t e = view_open(&v->ring, 0, RING_BYTES, &v->receive);

	if (is_err(e))
		return e;
	e = view_open(console_ring, 0, RING_BYTES, &v->send);
	if (is_err(e)) {
		view_close(&v->receive);
		return e;
	}
	memset(v->receive.at, 0, RING_BYTES);
	m->voice = v;
	v->ring_there = console_ring->base;
	if (!channel_ok(channel_init(&v->channel, v->receive.at, v->send.at, RING_LINES, ring_console, v)))
		return ERR(CHANNEL_BROKEN);
	if (trace_is_on())
		trace_sending(&v->channel, v->ring_there, TRACE_GREETINGS, GREETING_STREAM, 0);
	return channel_ok(channel_send(&v->channel, GREETING_STREAM, NULL, 0)) ? OK : ERR(CHANNEL_BROKEN);
}

void voice_begin(struct monitor *m, struct domain *console, uint32_t service)
{
	struct voice *v = m->voice == NULL ? calloc(1, sizeof(*v)) : NULL;
	err_t e;

	if (v == NULL)
		return;
	v->doorbell = console->doorbell;
	e = block_take(m, CAP_Frame, RING_BYTES, &v->ring);
	if (is_err(e)) {
		free(v);
		return;
	}
	const struct block *console_ring = bind_monitor(m, console, service, &v->ring);

	if (console_ring != NULL && is_ok(open_voice(m, v, console_ring)))
		return;
	/* Then it stays with the serial line. What was bound ends with the console. */
	if (m->voice == NULL) {
		block_give(m, &v->ring);
		free(v);
	} else {
		voice_end(m);
	}
}

void voice_end(struct monitor *m)
{
	struct voice *v = m->voice;

	m->voice = NULL;
	if (v == NULL)
		return;
	view_close(&v->receive);
	view_close(&v->send);
	(void)!is_ok(cap_revoke(v->ring.cap));
	block_give(m, &v->ring);
	free(v);
}

bool voice_say(struct monitor *m, const char *text, size_t bytes)
{
	struct voice *v = m->voice;
	struct channel_message ignored;

	if (v == NULL)
		return false;
	while (channel_ok(channel_try_receive(&v->channel, &ignored)))
		;
	if (trace_is_on())
		trace_sending(&v->channel, v->ring_there, TRACE_STREAMS, CONSOLE_WRITE, bytes);
	return channel_ok(channel_send_bytes(&v->channel, CONSOLE_WRITE, text, bytes));
}
