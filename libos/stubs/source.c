/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Streams of results, the server's side. Whenever there is credit, the service is asked for the next item: when the stream begins, when
 * credit comes, and when the service says that it has something again.
 *
 * That may come from several threads: the one that serves, and those of the service. The one that comes first makes items (`busy`); the
 * others only leave word that it has to look again, and it does so before it stops. A stream that ends meanwhile keeps its place, and the
 * service is told when nobody makes an item of it any more. */

#include "libos/stubs/session.h"

static struct stub_source sources[STUB_SOURCES];

static struct stub_source *find(const struct stub_session *s, uint16_t number)
{
	for (struct stub_source *source = sources; source < sources + STUB_SOURCES; source++)
		if (source->session == s && stub_number_of(source->header) == number)
			return source;
	return NULL;
}

static void tell_ended(struct stub_source *source)
{
	const struct stub_events *events = source->server->events;

	if (events->ended != NULL)
		events->ended(events->context, source);
}

static void end(struct stub_source *source)
{
	bool inside = dispatcher_enter(), busy = source->busy;

	source->session = NULL;
	dispatcher_leave(inside);
	if (!busy)
		tell_ended(source);
}

static void end_with(struct stub_source *source, err_t e)
{
	struct stub_session *s = source->session;
	uint16_t number = stub_number_of(source->header);

	end(source);
	session_fail(s, number, STUB_STREAM_END, e);
}

/* NULL: another thread makes items, or there is no stream any more. */
static struct stub_session *begin_work(struct stub_source *source)
{
	bool inside = dispatcher_enter();
	struct stub_session *s = source->busy ? NULL : source->session;

	source->again = true;
	if (s != NULL) {
		source->busy = true;
		session_hold(s);
	}
	dispatcher_leave(inside);
	return s;
}

/* False: there is reason to look again, or the stream has ended. */
static bool end_work(struct stub_source *source)
{
	bool inside = dispatcher_enter(), rests = source->session != NULL && !source->again;

	if (rests)
		source->busy = false;
	dispatcher_leave(inside);
	return rests;
}

static err_t send_items(struct stub_source *source)
{
	const uint64_t reply = source->method->reply;
	uint64_t out[1 + STUB_MESSAGE_WORDS];

	source->again = false;
	while (source->session != NULL && source->credit > 0) {
		struct stub_call call = {.session = source->session, .header = source->header, .token = REPLY_NONE};
		uint32_t count = 0;
		err_t e = source->method->next(source->server->service, &call, source, out + 1, &count);

		if (is_err(e) || source->session == NULL)
			return e;
		source->credit--;
		out[0] = (stub_words_of(reply) == STUB_ANY_WORDS ? STUB_SIZED(reply, count) : reply) |
		         STUB_NUMBER(stub_number_of(source->header));
		session_send(call.session, out);
	}
	return OK;
}

static void pump(struct stub_source *source)
{
	struct stub_session *s = begin_work(source);
	bool rests = false;

	if (s == NULL)
		return;
	while (source->session != NULL && !rests) {
		err_t e = send_items(source);

		if (source->session != NULL && is_err(e) && !err_is(e, ERR_NUMBER_WOULD_BLOCK))
			end_with(source, e);
		rests = end_work(source);
	}
	if (!rests) {
		tell_ended(source);
		source->busy = false;
	}
	session_let_go(s);
}

void source_open(struct stub_call *call, const struct stub_method *method)
{
	struct stub_source *source = sources;
	uint64_t none[1];
	uint32_t count;
	err_t e;

	while (source < sources + STUB_SOURCES && (source->session != NULL || source->busy))
		source++;
	if (source == sources + STUB_SOURCES) {
		session_fail(call->session, stub_number_of(call->header), STUB_FAILURE, ERR(LIMIT));
		return;
	}
	*source = (struct stub_source){
	    .session = call->session,
	    .header = call->header,
	    .credit = stub_words_of(method->reply) == STUB_ANY_WORDS ? STUB_CREDIT_FLAT : STUB_CREDIT,
	    .busy = true,
	    .method = method,
	    .server = call->session->server,
	};
	e = method->serve(source->server->service, call, source, none, &count);
	if (is_ok(e)) {
		source->busy = false;
		pump(source);
		return;
	}
	source->session = NULL; /* it has never begun, so it doesn't end */
	source->busy = false;
	session_fail(call->session, stub_number_of(call->header), STUB_FAILURE, e);
}

void stub_source_ready(struct stub_source *source)
{
	pump(source);
}

void source_credit(struct stub_session *s, uint16_t number, uint64_t more)
{
	struct stub_source *source = find(s, number);

	if (source == NULL)
		return;
	source->credit = (uint16_t)(more > STUB_CREDIT || source->credit + more > STUB_CREDIT ? STUB_CREDIT : source->credit + more);
	pump(source);
}

bool source_cancel(struct stub_session *s, uint16_t number)
{
	struct stub_source *source = find(s, number);

	if (source != NULL)
		end(source);
	return source != NULL;
}

void source_drop(struct stub_session *s)
{
	for (struct stub_source *source = sources; source < sources + STUB_SOURCES; source++)
		if (source->session == s)
			end(source);
}
