/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* The client's side: calls, messages without an answer, and items. A call goes the shortest way that it can:
 *
 *   way      if                                                    and
 *   fast     the server is on this core                            enters it by its endpoint; if that takes long it waits aside (late.h)
 *   across   few words, to another core, nothing else under way    the reply is the next message, so nobody need find its owner
 *   line     what fits a line, likewise                            the same, whatever else is there to be done meanwhile
 *   ticket   anything else, and what was not answered at once      deliver finds it by its number
 *
 * `fast` and `quiet` of the client say whether the first ones are open; anything that is under way closes them (client_unsettle). */

#include <string.h>

#include <atoll/domain.h>

#include "channels/short.h"
#include "libos/ipc/late.h"
#include "libos/stubs/client.h"
#include "libos/trace/trace.h"

#define GLANCES_IN_A_ROW 256 /* which take as long as so many looks */
#define REFUSED_MOST     16

/* ---- Tickets ---- */

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
	return is_ok(e) || t->done ? t->error : e;
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
	late_cancel(&c->late, ERR(CANCELLED));
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

/* ---- Calls in a line ---- */

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
	client_unsettle(c);
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
		client_deliver(c, m.words, m.length);
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
		client_deliver(c, m->word, bytes);
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
		e = late_wait(m, deadline, &c->late);
	return is_err(e) || m->word[0] != reply ? client_failure(e, m) : OK;
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
	client_unsettle(c);
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
