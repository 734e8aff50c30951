// sources: channels/channel.c channels/park.c
/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* The other side lies. Side A is honest and under test; everything that B may write is written by the tests. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "channels/short.h"
#include "tests/hosted/channel_pair.h"

enum { A, B, LINES = 16 };

static struct channel_pair pair;

/* B writes line `index` of A's ring. */
static void forge(unsigned index, uint16_t sequence, uint16_t acknowledgement, uint16_t type, uint16_t length)
{
	channel_store_header(&pair.inbox[A][index].line.header, channel_header(sequence, acknowledgement, type, length));
}

static void expect_fault(enum channel_fault fault)
{
	struct channel *ch = &pair.side[A];
	struct channel_pair before;
	struct channel_message message;
	unsigned char buffer[8];
	uint16_t type;
	size_t length;

	assert_int_equal(channel_try_receive(ch, &message).code, fault == CHANNEL_FAULT_NONE ? CHANNEL_OK : CHANNEL_BROKEN);
	assert_int_equal(channel_fault(ch), fault);
	assert_int_equal(channel_broken(ch), fault != CHANNEL_FAULT_NONE);
	if (fault == CHANNEL_FAULT_NONE)
		return;

	memcpy(&before, &pair, sizeof pair);
	assert_int_equal(channel_try_receive(ch, &message).code, CHANNEL_BROKEN);
	assert_int_equal(channel_try_receive_bytes(ch, buffer, sizeof buffer, &type, &length).code, CHANNEL_BROKEN);
	assert_int_equal(channel_poll(ch).code, CHANNEL_BROKEN);
	assert_false(channel_can_send(ch));
	assert_int_equal(pair_send(ch, 1, 1), CHANNEL_BROKEN);
	assert_int_equal(pair_post(ch, 1, 1), CHANNEL_BROKEN);
	assert_int_equal(channel_send_bytes(ch, 1, buffer, 1).code, CHANNEL_BROKEN);
	channel_break(ch, CHANNEL_FAULT_GONE);
	assert_memory_equal(&before, &pair, sizeof pair);
	assert_int_equal(channel_park_prepare(ch).code, CHANNEL_BROKEN);
}

/* ---- One lie at a time. The first line's sequence is LINES; A has sent nothing but where it says so. ---- */

static void only_the_expected_sequence_is_taken(void **state)
{
	struct channel_message message;

	(void)state;
	for (unsigned sequence = 0; sequence <= UINT16_MAX; sequence++) {
		pair_connect(&pair, LINES);
		forge(0, (uint16_t)sequence, LINES, 1, 8);
		if (sequence == 0)
			assert_int_equal(channel_try_receive(&pair.side[A], &message).code, CHANNEL_EMPTY);
		else
			expect_fault(sequence == LINES ? CHANNEL_FAULT_NONE : CHANNEL_FAULT_SEQUENCE);
	}
}

static void a_line_of_the_lap_before_is_not_new(void **state)
{
	struct channel_message message;

	(void)state;
	pair_connect(&pair, LINES);
	for (unsigned i = 0; i < LINES; i++) {
		assert_int_equal(pair_post(&pair.side[B], 1, i), CHANNEL_OK);
		assert_int_equal(channel_try_receive(&pair.side[A], &message).code, CHANNEL_OK);
		pair_drain(&pair.side[B]);
	}
	forge(0, LINES, LINES, 99, 8);
	assert_int_equal(channel_try_receive(&pair.side[A], &message).code, CHANNEL_EMPTY);
	forge(0, 3 * LINES, LINES, 99, 8);
	expect_fault(CHANNEL_FAULT_SEQUENCE);
}

/* A has sent three lines, of which B has acknowledged the first. */
static void only_outstanding_lines_can_be_acknowledged(void **state)
{
	(void)state;
	for (unsigned acknowledgement = 0; acknowledgement <= UINT16_MAX; acknowledgement++) {
		bool plausible = acknowledgement >= LINES + 1 && acknowledgement <= LINES + 3;

		pair_connect(&pair, LINES);
		for (unsigned i = 0; i < 3; i++)
			pair_post(&pair.side[A], 1, i);
		forge(0, LINES, LINES + 1, 1, 8);
		expect_fault(CHANNEL_FAULT_NONE);
		assert_int_equal(channel_outstanding(&pair.side[A]), 2);
		forge(1, LINES + 1, (uint16_t)acknowledgement, 1, 8);
		expect_fault(plausible ? CHANNEL_FAULT_NONE : CHANNEL_FAULT_ACKNOWLEDGEMENT);
	}
}

static void lies_about_acknowledgement_count_on_every_kind_of_line(void **state)
{
	const uint16_t lengths[] = {0, 8, 56, 57, 100, CHANNEL_ACK_LENGTH};

	(void)state;
	for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
		pair_connect(&pair, LINES);
		forge(0, LINES, LINES + 1, 0, lengths[i]);
		expect_fault(CHANNEL_FAULT_ACKNOWLEDGEMENT);
	}
}

/* A lie is not taken for a short message either; whoever looks closer finds it. */
static void lies_are_no_short_messages(void **state)
{
	const struct {
		uint16_t sequence, acknowledgement;
	} lies[] = {{LINES + 1, LINES}, {1, LINES}, {LINES, LINES + 1}, {LINES, LINES - 1}};
	uint64_t words[CHANNEL_SHORT_WORDS];

	(void)state;
	for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
		pair_connect(&pair, LINES);
		forge(0, lies[i].sequence, lies[i].acknowledgement, 1, 8);
		assert_int_equal(channel_receive_short(&pair.side[A], words), 0);
		assert_false(channel_broken(&pair.side[A]));
		expect_fault(lies[i].sequence == LINES ? CHANNEL_FAULT_ACKNOWLEDGEMENT : CHANNEL_FAULT_SEQUENCE);
		assert_int_equal(channel_receive_short(&pair.side[A], words), 0);
	}
}

static void only_possible_lengths_are_taken(void **state)
{
	struct channel_message message;

	(void)state;
	for (unsigned length = 0; length < CHANNEL_ACK_LENGTH; length++) {
		pair_connect(&pair, LINES);
		forge(0, LINES, LINES, 1, (uint16_t)length);
		expect_fault(length <= LINES / 2 * CHANNEL_LINE_PAYLOAD ? CHANNEL_FAULT_NONE : CHANNEL_FAULT_LENGTH);
	}
	for (unsigned type = 0; type <= UINT16_MAX; type++) {
		pair_connect(&pair, LINES);
		forge(0, LINES, LINES, (uint16_t)type, CHANNEL_ACK_LENGTH);
		if (type == 0)
			assert_int_equal(channel_try_receive(&pair.side[A], &message).code, CHANNEL_EMPTY);
		else
			expect_fault(CHANNEL_FAULT_LENGTH);
	}
}

static void a_long_message_must_go_on_as_it_began(void **state)
{
	static const struct {
		uint16_t type, length;
		enum channel_fault fault;
	} second[] = {
	    {5, 44, CHANNEL_FAULT_NONE},     {5, 43, CHANNEL_FAULT_FRAGMENT}, {5, 100, CHANNEL_FAULT_FRAGMENT},
	    {6, 44, CHANNEL_FAULT_FRAGMENT}, {5, 0, CHANNEL_FAULT_FRAGMENT},  {0, CHANNEL_ACK_LENGTH, CHANNEL_FAULT_FRAGMENT},
	};

	(void)state;
	for (size_t i = 0; i < sizeof second / sizeof second[0]; i++) {
		pair_connect(&pair, LINES);
		forge(0, LINES, LINES, 5, 100);
		expect_fault(CHANNEL_FAULT_NONE);
		forge(1, LINES + 1, LINES, second[i].type, second[i].length);
		expect_fault(second[i].fault);
	}
}

static void every_fault_has_a_sentence(void **state)
{
	(void)state;
	for (int fault = CHANNEL_FAULT_NONE; fault <= CHANNEL_FAULT_GONE; fault++)
		assert_true(strlen(channel_fault_sentence((enum channel_fault)fault)) > 10);
	assert_string_equal(channel_fault_sentence((enum channel_fault)1000), "unknown reason");
	pair_connect(&pair, LINES);
	channel_break(&pair.side[A], CHANNEL_FAULT_GONE);
	assert_int_equal(channel_fault(&pair.side[A]), CHANNEL_FAULT_GONE);
	assert_int_equal(pair_post(&pair.side[A], 1, 1), CHANNEL_BROKEN);
}

/* ---- A peer that counts its notice up and never sleeps makes A ring, once per message at most ---- */

static void a_restless_notice_costs_one_ring_a_message(void **state)
{
	(void)state;
	pair_connect(&pair, LINES);
	for (unsigned i = 0; i < LINES - 1; i++) {
		channel_store_notice(&pair.inbox[B][0].notice.parking, i * 2 + 1);
		pair_send(&pair.side[A], 1, i);
		assert_int_equal(pair.rings[B], i + 1);
	}
}

/* ---- Anything at all, anywhere, at any time ---- */

static uint64_t random_state;

static uint64_t random_word(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

/* Half of the headers are nearly right, so that the checks behind the first one are reached as well. */
static uint64_t forged_word(const struct channel *victim)
{
	uint64_t dice = random_word();
	uint16_t sequence = (uint16_t)(victim->next_in + (dice >> 8 & 63 ? 0 : dice >> 16 & 3));
	uint16_t acknowledgement = (uint16_t)(victim->acked + (dice >> 20 & 15 ? 0 : dice >> 24 & 31));
	uint16_t length = dice >> 32 & 1 ? victim->rest : (uint16_t)(dice >> 40);

	if (dice & 1)
		return random_word();
	if (dice >> 33 & 1)
		length %= 130;
	if ((dice >> 34 & 7) == 0)
		length = CHANNEL_ACK_LENGTH;
	return channel_header(sequence, acknowledgement, victim->rest_type, length);
}

static void scribble(struct channel_pair *p)
{
	struct channel *victim = &p->side[A];
	unsigned expected = victim->next_in & victim->mask, index = random_word() & 3 ? expected : random_word() & victim->mask;
	unsigned word = random_word() & 3 ? CHANNEL_WORDS : random_word() % 8;
	struct channel_line *line = &p->inbox[A][index].line;

	if (word == CHANNEL_WORDS)
		channel_store_header(&line->header, forged_word(victim));
	else
		channel_store_payload(&line->payload[word], random_word());
	if ((random_word() & 7) == 0)
		channel_store_notice(&p->inbox[B][0].notice.parking, random_word());
}

static void act(struct channel *ch, struct channel_pair *p)
{
	struct channel_message message;
	unsigned char bytes[300], guard = 0xa5;
	uint16_t type = 0;
	uint64_t words[CHANNEL_SHORT_WORDS];
	size_t length = 0, capacity = random_word() % (sizeof bytes - 1);

	memset(bytes, guard, sizeof bytes);
	switch (random_word() % 7) {
	case 0:
		(void)pair_send(ch, 1, random_word());
		break;
	case 1:
		if (channel_ok(channel_send_bytes(ch, 1, bytes, random_word() % sizeof bytes)))
			assert_false(channel_broken(ch));
		break;
	case 2:
		if (channel_ok(channel_try_receive_bytes(ch, bytes, capacity, &type, &length)))
			assert_true(length <= capacity);
		assert_int_equal(bytes[capacity], guard);
		break;
	case 3:
		if (channel_park_prepare(ch).code == CHANNEL_EMPTY)
			channel_unpark(ch);
		break;
	case 4:
		assert_true(channel_receive_short(ch, words) <= CHANNEL_SHORT_BYTES);
		assert_false(channel_broken(ch) && ch->room != 0);
		break;
	default:
		if (channel_ok(channel_try_receive(ch, &message)))
			assert_true(message.length <= CHANNEL_LINE_PAYLOAD && message.rest <= channel_longest(ch));
	}
	assert_true(channel_outstanding(ch) <= ch->mask + 1);
	assert_true(ch->next_in <= CHANNEL_NEVER && (channel_broken(ch) == (ch->next_in == CHANNEL_NEVER)));
	assert_true(ch->rx == p->inbox[A] && ch->tx == p->inbox[B]);
}

/* What A may write: its lines in B's inbox, its notice. Everything else in the shared memory is as the tests left it. */
static void assert_only_own_memory_written(const struct channel_pair *before, const struct channel_pair *after, unsigned lines)
{
	for (unsigned i = 0; i < PAIR_LINES_MAX; i++) {
		assert_memory_equal(&before->inbox[A][i].line, &after->inbox[A][i].line, sizeof(struct channel_line));
		assert_memory_equal(&before->inbox[B][i].notice, &after->inbox[B][i].notice, sizeof(struct channel_notice));
		if (i > 0)
			assert_memory_equal(&before->inbox[A][i].notice, &after->inbox[A][i].notice, sizeof(struct channel_notice));
		if (i >= lines)
			assert_memory_equal(&before->inbox[B][i].line, &after->inbox[B][i].line, sizeof(struct channel_line));
	}
	assert_memory_equal(&before->side[B], &after->side[B], sizeof(struct channel));
}

static void scribbling_confuses_nobody(void **state)
{
	static struct channel_pair before;
	unsigned faults[CHANNEL_FAULT_GONE + 1] = {0};

	(void)state;
	for (unsigned seed = 1; seed <= 4000; seed++) {
		unsigned lines = 4u << seed % 4;

		random_state = seed * 0x9e3779b97f4a7c15;
		pair_connect(&pair, lines);
		for (int step = 0; step < 60; step++) {
			scribble(&pair);
			memcpy(&before, &pair, sizeof pair);
			act(&pair.side[A], &pair);
			assert_only_own_memory_written(&before, &pair, lines);
		}
		faults[channel_fault(&pair.side[A])]++;
	}
	for (int fault = CHANNEL_FAULT_SEQUENCE; fault < CHANNEL_FAULT_GONE; fault++)
		assert_true(faults[fault] > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(only_the_expected_sequence_is_taken),
	    cmocka_unit_test(a_line_of_the_lap_before_is_not_new),
	    cmocka_unit_test(only_outstanding_lines_can_be_acknowledged),
	    cmocka_unit_test(lies_about_acknowledgement_count_on_every_kind_of_line),
	    cmocka_unit_test(lies_are_no_short_messages),
	    cmocka_unit_test(only_possible_lengths_are_taken),
	    cmocka_unit_test(a_long_message_must_go_on_as_it_began),
	    cmocka_unit_test(every_fault_has_a_sentence),
	    cmocka_unit_test(a_restless_notice_costs_one_ring_a_message),
	    cmocka_unit_test(scribbling_confuses_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
