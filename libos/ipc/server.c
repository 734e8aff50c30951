/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* The server's side: services, and the loop that handles what clients send.
 *
 * A client on this core calls an endpoint; reply_wait takes such calls. A client elsewhere has a channel, which is polled. Both wait
 * in one place: reply_wait returns NOTIFIED when anything is pending, and a doorbell is. So before the server waits for endpoint
 * calls it parks all channels; while nothing but endpoint calls comes they stay parked, and a call costs no look at them. */

#include <string.h>

#include <atoll/domain.h>

#include "libos/domain/start.h"
#include "libos/ipc/connection.h"
#include "libos/ipc/endpoint.h"
#include "libos/ipc/events.h"
#include "libos/ipc/gift.h"
#include "libos/ipc/serve.h"
#include "libos/ipc/server.h"
#include "libos/ipc/stream.h"
#include "libos/trace/trace.h"
#include "libos/upcall/dispatcher.h"

/* The monitors know it by its number, which is never 0, and which no other one of this domain ever has: its place and how often that has
 * been used. So a client that comes too late for it is not taken for another one's. */
struct ipc_service {
	struct ipc_server server;
	uint32_t number;               /* the next one's, while the place is free */
	bool used;                     /* it is offered, or was and still has clients */
	char name[SERVICE_NAME_BYTES]; /* empty: it has been withdrawn */
};

_Static_assert(IPC_SERVICES_MOST == SERVICES_EACH, "");

bool (*serve_devices)(void);

static struct ipc_service services[SERVICES_EACH];
static bool any_local;                /* some client calls an endpoint */
static bool news;                     /* a connection or a gift that the program does not know of yet */
static struct endpoint_message reply; /* to reply_token, with the next reply_wait */
static uint64_t reply_token = REPLY_NONE;
static struct ipc_connection *last_caller; /* most calls come from whoever has called before */
static struct ipc_connection *last_held;   /* the same, of a door */

/* ---- Services and their clients ---- */

static struct ipc_service *find_service(uint32_t number)
{
	struct ipc_service *s = &services[number % SERVICES_EACH];

	return s->used && s->number == number ? s : NULL;
}

/* A client has come. One that there is no room for is turned away. */
static void accepted(const uint64_t word[EVENT_WORDS])
{
	struct ipc_service *service;
	struct bound_event bound;
	struct ipc_connection *c;

	memcpy(&bound, word, sizeof bound);
	service = find_service(bound.over_tag);
	if (service == NULL || is_err(connection_open(&bound, service, &c))) {
		(void)monitor_request(REQUEST_close, 0, bound.connection, 0, 0);
		return;
	}
	c->source.waiter = &serving_thread;
	any_local |= c->local;
	news = true;
	server_wake();
}

void server_given(struct ipc_connection *c)
{
	if (c->service->server.given == NULL)
		return;
	news = true;
	server_wake();
}

/* NULL: all places are taken. */
static struct ipc_service *take_place(const char *name, const struct ipc_server *server)
{
	bool inside = dispatcher_enter();
	struct ipc_service *s = services;

	while (s < services + SERVICES_EACH && s->used)
		s++;
	if (s < services + SERVICES_EACH) {
		s->number = s->number == 0 ? SERVICES_EACH + (uint32_t)(s - services) : s->number;
		s->used = true;
		s->server = *server;
		strcpy(s->name, name);
	}
	dispatcher_leave(inside);
	return s < services + SERVICES_EACH ? s : NULL;
}

/* Nobody offers it any more; when its last client has gone its place is another one's, and the context the program's again. */
static void leave_place(struct ipc_service *s)
{
	bool inside = dispatcher_enter(), over = s->used && s->name[0] == '\0';
	const struct ipc_server server = s->server;

	for (const struct ipc_connection *c = connections[SERVED]; c != NULL; c = c->next)
		over &= c->service != s;
	if (over) {
		s->number += SERVICES_EACH;
		s->used = false;
	}
	dispatcher_leave(inside);
	if (over && server.over != NULL)
		server.over(server.context);
}

err_t ipc_offer_interface(const char *name, uint64_t interface, const struct ipc_server *server, struct ipc_service **out)
{
	struct ipc_service *s;
	err_t e;

	*out = NULL;
	if (strlen(name) >= sizeof s->name)
		return ERR(ARGUMENT);
	s = take_place(name, server);
	if (s == NULL)
		return ERR(LIMIT);
	events_handle(EVENT_accepted, accepted);
	*out = s;
	e = service_request(REQUEST_offer, 0, name, interface, s->number);
	if (is_err(e)) {
		*out = NULL;
		s->server.over = NULL; /* it has not begun */
		s->name[0] = '\0';
		leave_place(s);
	}
	return e;
}

err_t ipc_offer(const char *name, const struct ipc_server *server, struct ipc_service **out)
{
	return ipc_offer_interface(name, 0, server, out);
}

err_t ipc_withdraw(struct ipc_service *service)
{
	err_t e = service->name[0] == '\0' ? ERR(NOT_FOUND) : service_request(REQUEST_withdraw, 0, service->name, 0, 0);

	if (is_ok(e)) {
		service->name[0] = '\0';
		leave_place(service);
	}
	return e;
}

static void hand_over_gifts(struct ipc_connection *c)
{
	const struct ipc_server *s = &c->service->server;
	struct gift g;

	while (s->given != NULL && gifts_next(c, &g))
		s->given(s->context, c, g.tag, g.cap, g.connection);
}

/* The program is told of a client once, by the thread that comes first. The others wait for that. */
static void introduce(struct ipc_connection *c)
{
	bool inside = dispatcher_enter(), first = !c->opened;

	c->opened = true;
	dispatcher_leave(inside);
	if (first && c->service->server.opened != NULL)
		c->service->server.opened(c->service->server.context, c);
	if (first)
		*(volatile bool *)&c->known = true;
	for (uint32_t looks = 0; !*(volatile bool *)&c->known; looks++)
		connection_let_another(looks);
}

__attribute__((cold, noinline)) static void announce_news(void)
{
	news = false;
	for (struct ipc_connection *c = connections[SERVED]; c != NULL; c = c->next) {
		introduce(c);
		hand_over_gifts(c);
	}
}

__attribute__((cold, noinline)) static void cut_off(struct ipc_connection *c)
{
	struct ipc_service *service = c->service;

	if (connection_is_shared(c)) {
		/* A thread waits for a gift of it, and is told; it is cut off when that one has left. */
		atomic_store_explicit(&c->closed, true, memory_order_relaxed);
		gifts_wake(c);
		return;
	}
	if (last_caller == c)
		last_caller = NULL;
	if (last_held == c)
		last_held = NULL;
	if (c->opened && service->server.closed != NULL)
		service->server.closed(service->server.context, c);
	connection_close(c);
	if (service->name[0] == '\0')
		leave_place(service);
}

/* ---- One connection ---- */

#define NEVER_IDLE UINT64_MAX /* no header that an honest peer writes */

static void answer(struct ipc_connection *c, const struct ipc_message *request, struct ipc_message *response)
{
	const struct ipc_server *s = &c->service->server;

	*response = (struct ipc_message){.label = 0};
	if (s->call != NULL)
		s->call(s->context, c, request, response);
	response->word[3] = unpack_last(response->word[3]);
}

static enum ipc_outcome serve_call(struct ipc_connection *c)
{
	struct channel_message m;
	struct channel_result r = channel_try_receive(&c->channel, &m);
	struct ipc_message request, response;

	if (r.code == CHANNEL_EMPTY)
		return __builtin_expect(c->closed, 0) ? IPC_CUT_OFF : IPC_NOTHING;
	if (!channel_ok(r) || m.length != IPC_WORDS * sizeof(uint64_t))
		return IPC_CUT_OFF;
	trace_receive(&c->channel, c->ring_here, TRACE_CALLS, m.type);
	memcpy(request.word, m.words, sizeof request.word);
	request.label = m.type;
	answer(c, &request, &response);
	trace_send(&c->channel, c->ring_there, TRACE_CALLS, response.label, sizeof response.word);
	/* a client that has no room for its reply has sent more calls than it has waited for */
	return channel_ok(channel_send(&c->channel, response.label, response.word, IPC_WORDS)) ? IPC_SOMETHING : IPC_CUT_OFF;
}

__attribute__((noinline)) static enum ipc_outcome serve_stream(struct ipc_connection *c)
{
	const struct ipc_server *s = &c->service->server;
	const void *data;
	uint16_t label;
	size_t bytes;
	err_t e = stream_take(c, &label, &data, &bytes);

	if (is_err(e))
		return err_is(e, ERR_NUMBER_WOULD_BLOCK) ? IPC_NOTHING : IPC_CUT_OFF;
	if (s->message != NULL)
		s->message(s->context, c, label, data, bytes);
	stream_taken(c);
	return IPC_SOMETHING;
}

static enum ipc_outcome serve_lines(struct ipc_connection *c)
{
	const struct ipc_server *s = &c->service->server;
	enum ipc_outcome o = s->lines(s->context, c);

	return o == IPC_NOTHING && __builtin_expect(c->closed, 0) ? IPC_CUT_OFF : o;
}

/* A service with a protocol of its own needs no other one. */
static bool is_spoken(const struct ipc_server *s, uint16_t greeting)
{
	if (greeting == GREETING_LINES)
		return s->lines != NULL;
	return (greeting == GREETING_CALL || greeting == GREETING_STREAM) && (s->lines == NULL || s->call != NULL);
}

__attribute__((cold, noinline)) static enum ipc_outcome serve_greeting(struct ipc_connection *c)
{
	struct channel_message m;
	struct channel_result r = channel_try_receive(&c->channel, &m);

	if (r.code == CHANNEL_EMPTY)
		return c->closed ? IPC_CUT_OFF : IPC_NOTHING;
	if (channel_ok(r))
		trace_receive(&c->channel, c->ring_here, TRACE_GREETINGS, m.type);
	if (!channel_ok(r) || !is_spoken(&c->service->server, m.type))
		return IPC_CUT_OFF;
	c->stream = m.type == GREETING_STREAM;
	c->lines = m.type == GREETING_LINES;
	c->greeted = true;
	return IPC_SOMETHING;
}

static enum ipc_outcome serve_channel(struct ipc_connection *c)
{
	if (c->lines)
		return serve_lines(c);
	if (__builtin_expect(!c->greeted, 0))
		return serve_greeting(c);
	return c->stream ? serve_stream(c) : serve_call(c);
}

static enum ipc_outcome serve_connection(struct ipc_connection *c)
{
	struct channel *ch = &c->channel;
	uint64_t header;
	enum ipc_outcome o;

	if (c->local)
		return c->closed && c->calls == 0 ? IPC_CUT_OFF : IPC_NOTHING;
	if (!c->held && connection_is_idle(c))
		return IPC_NOTHING;
	header = channel_load_header(&ch->rx[ch->next_in & ch->mask].line.header);
	o = serve_channel(c);
	/* a line that came after the look has another header than this one */
	c->idle_header = o == IPC_NOTHING ? header : NEVER_IDLE;
	return o;
}

/* One message of each client. */
__attribute__((hot)) static bool serve_connections(void)
{
	bool any = false;
	struct ipc_connection *next;

	if (__builtin_expect(news, 0))
		announce_news();
	for (struct ipc_connection *c = connections[SERVED]; c != NULL; c = next) {
		enum ipc_outcome o = serve_connection(c);

		next = c->next; /* handlers don't close what is served: ipc_close only marks it */
		if (o == IPC_CUT_OFF)
			cut_off(c);
		any |= o != IPC_NOTHING;
	}
	return any;
}

/* ---- Endpoint calls ---- */

/* Whose call it is. A client may call before this side has looked at the event that tells of it. */
static struct ipc_connection *calling(uint32_t number)
{
	struct ipc_connection *c = connection_find(number);
	bool inside;

	if (c == NULL) {
		inside = dispatcher_enter();
		events_poll();
		dispatcher_leave(inside);
		c = connection_find(number);
	}
	if (__builtin_expect(news, 0))
		announce_news();
	last_caller = c;
	return c;
}

struct ipc_connection *server_caller(uint64_t badge)
{
	struct ipc_connection *c = last_caller;

	return __builtin_expect(c != NULL && c->number == badge, 1) ? c : calling((uint32_t)badge);
}

static void answer_message(struct ipc_connection *c, struct endpoint_message *m)
{
	struct ipc_message request = {
	    .word = {m->word[0], m->word[1], m->word[2], unpack_last(m->word[3])},
	    .label = (uint16_t)(m->word[3] >> LABEL_SHIFT),
	};
	struct ipc_message response = {.label = 0};

	if (c != NULL)
		answer(c, &request, &response);
	*m = (struct endpoint_message){{response.word[0], response.word[1], response.word[2], pack_last(&response)}};
}

static bool answer_words(struct ipc_connection *c, uint64_t token, struct endpoint_message *m)
{
	const struct ipc_server *s;

	if (c == NULL || c->service == NULL || c->service->server.words == NULL) {
		answer_message(c != NULL && c->service != NULL ? c : NULL, m);
		return true;
	}
	s = &c->service->server;
	return s->words(s->context, c, token, m->word);
}

static void answer_endpoint(const struct endpoint_request *r)
{
	struct ipc_connection *c = server_caller(r->badge);

	reply = r->message;
	if (__builtin_expect(answer_words(c, r->token, &reply), 1))
		reply_token = r->token;
}

/* ---- Calls through a door ---- */

struct ipc_connection *server_hold(uint64_t badge)
{
	struct ipc_connection *c = last_held;

	if (__builtin_expect(c == NULL || c->number != badge, 0)) {
		c = connection_find((uint32_t)badge);
		if (c == NULL) {
			events_poll();
			c = connection_find((uint32_t)badge);
		}
		if (c == NULL || c->service == NULL)
			return NULL;
		last_held = c;
	}
	c->calls++;
	return c;
}

void server_let_go(struct ipc_connection *c)
{
	if (c == NULL)
		return;
	c->calls--;
	if (__builtin_expect(c->closed && c->calls == 0, 0))
		server_wake();
}

bool server_answer(struct ipc_connection *c, uint64_t token, struct endpoint_message *m)
{
	if (c != NULL && __builtin_expect(!*(volatile bool *)&c->known, 0))
		introduce(c);
	return answer_words(c, token, m);
}

/* Gives the last caller its reply and answers further calls until there are none. True if there were any. */
static bool serve_calls(void)
{
	struct endpoint_request r;
	bool any = false;
	err_t e;

	do {
		uint64_t token = reply_token;

		reply_token = REPLY_NONE;
		e = endpoint_reply_wait(token, &reply, REPLY_POLL, &r);
		server_answers = is_ok(e);
		if (is_ok(e)) {
			answer_endpoint(&r);
			any = true;
		}
	} while (is_ok(e) || err_is(e, ERR_NUMBER_NO_CALLER));
	return any;
}

/* ---- The loop ---- */

/* Not inline, so that the loop stays short. */
__attribute__((noinline)) static bool serve_notices(void)
{
	bool any = server_take(PENDING_CALL) != 0 && serve_calls();

	if (serve_devices != NULL)
		any |= serve_devices();
	/* What nobody attached to. What has come for a device since it was looked for is not: its next interrupt may wait for this one. */
	(void)server_take(serve_devices != NULL ? ~(PENDING_CALL | DEVICE_NOTICES) : ~PENDING_CALL);
	return any;
}

__attribute__((hot)) static bool serve_what_is_there(void)
{
	bool any = serve_connections();

	if (__builtin_expect(server_has_notices(), 0))
		any |= serve_notices();
	return any;
}

static bool anything_new(void)
{
	if (news || server_has_notices())
		return true;
	for (struct ipc_connection *c = connections[SERVED]; c != NULL; c = c->next)
		if (c->closed || (!c->local && channel_poll(&c->channel).code != CHANNEL_EMPTY))
			return true;
	return false;
}

/* False: the deadline has passed. */
static bool wait_for_something(uint64_t deadline)
{
	bool inside = dispatcher_enter(), in_time = true;

	events_poll();
	if (!anything_new()) {
		serving_thread = thread_current;
		if (thread_others_ready()) /* they may run for long */
			wait_listen();
		if (serving_thread != NULL) /* else something has come while we began to listen */
			in_time = thread_wait(deadline);
		serving_thread = NULL;
	}
	dispatcher_leave(inside);
	return in_time;
}

/* Parks all channels; false if something has come in. Inside a section. */
static bool park(void)
{
	bool parked = false;

	events_poll();
	if (!anything_new() && !thread_others_ready()) {
		serving_thread = thread_current;
		parked = wait_park();
		serving_thread = NULL;
	}
	if (parked)
		threads_set_timer();
	return parked;
}

__attribute__((hot)) uint64_t server_fall_asleep(void)
{
	bool inside;

	for (uint32_t looks = 0;; looks++) {
		if (serve_what_is_there()) {
			wait_found();
			looks = 0;
		} else if (thread_others_ready()) {
			thread_yield();
		} else if (looks < polling_limit || polling_limit == IPC_POLL_ALWAYS) {
			wait_look_on(looks);
		} else if (!any_local) {
			wait_for_something(THREAD_FOREVER);
		} else {
			inside = dispatcher_enter();
			if (park())
				return wait_generation;
			dispatcher_leave(inside);
		}
	}
}

void server_wake_up(uint64_t token, const struct endpoint_message *last)
{
	wait_unpark();
	dispatcher_leave(false);
	if (token == REPLY_NONE)
		return;
	reply = *last;
	reply_token = token;
	(void)serve_calls();
}

/* Answers endpoint calls, asleep between them, until something else has come. The dispatcher is disabled from the look at what has come to
 * the end of its sleep, so that no upcall takes a notification away in between; handlers run enabled. */
static void serve_calls_asleep(uint64_t generation)
{
	struct endpoint_request r;
	err_t e;

	do {
		uint64_t token = reply_token;

		reply_token = REPLY_NONE;
		e = endpoint_reply_wait(token, &reply, REPLY_BLOCK, &r);
		server_answers = is_ok(e);
		if (is_ok(e)) {
			dispatcher_leave(false);
			answer_endpoint(&r);
			(void)dispatcher_enter();
		} else if (err_is(e, ERR_NUMBER_NO_CALLER)) {
			e = OK;
		}
	} while (is_ok(e) && generation == wait_generation && !thread_others_ready());
}

void ipc_serve_once(uint64_t deadline_tsc)
{
	uint64_t deadline = deadline_tsc == 0 ? THREAD_FOREVER : deadline_tsc;

	for (uint32_t looks = 0; !serve_what_is_there(); looks++) {
		if (deadline != THREAD_FOREVER && time_tsc() >= deadline)
			return;
		if (thread_others_ready())
			thread_yield();
		else if (looks < polling_limit || polling_limit == IPC_POLL_ALWAYS)
			wait_look_on(looks);
		else
			wait_for_something(deadline);
	}
	wait_found();
}

void ipc_serve(void)
{
	for (;;) {
		serve_calls_asleep(server_fall_asleep());

		const struct endpoint_message last = reply;
		uint64_t token = reply_token;

		reply_token = REPLY_NONE;
		server_wake_up(token, &last);
	}
}
