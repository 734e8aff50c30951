// sources: boot/loader/command_line.c
/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include "boot/loader/command_line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The text lies in memory of exactly its size, so that the sanitizer sees every byte too far. */
static const char *append(char *line, const char *text, size_t bytes)
{
	char *exact = malloc(bytes ? bytes : 1);
	memcpy(exact, text, bytes);
	const char *why = command_line_append(line, exact, bytes);
	free(exact);
	return why;
}

static void texts_are_joined_by_a_space(void **state)
{
	(void)state;
	char line[COMMAND_LINE_BYTES] = "";

	assert_null(append(line, "", 0));
	assert_string_equal(line, "");
	assert_null(append(line, "run=shell", 9));
	assert_string_equal(line, "run=shell");
	assert_null(append(line, "", 0));
	assert_string_equal(line, "run=shell");
	assert_null(append(line, "app=\"ipcbench all\"", 18));
	assert_string_equal(line, "run=shell app=\"ipcbench all\"");
}

static void zeros_at_the_end_are_dropped(void **state)
{
	(void)state;
	char line[COMMAND_LINE_BYTES] = "";

	assert_null(append(line, "a\0\0", 3));
	assert_null(append(line, "b", 2));
	assert_string_equal(line, "a b");
}

static void only_what_can_be_printed_is_taken(void **state)
{
	(void)state;
	for (int c = 0; c < 256; c++) {
		char line[COMMAND_LINE_BYTES] = "x";
		char text[3] = {'a', (char)c, 'b'};
		const char *why = append(line, text, sizeof(text));
		if (c >= ' ' && c <= '~') {
			assert_null(why);
		} else {
			assert_non_null(strstr(why, "command line"));
			assert_string_equal(line, "x");
		}
	}
}

static void exactly_what_fits_is_taken(void **state)
{
	(void)state;
	char text[2 * COMMAND_LINE_BYTES];
	memset(text, 'y', sizeof(text));

	for (size_t first = 0; first < COMMAND_LINE_BYTES; first += 341) {
		for (size_t bytes = 0; bytes < sizeof(text); bytes++) {
			char line[COMMAND_LINE_BYTES] = "";
			assert_null(append(line, text, first));
			size_t want = first + bytes + (first > 0 && bytes > 0);
			const char *why = append(line, text, bytes);
			if (want < COMMAND_LINE_BYTES) {
				assert_null(why);
				assert_int_equal(strlen(line), want);
			} else {
				assert_non_null(strstr(why, "more than 1023 characters"));
				assert_int_equal(strlen(line), first);
			}
		}
	}
}

/* The caller may know only the size of a text that it could not read. */
static void nothing_is_read_of_a_text_that_is_far_too_long(void **state)
{
	(void)state;
	char line[COMMAND_LINE_BYTES] = "";

	assert_non_null(command_line_append(line, NULL, COMMAND_LINE_BYTES + 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(texts_are_joined_by_a_space),
	    cmocka_unit_test(zeros_at_the_end_are_dropped),
	    cmocka_unit_test(only_what_can_be_printed_is_taken),
	    cmocka_unit_test(exactly_what_fits_is_taken),
	    cmocka_unit_test(nothing_is_read_of_a_text_that_is_far_too_long),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
