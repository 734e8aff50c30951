/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* The client's side: connections, room for answers, and what comes. What a program says over them is calls.c and stream.c.
 *
 * A client on the server's core has an endpoint, and makes itself a channel when it first needs one; any other has a channel. The threads
 * of the dispatcher share the channel: whoever waits takes what has come and gives it to whom it belongs (deliver), and all that touches
 * the channel or the lists happens inside sections. A message's memory is the caller's: it has been written right before the section, so it
 * is mapped; so has the room for an answer, by stub_begin.
 *
 *   under way          ends by
 *   ticket             REPLY or FAILURE of its number
 *   stream             STREAM_END or FAILURE of its number
 *   items              REPLY or FAILURE of number 0, one for each
 *   orphan             like the ticket or stream that was cancelled
 *
 * Each has its lines reserved until then. */

#include <string.h>

#include <atoll/domain.h>

#include "libos/ipc/late.h"
#include "libos/stubs/client.h"
#include "libos/trace/trace.h"

/* ---- Connections ---- */

static void settle(struct stub_client *c)
{
	bool idle =
	    !c->late.closed && c->tickets == NULL && c->streams == NULL && c->items == 0 && c->reserved == 0 && c->sent == c->proved;

	c->fast = idle && c->endpoint != NULL ? ipc_endpoint(c->endpoint) : CAP_NULL;
	c->quiet = idle && c->lines != NULL ? &c->lines->channel : NULL;
}

err_t client_open(const char *name, uint64_t interface, uint64_t identity, uint64_t deadline, struct stub_client *out)
{
	struct ipc_connection *connection;
	err_t e;

	*out = (struct stub_client){.interface = interface, .identity = identity};
	if (strlen(name) >= sizeof out->name)
		return ERR(ARGUMENT);
	memcpy(out->name, name, strlen(name));
	e = connection_bind(name, BIND_CALL, GREETING_LINES, &(struct ipc_binding){.interface = interface, .deadline_tsc = deadline},
	                    &connection);
	if (is_err(e))
		return e;
	if (ipc_is_local(connection))
		out->endpoint = connection;
	else
		out->lines = connection;
	settle(out);
	return OK;
}

static err_t error_in(const uint64_t *payload)
{
	return (uint32_t)payload[0] == ERR_NUMBER_OK ? ERR(MESSAGE) : (err_t){(uint32_t)payload[0]};
}

err_t client_failure(err_t e, const struct endpoint_message *m)
{
	if (is_err(e))
		return err_is(e, ERR_NUMBER_CAP_EMPTY) ? ERR(PEER_GONE) : e; /* it has gone with all that led to it */
	return stub_kind_of(m->word[0]) == STUB_FAILURE ? error_in(m->word + 1) : ERR(MESSAGE);
}

static err_t call_hello(struct stub_client *c, struct endpoint_message *m)
{
	bool inside = dispatcher_enter();
	struct ipc_connection *endpoint = c->endpoint;
	err_t e;

	if (endpoint != NULL)
		connection_hold(endpoint);
	dispatcher_leave(inside);
	if (endpoint == NULL)
		return ERR(PEER_GONE);
	e = late_call(ipc_endpoint(endpoint), m, &c->late);
	connection_let_go(endpoint);
	return e;
}

/* Whose session the channel belongs to. */
static err_t join(struct stub_client *c, struct ipc_connection *lines)
{
	struct endpoint_message m = {{stub_control(c->identity, STUB_HELLO, 0, 0), 0, 0, 0}};
	uint64_t words[2];
	err_t e = call_hello(c, &m);

	if (is_err(e) || m.word[0] != stub_control(c->identity, STUB_REPLY, 0, 1))
		return client_failure(e, &m);
	words[0] = stub_control(c->identity, STUB_JOIN, 0, 1);
	words[1] = m.word[1];
	trace_send(&lines->channel, lines->ring_there, TRACE_STUBS, stub_method_of(words[0]), sizeof words);
	return channel_ok(channel_send(&lines->channel, STUB_LINE, words, 2)) ? OK : ERR(CHANNEL_BROKEN);
}

static err_t make_lines(struct stub_client *c)
{
	struct ipc_connection *lines;
	const struct ipc_binding how = {.interface = c->interface, .now = true};
	bool inside;
	err_t e = connection_bind(c->name, BIND_STREAM, GREETING_LINES, &how, &lines);

	if (is_err(e))
		return err_is(e, ERR_NUMBER_NOT_FOUND) ? ERR(PEER_GONE) : e; /* it was there */
	e = join(c, lines);
	inside = dispatcher_enter();
	if (is_ok(e) && c->late.closed)
		e = ERR(PEER_GONE);
	if (is_ok(e))
		c->lines = lines;
	dispatcher_leave(inside);
	if (is_err(e))
		ipc_close(lines);
	return e;
}

err_t client_visit(const struct stub_client *c)
{
	if (c->late.closed)
		return ERR(PEER_GONE);
	return connection_visit(c->endpoint != NULL ? c->endpoint : c->lines);
}

err_t client_need_lines(struct stub_client *c)
{
	err_t e = client_visit(c);

	if (is_err(e) || __builtin_expect(c->lines != NULL, 1))
		return e;
	mutex_lock(&c->opening);
	if (c->lines == NULL)
		e = make_lines(c);
	mutex_unlock(&c->opening);
	return e;
}

static void fail_all(struct stub_client *c, err_t e)
{
	for (struct stub_ticket *t = c->tickets; t != NULL; t = t->next) {
		t->error = e;
		t->done = true;
	}
	c->tickets = NULL;
	streams_fail(c, e);
	c->items = 0;
	c->reserved = 0;
	c->item_error = is_err(c->item_error) ? c->item_error : e;
	memset(c->orphan, 0, sizeof c->orphan);
	c->untold = 0;
	c->deliveries++;
}

/* Other threads may be in the middle of anything. */
void stub_close(struct stub_client *c)
{
	struct ipc_connection *lines, *endpoint;
	bool inside;

	if (is_err(client_visit(c)))
		return; /* its member is gone, and has closed it */
	inside = dispatcher_enter();
	lines = c->lines;
	endpoint = c->endpoint;
	late_close(&c->late);
	fail_all(c, ERR(PEER_GONE));
	connection_lose(&connection_nowhere);
	c->lines = &connection_nowhere;
	c->endpoint = NULL;
	settle(c);
	dispatcher_leave(inside);
	if (lines != NULL)
		ipc_close(lines);
	if (endpoint != NULL)
		ipc_close(endpoint);
	buffers_drop(c);
}

/* ---- Sending ---- */

static struct channel_result post(struct stub_client *c, const uint64_t *words, bool ring)
{
	struct channel *ch = &c->lines->channel;
	size_t count = 1 + stub_words_of(words[0]);

	trace_send(ch, c->lines->ring_there, TRACE_STUBS, stub_method_of(words[0]), count * sizeof *words);
	if (count > CHANNEL_WORDS)
		return ring ? channel_send_bytes(ch, STUB_LINE, words, count * sizeof *words)
		            : channel_post_bytes(ch, STUB_LINE, words, count * sizeof *words);
	return ring ? channel_send(ch, STUB_LINE, words, count) : channel_post(ch, STUB_LINE, words, count);
}

/* The server is told of what was cancelled while there was no room. */
static void tell_orphans(struct stub_client *c)
{
	for (unsigned i = 0; i < STUB_ANSWER_LINES; i++) {
		struct stub_orphan *o = &c->orphan[i];
		uint64_t word = stub_control(c->identity, STUB_CANCEL, o->number, 0);

		if (o->number == 0 || o->told || !channel_ok(post(c, &word, true)))
			continue;
		o->told = true;
		c->untold--;
	}
}

static bool deliver(struct stub_client *c);

err_t client_send(struct stub_client *c, const uint64_t *words, bool ring, uint64_t deadline)
{
	struct client_wait wait = {0};
	struct channel_result r = {CHANNEL_OK};
	bool inside, gone;
	err_t e;

	for (;;) {
		inside = dispatcher_enter();
		gone = c->lines->closed;
		if (__builtin_expect(!gone, 1))
			r = post(c, words, ring);
		wait.seen = c->deliveries;
		dispatcher_leave(inside);
		if (__builtin_expect(gone, 0))
			return ERR(PEER_GONE);
		if (__builtin_expect(channel_ok(r), 1))
			return OK;
		if (r.code != CHANNEL_FULL)
			return connection_error(c->lines);
		e = client_wait(c, &wait, deadline);
		if (is_err(e))
			return e;
	}
}

/* ---- Room for answers ---- */

static bool in_use(const struct stub_client *c, uint16_t number)
{
	for (const struct stub_ticket *t = c->tickets; t != NULL; t = t->next)
		if (t->number == number)
			return true;
	for (const struct stub_stream *s = c->streams; s != NULL; s = s->next)
		if (s->number == number)
			return true;
	for (unsigned i = 0; i < STUB_ANSWER_LINES; i++)
		if (c->orphan[i].number == number)
			return true;
	return number == 0;
}

static uint16_t next_number(struct stub_client *c)
{
	do
		c->last_number++;
	while (__builtin_expect(c->reserved != 0 || c->last_number == 0, 0) && in_use(c, c->last_number));
	return c->last_number;
}

err_t client_reserve(struct stub_client *c, uint16_t lines, uint64_t deadline, uint16_t *number)
{
	struct client_wait wait = {0};
	err_t e;

	for (;;) {
		bool inside = dispatcher_enter();
		bool room = c->reserved + lines <= STUB_ANSWER_LINES - (lines == 1 ? 0 : STUB_SMALL_LINES);

		if (room) {
			*number = next_number(c);
			c->reserved = (uint16_t)(c->reserved + lines);
			client_unsettle(c);
		}
		wait.seen = c->deliveries;
		dispatcher_leave(inside);
		if (room)
			return OK;
		e = client_wait(c, &wait, deadline);
		if (is_err(e))
			return e;
	}
}

void client_release(struct stub_client *c, uint16_t lines)
{
	c->reserved = (uint16_t)(c->reserved - lines);
	settle(c);
}

void client_orphan(struct stub_client *c, uint16_t number, uint16_t lines)
{
	for (unsigned i = 0; i < STUB_ANSWER_LINES; i++) {
		if (c->orphan[i].number != 0)
			continue;
		c->orphan[i] = (struct stub_orphan){number, lines, false};
		c->untold++;
		break;
	}
	tell_orphans(c);
}

/* ---- Receiving ---- */

static bool is_last(enum stub_kind kind)
{
	return kind == STUB_REPLY || kind == STUB_FAILURE || kind == STUB_STREAM_END;
}

/* What a ticket gets: its reply, or an error. */
static err_t accept(struct stub_ticket *t, uint64_t header, const uint64_t *payload)
{
	unsigned count = stub_words_of(header);

	if (stub_kind_of(header) == STUB_FAILURE && count == 1)
		return error_in(payload);
	if (stub_words_of(t->reply) == STUB_ANY_WORDS)
		header = STUB_SIZED(header, STUB_ANY_WORDS);
	if ((header & ~STUB_NUMBER(UINT16_MAX)) != t->reply)
		return ERR(MESSAGE);
	t->count = count;
	memcpy(t->message != NULL ? t->message->words : t->words, payload, count * sizeof *payload);
	return OK;
}

static bool deliver_to_ticket(struct stub_client *c, uint64_t header, const uint64_t *payload)
{
	struct stub_ticket **link = &c->tickets, *t;

	while (*link != NULL && (*link)->number != stub_number_of(header))
		link = &(*link)->next;
	t = *link;
	if (t == NULL)
		return false;
	*link = t->next;
	t->error = accept(t, header, payload);
	t->done = true;
	if ((int32_t)(t->sent - c->proved) > 0)
		c->proved = t->sent;
	client_release(c, t->lines);
	return true;
}

static bool deliver_to_orphan(struct stub_client *c, uint64_t header)
{
	for (unsigned i = 0; i < STUB_ANSWER_LINES; i++) {
		struct stub_orphan *o = &c->orphan[i];

		if (o->number == 0 || o->number != stub_number_of(header))
			continue;
		if (is_last(stub_kind_of(header))) {
			c->untold = (uint16_t)(c->untold - !o->told);
			o->number = 0;
			client_release(c, o->lines);
		}
		return true;
	}
	return false;
}

static void deliver_item(struct stub_client *c, uint64_t header, const uint64_t *payload)
{
	if (c->items == 0 || !is_last(stub_kind_of(header)))
		return;
	if (stub_kind_of(header) != STUB_REPLY && is_ok(c->item_error))
		c->item_error = stub_words_of(header) == 1 ? error_in(payload) : ERR(MESSAGE);
	c->items--;
	client_release(c, 1);
}

void client_deliver(struct stub_client *c, const uint64_t *message, size_t bytes)
{
	uint64_t header = message[0];

	if (__builtin_expect(bytes < sizeof header || bytes != (1 + stub_words_of(header)) * sizeof header, 0))
		channel_break(&c->lines->channel, CHANNEL_FAULT_LENGTH);
	else if (__builtin_expect(deliver_to_ticket(c, header, message + 1), 1))
		;
	else if (stub_number_of(header) == 0)
		deliver_item(c, header, message + 1);
	else if (!deliver_to_orphan(c, header))
		stream_deliver(c, header, message + 1);
	c->deliveries++;
	if (c->lines->waiter != NULL)
		connection_wake(c->lines);
}

/* Takes a message, if one has come. Inside a section. */
static bool deliver(struct stub_client *c)
{
	uint16_t type;
	size_t bytes;
	struct channel_result r = channel_try_receive_bytes(&c->lines->channel, c->incoming, sizeof c->incoming, &type, &bytes);

	if (r.code == CHANNEL_TOO_LONG)
		channel_break(&c->lines->channel, CHANNEL_FAULT_LENGTH);
	if (!channel_ok(r))
		return false;
	trace_receive(&c->lines->channel, c->lines->ring_here, TRACE_STUBS, stub_method_of(c->incoming[0]));
	client_deliver(c, c->incoming, bytes);
	return true;
}

void client_look(struct stub_client *c, struct client_wait *w)
{
	uint32_t looks = polling_limit < LOOKS_IN_A_ROW ? polling_limit : LOOKS_IN_A_ROW;
	bool inside = dispatcher_enter();

	while (w->seen == c->deliveries && !deliver(c) && looks-- > 0)
		;
	w->seen = c->deliveries;
	dispatcher_leave(inside);
}

/* The caller has looked, has found its answer missing, and has seen as many deliveries as it says. */
err_t client_wait(struct stub_client *c, struct client_wait *w, uint64_t deadline)
{
	bool inside = dispatcher_enter();
	bool any = w->seen != c->deliveries || deliver(c), gone = c->lines->closed || channel_broken(&c->lines->channel);
	struct ipc_connection *lines = c->lines;
	const err_t why = connection_error(lines);

	if (__builtin_expect(c->untold != 0, 0))
		tell_orphans(c);
	if (!any && gone)
		fail_all(c, why);
	connection_hold(lines);
	dispatcher_leave(inside);
	if (!any && !gone && (deadline == 0 || time_tsc() < deadline)) {
		w->looks = connection_wait_unless(lines, w->looks, &c->deliveries, w->seen, deadline == 0 ? THREAD_FOREVER : deadline);
		any = true;
	}
	connection_let_go(lines);
	return any ? OK : gone ? why : ERR(TIMEOUT);
}
