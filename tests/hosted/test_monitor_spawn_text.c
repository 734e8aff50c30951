// sources: monitor/spawn_text.c libos/domain/command.c
/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* What a new program is given: what the library OS writes the monitor reads, and nothing else is believed. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "libos/domain/command.h"
#include "monitor/abi/start.h"
#include "monitor/spawn_text.h"

#define HEAD sizeof(struct spawn_order)

static err_t read_text(unsigned arguments, unsigned environment, const char *strings, size_t bytes, struct spawn_strings *out)
{
	static _Alignas(8) char text[2 * PAGE_BYTES];
	const struct spawn_order order = {.arguments = (uint16_t)arguments, .environment = (uint16_t)environment};

	memcpy(text, &order, HEAD);
	memcpy(text + HEAD, strings, bytes);
	return spawn_text_read(text, HEAD + bytes, out);
}

static void what_is_written_is_read(void **state)
{
	static const char *const lists[][5] = {{"hello", NULL}, {"hello", "", NULL}, {"hello", "a", "", "", NULL}, {"", "", "", "x", NULL}};
	static const char *const none[] = {NULL};
	struct spawn_strings s;
	char block[256];
	size_t length;

	(void)state;
	for (unsigned a = 0; a < 4; a++)
		for (unsigned e = 0; e <= 4; e++) {
			const char *const *environment = e < 4 ? lists[e] : none;
			const char *at;

			assert_true(is_ok(command_build(lists[a], environment, block, sizeof(block), &length)));
			assert_true(is_ok(spawn_text_read(block, length, &s)));
			at = s.first;
			for (unsigned i = 0; i < s.arguments; i++, at += strlen(at) + 1)
				assert_string_equal(at, lists[a][i]);
			assert_null(lists[a][s.arguments]);
			assert_int_equal(at - s.first, s.environment_at);
			for (unsigned i = 0; i < s.environment; i++, at += strlen(at) + 1)
				assert_string_equal(at, environment[i]);
			assert_null(environment[s.environment]);
			assert_int_equal(at - s.first, s.bytes);
		}
}

static void other_strings_than_it_says_are_refused(void **state)
{
	static const char strings[] = "one\0two\0three"; /* the last one ended by C */
	struct spawn_strings s;

	(void)state;
	assert_true(is_ok(read_text(3, 0, strings, sizeof(strings), &s)));
	assert_true(is_ok(read_text(1, 2, strings, sizeof(strings), &s)));
	assert_int_equal(s.environment_at, 4);
	for (unsigned arguments = 0; arguments < 6; arguments++)
		for (unsigned environment = 0; environment < 6; environment++)
			assert_int_equal(is_ok(read_text(arguments, environment, strings, sizeof(strings), &s)),
			                 arguments > 0 && arguments + environment == 3);
	assert_true(err_is(read_text(UINT16_MAX, UINT16_MAX, strings, sizeof(strings), &s), ERR_NUMBER_ARGUMENT));
	for (size_t bytes = 0; bytes < sizeof(strings); bytes++)
		assert_true(err_is(read_text(3, 0, strings, bytes, &s), ERR_NUMBER_ARGUMENT));
}

static void a_text_without_its_counts_is_refused(void **state)
{
	static const char one[HEAD] = {1, 0, 0, 0};
	struct spawn_strings s;

	(void)state;
	for (size_t bytes = 0; bytes <= HEAD; bytes++)
		assert_true(err_is(spawn_text_read(one, bytes, &s), ERR_NUMBER_ARGUMENT));
}

/* A start page holds its structure and the strings. */
static void what_a_start_page_has_no_room_for_is_refused(void **state)
{
	static char strings[PAGE_BYTES];
	const size_t room = PAGE_BYTES - sizeof(struct domain_start);
	struct spawn_strings s;

	(void)state;
	memset(strings, 'x', sizeof(strings));
	strings[room - 1] = strings[room] = 0;
	assert_true(is_ok(read_text(1, 0, strings, room, &s)));
	assert_true(err_is(read_text(1, 1, strings, room + 1, &s), ERR_NUMBER_ARGUMENT));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_written_is_read),
	    cmocka_unit_test(other_strings_than_it_says_are_refused),
	    cmocka_unit_test(a_text_without_its_counts_is_refused),
	    cmocka_unit_test(what_a_start_page_has_no_room_for_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
