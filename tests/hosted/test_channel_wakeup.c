// sources: channels/channel.c channels/park.c
// flags: -iquote tests/hosted/model
/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* No wake-up is lost, under every interleaving of two x86 cores.
 *
 * The real channel files are compiled against tests/hosted/model/channels/memory.h. Each side runs as a coroutine that
 * stops before every load and fence of shared memory. Its stores go into a store buffer, in order; a side sees its own
 * buffered stores, the other side sees them when they are drained; a fence waits until the buffer is empty. That is the
 * memory model of x86 (Sewell et al., x86-TSO). Headers and notices go this way; payload needs not, for nobody looks at it
 * before its header.
 *
 * A scheduler decides at each point which side goes on or which buffer drains its oldest store. A run is the list of its
 * decisions. After each run the last decision that had another choice takes that choice, and so all runs are made, one
 * after another; but a run that comes to a state where an earlier one has been ends there. A state is the shared memory,
 * the buffers, how far each side is and what it has read, for what a side does follows from what it has read.
 *
 * A run in which both sides stop for good before they are done has lost a wake-up. The last tests take a fence away, and
 * the lost wake-up must be found. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <ucontext.h>

#include "tests/hosted/channel_pair.h"

enum { S, R, SIDES, BUFFERED = 16, DECISIONS = 400, STACK = 1 << 16, STATES = 1 << 20 };

struct core {
	ucontext_t context;
	_Alignas(16) char stack[STACK];
	struct {
		channel_shared_word *word;
		uint64_t value;
	} buffer[BUFFERED];
	unsigned buffered;
	uint64_t history; /* a hash of how often it has stopped and what it has read, in order */
	bool fence_works;
	bool waits_for_fence;
	bool asleep;
	bool bell; /* stays rung until it is heard */
	bool done;
	bool wrong; /* saw what must not be */
};

static struct core cores[SIDES];
static struct core *running;
static ucontext_t scheduler;
static struct channel_pair pair;
static unsigned messages; /* how many each scenario sends */

static struct {
	unsigned char choice[DECISIONS], choices[DECISIONS];
	unsigned length, next;
} decisions;

static struct {
	uint64_t hash[STATES]; /* 0: free */
	unsigned count;
} seen;

/* ---- Shared memory ---- */

static uint64_t mix(uint64_t hash, uint64_t value)
{
	hash = (hash ^ value) * 0x9e3779b97f4a7c15;
	return hash ^ hash >> 29;
}

static void give_way(void)
{
	running->history = mix(running->history, 1);
	swapcontext(&running->context, &scheduler);
}

uint64_t model_load(const channel_shared_word *word)
{
	uint64_t value;

	give_way();
	value = *word;
	for (unsigned i = 0; i < running->buffered; i++)
		if (running->buffer[i].word == word)
			value = running->buffer[i].value;
	running->history = mix(running->history, value);
	return value;
}

void model_store(channel_shared_word *word, uint64_t value)
{
	assert(running->buffered < BUFFERED);
	running->buffer[running->buffered].word = word;
	running->buffer[running->buffered++].value = value;
}

void model_fence(void)
{
	if (!running->fence_works)
		return;
	running->waits_for_fence = true;
	give_way();
	running->waits_for_fence = false;
}

static void drain_oldest(struct core *core)
{
	*core->buffer[0].word = core->buffer[0].value;
	core->buffered--;
	memmove(&core->buffer[0], &core->buffer[1], core->buffered * sizeof core->buffer[0]);
}

/* ---- Sleeping ---- */

static void ring_bell(void *argument)
{
	((struct core *)argument)->bell = true;
}

static void sleep_until_rung(void)
{
	running->asleep = true;
	give_way();
	running->asleep = false;
	running->bell = false;
}

static void park(struct channel *ch)
{
	if (channel_park_prepare(ch).code != CHANNEL_EMPTY)
		return;
	sleep_until_rung();
	channel_unpark(ch);
}

/* ---- Scheduling ---- */

static unsigned decide(unsigned choices)
{
	unsigned at = decisions.next++;

	assert(at < DECISIONS);
	if (at == decisions.length) {
		decisions.choice[at] = 0;
		decisions.choices[at] = (unsigned char)choices;
		decisions.length++;
	}
	assert(decisions.choices[at] == choices);
	return decisions.choice[at];
}

static bool another_run(void)
{
	while (decisions.length > 0 && decisions.choice[decisions.length - 1] + 1 == decisions.choices[decisions.length - 1])
		decisions.length--;
	if (decisions.length == 0)
		return false;
	decisions.choice[decisions.length - 1]++;
	return true;
}

static uint64_t state_hash(unsigned lines)
{
	uint64_t hash = 1;

	for (int i = 0; i < SIDES; i++) {
		const struct core *core = &cores[i];

		hash = mix(hash, core->history);
		hash = mix(hash, core->buffered << 4 | core->waits_for_fence << 3 | core->asleep << 2 | core->bell << 1 | core->done);
		for (unsigned b = 0; b < core->buffered; b++)
			hash = mix(mix(hash, (uintptr_t)core->buffer[b].word), core->buffer[b].value);
		for (unsigned line = 0; line < lines; line++)
			hash = mix(hash, pair.inbox[i][line].line.header);
		hash = mix(hash, pair.inbox[i][0].notice.parking);
	}
	return hash | 1;
}

/* Whether an earlier run has been in this state; if not, this one has. */
static bool seen_before(uint64_t hash)
{
	unsigned at = (unsigned)(hash >> 7) % STATES;

	while (seen.hash[at] != 0 && seen.hash[at] != hash)
		at = (at + 1) % STATES;
	if (seen.hash[at] == hash)
		return true;
	seen.hash[at] = hash;
	seen.count++;
	assert(seen.count < STATES / 2);
	return false;
}

static bool can_run(const struct core *core)
{
	return !core->done && !(core->asleep && !core->bell) && !(core->waits_for_fence && core->buffered > 0);
}

/* One run; false if somebody sleeps for ever or saw something wrong. What an earlier run has seen is not seen again. */
static bool run(void (*body[SIDES])(void), const bool fence_works[SIDES], unsigned lines)
{
	pair_connect(&pair, lines);
	for (int i = 0; i < SIDES; i++) {
		struct core *core = &cores[i];

		core->buffered = 0;
		core->history = 0;
		core->waits_for_fence = core->asleep = core->bell = core->done = core->wrong = false;
		core->fence_works = fence_works[i];
		pair.side[i].ring = ring_bell;
		pair.side[i].ring_argument = &cores[!i];
		getcontext(&core->context);
		core->context.uc_stack.ss_sp = core->stack;
		core->context.uc_stack.ss_size = sizeof core->stack;
		core->context.uc_link = NULL;
		makecontext(&core->context, body[i], 0);
	}
	decisions.next = 0;
	for (;;) {
		struct core *may_run[SIDES], *may_drain[SIDES];
		unsigned runs = 0, drains = 0, chosen;

		for (int i = 0; i < SIDES; i++) {
			if (can_run(&cores[i]))
				may_run[runs++] = &cores[i];
			if (cores[i].buffered > 0)
				may_drain[drains++] = &cores[i];
		}
		if (runs + drains == 0)
			return cores[S].done && cores[R].done && !cores[S].wrong && !cores[R].wrong;
		if (decisions.next == decisions.length && seen_before(state_hash(lines)))
			return true;
		chosen = decide(runs + drains);
		if (chosen >= runs) {
			drain_oldest(may_drain[chosen - runs]);
			continue;
		}
		running = may_run[chosen];
		swapcontext(&scheduler, &running->context);
	}
}

struct outcome {
	unsigned long runs, states, lost;
};

static struct outcome run_all(void (*s)(void), void (*r)(void), bool s_fences, bool r_fences, unsigned lines)
{
	void (*body[SIDES])(void) = {s, r};
	const bool fence_works[SIDES] = {s_fences, r_fences};
	struct outcome outcome = {0, 0, 0};

	decisions.length = 0;
	memset(&seen, 0, sizeof seen);
	do {
		outcome.runs++;
		outcome.lost += !run(body, fence_works, lines);
	} while (another_run());
	outcome.states = seen.count;
	return outcome;
}

static void finish(void)
{
	running->done = true;
	give_way();
}

/* ---- What the sides do ---- */

static void sends_each(void)
{
	for (unsigned i = 0; i < messages; i++)
		running->wrong |= channel_send(&pair.side[S], (uint16_t)i, NULL, 0).code != CHANNEL_OK;
	finish();
}

static void posts_a_burst(void)
{
	for (unsigned i = 0; i < messages; i++)
		running->wrong |= channel_post(&pair.side[S], (uint16_t)i, NULL, 0).code != CHANNEL_OK;
	channel_flush(&pair.side[S]);
	finish();
}

/* Takes `messages` messages, and sleeps whenever there is none. */
static void take_parking(struct channel *ch)
{
	struct channel_message message;

	for (unsigned i = 0; i < messages;)
		if (channel_ok(channel_try_receive(ch, &message)))
			running->wrong |= message.type != i++;
		else
			park(ch);
}

static void takes_all(void)
{
	take_parking(&pair.side[R]);
	finish();
}

/* Posts a question and leaves it to the wait for the answer to look whether the other side sleeps. */
static void asks(void)
{
	running->wrong |= channel_post(&pair.side[S], 0, NULL, 0).code != CHANNEL_OK;
	take_parking(&pair.side[S]);
	finish();
}

static void answers(void)
{
	take_parking(&pair.side[R]);
	running->wrong |= channel_post(&pair.side[R], 0, NULL, 0).code != CHANNEL_OK;
	channel_flush(&pair.side[R]);
	finish();
}

/* The ring is full; posts one more message and sleeps until there is room for it. */
static void waits_for_room(void)
{
	struct channel_message message;

	while (channel_post(&pair.side[S], (uint16_t)(messages - 1), NULL, 0).code == CHANNEL_FULL)
		if (channel_try_receive(&pair.side[S], &message).code == CHANNEL_EMPTY)
			park(&pair.side[S]);
	channel_flush(&pair.side[S]);
	finish();
}

static void fills_then_waits_for_room(void)
{
	for (unsigned i = 0; i + 1 < messages; i++)
		running->wrong |= channel_post(&pair.side[S], (uint16_t)i, NULL, 0).code != CHANNEL_OK;
	waits_for_room();
}

/* ---- Tests ---- */

static void nothing_is_lost(void (*s)(void), void (*r)(void), unsigned count, unsigned lines)
{
	struct outcome outcome;

	messages = count;
	outcome = run_all(s, r, true, true, lines);
	print_message("           %lu runs, %lu states\n", outcome.runs, outcome.states);
	assert_true(outcome.states > 20);
	assert_int_equal(outcome.lost, 0);
}

static void something_is_lost(void (*s)(void), void (*r)(void), bool s_fences, bool r_fences)
{
	struct outcome outcome;

	messages = 1;
	outcome = run_all(s, r, s_fences, r_fences, 4);
	assert_true(outcome.lost > 0);
	assert_true(outcome.lost < outcome.runs);
}

static void a_send_always_wakes(void **state)
{
	(void)state;
	for (unsigned count = 1; count <= 3; count++)
		nothing_is_lost(sends_each, takes_all, count, 16);
}

static void a_burst_always_wakes(void **state)
{
	(void)state;
	for (unsigned count = 1; count <= 5; count++)
		nothing_is_lost(posts_a_burst, takes_all, count, 16);
}

static void a_question_that_was_only_posted_always_wakes(void **state)
{
	(void)state;
	nothing_is_lost(asks, answers, 1, 4);
}

static void room_always_wakes(void **state)
{
	(void)state;
	nothing_is_lost(fills_then_waits_for_room, takes_all, 4, 4);
}

static void without_the_senders_fence_one_is_lost(void **state)
{
	(void)state;
	something_is_lost(sends_each, takes_all, false, true);
	something_is_lost(posts_a_burst, takes_all, false, true);
}

static void without_the_receivers_fence_one_is_lost(void **state)
{
	(void)state;
	something_is_lost(sends_each, takes_all, true, false);
	something_is_lost(asks, answers, true, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_send_always_wakes),
	    cmocka_unit_test(a_burst_always_wakes),
	    cmocka_unit_test(a_question_that_was_only_posted_always_wakes),
	    cmocka_unit_test(room_always_wakes),
	    cmocka_unit_test(without_the_senders_fence_one_is_lost),
	    cmocka_unit_test(without_the_receivers_fence_one_is_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
