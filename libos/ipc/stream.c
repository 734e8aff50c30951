/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Streams. The caller's memory may never have been touched, so it is not looked at inside a section: messages are copied through
 * the stack (sending) and through the connection's buffer (receiving).
 *
 * Room in a full ring is only learnt of by receiving. So a sender that waits takes the peer's next message into the buffer, where it is
 * held until the program asks for it. */

#include <string.h>

#include "libos/ipc/connection.h"
#include "libos/ipc/stream.h"
#include "libos/thread/thread.h"
#include "libos/trace/trace.h"
#include "libos/upcall/dispatcher.h"

/* Takes the next message into the buffer unless one is held there. Inside a section. */
static struct channel_result take(struct ipc_connection *c)
{
	struct channel_result r = {CHANNEL_OK};

	if (!c->held) {
		r = channel_try_receive_bytes(&c->channel, c->buffer, sizeof c->buffer, &c->held_label, &c->held_bytes);
		c->held = channel_ok(r);
		if (c->held)
			trace_receive(&c->channel, c->ring_here, TRACE_STREAMS, c->held_label);
	}
	return r;
}

static struct channel_result send(struct ipc_connection *c, uint16_t label, const void *data, size_t bytes)
{
	trace_send(&c->channel, c->ring_there, TRACE_STREAMS, label, bytes);
	return channel_send_bytes(&c->channel, label, data, bytes);
}

static struct channel_result try_send(struct ipc_connection *c, uint16_t label, const void *data, size_t bytes)
{
	bool inside = dispatcher_enter();
	struct channel_result r = send(c, label, data, bytes);

	if (r.code == CHANNEL_FULL) {
		(void)take(c).code;
		r = send(c, label, data, bytes);
	}
	dispatcher_leave(inside);
	return r;
}

static err_t send_when_there_is_room(struct ipc_connection *c, uint16_t label, const void *data, size_t bytes)
{
	struct channel_result r;

	for (;;) {
		if (c->closed)
			return ERR(PEER_GONE);
		r = try_send(c, label, data, bytes);
		if (channel_ok(r))
			return OK;
		if (r.code == CHANNEL_TOO_LONG)
			return ERR(ARGUMENT);
		if (r.code != CHANNEL_FULL)
			return connection_error(c);
		if (c->service != NULL) /* a server waits for nobody: its other clients would wait with it */
			return ERR(CHANNEL_FULL);
		if (thread_others_ready())
			thread_yield();
		else
			connection_wait(c);
	}
}

err_t ipc_send(struct ipc_connection *c, uint16_t label, const void *data, size_t bytes)
{
	uint8_t copy[IPC_STREAM_BYTES];
	err_t e;

	if (bytes > sizeof copy)
		return ERR(ARGUMENT);
	e = connection_visit(c);
	if (is_err(e))
		return e;
	if (c->local || !c->stream)
		return ERR(STATE);
	connection_hold(c);
	memcpy(copy, data, bytes);
	e = send_when_there_is_room(c, label, copy, bytes);
	connection_let_go(c);
	return e;
}

err_t stream_take(struct ipc_connection *c, uint16_t *label, const void **data, size_t *bytes)
{
	bool inside = dispatcher_enter();
	struct channel_result r = take(c);

	dispatcher_leave(inside);
	if (channel_ok(r)) {
		*label = c->held_label;
		*data = c->buffer;
		*bytes = c->held_bytes;
		return OK;
	}
	if (r.code == CHANNEL_EMPTY)
		return c->closed ? ERR(PEER_GONE) : ERR(WOULD_BLOCK);
	return r.code == CHANNEL_TOO_LONG ? ERR(MESSAGE) : connection_error(c);
}

void stream_taken(struct ipc_connection *c)
{
	c->held = false;
}

err_t ipc_try_receive(struct ipc_connection *c, uint16_t *label, void *data, size_t capacity, size_t *bytes)
{
	const void *message;
	err_t e = connection_visit(c);

	if (is_err(e))
		return e;
	if (c->local || !c->stream)
		return ERR(STATE);
	e = stream_take(c, label, &message, bytes);
	if (is_err(e))
		return e;
	memcpy(data, message, *bytes < capacity ? *bytes : capacity);
	stream_taken(c);
	return *bytes <= capacity ? OK : ERR(RANGE);
}

err_t ipc_receive(struct ipc_connection *c, uint16_t *label, void *data, size_t capacity, size_t *bytes)
{
	err_t e = connection_visit(c);

	if (is_err(e))
		return e;
	if (c->service != NULL)
		return ERR(STATE);
	connection_hold(c);
	for (uint32_t looks = 0; err_is(e = ipc_try_receive(c, label, data, capacity, bytes), ERR_NUMBER_WOULD_BLOCK);)
		looks = connection_wait_a_little(c, looks);
	if (c->late.closed) /* whatever has come: it is not to be used again */
		e = ERR(PEER_GONE);
	connection_let_go(c);
	wait_found();
	return e;
}
