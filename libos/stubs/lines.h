/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* How a service takes what has come over a channel: part of each service's own code, so that its small calls are answered without a detour.
 *
 * The channel belongs to the thread that serves. Other threads send through it too, answers that were put off and items of streams, but
 * only inside a section and only while it is not busy (session_send); so to say that it is busy is all that this thread has to do: nobody
 * else can be in the middle of something when it runs. */

#include <string.h>

#include "libos/stubs/session.h"
#include "libos/trace/trace.h"

/* A message of several lines: `first` is what has come of it just now, if anything has. */
static inline enum ipc_outcome session_take_long(struct ipc_connection *c, const struct channel_message *first)
{
	struct channel_result r;
	size_t bytes;

	if (first != NULL)
		memcpy(c->buffer, first->words, sizeof first->words); /* where the rest goes too */
	r = session_take_rest(c, &bytes);
	if (!channel_ok(r))
		return r.code == CHANNEL_EMPTY ? IPC_NOTHING : IPC_CUT_OFF;
	return session_message(c, (const uint64_t *)c->buffer, bytes);
}

_Static_assert(offsetof(struct channel_message, words) == 0 && sizeof(struct endpoint_message) <= sizeof((struct channel_message){0}.words),
               "a line begins like a fast call");

/* A call that could be a fast one: its words are replaced by the reply's. False: it is not, and the line is as it was. */
__attribute__((always_inline)) static inline bool session_answer(struct ipc_connection *c, struct stub_session *s, stub_answer_fn *answer,
                                                                 struct channel_message *line)
{
	uint16_t number = stub_number_of(line->words[0]);
	struct endpoint_message *m = (struct endpoint_message *)line;
	enum stub_outcome o;

	m->word[0] &= ~STUB_NUMBER(UINT16_MAX);
	o = answer(stub_server.service, s, REPLY_NONE, number, m);
	m->word[0] |= STUB_NUMBER(number);
	if (__builtin_expect(o != STUB_ANSWERED, 0))
		return o == STUB_PUT_OFF;
	session_begin(c);
	trace_send(&c->channel, c->ring_there, TRACE_STUBS, stub_method_of(m->word[0]),
	           (1 + stub_words_of(m->word[0])) * sizeof m->word[0]);
	if (!channel_ok(channel_send(&c->channel, STUB_LINE, m->word, 1 + stub_words_of(m->word[0]))))
		ipc_close(c); /* it has left no room for answers */
	session_end(c);
	return true;
}

/* Something may have come. */
__attribute__((always_inline)) static inline enum ipc_outcome session_lines(struct ipc_connection *c, stub_answer_fn *answer)
{
	struct stub_session *s = c->data;
	struct channel_message line;
	struct channel_result r;

	if (__builtin_expect(c->channel.rest != 0, 0))
		return session_take_long(c, NULL);
	session_begin(c);
	r = channel_try_receive(&c->channel, &line);
	session_end(c);
	if (__builtin_expect(!channel_ok(r), 0))
		return r.code == CHANNEL_EMPTY ? IPC_NOTHING : IPC_CUT_OFF;
	if (__builtin_expect(line.rest != 0, 0))
		return session_take_long(c, &line);
	trace_receive(&c->channel, c->ring_here, TRACE_STUBS, stub_method_of(line.words[0]));
	if (__builtin_expect(s != NULL && s->told && line.length == (1 + stub_words_of(line.words[0])) * sizeof line.words[0], 1) &&
	    session_answer(c, s, answer, &line))
		return IPC_SOMETHING;
	return session_message(c, line.words, line.length);
}
