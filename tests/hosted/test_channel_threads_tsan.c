// sources: channels/channel.c channels/park.c
// flags: -Wno-unknown-warning-option -Wno-tsan
/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Two real threads. TSan does not understand fences (hence -Wno-tsan), and need not: they order only the looks at
 * notices, which are atomic. That no wake-up is lost is shown by test_channel_wakeup.c; here it would be a hang. */

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "bench/common/exchange.h"
#include "tests/hosted/channel_pair.h"

enum { A, B, ROUNDS = 20000, LINES = 16 };

static struct channel_pair pair;

/* ---- A bell that stays rung until it is heard ---- */

struct bell {
	pthread_mutex_t mutex;
	pthread_cond_t condition;
	bool rung;
	unsigned slept;
};

static struct bell bells[2];

static void ring_bell(void *argument)
{
	struct bell *bell = argument;

	pthread_mutex_lock(&bell->mutex);
	bell->rung = true;
	pthread_cond_signal(&bell->condition);
	pthread_mutex_unlock(&bell->mutex);
}

static void sleep_until_rung(struct bell *bell)
{
	pthread_mutex_lock(&bell->mutex);
	while (!bell->rung) {
		bell->slept++;
		pthread_cond_wait(&bell->condition, &bell->mutex);
	}
	bell->rung = false;
	pthread_mutex_unlock(&bell->mutex);
}

static void connect(unsigned lines)
{
	pair_connect(&pair, lines);
	for (int i = 0; i < 2; i++) {
		bells[i] = (struct bell){.mutex = PTHREAD_MUTEX_INITIALIZER, .condition = PTHREAD_COND_INITIALIZER};
		pair.side[i].ring = ring_bell;
		pair.side[i].ring_argument = &bells[!i];
	}
}

static void park(int side)
{
	if (channel_park_prepare(&pair.side[side]).code != CHANNEL_EMPTY)
		return;
	sleep_until_rung(&bells[side]);
	channel_unpark(&pair.side[side]);
}

/* Runs `b` on a thread of its own and `a` here; both answer whether all went well. */
static void run_both(void *(*a)(void *), void *(*b)(void *))
{
	pthread_t thread;
	void *answer;

	assert_int_equal(pthread_create(&thread, NULL, b, &pair.side[B]), 0);
	assert_non_null(a(&pair.side[A]));
	assert_int_equal(pthread_join(thread, &answer), 0);
	assert_non_null(answer);
	assert_false(channel_broken(&pair.side[A]) || channel_broken(&pair.side[B]));
}

static void *all_well(bool well)
{
	return well ? &pair : NULL;
}

/* ---- Polling ---- */

static void *asks(void *ch)
{
	return all_well(exchange_ask(ch, ROUNDS));
}
static void *answers(void *ch)
{
	return all_well(exchange_answer(ch, ROUNDS));
}
static void *pours(void *ch)
{
	return all_well(exchange_pour(ch, ROUNDS));
}
static void *pours_singly(void *ch)
{
	return all_well(exchange_pour_singly(ch, ROUNDS));
}
static void *drains(void *ch)
{
	return all_well(exchange_drain(ch, 0, ROUNDS));
}

static void questions_and_answers(void **state)
{
	(void)state;
	connect(LINES);
	run_both(asks, answers);
}

static void streams(void **state)
{
	(void)state;
	for (unsigned lines = CHANNEL_LINES_MIN; lines <= 64; lines *= 4) {
		connect(lines);
		run_both(pours, drains);
		connect(lines);
		run_both(drains, pours_singly);
	}
}

/* Plain memory that is handed over by a message: TSan reports it unless header and payload are ordered. */
static uint64_t handed_over[ROUNDS];

static void *hands_over(void *ch)
{
	for (uint64_t i = 0; i < ROUNDS; i++) {
		if (!exchange_room(ch))
			return NULL;
		handed_over[i] = i;
		if (pair_post(ch, 1, i) != CHANNEL_OK)
			return NULL;
	}
	return all_well(true);
}

static void *takes_over(void *ch)
{
	struct channel_message message;

	for (uint64_t i = 0; i < ROUNDS; i++)
		if (!exchange_receive(ch, &message) || message.words[0] != i || handed_over[i]++ != i)
			return NULL;
	return all_well(true);
}

static void what_a_message_points_to_comes_with_it(void **state)
{
	(void)state;
	connect(LINES);
	run_both(hands_over, takes_over);
}

/* ---- Sleeping, both directions at once, long and short messages, the smallest rings ---- */

static size_t length_of(unsigned i)
{
	return (size_t)i * 7 % (CHANNEL_LINES_MIN / 2 * CHANNEL_LINE_PAYLOAD);
}

static bool send_if_possible(struct channel *ch, unsigned *sent)
{
	unsigned char bytes[CHANNEL_LINES_MIN * CHANNEL_LINE_PAYLOAD];
	enum channel_code code;

	memset(bytes, (int)(*sent & 0xff), sizeof bytes);
	code = channel_send_bytes(ch, (uint16_t)*sent, bytes, length_of(*sent)).code;
	*sent += code == CHANNEL_OK;
	return code == CHANNEL_OK;
}

/* 1: a message came and is right; 0: none came; -1: it is wrong. */
static int receive_if_possible(struct channel *ch, unsigned *received, unsigned char *buffer)
{
	uint16_t type;
	size_t length;
	enum channel_code code = channel_try_receive_bytes(ch, buffer, CHANNEL_LINES_MIN * CHANNEL_LINE_PAYLOAD, &type, &length).code;

	if (code == CHANNEL_EMPTY)
		return 0;
	if (code != CHANNEL_OK || type != (uint16_t)*received || length != length_of(*received))
		return -1;
	for (size_t i = 0; i < length; i++)
		if (buffer[i] != (*received & 0xff))
			return -1;
	++*received;
	return 1;
}

static void *talks(void *argument)
{
	struct channel *ch = argument;
	int side = ch == &pair.side[B];
	unsigned sent = 0, received = 0;
	unsigned char buffer[CHANNEL_LINES_MIN * CHANNEL_LINE_PAYLOAD];

	while (sent < ROUNDS || received < ROUNDS) {
		bool went = sent < ROUNDS && send_if_possible(ch, &sent);
		int came = received < ROUNDS || sent < ROUNDS ? receive_if_possible(ch, &received, buffer) : 0;

		if (came < 0)
			return NULL;
		if (!went && came == 0)
			park(side);
	}
	return all_well(true);
}

static void both_talk_and_sleep(void **state)
{
	(void)state;
	for (unsigned lines = CHANNEL_LINES_MIN; lines <= 64; lines *= 4) {
		connect(lines);
		run_both(talks, talks);
		assert_true(bells[A].slept + bells[B].slept > 0);
	}
}

static void *asks_asleep(void *argument)
{
	struct channel *ch = argument;
	struct channel_message message;

	for (uint64_t i = 0; i < ROUNDS; i++) {
		if (pair_post(ch, 1, i) != CHANNEL_OK)
			return NULL;
		while (channel_try_receive(ch, &message).code == CHANNEL_EMPTY)
			park(A);
		if (message.words[0] != i)
			return NULL;
	}
	return all_well(true);
}

static void *answers_asleep(void *argument)
{
	struct channel *ch = argument;
	struct channel_message message;

	for (uint64_t i = 0; i < ROUNDS; i++) {
		while (channel_try_receive(ch, &message).code == CHANNEL_EMPTY)
			park(B);
		if (message.words[0] != i || pair_send(ch, 1, i) != CHANNEL_OK)
			return NULL;
	}
	return all_well(true);
}

static void questions_and_answers_asleep(void **state)
{
	(void)state;
	connect(LINES);
	run_both(asks_asleep, answers_asleep);
	assert_true(bells[A].slept + bells[B].slept > 0);
}

/* ---- A peer that scribbles while this side works ---- */

static _Atomic bool scribbling;

static void *scribbles(void *argument)
{
	struct channel *ch = argument;
	uint64_t random = 88172645463325252;

	while (atomic_load(&scribbling)) {
		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
		channel_store_payload(&ch->tx[random % LINES].line.payload[random / LINES % CHANNEL_WORDS], random);
		channel_store_header(&ch->tx[random / 1024 % LINES].line.header,
		                     channel_header((uint16_t)(LINES + random / 4096 % 8), LINES, 1, (uint16_t)(random >> 20 & 63)));
		channel_store_notice(&ch->rx[0].notice.parking, random);
	}
	return all_well(true);
}

static void *lives_on(void *argument)
{
	struct channel *ch = argument;
	struct channel_message message;
	bool well = true;

	for (unsigned life = 0; life < 2000; life++) {
		struct channel_slot *rx = ch->rx, *tx = ch->tx;

		for (unsigned i = 0; i < 20; i++) {
			if (channel_ok(channel_try_receive(ch, &message)))
				well = well && message.length <= CHANNEL_LINE_PAYLOAD;
			well = well && (pair_send(ch, 1, i) == CHANNEL_OK || channel_broken(ch) || !channel_can_send(ch));
		}
		well = well && channel_ok(channel_init(ch, rx, tx, LINES, ring_bell, &bells[B]));
	}
	atomic_store(&scribbling, false);
	return all_well(well);
}

static void scribbling_meanwhile_confuses_nobody(void **state)
{
	(void)state;
	connect(LINES);
	atomic_store(&scribbling, true);
	run_both(lives_on, scribbles);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(questions_and_answers),
	    cmocka_unit_test(streams),
	    cmocka_unit_test(what_a_message_points_to_comes_with_it),
	    cmocka_unit_test(both_talk_and_sleep),
	    cmocka_unit_test(questions_and_answers_asleep),
	    cmocka_unit_test(scribbling_meanwhile_confuses_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
