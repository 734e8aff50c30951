/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include <string.h>

#include <atoll/domain.h>

#include "libos/ipc/events.h"
#include "libos/ipc/gift.h"
#include "libos/linux/console.h"
#include "libos/memory/memory.h"
#include "libos/span/link.h"
#include "libos/span/span.h"
#include "libos/trace/trace.h"
#include "libos/upcall/dispatcher.h"
#include "libos/upcall/text.h"

#define LISTENERS_MAX      5
#define LINK_BROKEN_STATUS 134 /* as if the program had aborted */

struct link_line {
	struct link_line *next;
	uint16_t type;
	union link_message message;
};

/* Somebody waits for the answer. It lies in the store, because the asker's stack is the program's memory. */
struct question {
	struct question *next;
	uint64_t token;
	unsigned member;
	bool answered, gone;
	struct thread *waiter;
	union link_message answer;
};

struct link links[SPAN_MAX];
uint64_t link_mask;

static struct question *questions;
static uint64_t last_token;
static struct {
	void (*joined)(unsigned member);
	void (*left)(unsigned member);
} listeners[LISTENERS_MAX];

void link_on_change(void (*joined)(unsigned member), void (*left)(unsigned member))
{
	unsigned i = 0;

	while (i < LISTENERS_MAX && (listeners[i].joined != NULL || listeners[i].left != NULL))
		i++;
	if (i == LISTENERS_MAX)
		__builtin_trap();
	listeners[i].joined = joined;
	listeners[i].left = left;
}

/* ---- Sending ---- */

static bool send_line(struct ipc_connection *c, unsigned type, const void *message)
{
	uint64_t words[CHANNEL_WORDS];
	unsigned bytes = link_message_bytes(type);

	memcpy(words, message, bytes);
	trace_send(&c->channel, c->ring_there, TRACE_SPAN, (uint16_t)type, bytes);
	return channel_ok(channel_send(&c->channel, (uint16_t)type, words, bytes / sizeof(uint64_t)));
}

static err_t keep(struct link *l, unsigned type, const void *message)
{
	struct link_line *line = store_alloc(sizeof *line);

	if (line == NULL)
		return ERR(NO_MEMORY);
	line->type = (uint16_t)type;
	memcpy(&line->message, message, link_message_bytes(type));
	if (l->first == NULL)
		l->first = line;
	else
		l->last->next = line;
	l->last = line;
	return OK;
}

static void send_kept(struct link *l)
{
	while (l->first != NULL && send_line(l->connection, l->first->type, &l->first->message)) {
		struct link_line *sent = l->first;

		l->first = sent->next;
		store_free(sent, sizeof *sent);
	}
}

static void drop_kept(struct link *l)
{
	while (l->first != NULL) {
		struct link_line *line = l->first;

		l->first = line->next;
		store_free(line, sizeof *line);
	}
}

err_t link_send(unsigned member, enum link_type type, const void *message)
{
	bool inside = dispatcher_enter();
	struct link *l = &links[member % SPAN_MAX];
	err_t e = OK;

	if (member >= SPAN_MAX || l->connection == NULL)
		e = ERR(PEER_GONE);
	else if (l->first != NULL || !send_line(l->connection, type, message))
		e = keep(l, type, message);
	dispatcher_leave(inside);
	return e;
}

/* ---- Questions ---- */

static void forget(struct question *q)
{
	for (struct question **at = &questions; *at != NULL; at = &(*at)->next) {
		if (*at == q) {
			*at = q->next;
			break;
		}
	}
	store_free(q, sizeof *q);
}

static err_t ask(struct question *q, enum link_type type, void *question)
{
	err_t e;

	memcpy(question, &q->token, sizeof q->token);
	e = link_send(q->member, type, question);
	q->waiter = thread_current;
	wait_expected++;
	while (is_ok(e) && !q->answered) {
		if (q->gone)
			e = ERR(PEER_GONE);
		else
			thread_wait(THREAD_FOREVER);
	}
	wait_expected--;
	return e;
}

err_t link_ask(unsigned member, enum link_type type, void *question, union link_message *answer)
{
	bool inside = dispatcher_enter();
	struct question *q;
	err_t e = ERR(NO_MEMORY);

	store_prepare();
	q = store_alloc(sizeof *q);
	if (q != NULL) {
		*q = (struct question){.next = questions, .token = ++last_token, .member = member};
		questions = q;
		e = ask(q, type, question);
		*answer = q->answer;
		forget(q);
	}
	dispatcher_leave(inside);
	return e;
}

static void wake_asker(struct question *q)
{
	if (q->waiter != NULL)
		thread_ready(q->waiter);
}

static void take_answer(unsigned from, const union link_message *m)
{
	for (struct question *q = questions; q != NULL; q = q->next) {
		if (q->member != from || q->token != m->words[0] || q->answered)
			continue;
		q->answer = *m;
		q->answered = true;
		wake_asker(q);
		return;
	}
}

static void fail_questions(unsigned member)
{
	for (struct question *q = questions; q != NULL; q = q->next) {
		if (q->member != member)
			continue;
		q->gone = true;
		wake_asker(q);
	}
}

/* ---- Receiving ---- */

static void end(void *argument)
{
	(void)argument;
	domain_exit(LINK_BROKEN_STATUS);
}

/* Members are one program: one that breaks the rules has lost its mind, and the domain with it. */
static void broken(unsigned member)
{
	struct text line = {.length = 0};

	text_add(&line, "member ");
	text_add_number(&line, member);
	text_add(&line, " of the span can't be talked to any more: the program ends\n");
	console_report(line.bytes, line.length);
	if (is_err(service_begin(end, NULL, 0)))
		domain_exit_now(LINK_BROKEN_STATUS);
}

static void handle(unsigned from, unsigned type, const union link_message *m)
{
	switch (type) {
#define ANSWER(name, number, fields)
#define MESSAGE(name, number, fields)                                                                                                      \
	case number:                                                                                                                       \
		link_handle_##name(from, &m->name);                                                                                        \
		break;
#include "libos/span/messages.def"
#undef MESSAGE
#undef ANSWER
	default:
		take_answer(from, m);
		break;
	}
}

static struct ipc_connection *connection_of(struct wait_source *s)
{
	return (struct ipc_connection *)((char *)s - offsetof(struct ipc_connection, source));
}

/* A handler may wait for the monitor, and so come to hear that this very member has left: the connection stays for a while (left). */
static void receive(struct wait_source *s)
{
	struct ipc_connection *c = connection_of(s);
	struct link *l = c->data;
	unsigned from = (unsigned)(l - links);
	struct channel_message in;
	union link_message m;
	struct channel_result r = {CHANNEL_EMPTY};

	while (l->connection == c && channel_ok(r = channel_try_receive(&c->channel, &in))) {
		trace_receive(&c->channel, c->ring_here, TRACE_SPAN, in.type);
		memcpy(&m, in.words, sizeof m);
		if (is_err(link_message_check(in.type, in.length, &m))) {
			broken(from);
			return;
		}
		handle(from, in.type, &m);
	}
	if (l->connection != c)
		return;
	if (r.code == CHANNEL_EMPTY)
		send_kept(l);
	else
		broken(from);
}

/* ---- Coming and going ---- */

static void joined(const uint64_t word[EVENT_WORDS])
{
	struct bound_event bound;
	struct ipc_connection *c;
	struct link *l;

	memcpy(&bound, word, sizeof bound);
	l = &links[bound.over % SPAN_MAX];
	if (bound.over >= SPAN_MAX || l->connection != NULL)
		return;
	if (is_err(connection_open(&bound, NULL, &c))) {
		(void)monitor_request(REQUEST_close, 0, bound.connection, 0, 0);
		broken(bound.over);
		return;
	}
	wait_remove(&c->source);
	c->source.handle = receive;
	wait_add(&c->source);
	c->data = l;
	*l = (struct link){.connection = c, .domain = bound.peer_domain, .core = bound.peer_core};
	link_mask |= UINT64_C(1) << bound.over;
	for (unsigned i = 0; i < LISTENERS_MAX; i++)
		if (listeners[i].joined != NULL)
			listeners[i].joined(bound.over);
	wait_rung();
}

static void close(void *argument)
{
	struct ipc_connection *c;

	memcpy(&c, argument, sizeof c);
	connection_close(c);
}

/* What the member has said before it went is heard still. If all are about to end nobody is told: they could only do wrong things. */
static void left(const uint64_t word[EVENT_WORDS])
{
	struct ipc_connection *c = connection_find((uint32_t)word[2]);
	unsigned member = (unsigned)(word[3] % SPAN_MAX);
	struct link *l = &links[member];

	if (c == NULL || l->connection != c)
		return;
	receive(&c->source);
	wait_remove(&c->source);
	c->source.handle = NULL;
	c->closed = true;
	l->connection = NULL;
	drop_kept(l);
	link_mask &= ~(UINT64_C(1) << member);
	gifts_wake(c);
	if (word[5] != END_KILLED) {
		for (unsigned i = 0; i < LISTENERS_MAX; i++)
			if (listeners[i].left != NULL)
				listeners[i].left(member);
		fail_questions(member);
	}
	if (word[5] == END_CORE || word[5] == END_REVOKED)
		span_lost(member, (unsigned)word[4], (enum end_cause)word[5]);
	/* Giving things back may need the agreement, and with it a thread that waits. */
	if (is_err(service_begin(close, &c, sizeof c)))
		connection_close(c);
}

void links_start(void)
{
	events_handle(EVENT_joined, joined);
	events_handle(EVENT_left, left);
}
