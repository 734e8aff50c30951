/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* The server's side: sessions, and which function a message is for.
 *
 * A fast call comes with four words, of which the last is the header; it is served if that is exactly the one that the method's fast calls
 * have (the stub's I_answer). Everything else comes over a channel. A message is copied once, into the connection's buffer, where nobody
 * but the serving thread touches it; then its identity, kind, method and length are checked, in this order, and only then the stub is
 * asked, which checks the rest. Whoever sends what can't be served is told so, and it is counted; whoever breaks the rules of the channel
 * itself is cut off. */

#include <string.h>

#include <atoll/domain.h>

#include "libos/memory/memory.h"
#include "libos/stubs/session.h"
#include "libos/trace/trace.h"

static struct stub_server servers[IPC_SERVICES_MOST];
static struct stub_server nobody;
static struct stub_server *loop_of; /* whose loop the thread that serves is in; NULL: it is in no service's */
struct stub_refused stub_refusals;

/* ---- Sessions ---- */

static void tell_opened(struct stub_session *s)
{
	const struct stub_events *events = s->server->events;

	s->told = true;
	if (events->opened != NULL)
		events->opened(events->context, s);
}

static void opened(void *context, struct ipc_connection *c)
{
	struct stub_server *server = context;
	struct stub_session *s;
	bool inside = dispatcher_enter();

	store_prepare();
	s = store_alloc(sizeof *s);
	if (s != NULL) {
		s->server = server;
		s->service = server->service;
		s->id = ++server->last_id;
		s->next = server->sessions;
		server->sessions = s;
	}
	dispatcher_leave(inside);
	ipc_set_data(c, s);
	if (s == NULL) {
		ipc_close(c);
		return;
	}
	*(ipc_is_local(c) ? &s->endpoint : &s->lines) = c;
	if (s->endpoint != NULL)
		tell_opened(s); /* of a channel only its first message says whose it is */
}

void session_hold(struct stub_session *s)
{
	s->held++;
}

void session_let_go(struct stub_session *s)
{
	bool inside = dispatcher_enter();

	s->held--;
	if (s->over && s->held == 0)
		store_free(s, sizeof *s);
	dispatcher_leave(inside);
}

static void end_session(struct stub_session *s)
{
	const struct stub_events *events = s->server->events;
	struct stub_session **link;
	bool inside;

	later_drop(s);
	source_drop(s);
	session_buffers_drop(s);
	if (s->told && events->closed != NULL)
		events->closed(events->context, s);
	inside = dispatcher_enter();
	for (link = &s->server->sessions; *link != s; link = &(*link)->next)
		;
	*link = s->next;
	s->over = true;
	if (s->held == 0)
		store_free(s, sizeof *s);
	dispatcher_leave(inside);
}

/* What was an endpoint may be a channel by now, if one of the two has moved. */
static void closed(void *context, struct ipc_connection *c)
{
	struct stub_session *s = ipc_get_data(c);

	(void)context;
	if (s == NULL)
		return;
	*(s->endpoint == c ? &s->endpoint : &s->lines) = NULL;
	stub_last_caller = (struct stub_caller){0};
	if (s->endpoint == NULL && s->lines == NULL)
		end_session(s);
}

/* A channel whose domain has an endpoint already, and says which. False: that has been closed meanwhile, or was never there. */
static bool join(struct stub_session *s, uint64_t id)
{
	struct ipc_connection *c = s->lines;
	struct stub_session *of = s->server->sessions;

	while (of != NULL && (of->id != id || of->endpoint == NULL))
		of = of->next;
	if (s->told || of == NULL || of->lines != NULL || ipc_peer_domain(of->endpoint) != ipc_peer_domain(c) ||
	    ipc_peer_core(of->endpoint) != ipc_peer_core(c))
		return false;
	of->lines = c;
	ipc_set_data(c, of);
	end_session(s);
	return true;
}

/* ---- Answers ---- */

/* A section in which the thread that serves is not in the middle of something. */
static bool session_enter(const struct stub_session *s)
{
	bool inside = dispatcher_enter();

	for (uint32_t looks = 0; s->lines != NULL && s->lines->busy; looks++) {
		dispatcher_leave(inside);
		connection_let_another(looks);
		inside = dispatcher_enter();
	}
	return inside;
}

void session_send(struct stub_session *s, const uint64_t *words)
{
	size_t count = 1 + stub_words_of(words[0]);
	struct channel_result r = {CHANNEL_OK};
	bool inside = session_enter(s);
	struct ipc_connection *c = s->lines;

	if (c != NULL && !c->closed) {
		trace_send(&c->channel, c->ring_there, TRACE_STUBS, stub_method_of(words[0]), count * sizeof *words);
		r = count <= CHANNEL_WORDS ? channel_send(&c->channel, STUB_LINE, words, count)
		                           : channel_send_bytes(&c->channel, STUB_LINE, words, count * sizeof *words);
	}
	if (!channel_ok(r))
		ipc_close(c);
	dispatcher_leave(inside);
}

void session_fail(struct stub_session *s, uint16_t number, enum stub_kind kind, err_t e)
{
	const uint64_t words[2] = {stub_control(s->server->interface->identity, kind, number, 1), e.number};

	session_send(s, words);
}

/* ---- What comes ---- */

static err_t count(uint64_t *reason, err_t e)
{
	++*reason;
	return e;
}

err_t stub_malformed(void)
{
	return count(&stub_refusals.format, ERR(FORMAT));
}

/* The method that a message is for, if the message can be one for it. */
static err_t find_method(const struct stub_interface *i, uint64_t header, const struct stub_method **out)
{
	const struct stub_method *m = &i->method[stub_method_of(header)];
	uint64_t expected;

	if (stub_method_of(header) >= i->methods || stub_kind_of(m->call) != stub_kind_of(header))
		return count(&stub_refusals.method, ERR(METHOD));
	expected = stub_words_of(m->call) == STUB_ANY_WORDS ? STUB_SIZED(m->call, stub_words_of(header)) : m->call;
	if ((header & ~STUB_NUMBER(UINT16_MAX)) != expected)
		return count(&stub_refusals.length, ERR(MESSAGE));
	*out = m;
	return OK;
}

static void answer(struct stub_call *call, const struct stub_method *m, uint64_t *out, uint32_t words, err_t e)
{
	uint16_t number = stub_number_of(call->header);

	if (stub_kind_of(call->header) == STUB_ONEWAY || err_is(e, STUB_LATER.number))
		return;
	if (is_err(e)) {
		session_fail(call->session, number, STUB_FAILURE, e);
		return;
	}
	out[0] = (stub_words_of(m->reply) == STUB_ANY_WORDS ? STUB_SIZED(m->reply, words) : m->reply) | STUB_NUMBER(number);
	session_send(call->session, out);
}

static void serve_method(struct stub_call *call)
{
	const struct stub_method *m;
	uint64_t out[1 + STUB_MESSAGE_WORDS];
	uint32_t words = 0;
	err_t e = find_method(call->session->server->interface, call->header, &m);

	if (is_err(e)) {
		if (stub_kind_of(call->header) != STUB_ONEWAY)
			session_fail(call->session, stub_number_of(call->header), STUB_FAILURE, e);
		return;
	}
	if (m->next != NULL) {
		source_open(call, m);
		return;
	}
	e = m->serve(call->session->service, call, NULL, out + 1, &words);
	answer(call, m, out, words, e);
}

static void cancel(struct stub_session *s, uint16_t number)
{
	if (later_cancel(s, number))
		session_fail(s, number, STUB_FAILURE, ERR(CANCELLED));
	else if (source_cancel(s, number))
		session_fail(s, number, STUB_STREAM_END, ERR(CANCELLED));
}

static void control(struct stub_session *s, uint64_t header, const uint64_t *payload)
{
	static const uint8_t words[] = {[STUB_CREDIT_GIVEN] = 1, [STUB_BUFFER] = 3};
	enum stub_kind kind = stub_kind_of(header);
	uint16_t number = stub_number_of(header);
	err_t e = ERR(MESSAGE);

	if ((size_t)kind < sizeof words && stub_words_of(header) == words[kind]) {
		e = OK;
		if (kind == STUB_CREDIT_GIVEN)
			source_credit(s, number, payload[0]);
		else if (kind == STUB_CANCEL)
			cancel(s, number);
		else if (kind == STUB_BUFFER)
			e = buffer_control(s, payload);
		else
			e = ERR(MESSAGE);
	}
	if (kind == STUB_BUFFER && is_ok(e)) {
		const uint64_t reply = stub_control(s->server->interface->identity, STUB_REPLY, number, 0);

		session_send(s, &reply);
	} else if (is_err(e)) {
		session_fail(s, number, STUB_FAILURE, count(&stub_refusals.length, e));
	}
}

static void dispatch(struct stub_session *s, const uint64_t *message)
{
	struct stub_call call = {.session = s, .header = message[0], .token = REPLY_NONE, .message = message + 1};
	enum stub_kind kind = stub_kind_of(call.header);

	if (stub_identity_of(call.header) != s->server->interface->identity) {
		session_fail(s, stub_number_of(call.header), STUB_FAILURE, count(&stub_refusals.version, ERR(VERSION)));
		return;
	}
	if (!s->told)
		tell_opened(s);
	if (kind == STUB_CALL || kind == STUB_ONEWAY || kind == STUB_ITEM || kind == STUB_OPEN)
		serve_method(&call);
	else
		control(s, call.header, call.message);
}

enum ipc_outcome session_message(struct ipc_connection *c, const uint64_t *message, size_t bytes)
{
	struct stub_session *s = c->data;

	if (bytes < sizeof *message || s == NULL)
		return IPC_CUT_OFF;
	if (message[0] == stub_control(s->server->interface->identity, STUB_JOIN, 0, 1) && bytes == 2 * sizeof *message)
		return join(s, message[1]) ? IPC_SOMETHING : IPC_CUT_OFF;
	if (bytes != (1 + stub_words_of(message[0])) * sizeof *message || stub_words_of(message[0]) > STUB_MESSAGE_WORDS)
		session_fail(s, stub_number_of(message[0]), STUB_FAILURE, count(&stub_refusals.length, ERR(MESSAGE)));
	else
		dispatch(s, message);
	return IPC_SOMETHING;
}
enum ipc_outcome session_take(struct ipc_connection *c)
{
	struct channel_result r;
	uint16_t type;
	size_t bytes;

	session_begin(c);
	r = channel_try_receive_bytes(&c->channel, c->buffer, sizeof c->buffer, &type, &bytes);
	session_end(c);
	if (!channel_ok(r))
		return r.code == CHANNEL_EMPTY ? IPC_NOTHING : IPC_CUT_OFF;
	trace_receive(&c->channel, c->ring_here, TRACE_STUBS, stub_method_of(*(const uint64_t *)c->buffer));
	return session_message(c, (const uint64_t *)c->buffer, bytes);
}
_Static_assert(sizeof(uint64_t[1 + STUB_MESSAGE_WORDS]) <= IPC_STREAM_BYTES, "a message fits the connection's buffer");
_Static_assert(offsetof(struct ipc_connection, buffer) % sizeof(uint64_t) == 0, "and its words are aligned");

/* ---- Fast calls ---- */

struct stub_caller stub_last_caller;

bool stub_find_caller(uint64_t badge)
{
	struct ipc_connection *c = server_caller(badge);

	if (c == NULL || c->service == NULL || c->service != loop_of->offered || c->data == NULL)
		return false;
	stub_last_caller = (struct stub_caller){badge, c->data};
	return true;
}

bool stub_answer_stranger(uint64_t badge, uint64_t token, struct endpoint_message *m)
{
	struct ipc_connection *c = server_caller(badge);

	if (c != NULL && c->service != NULL)
		return server_answer(c, token, m);
	(void)stub_answer_error(m, ERR(NO_MEMORY)); /* for this side of the connection */
	return true;
}

enum stub_outcome stub_answer_error(struct endpoint_message *m, err_t e)
{
	if (err_is(e, STUB_LATER.number))
		return STUB_PUT_OFF;
	m->word[0] = stub_control(stub_identity_of(m->word[0]), STUB_FAILURE, 0, 1);
	m->word[1] = e.number;
	return STUB_ANSWERED;
}

enum stub_outcome stub_answer_odd(const struct stub_session *session, struct endpoint_message *m)
{
	const struct stub_interface *i = session->server->interface;
	const uint64_t identity = i->identity, header = m->word[0];

	if (header == stub_control(identity, STUB_HELLO, 0, 0)) {
		m->word[0] = stub_control(identity, STUB_REPLY, 0, 1);
		m->word[1] = session->id;
		return STUB_ANSWERED;
	}
	m->word[0] = identity;
	if (stub_identity_of(header) != identity)
		return stub_answer_error(m, count(&stub_refusals.version, ERR(VERSION)));
	if (stub_method_of(header) >= i->methods)
		return stub_answer_error(m, count(&stub_refusals.method, ERR(METHOD)));
	return stub_answer_error(m, count(&stub_refusals.length, ERR(MESSAGE)));
}

/* For programs with a loop of their own, and shuttles. */
static bool words(void *context, struct ipc_connection *c, uint64_t token, uint64_t word[IPC_WORDS])
{
	struct endpoint_message m = {{word[0], word[1], word[2], word[3]}};
	const struct stub_server *server = context;
	struct stub_session *s = c->data;
	enum stub_outcome o;

	o = s != NULL ? server->interface->answer(s->service, s, token, 0, &m) : stub_answer_error(&m, ERR(NO_MEMORY));
	if (o == STUB_ODD)
		o = stub_answer_odd(s, &m);
	memcpy(word, m.word, sizeof m.word);
	return o == STUB_ANSWERED;
}

/* ---- For programs ---- */

static void plain_call(void *context, struct ipc_connection *c, const struct ipc_message *request, struct ipc_message *reply)
{
	const struct stub_events *events = ((const struct stub_server *)context)->events;

	events->call(events->context, c, request, reply);
}

/* The last client of a service that was withdrawn has gone. Its loop goes on, for the others. */
static void over(void *context)
{
	struct stub_server *s = context;
	bool inside = dispatcher_enter();

	if (loop_of == s)
		loop_of = &nobody;
	*s = (struct stub_server){0};
	dispatcher_leave(inside);
}

static err_t withdraw(struct stub_server *s)
{
	struct ipc_service *offered = s->offered;

	s->name[0] = '\0'; /* now: `over` may be told before that returns */
	return ipc_withdraw(offered);
}

/* NULL: all records are in use. */
static struct stub_server *take_record(const struct stub_interface *interface, const void *service, const struct stub_events *events)
{
	bool inside = dispatcher_enter();
	struct stub_server *s = servers;

	while (s < servers + IPC_SERVICES_MOST && s->interface != NULL)
		s++;
	if (s < servers + IPC_SERVICES_MOST)
		*s = (struct stub_server){.interface = interface, .service = service, .events = events};
	dispatcher_leave(inside);
	return s < servers + IPC_SERVICES_MOST ? s : NULL;
}

err_t stub_offer(const char *name, const struct stub_interface *interface, const void *service, const struct stub_events *events)
{
	struct ipc_server server = {.opened = opened, .closed = closed, .words = words, .lines = interface->lines, .over = over};
	struct stub_server *s;
	err_t e;

	if (strlen(name) >= sizeof s->name)
		return ERR(ARGUMENT);
	s = take_record(interface, service, events);
	if (s == NULL)
		return ERR(LIMIT);
	server.call = events->call != NULL ? plain_call : NULL;
	server.context = s;
	e = ipc_offer_interface(name, interface->id, &server, &s->offered);
	if (is_err(e)) {
		over(s);
		return e;
	}
	strcpy(s->name, name);
	if (events->shuttles != 0)
		e = ipc_offer_door(events->shuttles);
	if (is_err(e))
		(void)!is_ok(withdraw(s));
	return e;
}

static struct stub_server *find_server(const char *name)
{
	for (struct stub_server *s = servers; s < servers + IPC_SERVICES_MOST; s++)
		if (s->name[0] != '\0' && strcmp(s->name, name) == 0)
			return s;
	return NULL;
}

err_t stub_withdraw(const char *name)
{
	struct stub_server *s = find_server(name);

	return s == NULL ? ERR(NOT_FOUND) : withdraw(s);
}

err_t stub_begin_loop(const char *name)
{
	bool inside = dispatcher_enter(), first = loop_of == NULL;

	if (first)
		loop_of = find_server(name);
	if (loop_of == NULL) /* it has been withdrawn already */
		loop_of = &nobody;
	dispatcher_leave(inside);
	if (first)
		return OK;
	(void)!is_ok(stub_withdraw(name));
	return ERR(EXISTS);
}

struct stub_refused stub_refused(void)
{
	return stub_refusals;
}

void *stub_get_data(const struct stub_session *session)
{
	return session->data;
}
void stub_set_data(struct stub_session *session, void *data)
{
	session->data = data;
}
const struct ipc_connection *stub_peer(const struct stub_session *session)
{
	return session->endpoint != NULL ? session->endpoint : session->lines;
}
