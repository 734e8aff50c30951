/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* The client's side: bind, call, close. */

#include <string.h>

#include <atoll/domain.h>

#include "libos/ipc/connection.h"
#include "libos/ipc/endpoint.h"
#include "libos/ipc/events.h"
#include "libos/upcall/dispatcher.h"

#define LOOKS_IN_A_ROW 32

_Static_assert(SERVICE_NAME_BYTES == 3 * sizeof(uint64_t), "a name is three words");

static err_t name_words(const char *name, uint64_t words[3])
{
	size_t length = strlen(name);

	if (length == 0 || length >= SERVICE_NAME_BYTES)
		return ERR(ARGUMENT);
	memset(words, 0, SERVICE_NAME_BYTES);
	memcpy(words, name, length);
	return OK;
}

err_t ipc_request_name(enum monitor_request request, uint64_t tag_and_flags, const char *name)
{
	uint64_t words[3];
	err_t e = name_words(name, words);

	return is_err(e) ? e : monitor_request(request, tag_and_flags, words[0], words[1], words[2]).error;
}

err_t connection_greet(struct ipc_connection *c, enum greeting greeting)
{
	c->stream = greeting == GREETING_STREAM;
	c->lines = greeting == GREETING_LINES;
	if (c->local)
		return OK;
	return channel_ok(channel_send(&c->channel, (uint16_t)greeting, NULL, 0)) ? OK : ERR(CHANNEL_BROKEN);
}

/* Waits until the service exists: as long as nobody offers it the monitor may say so, and is asked again. */
static err_t bind(const char *name, uint64_t flags, struct bound_event *bound)
{
	struct event_wait w;
	err_t e;

	do {
		events_expect(&w);
		e = ipc_request_name(REQUEST_bind, w.tag | flags << 32, name);
		if (is_ok(e)) {
			events_wait(&w, THREAD_FOREVER);
			memcpy(bound, w.word, sizeof *bound);
			e = (err_t){bound->error};
		} else {
			events_forget(&w);
		}
		if (err_is(e, ERR_NUMBER_NOT_FOUND))
			thread_sleep_until(time_tsc() + time_tsc_hz() / 200);
	} while (err_is(e, ERR_NUMBER_NOT_FOUND));
	return e;
}

err_t connection_bind(const char *name, uint64_t flags, enum greeting greeting, struct ipc_connection **out)
{
	struct bound_event bound;
	err_t e = bind(name, flags, &bound);
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

err_t ipc_bind(const char *name, bool stream, struct ipc_connection **out)
{
	return stream ? connection_bind(name, BIND_STREAM, GREETING_STREAM, out) : connection_bind(name, BIND_CALL, GREETING_CALL, out);
}

/* What is being served is closed by the loop that serves, when no handler uses it. */
void ipc_close(struct ipc_connection *c)
{
	if (is_err(connection_visit(c)))
		return; /* its member is gone, and has closed it */
	if (c->service != NULL)
		atomic_store_explicit(&c->closed, true, memory_order_relaxed);
	else
		connection_close(c);
}

/* ---- Calls ---- */

/* A deadline of another thread would end this one's call; it waits until the call has returned. */
static void set_timer(void (*how)(void))
{
	bool inside = dispatcher_enter();

	how();
	dispatcher_leave(inside);
}

static err_t call_endpoint(struct ipc_connection *c, const struct ipc_message *request, struct ipc_message *reply)
{
	struct endpoint_message m = {{request->word[0], request->word[1], request->word[2], pack_last(request)}};
	bool had_timer = timer_armed != 0;
	err_t e;

	if (__builtin_expect(had_timer, 0))
		set_timer(threads_stop_timer);
	e = endpoint_call(c->send, &m);
	if (__builtin_expect(had_timer, 0))
		set_timer(threads_set_timer);
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
	while (__builtin_expect(!try_acquire(c), 0))
		thread_yield();
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
	if (m.length != IPC_WORDS * sizeof(uint64_t))
		return ERR(MESSAGE);
	for (unsigned i = 0; i < IPC_WORDS; i++)
		reply->word[i] = m.words[i];
	reply->label = m.type;
	return OK;
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
	if (c->local)
		return call_endpoint(c, request, reply);
	if (__builtin_expect(c->stream || c->lines, 0))
		return ERR(STATE);
	acquire(c);
	e = call_channel(c, request, reply);
	release(c);
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
cap_t ipc_endpoint(const struct ipc_connection *c)
{
	return c->local ? c->send : CAP_NULL;
}
