// sources: libos/span/messages.c
/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* What a member of a span believes of a message of another one, and whose an address is. */

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "libos/span/messages.h"
#include "libos/span/span.h"

static const struct {
	unsigned type, bytes;
	bool answer;
} table[] = {
#define MESSAGE(name, number, fields) {number, sizeof(struct link_##name), false},
#define ANSWER(name, number, fields)  {number, sizeof(struct link_##name), true},
#include "libos/span/messages.def"
#undef MESSAGE
#undef ANSWER
};
#define COUNT (sizeof(table) / sizeof(table[0]))

static void test_types_and_lengths(void **state)
{
	const union link_message zero = {.words = {0}};

	(void)state;
	for (unsigned type = 0; type < 70000; type++) {
		unsigned bytes = 0;

		for (size_t i = 0; i < COUNT; i++)
			if (table[i].type == type) {
				assert_int_equal(bytes, 0); /* no number twice */
				bytes = table[i].bytes;
				assert_int_equal(link_is_answer(type), table[i].answer);
			}
		assert_int_equal(link_message_bytes(type), bytes);
		for (unsigned length = 0; length <= 64; length += 8)
			assert_int_equal(is_ok(link_message_check(type, length, &zero)), bytes != 0 && length == bytes);
	}
}

static void test_words(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT; i++) {
		assert_true(table[i].bytes > 0 && table[i].bytes % 8 == 0 && table[i].bytes <= sizeof(union link_message));
		assert_true(table[i].type < LINK_TYPES);
	}
}

static bool accepted(unsigned type, const void *message)
{
	union link_message m = {.words = {0}};

	memcpy(&m, message, link_message_bytes(type));
	return is_ok(link_message_check(type, link_message_bytes(type), &m));
}

static void test_fields(void **state)
{
	(void)state;
	assert_true(accepted(LINK_run, &(struct link_run){.token = UINT64_MAX, .function = UINT64_MAX, .call = 1}));
	assert_false(accepted(LINK_run, &(struct link_run){.call = 2}));
	assert_false(accepted(LINK_run, &(struct link_run){.call = UINT64_MAX}));
}

static void test_homes(void **state)
{
	(void)state;
	assert_int_equal(home_of(0), 0);
	assert_int_equal(home_of(USER_PROGRAM), 0);
	assert_int_equal(home_of(USER_PRIVATE - 1), 0);
	assert_int_equal(home_of(USER_PRIVATE), HOME_NONE);
	assert_int_equal(home_of(USER_START_PAGE), HOME_NONE);
	assert_int_equal(home_of(USER_DISPATCHER), HOME_NONE);
	assert_int_equal(home_of(USER_MACHINE), HOME_NONE);
	assert_int_equal(home_of(USER_STACK_TOP - 8), 0);
	assert_int_equal(home_of(USER_STACK_TOP - USER_STACK_BYTES), 0);
	assert_int_equal(home_of(USER_STACK_TOP - USER_STACK_BYTES - 1), HOME_NONE);
	assert_int_equal(home_of(USER_STACK_TOP), HOME_NONE);
	for (unsigned i = 0; i < SPAN_MAX; i++) {
		assert_int_equal(home_of(area_of(i)), i);
		assert_int_equal(home_of(area_of(i) + SPAN_AREA_BYTES - 1), i);
	}
	assert_int_equal(home_of(area_of(SPAN_MAX)), HOME_NONE);
	assert_int_equal(home_of(UINT64_MAX), HOME_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_types_and_lengths),
	    cmocka_unit_test(test_words),
	    cmocka_unit_test(test_fields),
	    cmocka_unit_test(test_homes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
