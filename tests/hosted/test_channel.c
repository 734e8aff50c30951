// sources: channels/channel.c channels/park.c
/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Both sides of a channel behave: order, room, acknowledgements, long messages, ringing. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "channels/short.h"
#include "tests/hosted/channel_pair.h"

enum { A, B };

static struct channel_pair pair;

/* ---- Geometry ---- */

static void geometry_is_checked(void **state)
{
	static struct channel_slot memory[2][4];
	struct channel ch;

	(void)state;
	for (unsigned lines = 0; lines <= 2 * CHANNEL_LINES_MAX; lines++) {
		bool good = lines == 4 || lines == 8 || lines == 16 || lines == 32 || lines == 64 || lines == 128 || lines == 256 ||
		            lines == 512 || lines == 1024;

		assert_int_equal(channel_init(&ch, memory[0], memory[1], lines, NULL, NULL).code, good ? CHANNEL_OK : CHANNEL_BAD_GEOMETRY);
	}
	assert_int_equal(channel_init(&ch, NULL, memory[1], 4, NULL, NULL).code, CHANNEL_BAD_GEOMETRY);
	assert_int_equal(channel_init(&ch, memory[0], (char *)memory[1] + 8, 4, NULL, NULL).code, CHANNEL_BAD_GEOMETRY);
	assert_int_equal(channel_bytes(32), 4096);
}

/* ---- One-line messages ---- */

static void a_message_arrives_as_it_was_sent(void **state)
{
	const uint64_t words[CHANNEL_WORDS] = {1, ~0ull, 3, 0x123456789abcdef0, 5, 6, 7};
	struct channel_message message;

	(void)state;
	pair_connect(&pair, 8);
	assert_int_equal(channel_try_receive(&pair.side[B], &message).code, CHANNEL_EMPTY);
	for (size_t count = 0; count <= CHANNEL_WORDS; count++) {
		assert_true(channel_ok(channel_send(&pair.side[A], (uint16_t)(0xfff0 + count), words, count)));
		assert_int_equal(channel_poll(&pair.side[B]).code, CHANNEL_OK);
		assert_true(channel_ok(channel_try_receive(&pair.side[B], &message)));
		assert_int_equal(message.type, 0xfff0 + count);
		assert_int_equal(message.length, count * 8);
		assert_int_equal(message.rest, 0);
		assert_memory_equal(message.words, words, count * 8);
		assert_int_equal(channel_try_receive(&pair.side[B], &message).code, CHANNEL_EMPTY);
		pair_drain(&pair.side[A]);
	}
	assert_int_equal(channel_post(&pair.side[A], 1, words, CHANNEL_WORDS + 1).code, CHANNEL_TOO_LONG);
}

/* ---- Short messages ---- */

static void a_short_message_is_an_ordinary_one(void **state)
{
	const uint64_t words[CHANNEL_SHORT_WORDS] = {1, ~0ull, 3, 0x123456789abcdef0};
	uint64_t got[CHANNEL_SHORT_WORDS];
	struct channel_message message;

	(void)state;
	pair_connect(&pair, 8);
	for (unsigned bytes = 8; bytes <= CHANNEL_SHORT_BYTES; bytes += 8) {
		channel_post_short(&pair.side[A], 5, (uint16_t)bytes, words);
		assert_int_equal(channel_try_receive(&pair.side[B], &message).code, CHANNEL_OK);
		assert_int_equal(message.type, 5);
		assert_int_equal(message.length, bytes);
		assert_memory_equal(message.words, words, bytes);

		assert_int_equal(channel_send(&pair.side[B], 6, words, bytes / 8).code, CHANNEL_OK);
		assert_int_equal(channel_receive_short(&pair.side[A], got), bytes);
		assert_memory_equal(got, words, bytes);
		assert_int_equal(channel_outstanding(&pair.side[A]), 0);
		assert_int_equal(channel_receive_short(&pair.side[A], got), 0);
	}
}

/* Nothing has happened to what is not a short message, and to what is not there. */
static void only_short_messages_are_taken_as_such(void **state)
{
	const uint64_t words[40] = {7};
	const size_t lengths[] = {0, CHANNEL_SHORT_BYTES + 1, CHANNEL_SHORT_BYTES + 8, CHANNEL_LINE_PAYLOAD, CHANNEL_LINE_PAYLOAD + 8, 200};
	struct channel *ch = &pair.side[B];

	(void)state;
	for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
		uint64_t got[CHANNEL_SHORT_WORDS] = {0};
		unsigned char bytes[sizeof words];
		struct channel_pair before;
		uint16_t type;
		size_t length;

		pair_connect(&pair, 16);
		assert_int_equal(channel_receive_short(ch, got), 0);
		assert_int_equal(channel_send_bytes(&pair.side[A], 1, words, lengths[i]).code, CHANNEL_OK);
		before = pair;
		assert_int_equal(channel_receive_short(ch, got), 0);
		assert_memory_equal(&before, &pair, sizeof pair);
		assert_int_equal(got[0], 0);
		assert_int_equal(channel_try_receive_bytes(ch, bytes, sizeof bytes, &type, &length).code, CHANNEL_OK);
		assert_int_equal(length, lengths[i]);
	}
}

/* A piece of a longer message is none either, however short it is. */
static void the_end_of_a_long_message_is_not_a_short_one(void **state)
{
	const uint64_t words[CHANNEL_WORDS + 2] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
	uint64_t got[CHANNEL_SHORT_WORDS];
	struct channel_message message;

	(void)state;
	pair_connect(&pair, 8);
	assert_int_equal(channel_send_bytes(&pair.side[A], 1, words, sizeof words).code, CHANNEL_OK);
	assert_int_equal(channel_try_receive(&pair.side[B], &message).code, CHANNEL_OK);
	assert_int_equal(message.rest, 16);
	assert_int_equal(channel_receive_short(&pair.side[B], got), 0);
	assert_int_equal(channel_try_receive(&pair.side[B], &message).code, CHANNEL_OK);
	assert_int_equal(message.words[1], 9);
}

/* Who only takes short messages and sends none acknowledges as everybody does. */
static void short_messages_are_acknowledged(void **state)
{
	uint64_t words[CHANNEL_SHORT_WORDS] = {0};

	(void)state;
	pair_connect(&pair, 8);
	for (unsigned i = 0; i < 100; i++) {
		words[0] = i;
		assert_true(channel_can_send(&pair.side[A]));
		channel_post_short(&pair.side[A], 1, 8, words);
		assert_int_equal(channel_receive_short(&pair.side[B], words), 8);
		assert_int_equal(words[0], i);
		assert_int_equal(pair_drain(&pair.side[A]), 0);
	}
}

static void expect_word(struct channel *ch, uint64_t word)
{
	struct channel_message message;

	assert_int_equal(channel_try_receive(ch, &message).code, CHANNEL_OK);
	assert_int_equal(message.words[0], word);
}

/* Three times round the 16-bit sequence, one way and both ways, with the smallest and with a usual ring. */
static void sequences_wrap_around(void **state)
{
	(void)state;
	for (unsigned lines = 4; lines <= 64; lines *= 16)
		for (int both_ways = 0; both_ways < 2; both_ways++) {
			pair_connect(&pair, lines);
			for (uint64_t i = 0; i < 3 * 65536; i++) {
				assert_int_equal(pair_post(&pair.side[A], 1, i), CHANNEL_OK);
				expect_word(&pair.side[B], i);
				if (both_ways) {
					assert_int_equal(pair_post(&pair.side[B], 2, ~i), CHANNEL_OK);
					expect_word(&pair.side[A], ~i);
				} else {
					assert_int_equal(pair_drain(&pair.side[A]), 0);
				}
			}
			assert_false(channel_broken(&pair.side[A]) || channel_broken(&pair.side[B]));
		}
}

/* ---- Room and acknowledgements ---- */

static unsigned fill(struct channel *ch)
{
	unsigned sent = 0;

	while (pair_post(ch, 1, sent) == CHANNEL_OK)
		sent++;
	return sent;
}

static void a_full_ring_refuses_and_loses_nothing(void **state)
{
	(void)state;
	for (unsigned lines = 4; lines <= 64; lines *= 2) {
		pair_connect(&pair, lines);
		assert_int_equal(fill(&pair.side[A]), lines - 1);
		assert_false(channel_can_send(&pair.side[A]));
		assert_int_equal(pair_send(&pair.side[A], 1, 0), CHANNEL_FULL);
		for (unsigned i = 0; i < lines - 1; i++)
			expect_word(&pair.side[B], i);
		assert_int_equal(channel_poll(&pair.side[B]).code, CHANNEL_EMPTY);
		assert_int_equal(pair_drain(&pair.side[A]), 0);
		assert_true(channel_can_send(&pair.side[A]));
	}
}

static void half_a_ring_is_acknowledged_by_a_line_of_its_own(void **state)
{
	struct channel_message message;

	(void)state;
	pair_connect(&pair, 16);
	for (unsigned i = 0; i < 15; i++)
		pair_post(&pair.side[A], 1, i);
	for (unsigned i = 0; i < 7; i++)
		expect_word(&pair.side[B], i);
	assert_int_equal(channel_poll(&pair.side[A]).code, CHANNEL_EMPTY);
	expect_word(&pair.side[B], 7);
	assert_int_equal(channel_poll(&pair.side[A]).code, CHANNEL_OK);
	assert_int_equal(channel_outstanding(&pair.side[A]), 15);
	assert_int_equal(channel_try_receive(&pair.side[A], &message).code, CHANNEL_EMPTY);
	assert_int_equal(channel_outstanding(&pair.side[A]), 7);
	assert_int_equal(channel_poll(&pair.side[A]).code, CHANNEL_EMPTY);
}

static void an_answer_acknowledges_without_a_line_of_its_own(void **state)
{
	(void)state;
	pair_connect(&pair, 16);
	for (unsigned i = 0; i < 7; i++) {
		pair_post(&pair.side[A], 1, i);
		expect_word(&pair.side[B], i);
	}
	pair_post(&pair.side[B], 1, 99);
	for (unsigned i = 7; i < 14; i++) {
		pair_post(&pair.side[A], 1, i);
		expect_word(&pair.side[B], i);
	}
	expect_word(&pair.side[A], 99);
	assert_int_equal(channel_outstanding(&pair.side[A]), 7);
	assert_int_equal(channel_poll(&pair.side[A]).code, CHANNEL_EMPTY);
}

static void acknowledgements_do_not_answer_each_other_for_ever(void **state)
{
	struct channel_message message;
	unsigned lines = 0;

	(void)state;
	pair_connect(&pair, CHANNEL_LINES_MIN);
	for (unsigned i = 0; i < 2; i++) {
		pair_post(&pair.side[A], 1, i);
		expect_word(&pair.side[B], i);
	}
	for (unsigned idle = 0; idle < 2 && lines < 100; idle++)
		for (int i = 0; i < 2; i++)
			while (channel_poll(&pair.side[i]).code == CHANNEL_OK) {
				assert_int_equal(channel_try_receive(&pair.side[i], &message).code, CHANNEL_EMPTY);
				lines++;
				idle = 0;
			}
	assert_in_range(lines, 1, 3);
}

/* Tries every order of DEPTH posts and receives of both sides, from empty and from full rings of the smallest size.
 * After each, both sides receive until nothing comes. Then every message has come, in order, and there is room again:
 * two full rings did not wait for each other. */
enum { DEPTH = 8 };

struct walk {
	struct channel_pair pair;
	uint64_t sent[2], received[2]; /* [side] */
};

static bool walk_receive(struct walk *walk, int side)
{
	struct channel_message message;
	bool line = channel_poll(&walk->pair.side[side]).code == CHANNEL_OK;

	if (channel_ok(channel_try_receive(&walk->pair.side[side], &message)))
		assert_int_equal(message.words[0], walk->received[side]++);
	return line;
}

static void walk_settle(struct walk *walk)
{
	bool came = true;

	while (came) {
		came = walk_receive(walk, A);
		came = walk_receive(walk, B) || came;
	}
	for (int side = 0; side < 2; side++) {
		assert_int_equal(walk->received[side], walk->sent[!side]);
		assert_true(channel_can_send(&walk->pair.side[side]));
		assert_false(channel_broken(&walk->pair.side[side]));
	}
}

/* The channels point into the pair that they belong to, so a step is undone by copying the pair back. */
static void walk_every_order(struct walk *walk, int depth)
{
	static struct walk before[DEPTH + 1];

	if (depth == 0) {
		walk_settle(walk);
		return;
	}
	memcpy(&before[depth], walk, sizeof *walk);
	for (int step = 0; step < 4; step++) {
		int side = step % 2;

		if (step < 2)
			walk->sent[side] += pair_post(&walk->pair.side[side], 1, walk->sent[side]) == CHANNEL_OK;
		else
			walk_receive(walk, side);
		walk_every_order(walk, depth - 1);
		memcpy(walk, &before[depth], sizeof *walk);
	}
}

static void two_full_rings_never_wait_for_each_other(void **state)
{
	static struct walk walk;

	(void)state;
	for (int full = 0; full < 2; full++) {
		memset(&walk, 0, sizeof walk);
		pair_connect(&walk.pair, CHANNEL_LINES_MIN);
		for (int side = 0; full && side < 2; side++)
			walk.sent[side] = fill(&walk.pair.side[side]);
		walk_every_order(&walk, DEPTH);
	}
}

/* ---- Messages of several lines ---- */

static void expect_bytes(struct channel *ch, uint16_t type, const unsigned char *bytes, size_t length)
{
	unsigned char buffer[CHANNEL_LINE_PAYLOAD * PAIR_LINES_MAX];
	uint16_t got_type;
	size_t got;

	assert_int_equal(channel_try_receive_bytes(ch, buffer, sizeof buffer, &got_type, &got).code, CHANNEL_OK);
	assert_int_equal(got_type, type);
	assert_int_equal(got, length);
	assert_memory_equal(buffer, bytes, length);
}

static void every_length_arrives(void **state)
{
	unsigned char bytes[CHANNEL_LINE_PAYLOAD * PAIR_LINES_MAX];
	size_t longest;

	(void)state;
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (unsigned char)(i * 37 + i / 256);
	for (unsigned lines = 4; lines <= 64; lines *= 4) {
		pair_connect(&pair, lines);
		longest = channel_longest(&pair.side[A]);
		assert_int_equal(longest, lines / 2 * CHANNEL_LINE_PAYLOAD);
		for (size_t length = 0; length <= longest; length++) {
			assert_int_equal(channel_send_bytes(&pair.side[A], (uint16_t)length, bytes, length).code, CHANNEL_OK);
			expect_bytes(&pair.side[B], (uint16_t)length, bytes, length);
			pair_drain(&pair.side[A]);
		}
		assert_int_equal(channel_send_bytes(&pair.side[A], 1, bytes, longest + 1).code, CHANNEL_TOO_LONG);
	}
}

/* Whatever was sent and taken before: the longest message goes through in the end. */
static void the_longest_message_never_waits_for_ever(void **state)
{
	unsigned char bytes[CHANNEL_LINE_PAYLOAD * PAIR_LINES_MAX] = {0};

	(void)state;
	for (unsigned taken = 0; taken < 64; taken++) {
		pair_connect(&pair, 64);
		for (unsigned i = 0; i < taken; i++)
			pair_post(&pair.side[A], 1, i);
		pair_drain(&pair.side[B]);
		pair_drain(&pair.side[A]);
		assert_int_equal(channel_post_bytes(&pair.side[A], 1, bytes, channel_longest(&pair.side[A])).code, CHANNEL_OK);
	}
}

static void a_long_message_is_written_whole_or_not_at_all(void **state)
{
	unsigned char bytes[4 * CHANNEL_LINE_PAYLOAD] = {0};

	(void)state;
	pair_connect(&pair, 8);
	for (unsigned i = 0; i < 4; i++)
		pair_post(&pair.side[A], 1, i);
	assert_int_equal(channel_post_bytes(&pair.side[A], 1, bytes, sizeof bytes).code, CHANNEL_FULL);
	assert_int_equal(channel_post_bytes(&pair.side[A], 1, bytes, 3 * CHANNEL_LINE_PAYLOAD).code, CHANNEL_OK);
	assert_int_equal(pair_drain(&pair.side[B]), 7);
}

static void a_long_message_may_come_in_pieces(void **state)
{
	const unsigned char bytes[130] = "a message of three lines";
	unsigned char buffer[130];
	struct channel_slot later[2];
	struct channel_message line;
	uint16_t type;
	size_t length;

	(void)state;
	pair_connect(&pair, 8);
	assert_true(channel_ok(channel_send_bytes(&pair.side[A], 7, bytes, sizeof bytes)));
	memcpy(later, &pair.inbox[B][1], sizeof later);
	memset(&pair.inbox[B][1], 0, sizeof later);
	assert_int_equal(channel_try_receive_bytes(&pair.side[B], buffer, sizeof buffer, &type, &length).code, CHANNEL_EMPTY);
	memcpy(&pair.inbox[B][1], later, sizeof later);
	assert_int_equal(channel_try_receive_bytes(&pair.side[B], buffer, sizeof buffer, &type, &length).code, CHANNEL_OK);
	assert_int_equal(length, sizeof bytes);
	assert_memory_equal(buffer, bytes, sizeof bytes);

	assert_true(channel_ok(channel_send_bytes(&pair.side[A], 7, bytes, sizeof bytes)));
	for (int rest = 130 - 56; rest > -56; rest -= 56) {
		assert_true(channel_ok(channel_try_receive(&pair.side[B], &line)));
		assert_int_equal(line.rest, rest < 0 ? 0 : rest);
		assert_int_equal(line.length, rest < 0 ? 130 % 56 : 56);
	}
}

static void a_small_buffer_keeps_the_head(void **state)
{
	const unsigned char bytes[150] = "longer than the buffer by far";
	unsigned char buffer[61], untouched = 0x5a;
	uint16_t type;
	size_t length;

	(void)state;
	for (size_t capacity = 0; capacity < sizeof buffer; capacity++) {
		pair_connect(&pair, 8);
		memset(buffer, untouched, sizeof buffer);
		assert_true(channel_ok(channel_send_bytes(&pair.side[A], 7, bytes, sizeof bytes)));
		assert_true(channel_ok(channel_send_bytes(&pair.side[A], 8, bytes, 3)));
		assert_int_equal(channel_try_receive_bytes(&pair.side[B], buffer, capacity, &type, &length).code, CHANNEL_TOO_LONG);
		assert_int_equal(length, sizeof bytes);
		assert_int_equal(type, 7);
		assert_memory_equal(buffer, bytes, capacity);
		assert_int_equal(buffer[capacity], untouched);
		expect_bytes(&pair.side[B], 8, bytes, 3);
	}
}

/* ---- Parking and ringing ---- */

static void a_sleeper_is_rung_once(void **state)
{
	(void)state;
	pair_connect(&pair, 16);
	assert_int_equal(pair_send(&pair.side[A], 1, 0), CHANNEL_OK);
	assert_int_equal(pair.rings[B], 0);
	assert_int_equal(channel_park_prepare(&pair.side[B]).code, CHANNEL_OK);
	assert_int_equal(pair_send(&pair.side[A], 1, 1), CHANNEL_OK);
	assert_int_equal(pair.rings[B], 0);

	for (int nap = 1; nap <= 5; nap++) {
		pair_drain(&pair.side[B]);
		pair_drain(&pair.side[A]);
		assert_int_equal(channel_park_prepare(&pair.side[B]).code, CHANNEL_EMPTY);
		pair_send(&pair.side[A], 1, 2);
		pair_send(&pair.side[A], 1, 3);
		assert_int_equal(pair.rings[B], nap);
		channel_unpark(&pair.side[B]);
		pair_send(&pair.side[A], 1, 4);
		assert_int_equal(pair.rings[B], nap);
	}
	assert_int_equal(pair.rings[A], 0);
}

static void a_post_rings_when_the_poster_waits(void **state)
{
	struct channel_message message;

	(void)state;
	for (int way = 0; way < 4; way++) {
		pair_connect(&pair, 16);
		assert_int_equal(channel_park_prepare(&pair.side[B]).code, CHANNEL_EMPTY);
		assert_int_equal(pair_post(&pair.side[A], 1, 0), CHANNEL_OK);
		assert_int_equal(pair_post(&pair.side[A], 1, 1), CHANNEL_OK);
		assert_int_equal(pair.rings[B], 0);
		if (way == 0)
			channel_flush(&pair.side[A]);
		else if (way == 1)
			assert_int_equal(channel_try_receive(&pair.side[A], &message).code, CHANNEL_EMPTY);
		else if (way == 2)
			assert_int_equal(channel_poll(&pair.side[A]).code, CHANNEL_EMPTY);
		else
			assert_int_equal(channel_park_prepare(&pair.side[A]).code, CHANNEL_EMPTY);
		assert_int_equal(pair.rings[B], 1);
	}
}

static void room_wakes_a_sleeping_sender(void **state)
{
	(void)state;
	pair_connect(&pair, 16);
	fill(&pair.side[A]);
	assert_int_equal(channel_park_prepare(&pair.side[A]).code, CHANNEL_EMPTY);
	for (unsigned i = 0; i < 8; i++) {
		assert_int_equal(pair.rings[A], 0);
		expect_word(&pair.side[B], i);
	}
	assert_int_equal(pair.rings[A], 1);
}

/* Refused, then found no message, but took an acknowledgement: must not go to sleep. */
static void room_keeps_a_refused_sender_awake(void **state)
{
	struct channel_message message;
	const unsigned char bytes[4 * CHANNEL_LINE_PAYLOAD] = {0};

	(void)state;
	for (size_t lines = 1; lines <= 4; lines++) {
		pair_connect(&pair, 8);
		fill(&pair.side[A]);
		assert_int_equal(channel_post_bytes(&pair.side[A], 1, bytes, lines * CHANNEL_LINE_PAYLOAD).code, CHANNEL_FULL);
		assert_int_equal(channel_poll(&pair.side[A]).code, CHANNEL_EMPTY);
		for (unsigned i = 0; i < 4; i++)
			expect_word(&pair.side[B], i);
		assert_int_equal(channel_try_receive(&pair.side[A], &message).code, CHANNEL_EMPTY);
		assert_int_equal(channel_park_prepare(&pair.side[A]).code, CHANNEL_OK);
		assert_int_equal(channel_park_prepare(&pair.side[A]).code, CHANNEL_EMPTY);
		channel_unpark(&pair.side[A]);
		assert_int_equal(channel_post_bytes(&pair.side[A], 1, bytes, lines * CHANNEL_LINE_PAYLOAD).code, CHANNEL_OK);
	}
}

static void several_channels_may_be_announced_before_one_fence(void **state)
{
	static struct channel_pair other;

	(void)state;
	pair_connect(&pair, 16);
	pair_connect(&other, 16);
	pair_send(&other.side[A], 1, 0);
	channel_announce(&pair.side[B]);
	channel_announce(&other.side[B]);
	channel_fence();
	assert_int_equal(channel_poll(&pair.side[B]).code, CHANNEL_EMPTY);
	assert_int_equal(channel_poll(&other.side[B]).code, CHANNEL_OK);
	pair_send(&pair.side[A], 1, 0);
	assert_int_equal(pair.rings[B], 1);
	channel_unpark(&pair.side[B]);
	channel_unpark(&other.side[B]);
	pair_send(&other.side[A], 1, 0);
	assert_int_equal(other.rings[B], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(geometry_is_checked),
	    cmocka_unit_test(a_message_arrives_as_it_was_sent),
	    cmocka_unit_test(a_short_message_is_an_ordinary_one),
	    cmocka_unit_test(only_short_messages_are_taken_as_such),
	    cmocka_unit_test(the_end_of_a_long_message_is_not_a_short_one),
	    cmocka_unit_test(short_messages_are_acknowledged),
	    cmocka_unit_test(sequences_wrap_around),
	    cmocka_unit_test(a_full_ring_refuses_and_loses_nothing),
	    cmocka_unit_test(half_a_ring_is_acknowledged_by_a_line_of_its_own),
	    cmocka_unit_test(an_answer_acknowledges_without_a_line_of_its_own),
	    cmocka_unit_test(acknowledgements_do_not_answer_each_other_for_ever),
	    cmocka_unit_test(two_full_rings_never_wait_for_each_other),
	    cmocka_unit_test(every_length_arrives),
	    cmocka_unit_test(the_longest_message_never_waits_for_ever),
	    cmocka_unit_test(a_long_message_is_written_whole_or_not_at_all),
	    cmocka_unit_test(a_long_message_may_come_in_pieces),
	    cmocka_unit_test(a_small_buffer_keeps_the_head),
	    cmocka_unit_test(a_sleeper_is_rung_once),
	    cmocka_unit_test(a_post_rings_when_the_poster_waits),
	    cmocka_unit_test(room_wakes_a_sleeping_sender),
	    cmocka_unit_test(room_keeps_a_refused_sender_awake),
	    cmocka_unit_test(several_channels_may_be_announced_before_one_fence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
