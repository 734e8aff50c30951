/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* How a service takes what has come over a channel: part of each service's own code, so that its small calls are answered without a detour.
 *
 * The channel belongs to the thread that serves. Other threads send through it too, answers that were put off and items of streams, but
 * only inside a section and only while it is not busy (session_send); so to say that it is busy is all that this thread has to do: nobody
 * else can be in the middle of something when it runs. */

#include "channels/short.h"
#include "libos/stubs/session.h"
#include "libos/trace/trace.h"

_Static_assert(sizeof(struct endpoint_message) == CHANNEL_SHORT_BYTES, "what fits a fast call is a short message");

/* A call that could be a fast one: its words are replaced by the reply's. False: it is not, and they are as they were. */
__attribute__((always_inline)) static inline bool session_answer(struct ipc_connection *c, struct stub_session *s, stub_answer_fn *answer,
                                                                 struct endpoint_message *m)
{
	uint16_t number = stub_number_of(m->word[0]), bytes;
	enum stub_outcome o;

	m->word[0] &= ~STUB_NUMBER(UINT16_MAX);
	o = answer(s->service, s, REPLY_NONE, number, m);
	m->word[0] |= STUB_NUMBER(number);
	if (__builtin_expect(o != STUB_ANSWERED, 0))
		return o == STUB_PUT_OFF;
	bytes = (uint16_t)((1 + stub_words_of(m->word[0])) * sizeof m->word[0]);
	session_begin(c);
	trace_send(&c->channel, c->ring_there, TRACE_STUBS, stub_method_of(m->word[0]), bytes);
	if (__builtin_expect(channel_can_send(&c->channel), 1)) {
		channel_post_short(&c->channel, STUB_LINE, bytes, m->word);
		channel_flush(&c->channel);
	} else {
		ipc_close(c); /* it has left no room for answers */
	}
	session_end(c);
	return true;
}

/* Something may have come. */
__attribute__((always_inline)) static inline enum ipc_outcome session_lines(struct ipc_connection *c, stub_answer_fn *answer)
{
	struct stub_session *s = c->data;
	struct endpoint_message m;
	size_t bytes;

	session_begin(c);
	bytes = channel_receive_short(&c->channel, m.word);
	session_end(c);
	if (__builtin_expect(bytes == 0, 0))
		return session_take(c);
	trace_receive(&c->channel, c->ring_here, TRACE_STUBS, stub_method_of(m.word[0]));
	if (__builtin_expect(s != NULL && s->told && bytes == (1 + stub_words_of(m.word[0])) * sizeof m.word[0], 1) &&
	    session_answer(c, s, answer, &m))
		return IPC_SOMETHING;
	return session_message(c, m.word, bytes);
}
