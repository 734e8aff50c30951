/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Calls that their handler answers later. Whoever has put one off knows it by its place and how often the place has been used, so an answer
 * to a call that was cancelled meanwhile, or whose client has gone, finds nobody. */

#include "libos/ipc/serve.h"
#include "libos/stubs/session.h"

struct later {
	uint32_t generation;
	struct stub_session *session; /* NULL: free */
	uint64_t header, token;
};

static struct later laters[STUB_LATERS];

/* The handlers' program is told; it may take its time. */
static void cancel(struct later *l)
{
	struct stub_session *s = l->session;
	const struct stub_events *events = s->server->events;
	bool inside = dispatcher_enter();

	l->session = NULL;
	server_owes -= l->token != REPLY_NONE;
	dispatcher_leave(inside);
	if (events->cancelled != NULL)
		events->cancelled(events->context, s, (struct stub_later){(uint32_t)(l - laters), l->generation});
}

/* Who has given up a fast call tells nobody. */
static void drop_unawaited(void)
{
	for (struct later *l = laters; l < laters + STUB_LATERS; l++)
		if (l->session != NULL && l->token != REPLY_NONE && !endpoint_is_awaited(l->token))
			cancel(l);
}

static bool put_off(const struct stub_call *call, struct stub_later *out)
{
	bool inside = dispatcher_enter();
	uint32_t i = 0;

	while (i < STUB_LATERS && laters[i].session != NULL)
		i++;
	if (i < STUB_LATERS) {
		laters[i] = (struct later){laters[i].generation + 1, call->session, call->header, call->token};
		*out = (struct stub_later){i, laters[i].generation};
		server_owes += call->token != REPLY_NONE;
	}
	dispatcher_leave(inside);
	return i < STUB_LATERS;
}

err_t stub_put_off(struct stub_call *call, struct stub_later *out)
{
	if (put_off(call, out))
		return OK;
	drop_unawaited();
	return put_off(call, out) ? OK : ERR(LIMIT);
}

bool stub_is_cancelled(const struct stub_call *call)
{
	const struct ipc_connection *c = call->session->lines;

	if (call->token != REPLY_NONE)
		return !endpoint_is_awaited(call->token);
	return c == NULL || atomic_load_explicit(&c->closed, memory_order_relaxed);
}

err_t stub_later_take(struct stub_later later, struct stub_call *call)
{
	bool inside = dispatcher_enter();
	struct later *l = &laters[later.index % STUB_LATERS];
	bool waits = l->session != NULL && l->generation == later.generation;

	if (waits) {
		*call = (struct stub_call){.session = l->session, .header = l->header, .token = l->token};
		l->session = NULL;
		session_hold(call->session);
	}
	dispatcher_leave(inside);
	return waits ? OK : ERR(NO_CALLER);
}

static err_t answer_fast(struct stub_call *call, uint64_t reply, const uint64_t *payload, err_t e)
{
	struct endpoint_message m = {{reply, payload[0], payload[1], payload[2]}};
	bool inside;

	if (is_err(e))
		m = (struct endpoint_message){{stub_control(stub_identity_of(call->header), STUB_FAILURE, 0, 1), e.number, 0, 0}};
	e = endpoint_reply(call->token, &m);
	inside = dispatcher_enter();
	server_owes--;
	dispatcher_leave(inside);
	return e;
}

static void answer_line(const struct stub_call *call, uint64_t reply, uint64_t *out, uint32_t count, err_t e)
{
	uint16_t number = stub_number_of(call->header);

	out[0] = (stub_words_of(reply) == STUB_ANY_WORDS ? STUB_SIZED(reply, count) : reply) | STUB_NUMBER(number);
	if (is_ok(e))
		session_send(call->session, out);
	else
		session_fail(call->session, number, STUB_FAILURE, e);
}

err_t stub_later_answer(struct stub_call *call, uint64_t reply, uint64_t *out, uint32_t count, err_t e)
{
	const bool fast = call->token != REPLY_NONE;
	err_t told = OK;

	if (fast)
		told = answer_fast(call, reply, out + 1, e);
	else
		answer_line(call, reply, out, count, e);
	session_let_go(call->session);
	return told;
}

err_t stub_fail(struct stub_later later, err_t why)
{
	uint64_t none[1 + STUB_REGISTER_WORDS] = {0};
	struct stub_call call;
	err_t e = stub_later_take(later, &call);

	return is_err(e) ? e : stub_later_answer(&call, 0, none, 0, is_err(why) ? why : ERR(ARGUMENT));
}

bool later_cancel(struct stub_session *s, uint16_t number)
{
	for (struct later *l = laters; l < laters + STUB_LATERS; l++) {
		if (l->session != s || l->token != REPLY_NONE || stub_number_of(l->header) != number)
			continue;
		cancel(l);
		return true;
	}
	return false;
}

void later_drop(struct stub_session *s)
{
	for (struct later *l = laters; l < laters + STUB_LATERS; l++)
		if (l->session == s)
			cancel(l);
}
