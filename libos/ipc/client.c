/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* The client's side: bind, call, close. */

#include <string.h>

#include <atoll/domain.h>

#include "libos/domain/start.h"
#include "libos/ipc/connection.h"
#include "libos/ipc/endpoint.h"
#include "libos/ipc/events.h"
#include "libos/ipc/late.h"
#include "libos/trace/trace.h"
#include "libos/upcall/dispatcher.h"

#define LOOKS_IN_A_ROW 32

#define RETRIES_PER_SECOND 200

err_t connection_greet(struct ipc_connection *c, enum greeting greeting)
{
	c->stream = greeting == GREETING_STREAM;
	c->lines = greeting == GREETING_LINES;
	if (c->local)
		return OK;
	trace_send(&c->channel, c->ring_there, TRACE_GREETINGS, (uint16_t)greeting, 0);
	return channel_ok(channel_send(&c->channel, (uint16_t)greeting, NULL, 0)) ? OK : ERR(CHANNEL_BROKEN);
}

/* A connection that nobody waits for any more. */
static void unwanted(const uint64_t word[EVENT_WORDS])
{
	struct bound_event bound;
	struct ipc_connection *c;

	memcpy(&bound, word, sizeof bound);
	if (bound.error != ERR_NUMBER_OK || bound.connection == 0)
		return;
	if (is_ok(connection_open(&bound, NULL, &c)))
		connection_close(c);
	else
		(void)monitor_request(REQUEST_close, 0, bound.connection, 0, 0);
}

static err_t ask(const char *name, uint64_t flags, const struct ipc_binding *how, struct bound_event *bound)
{
	struct event_wait w;
	err_t e;

	events_handle(EVENT_bound, unwanted);
	events_expect(&w);
	e = service_request(REQUEST_bind, w.tag | flags << 32, name, how->interface, 0);
	if (is_err(e)) {
		events_forget(&w);
		return e;
	}
	if (!events_wait(&w, how->deadline_tsc == 0 ? THREAD_FOREVER : how->deadline_tsc)) {
		(void)monitor_request(REQUEST_cancel, 0, w.tag, 0, 0);
		return ERR(TIMEOUT);
	}
	memcpy(bound, w.word, sizeof *bound);
	return (err_t){bound->error};
}

/* A service that ends may still be named for a moment: who wants to wait asks again. */
static err_t bind(const char *name, uint64_t flags, const struct ipc_binding *how, struct bound_event *bound)
{
	uint64_t pause = time_tsc_hz() / RETRIES_PER_SECOND;
	err_t e;

	if (how->now)
		return ask(name, flags | BIND_NOW, how, bound);
	while (err_is(e = ask(name, flags, how, bound), ERR_NUMBER_PEER_GONE)) {
		if (how->deadline_tsc != 0 && time_tsc() + pause >= how->deadline_tsc)
			return ERR(TIMEOUT);
		thread_sleep_until(time_tsc() + pause);
	}
	return e;
}

err_t connection_bind(const char *name, uint64_t flags, enum greeting greeting, const struct ipc_binding *how, struct ipc_connection **out)
{
	struct bound_event bound;
	err_t e = bind(name, flags, how, &bound);
	bool inside;

	if (is_err(e))
		return e;
	inside = dispatcher_enter();
	e = connection_open(&bound, NULL, out);
	if (is_ok(e)) {
		e = connection_greet(*out, greeting);
		if (is_err(e))
			connection_close(*out);
	}
	dispatcher_leave(inside);
	return e;
}

err_t ipc_bind_with(const char *name, const struct ipc_binding *how, struct ipc_connection **out)
{
	return connection_bind(name, how->stream ? BIND_STREAM : BIND_CALL, how->stream ? GREETING_STREAM : GREETING_CALL, how, out);
}

err_t ipc_bind(const char *name, bool stream, struct ipc_connection **out)
{
	return ipc_bind_with(name, &(struct ipc_binding){.stream = stream}, out);
}

err_t ipc_find(const char *name, const struct ipc_binding *how, uint32_t *domain)
{
	struct bound_event bound;
	err_t e = bind(name, BIND_FIND, how, &bound);

	if (is_ok(e))
		*domain = bound.peer_domain;
	return e;
}

/* What is being served is closed by the loop that serves, when no handler uses it. */
void ipc_close(struct ipc_connection *c)
{
	if (is_err(connection_visit(c)))
		return; /* its member is gone, and has closed it */
	if (c->service != NULL)
		atomic_store_explicit(&c->closed, true, memory_order_relaxed);
	else
		connection_end(c);
}

/* ---- Calls ---- */

static err_t call_endpoint(struct ipc_connection *c, const struct ipc_message *request, struct ipc_message *reply)
{
	struct endpoint_message m = {{request->word[0], request->word[1], request->word[2], pack_last(request)}};
	err_t e = late_call(c->send, &m, &c->late);

	reply->word[0] = m.word[0];
	reply->word[1] = m.word[1];
	reply->word[2] = m.word[2];
	reply->word[3] = unpack_last(m.word[3]);
	reply->label = (uint16_t)(m.word[3] >> LABEL_SHIFT);
	return e;
}

/* Against the other threads of this dispatcher only, so without the bus: one instruction is not interrupted. */
static bool try_acquire(struct ipc_connection *c)
{
	uint8_t was = 0;

	__asm__ volatile("cmpxchgb %2, %1" : "+a"(was), "+m"(c->busy) : "q"((uint8_t)1) : "cc", "memory");
	return was == 0;
}

static void acquire(struct ipc_connection *c)
{
	for (uint32_t looks = 0; __builtin_expect(!try_acquire(c), 0); looks++)
		connection_let_another(looks);
}

static void release(struct ipc_connection *c)
{
	atomic_store_explicit(&c->busy, false, memory_order_release);
}

/* Looks for the reply a few times in a row; nobody else runs meanwhile. */
static struct channel_result look_for_reply(struct channel *ch, struct channel_message *m)
{
	uint32_t looks = polling_limit < LOOKS_IN_A_ROW ? polling_limit : LOOKS_IN_A_ROW;
	struct channel_result r;

	do
		r = channel_try_receive(ch, m);
	while (r.code == CHANNEL_EMPTY && looks-- > 0);
	return r;
}

static err_t call_channel(struct ipc_connection *c, const struct ipc_message *request, struct ipc_message *reply)
{
	struct channel_message m;
	struct channel_result r;

	trace_send(&c->channel, c->ring_there, TRACE_CALLS, request->label, sizeof request->word);
	if (!channel_ok(channel_post(&c->channel, request->label, request->word, IPC_WORDS)))
		return connection_error(c);
	for (uint32_t looks = 0;;) {
		r = look_for_reply(&c->channel, &m);
		if (__builtin_expect(r.code != CHANNEL_EMPTY, 1))
			break;
		if (atomic_load_explicit(&c->closed, memory_order_relaxed))
			return ERR(PEER_GONE);
		looks = connection_wait_a_little(c, looks);
	}
	if (!channel_ok(r))
		return connection_error(c);
	trace_receive(&c->channel, c->ring_here, TRACE_CALLS, m.type);
	if (m.length != IPC_WORDS * sizeof(uint64_t))
		return ERR(MESSAGE);
	for (unsigned i = 0; i < IPC_WORDS; i++)
		reply->word[i] = m.words[i];
	reply->label = m.type;
	return OK;
}

static err_t call(struct ipc_connection *c, const struct ipc_message *request, struct ipc_message *reply)
{
	err_t e;

	if (c->local) {
		e = call_endpoint(c, request, reply);
		if (__builtin_expect(!connection_has_widened(c, e), 1))
			return e;
	}
	if (__builtin_expect(c->stream || c->lines, 0))
		return ERR(STATE);
	acquire(c);
	e = call_channel(c, request, reply);
	release(c);
	return e;
}

err_t ipc_call(struct ipc_connection *c, const struct ipc_message *request, struct ipc_message *reply)
{
	err_t e;

	if (__builtin_expect(request->word[3] >> LABEL_SHIFT != 0, 0))
		return ERR(RANGE);
	e = connection_visit(c);
	if (is_err(e))
		return e;
	wait_found();
	connection_hold(c);
	e = call(c, request, reply);
	connection_let_go(c);
	return e;
}

/* ---- Both sides ---- */

void ipc_set_polling(uint32_t iterations)
{
	polling_limit = iterations;
}

bool ipc_is_local(const struct ipc_connection *c)
{
	return c->local;
}
unsigned ipc_peer_core(const struct ipc_connection *c)
{
	return c->peer_core;
}
uint32_t ipc_peer_domain(const struct ipc_connection *c)
{
	return c->peer_domain;
}
const char *ipc_peer_name(const struct ipc_connection *c)
{
	return c->peer_name;
}
void *ipc_get_data(const struct ipc_connection *c)
{
	return c->data;
}
void ipc_set_data(struct ipc_connection *c, void *data)
{
	c->data = data;
}
struct channel *ipc_channel(struct ipc_connection *c)
{
	return &c->channel;
}
cap_t ipc_endpoint(struct ipc_connection *c)
{
	c->bare |= c->local;
	return c->local ? c->send : CAP_NULL;
}

/* ---- A trace of who uses the channel by himself ---- */

static const struct ipc_connection *connection_of_channel(const struct channel *ch)
{
	return (const struct ipc_connection *)((const uint8_t *)ch - offsetof(struct ipc_connection, channel));
}

void trace_channel_sending(const struct channel *ch, uint16_t type, size_t bytes)
{
	trace_sending(ch, connection_of_channel(ch)->ring_there, TRACE_BARE, type, bytes);
}

void trace_channel_received(const struct channel *ch, uint16_t type)
{
	trace_received(ch, connection_of_channel(ch)->ring_here, TRACE_BARE, type);
}
