/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* The client's side: connections, and what goes over them.
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

#include "channels/short.h"
#include "libos/ipc/late.h"
#include "libos/stubs/client.h"
#include "libos/trace/trace.h"

#define LOOKS_IN_A_ROW   32
#define GLANCES_IN_A_ROW 256 /* which take as long */
#define REFUSED_MOST     16

/* ---- Connections ---- */

static void settle(struct stub_client *c)
{
	bool idle = c->tickets == NULL && c->streams == NULL && c->items == 0 && c->reserved == 0 && c->sent == c->proved;

	c->fast = idle && c->endpoint != NULL ? ipc_endpoint(c->endpoint) : CAP_NULL;
	c->quiet = idle && c->lines != NULL ? &c->lines->channel : NULL;
}

/* Something is under way from now on. */
static void unsettle(struct stub_client *c)
{
	c->fast = CAP_NULL;
	c->quiet = NULL;
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

/* What the answer to a fast call means that is not its results. */
static err_t fast_failure(err_t e, const struct endpoint_message *m)
{
	if (is_err(e))
		return err_is(e, ERR_NUMBER_CAP_EMPTY) ? ERR(PEER_GONE) : e; /* it has gone with all that led to it */
	return stub_kind_of(m->word[0]) == STUB_FAILURE ? error_in(m->word + 1) : ERR(MESSAGE);
}

/* Whose session the channel belongs to. */
static err_t join(struct stub_client *c, struct ipc_connection *lines)
{
	struct endpoint_message m = {{stub_control(c->identity, STUB_HELLO, 0, 0), 0, 0, 0}};
	uint64_t words[2];
	err_t e = late_call(ipc_endpoint(c->endpoint), &m, c);

	if (is_err(e) || m.word[0] != stub_control(c->identity, STUB_REPLY, 0, 1))
		return fast_failure(e, &m);
	words[0] = stub_control(c->identity, STUB_JOIN, 0, 1);
	words[1] = m.word[1];
	return channel_ok(channel_send(&lines->channel, STUB_LINE, words, 2)) ? OK : ERR(CHANNEL_BROKEN);
}

static err_t make_lines(struct stub_client *c)
{
	struct ipc_connection *lines;
	const struct ipc_binding how = {.interface = c->interface, .now = true};
	err_t e = connection_bind(c->name, BIND_STREAM, GREETING_LINES, &how, &lines);

	if (is_err(e))
		return err_is(e, ERR_NUMBER_NOT_FOUND) ? ERR(PEER_GONE) : e; /* it was there */
	e = join(c, lines);
	if (is_ok(e))
		c->lines = lines;
	else
		ipc_close(lines);
	return e;
}

err_t client_visit(const struct stub_client *c)
{
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

void stub_close(struct stub_client *c)
{
	bool inside;

	if (is_err(client_visit(c)))
		return; /* its member is gone, and has closed it */
	inside = dispatcher_enter();
	fail_all(c, ERR(PEER_GONE));
	late_cancel(c, ERR(PEER_GONE));
	dispatcher_leave(inside);
	if (c->lines != NULL)
		ipc_close(c->lines);
	if (c->endpoint != NULL)
		ipc_close(c->endpoint);
	buffers_drop(c);
	*c = (struct stub_client){0};
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
	struct channel_result r;
	bool inside;
	err_t e;

	for (;;) {
		if (__builtin_expect(c->lines->closed, 0))
			return ERR(PEER_GONE);
		inside = dispatcher_enter();
		r = post(c, words, ring);
		wait.seen = c->deliveries;
		dispatcher_leave(inside);
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
			unsettle(c);
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

/* A message has come. Inside a section. */
static void deliver_message(struct stub_client *c, const uint64_t *message, size_t bytes)
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
	deliver_message(c, c->incoming, bytes);
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

	if (__builtin_expect(c->untold != 0, 0))
		tell_orphans(c);
	if (!any && gone)
		fail_all(c, connection_error(c->lines));
	dispatcher_leave(inside);
	if (any)
		return OK;
	if (gone)
		return connection_error(c->lines);
	if (deadline != 0 && time_tsc() >= deadline)
		return ERR(TIMEOUT);
	w->looks = connection_wait_unless(c->lines, w->looks, &c->deliveries, w->seen, deadline == 0 ? THREAD_FOREVER : deadline);
	return OK;
}

/* ---- Calls ---- */

static void begin_ticket(struct stub_client *c, struct stub_ticket *t)
{
	bool inside = dispatcher_enter();

	t->sent = c->sent;
	t->next = c->tickets;
	c->tickets = t;
	dispatcher_leave(inside);
}

/* False: it is not under way any more. Inside a section. */
static bool take_out(struct stub_ticket *t)
{
	struct stub_ticket **link = &t->client->tickets;

	while (*link != NULL && *link != t)
		link = &(*link)->next;
	if (*link == NULL)
		return false;
	*link = t->next;
	t->done = true;
	return true;
}

static void abandon(struct stub_ticket *t, err_t e)
{
	bool inside = dispatcher_enter();

	if (take_out(t))
		client_release(t->client, t->lines);
	t->error = e;
	dispatcher_leave(inside);
}

static void begin_fields(struct stub_client *c, uint64_t reply, struct stub_message *message, struct stub_ticket *t)
{
	t->client = c;
	t->reply = reply;
	t->lines = stub_words_of(reply) == STUB_ANY_WORDS ? STUB_MESSAGE_LINES : 1;
	t->done = true;
	t->message = message;
	t->at = message != NULL ? message->words : t->words;
}

static err_t begin(struct stub_client *c, uint64_t call, uint64_t reply, uint64_t *words, struct stub_message *message,
                   struct stub_ticket *t, bool ring, uint64_t deadline)
{
	uint64_t header_only;
	err_t e = client_need_lines(c);

	begin_fields(c, reply, message, t);
	if (message != NULL)
		memset(message, 0, sizeof *message);
	if (is_ok(e))
		e = client_reserve(c, t->lines, deadline, &t->number);
	t->error = e;
	if (is_err(e))
		return e;
	t->done = false;
	if (words == NULL)
		words = &header_only;
	words[0] = call | STUB_NUMBER(t->number);
	begin_ticket(c, t);
	e = client_send(c, words, ring, deadline);
	if (is_err(e))
		abandon(t, e);
	return e;
}

err_t stub_begin(struct stub_client *c, uint64_t call, uint64_t reply, uint64_t *words, struct stub_message *message, struct stub_ticket *t,
                 uint64_t deadline)
{
	return begin(c, call, reply, words, message, t, true, deadline);
}

err_t stub_end(struct stub_ticket *t, uint64_t deadline)
{
	struct client_wait wait = {.seen = t->client->deliveries};
	err_t e = client_visit(t->client);

	while (is_ok(e) && !*(volatile bool *)&t->done) {
		client_look(t->client, &wait);
		if (__builtin_expect(*(volatile bool *)&t->done, 1))
			break;
		e = client_wait(t->client, &wait, deadline);
	}
	return is_ok(e) ? t->error : e;
}

bool stub_is_done(struct stub_ticket *t)
{
	struct client_wait wait = {.seen = t->client->deliveries};

	if (!t->done && is_ok(client_visit(t->client)))
		client_look(t->client, &wait);
	return t->done;
}

void stub_cancel(struct stub_ticket *t)
{
	bool inside;

	if (is_err(client_visit(t->client)))
		return;
	inside = dispatcher_enter();
	if (take_out(t)) {
		t->error = ERR(CANCELLED);
		client_orphan(t->client, t->number, t->lines);
	}
	dispatcher_leave(inside);
}

void stub_cancel_all(struct stub_client *c)
{
	bool inside;

	if (is_err(client_visit(c)))
		return;
	late_cancel(c, ERR(CANCELLED));
	inside = dispatcher_enter();
	while (c->tickets != NULL) {
		struct stub_ticket *t = c->tickets;

		(void)take_out(t);
		t->error = ERR(CANCELLED);
		client_orphan(c, t->number, t->lines);
	}
	c->deliveries++;
	if (c->lines != NULL)
		connection_wake(c->lines);
	dispatcher_leave(inside);
}

/* Of a call without a ticket. */
static inline uint64_t take_number(struct stub_client *c)
{
	c->last_number = (uint16_t)(c->last_number + 1 + (c->last_number == UINT16_MAX));
	return STUB_NUMBER(c->last_number);
}

/* A call that was made without a ticket has got none of its answer in time, and goes on as others do. `t` lies in the caller's frame. */
static void go_on_with_ticket(struct stub_client *c, uint64_t reply, struct stub_ticket *t)
{
	begin_fields(c, reply, NULL, t);
	t->done = false;
	t->number = c->last_number;
	t->sent = c->sent;
	t->next = NULL;
	c->tickets = t;
	c->reserved = 1;
	unsettle(c);
}

static inline bool is_reply(uint64_t header, size_t bytes, uint64_t reply)
{
	return header == reply && bytes == (1 + stub_words_of(reply)) * sizeof reply;
}

/* When nothing else is under way the reply is the next message that comes, so there is no need for a ticket if it comes soon. False: it
 * goes on with one. `words` as for stub_call_line. Inside a section. */
static bool call_alone(struct stub_client *c, uint64_t call, uint64_t reply, uint64_t *words, struct stub_ticket *t)
{
	uint32_t looks = polling_limit < LOOKS_IN_A_ROW ? polling_limit : LOOKS_IN_A_ROW;
	uint64_t number = take_number(c);
	struct channel_message m;
	struct channel_result r;

	words[0] = call | number;
	trace_send(c->quiet, c->lines->ring_there, TRACE_STUBS, stub_method_of(call), (1 + stub_words_of(call)) * sizeof *words);
	channel_write_line(c->quiet, STUB_LINE, (uint16_t)((1 + stub_words_of(call)) * sizeof *words), words, 1 + stub_words_of(call));
	do
		r = channel_try_receive(c->quiet, &m);
	while (r.code == CHANNEL_EMPTY && looks-- > 0);
	if (trace_is_on() && channel_ok(r) && m.rest == 0)
		trace_received(c->quiet, c->lines->ring_here, TRACE_STUBS, stub_method_of(m.words[0]));
	if (__builtin_expect(channel_ok(r) && m.rest == 0 && is_reply(m.words[0], m.length, reply | number), 1)) {
		memcpy(words + 1, m.words + 1, stub_words_of(reply) * sizeof *words);
		return true;
	}
	go_on_with_ticket(c, reply, t);
	if (channel_ok(r) && m.rest != 0)
		memcpy(c->incoming, m.words, sizeof m.words); /* where the rest goes too */
	else if (channel_ok(r))
		deliver_message(c, m.words, m.length);
	return false;
}

/* The end of a call of which a ticket is under way, unless beginning it has failed already. */
static err_t end_line(struct stub_ticket *t, uint64_t reply, uint64_t *words, uint64_t deadline)
{
	err_t e = stub_end(t, deadline);

	if (is_ok(e))
		memcpy(words + 1, t->words, stub_words_of(reply) * sizeof *words);
	else if (err_is(e, ERR_NUMBER_TIMEOUT))
		stub_cancel(t);
	return e;
}

err_t stub_call_line(struct stub_client *c, uint64_t call, uint64_t reply, uint64_t *words, uint64_t deadline)
{
	struct stub_ticket t;
	bool inside, alone, answered = false;
	err_t e = OK;

	if (__builtin_expect(link_mask != 0, 0))
		e = client_visit(c);
	if (is_err(e))
		return e;
	wait_found();
	inside = dispatcher_enter();
	alone = c->quiet != NULL && c->quiet->rest == 0 && channel_can_send(c->quiet);
	if (alone)
		answered = call_alone(c, call, reply, words, &t);
	dispatcher_leave(inside);
	if (answered)
		return OK;
	if (!alone)
		e = begin(c, call, reply, words, NULL, &t, false, deadline);
	return is_ok(e) ? end_line(&t, reply, words, deadline) : e;
}

/* ---- Calls of few words to another core ---- */

/* The short way's exits: those who wait for something else are due; and another message has come than the reply (`bytes` of it in m), or
 * none so far. */
__attribute__((cold, noinline)) static err_t after_others(struct stub_client *c, uint64_t reply, struct endpoint_message *m,
                                                          uint64_t deadline)
{
	wait_let_others();
	return stub_call_otherwise(c, reply, m, deadline);
}

__attribute__((cold, noinline)) static err_t go_on(struct stub_client *c, uint64_t reply, struct endpoint_message *m, uint64_t deadline,
                                                   size_t bytes)
{
	struct stub_ticket t;

	go_on_with_ticket(c, reply, &t);
	if (bytes != 0)
		deliver_message(c, m->word, bytes);
	dispatcher_leave(false);
	return end_line(&t, reply, m->word, deadline);
}

/* As call_alone, with as little around it as there can be. */
__attribute__((hot)) err_t stub_call_across(struct stub_client *c, uint64_t reply, struct endpoint_message *m, uint64_t deadline)
{
	uint32_t glances = polling_limit < GLANCES_IN_A_ROW ? polling_limit : GLANCES_IN_A_ROW;
	struct channel *ch;
	uint64_t number;
	uint16_t bytes;
	bool inside;

	if (__builtin_expect(c->fast.value != CAP_NULL.value || link_mask != 0 || trace_is_on(), 0))
		return stub_call_otherwise(c, reply, m, deadline);
	if (wait_is_due())
		return after_others(c, reply, m, deadline);
	inside = dispatcher_enter();
	ch = c->quiet;
	if (__builtin_expect(inside || ch == NULL || !channel_can_send(ch), 0)) {
		dispatcher_leave(inside);
		return stub_call_otherwise(c, reply, m, deadline);
	}
	number = take_number(c);
	bytes = (uint16_t)((1 + stub_words_of(m->word[0])) * sizeof m->word[0]);
	m->word[0] |= number;
	channel_post_short(ch, STUB_LINE, bytes, m->word);
	channel_flush(ch);
	while (!channel_glance(ch) && glances-- > 0)
		;
	bytes = channel_receive_short(ch, m->word);
	if (__builtin_expect(!is_reply(m->word[0], bytes, reply | number), 0))
		return go_on(c, reply, m, deadline, bytes);
	dispatcher_leave(false);
	return OK;
}

/* ---- Fast calls ---- */

/* If there is a deadline (not 0) the timer detaches the call then, if nothing else does before. */
static err_t call_until(cap_t endpoint, struct endpoint_message *m, uint64_t deadline, uint64_t flags)
{
	bool inside;
	err_t e;

	if (deadline == 0)
		return endpoint_call_with(endpoint, m, flags);
	inside = dispatcher_enter();
	threads_set_timer_by(deadline);
	e = endpoint_call_with(endpoint, m, flags);
	threads_set_timer();
	dispatcher_leave(inside);
	return e;
}

/* `e` is what a fast call has returned, not WOULD_BLOCK. */
static err_t end_fast(struct stub_client *c, uint64_t reply, struct endpoint_message *m, uint64_t deadline, err_t e)
{
	if (err_is(e, ERR_NUMBER_UNDER_WAY))
		e = late_wait(m, deadline, c);
	return is_err(e) || m->word[0] != reply ? fast_failure(e, m) : OK;
}

/* If it can't go at once others that are ready go first; the next time it stands in the server's queue, to the end of its turn. Being
 * refused so often it sends a message. (That is served by a single thread there, which had better not wait for us.) */
err_t stub_call_otherwise(struct stub_client *c, uint64_t reply, struct endpoint_message *m, uint64_t deadline)
{
	err_t e = client_visit(c);

	if (is_err(e))
		return e;
	for (unsigned refused = 0; c->fast.value != CAP_NULL.value && late_has_room() && refused < REFUSED_MOST;) {
		bool others = thread_others_ready();

		if (deadline != 0 && time_tsc() >= deadline)
			return ERR(TIMEOUT);
		late_begin();
		e = call_until(c->fast, m, deadline, others && refused == 0 ? CALL_DETACH | CALL_AT_ONCE : CALL_DETACH);
		if (!err_is(e, ERR_NUMBER_WOULD_BLOCK))
			return end_fast(c, reply, m, deadline, e);
		refused += others;
		thread_yield();
	}
	return stub_call_line(c, m->word[0], reply, m->word, deadline);
}

err_t stub_fast_end(struct stub_client *c, uint64_t reply, struct endpoint_message *m, err_t e)
{
	if (!err_is(e, ERR_NUMBER_WOULD_BLOCK))
		return end_fast(c, reply, m, 0, e);
	thread_yield(); /* what came while it stood in the queue has brought no upcall */
	return stub_call_otherwise(c, reply, m, 0);
}

/* ---- Messages without an answer, and items ---- */

err_t stub_send(struct stub_client *c, uint64_t header, uint64_t *words, uint64_t deadline)
{
	uint64_t header_only;
	bool inside;
	err_t e = client_need_lines(c);

	if (is_err(e))
		return e;
	inside = dispatcher_enter();
	c->sent++;
	unsettle(c);
	dispatcher_leave(inside);
	if (words == NULL)
		words = &header_only;
	words[0] = header;
	return client_send(c, words, true, deadline);
}

err_t stub_send_item(struct stub_client *c, uint64_t header, uint64_t *words, uint64_t deadline)
{
	uint64_t header_only;
	uint16_t number;
	bool inside;
	err_t e = is_err(c->item_error) ? c->item_error : client_need_lines(c);

	if (is_ok(e))
		e = client_reserve(c, 1, deadline, &number);
	if (is_err(e))
		return e;
	if (words == NULL)
		words = &header_only;
	words[0] = header;
	inside = dispatcher_enter();
	c->items++;
	dispatcher_leave(inside);
	e = client_send(c, words, true, deadline);
	if (is_err(e)) {
		inside = dispatcher_enter();
		if (c->items != 0) {
			c->items--;
			client_release(c, 1);
		}
		dispatcher_leave(inside);
	}
	return e;
}

err_t stub_finish(struct stub_client *c, uint64_t deadline)
{
	struct client_wait wait = {.seen = c->deliveries};
	err_t e = client_visit(c);

	while (is_ok(e) && *(volatile uint16_t *)&c->items != 0) {
		client_look(c, &wait);
		if (*(volatile uint16_t *)&c->items != 0)
			e = client_wait(c, &wait, deadline);
	}
	if (is_ok(e) || is_err(c->item_error)) {
		e = is_err(c->item_error) ? c->item_error : e;
		if (c->items == 0)
			c->item_error = OK;
	}
	return e;
}
