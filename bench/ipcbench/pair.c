/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include "bench/ipcbench/pair.h"

#include <stdio.h>
#include <string.h>

#include <atoll/domain.h>
#include <atoll/trace.h>

/* A line is shown in a trace. */
#define EXCHANGE_SENDS(ch)    trace_channel_send(ch, EXCHANGE_TYPE, CHANNEL_LINE_PAYLOAD)
#define EXCHANGE_RECEIVED(ch) trace_channel_receive(ch, EXCHANGE_TYPE)
#include "bench/common/exchange.h"
#include "bench/common/floor.h"
#include "bench/common/started.h"
#include "bench/ipcbench/worker.h"
#include "libos/ipc/endpoint.h"
#include "libos/upcall/dispatcher.h"

enum {
	ROUNDS = 20, /* of a batch; a turn is a batch of each kind */
	TURNS = 500, /* 10,000 round trips of each kind */
	QUICK_TURNS = 50,
	POUR_LINES = 640, /* ten rings */
	POURS = 100,
	PINGS = 1000,   /* calls and wake-ups, each timed by itself */
	FLOOR_SLOT = 8, /* of the floor stream's rings: far behind the few lines that are ever sent on it */
	POLLING = 1000, /* the library OS's default */
};

/* The word that bounces lies in a slot of a stream that carries one message only, so nobody else touches its pair of lines. */
_Static_assert(sizeof(struct channel_slot) == sizeof(struct floor_line), "a slot of the ring holds a floor line");

struct floor_pair {
	struct floor_line *mine, *theirs;
	uint64_t count;
};

static struct floor_pair floor_of(struct ipc_connection *stream)
{
	struct channel *ch = ipc_channel(stream);

	return (struct floor_pair){(struct floor_line *)&ch->tx[FLOOR_SLOT], (struct floor_line *)&ch->rx[FLOOR_SLOT], 0};
}

/* Sleeps until the peer rings, unless something has come already. The dispatcher is disabled from the announcement to the end of its
 * sleep: an upcall in between would take the ring away. */
static void sleep_until_rung(struct channel *ch)
{
	bool inside = dispatcher_enter();

	if (channel_park_prepare(ch).code == CHANNEL_EMPTY) {
		(void)!is_ok(endpoint_yield(CAP_NULL, YIELD_WAIT));
		channel_unpark(ch);
	}
	(void)pending_take(PENDING_DOORBELL);
	dispatcher_leave(inside);
}

/* The next message of a peer that is asleep itself most of the time: no polling. */
static bool receive_asleep(struct channel *ch, struct channel_message *message)
{
	for (;;) {
		struct channel_result result = channel_try_receive(ch, message);

		if (channel_ok(result)) {
			EXCHANGE_RECEIVED(ch);
			return true;
		}
		if (result.code != CHANNEL_EMPTY)
			return false;
		sleep_until_rung(ch);
	}
}

static bool send(struct channel *ch, const uint64_t *words, unsigned count)
{
	EXCHANGE_SENDS(ch);
	return channel_ok(channel_send(ch, EXCHANGE_TYPE, words, count));
}

/* ---- The answering side ---- */

static struct floor_pair answer_floor; /* from the last STREAM_FLOOR: one asker at a time */

/* One round more than is measured: the asker begins to count when this side is here. */
static void answer_pair(struct channel *ch)
{
	floor_answer(answer_floor.mine, answer_floor.theirs, &answer_floor.count, 1 + ROUNDS);
	/* A broken channel ends in the asker's error, and in this side's `closed`. */
	(void)exchange_answer(ch, ROUNDS);
}

static void answer_pours(struct channel *ch, uint64_t pours)
{
	const uint64_t done[1] = {0};

	for (uint64_t i = 0; i < pours; i++)
		if (!exchange_drain(ch, 0, POUR_LINES) || !send(ch, done, 1))
			return;
}

static void answer_wakes(struct channel *ch, uint64_t rounds)
{
	struct channel_message message;

	for (uint64_t i = 0; i < rounds; i++)
		if (!receive_asleep(ch, &message) || !send(ch, message.words, CHANNEL_WORDS))
			return;
}

void pair_answer(struct ipc_connection *stream, uint16_t label, const uint64_t *words)
{
	switch (label) {
	case STREAM_FLOOR:
		answer_floor = floor_of(stream);
		/* Nothing orders two streams, so the asker waits for this before it goes on with the other one. */
		(void)!is_ok(ipc_send(stream, STREAM_FLOOR, words, sizeof(*words)));
		break;
	case STREAM_PAIR:
		if (answer_floor.mine != NULL)
			answer_pair(ipc_channel(stream));
		break;
	case STREAM_POUR:
		answer_pours(ipc_channel(stream), words[0]);
		break;
	case STREAM_WAKE:
		answer_wakes(ipc_channel(stream), words[0]);
		break;
	case STREAM_PING:
		/* An asker that has gone gets no answer, and the stream's end tells the loop. */
		(void)!is_ok(ipc_send(stream, STREAM_PING, words, sizeof(*words)));
		break;
	}
}

/* ---- The asking side ---- */

struct asker {
	const struct lens *lens;
	unsigned from, to;
	uint64_t turns;
	struct ipc_connection *floor, *stream, *call;
};

static struct samples floor_samples, channel_samples, call_samples, channel_ratios, call_ratios;

static bool command(struct ipc_connection *stream, uint16_t label, uint64_t count)
{
	return is_ok(ipc_send(stream, label, &count, sizeof(count)));
}

static void add_ratio(struct samples *s, uint64_t counts, uint64_t base)
{
	if (base > 0 && s->n < SAMPLES_MAX)
		s->value[s->n++] = (double)counts / (double)base;
}

/* One turn: a batch of each. */
static bool ask_turn(struct asker *a, struct floor_pair *floor)
{
	struct ipc_message message = {.label = WORKER_ECHO};
	uint64_t begin, floor_end, channel_end, end;

	if (!command(a->stream, STREAM_PAIR, 0))
		return false;
	floor_ask(floor->mine, floor->theirs, &floor->count, 1);
	begin = sample_now();
	floor_ask(floor->mine, floor->theirs, &floor->count, ROUNDS);
	floor_end = sample_now();
	if (!exchange_ask(ipc_channel(a->stream), ROUNDS))
		return false;
	channel_end = sample_now();
	for (unsigned i = 0; i < ROUNDS; i++)
		if (is_err(ipc_call(a->call, &message, &message)))
			return false;
	end = sample_now();

	samples_add(&floor_samples, floor_end - begin, ROUNDS);
	samples_add(&channel_samples, channel_end - floor_end, ROUNDS);
	samples_add(&call_samples, end - channel_end, ROUNDS);
	add_ratio(&channel_ratios, channel_end - floor_end, floor_end - begin);
	add_ratio(&call_ratios, end - channel_end, channel_end - floor_end);
	return true;
}

static bool ask_turns(struct asker *a)
{
	struct floor_pair floor = floor_of(a->floor);
	uint64_t word;
	uint16_t label;
	size_t bytes;

	samples_begin(&floor_samples);
	samples_begin(&channel_samples);
	samples_begin(&call_samples);
	samples_begin(&channel_ratios);
	samples_begin(&call_ratios);
	if (!command(a->floor, STREAM_FLOOR, 0) || is_err(ipc_receive(a->floor, &label, &word, sizeof(word), &bytes)))
		return false;
	for (uint64_t i = 0; i < a->turns; i++)
		if (!ask_turn(a, &floor))
			return false;
	samples_print(&floor_samples, a->lens, "floor.rtt", a->from, a->to);
	samples_print(&channel_samples, a->lens, "channel.rtt", a->from, a->to);
	samples_print(&call_samples, a->lens, "ipc.remote.rtt", a->from, a->to);
	samples_print_ratio(&channel_ratios, a->lens, "channel.rtt/floor.rtt", a->from, a->to);
	samples_print_ratio(&call_ratios, a->lens, "ipc.remote.rtt/channel.rtt", a->from, a->to);
	return true;
}

static bool ask_pours(struct asker *a)
{
	struct channel *ch = ipc_channel(a->stream);
	struct channel_message done;

	if (!command(a->stream, STREAM_POUR, POURS))
		return false;
	samples_begin(&channel_samples);
	for (unsigned i = 0; i < POURS; i++) {
		uint64_t begin = sample_now();

		if (!exchange_pour(ch, POUR_LINES) || !exchange_receive(ch, &done))
			return false;
		samples_add(&channel_samples, sample_now() - begin, POUR_LINES);
	}
	samples_print(&channel_samples, a->lens, "channel.stream", a->from, a->to);
	return true;
}

/* Both sides sleep each time. */
static bool ask_wakes(struct asker *a)
{
	struct channel *ch = ipc_channel(a->stream);
	struct channel_message message = {.words = {0}};

	if (!command(a->stream, STREAM_WAKE, PINGS + 1))
		return false;
	samples_begin(&channel_samples);
	for (unsigned i = 0; i <= PINGS; i++) {
		uint64_t begin = sample_now();

		if (!send(ch, message.words, CHANNEL_WORDS) || !receive_asleep(ch, &message))
			return false;
		if (i > 0) /* the first finds the other side still busy with the command */
			samples_add(&channel_samples, sample_now() - begin, 1);
	}
	samples_print(&channel_samples, a->lens, "channel.wake", a->from, a->to);
	return true;
}

/* The same through the library OS: polling is off here and at the worker. */
static bool ask_pings(struct asker *a)
{
	uint64_t word = 0;
	uint16_t label;
	size_t bytes;

	samples_begin(&channel_samples);
	for (unsigned i = 0; i < PINGS; i++) {
		uint64_t begin = sample_now();

		if (is_err(ipc_send(a->stream, STREAM_PING, &word, sizeof(word))) ||
		    is_err(ipc_receive(a->stream, &label, &word, sizeof(word), &bytes)))
			return false;
		samples_add(&channel_samples, sample_now() - begin, 1);
	}
	samples_print(&channel_samples, a->lens, "ipc.stream.wake", a->from, a->to);
	return true;
}

static bool ask_calls(struct asker *a, const char *id)
{
	struct ipc_message message = {.label = WORKER_ECHO};

	samples_begin(&channel_samples);
	for (unsigned i = 0; i < PINGS; i++) {
		uint64_t begin = sample_now();

		if (is_err(ipc_call(a->call, &message, &message)))
			return false;
		samples_add(&channel_samples, sample_now() - begin, 1);
	}
	samples_print(&channel_samples, a->lens, id, a->from, a->to);
	return true;
}

/* The worker's polling follows ours: it is told before each part. */
static bool set_polling(struct asker *a, uint32_t iterations)
{
	struct ipc_message message = {.label = WORKER_POLLING, .word = {iterations}};

	ipc_set_polling(iterations);
	return is_ok(ipc_call(a->call, &message, &message));
}

/* A wait that polls has no length in instructions, so that lens takes only what sleeps. */
static bool ask_polled(struct asker *a)
{
	return set_polling(a, IPC_POLL_ALWAYS) && ask_turns(a) && ask_pours(a) && set_polling(a, POLLING) &&
	       ask_calls(a, "ipc.remote.shared.rtt");
}

static bool ask_all(struct asker *a)
{
	return (lens_is_instructions(a->lens) || ask_polled(a)) && ask_wakes(a) && set_polling(a, 0) && ask_pings(a) &&
	       set_polling(a, POLLING);
}

bool pair_measure(const struct lens *lens, const char *peer, unsigned core, bool quick)
{
	struct asker a = {.lens = lens, .from = domain_core(), .to = core, .turns = quick ? QUICK_TURNS : TURNS};
	const struct ipc_binding calls = {.deadline_tsc = started_deadline()},
	                         streams = {.deadline_tsc = calls.deadline_tsc, .stream = true};
	bool ok = is_ok(ipc_bind_with(peer, &streams, &a.floor)) && is_ok(ipc_bind_with(peer, &streams, &a.stream)) &&
	          is_ok(ipc_bind_with(peer, &calls, &a.call));

	ok = ok && ask_all(&a);
	if (!ok)
		printf("ipcbench: the measurement from core %u to core %u broke off\n", a.from, a.to);
	fflush(stdout);
	if (a.floor != NULL)
		ipc_close(a.floor);
	if (a.stream != NULL)
		ipc_close(a.stream);
	if (a.call != NULL)
		ipc_close(a.call);
	return ok;
}
