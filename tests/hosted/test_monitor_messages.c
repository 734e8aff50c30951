// sources: monitor/messages.c
/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* What a monitor believes of a message: type, length, and the range of every field. */

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "cpudriver/abi/memory_map.h"
#include "monitor/messages.h"

#define CORES 8

static bool accepted(unsigned type, const void *message, size_t bytes)
{
	union message m;

	memset(&m, 0, sizeof(m));
	memcpy(&m, message, bytes);
	return is_ok(message_check(type, message_bytes(type), &m, CORES));
}

#define ACCEPTED(type, ...) accepted(MESSAGE_##type, &(struct message_##type){__VA_ARGS__}, sizeof(struct message_##type))

static void test_types_and_lengths(void **state)
{
	static const unsigned types[] = {
#define MESSAGE(name, number, fields) number,
#include "monitor/messages.def"
#undef MESSAGE
	};
	union message m;

	(void)state;
	memset(&m, 0, sizeof(m));
	for (unsigned type = 0; type < 70000; type++) {
		bool known = false;

		for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
			known |= types[i] == type;
		assert_int_equal(message_bytes(type) != 0, known);
		if (!known)
			assert_true(is_err(message_check(type, 56, &m, CORES)));
	}
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		for (unsigned bytes = 0; bytes < 64; bytes++)
			if (bytes != message_bytes(types[i]))
				assert_true(err_is(message_check(types[i], bytes, &m, CORES), ERR_NUMBER_MESSAGE));
}

static void test_cores_and_pages(void **state)
{
	const uint64_t p = PAGE_BYTES;

	(void)state;
	assert_true(ACCEPTED(up, .core = 7, .mesh = p, .mailbox = p, .doorbell = p));
	assert_false(ACCEPTED(up, .core = 8, .mesh = p, .mailbox = p, .doorbell = p));
	assert_false(ACCEPTED(up, .core = 1, .mesh = 0, .mailbox = p, .doorbell = p));
	assert_false(ACCEPTED(up, .core = 1, .mesh = p + 1, .mailbox = p, .doorbell = p));
	assert_false(ACCEPTED(up, .core = 1, .mesh = p, .mailbox = WINDOW_BYTES, .doorbell = p));
	assert_false(ACCEPTED(up, .core = 1, .mesh = p, .mailbox = p, .doorbell = ~(p - 1)));
	assert_false(ACCEPTED(failed, .core = CORES));
	assert_false(ACCEPTED(connect, .ring = 0, .doorbell = p));
}

static void test_flags_and_lengths(void **state)
{
	(void)state;
	assert_true(ACCEPTED(close, .ended = 1));
	assert_false(ACCEPTED(close, .ended = 2));
	assert_true(ACCEPTED(print, .bytes = 48, .last = 1));
	assert_false(ACCEPTED(print, .bytes = 49, .last = 1));
	assert_false(ACCEPTED(print, .bytes = 1, .last = 7));
	assert_true(ACCEPTED(spawn_text, .bytes = 48));
	assert_false(ACCEPTED(spawn_text, .bytes = UINT32_MAX));
}

static void test_texts_end(void **state)
{
	struct message_offer offer = {.domain = 1};

	(void)state;
	memset(offer.name, 'x', sizeof(offer.name));
	assert_false(accepted(MESSAGE_offer, &offer, sizeof(offer)));
	offer.name[sizeof(offer.name) - 1] = '\0';
	assert_true(accepted(MESSAGE_offer, &offer, sizeof(offer)));
}

static void test_names(void **state)
{
	(void)state;
	assert_string_equal(message_name(MESSAGE_connect), "connect");
	assert_string_equal(message_name(0), "unknown");
	assert_string_equal(message_name(60000), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_types_and_lengths), cmocka_unit_test(test_cores_and_pages), cmocka_unit_test(test_flags_and_lengths),
	    cmocka_unit_test(test_texts_end),         cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
