/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
// sources: apps/console/lines.c
// flags: -Ilibos/include

/* The console's text: whole lines, tags, prompts, typed input. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "apps/console/lines.h"

static char screen[4096];
static struct console_writer a, b;
static struct console_input input;
static struct console_sink sink;

static void put(void *context, const char *text, size_t bytes)
{
	(void)context;
	strncat(screen, text, bytes);
}

static int begin(void **state)
{
	(void)state;
	screen[0] = 0;
	a = (struct console_writer){.core = 0, .name = "alpha"};
	b = (struct console_writer){.core = 3, .name = "beta"};
	input = (struct console_input){0};
	sink = (struct console_sink){.put = put};
	return 0;
}

static void say(struct console_writer *w, const char *text) { console_write(w, &sink, text, strlen(text)); }

static enum console_typed type(const char *text)
{
	enum console_typed last = CONSOLE_TYPED_MORE;

	for (; *text != 0; text++)
		last = console_type(&input, &sink, (unsigned char)*text);
	return last;
}

static void lines_of_two_writers_never_mix(void **state)
{
	(void)state;
	say(&a, "one ");
	say(&b, "two\nthr");
	say(&a, "line\n");
	say(&b, "ee\n");
	assert_string_equal(screen, "[3 beta] two\r\n[0 alpha] one line\r\n[3 beta] three\r\n");
}

static void facts_are_not_tagged_but_the_systems_own_are(void **state)
{
	(void)state;
	say(&a, "@bench {\"id\":\"x\"}\n");
	say(&a, "@event {\"event\":\"poweroff\",\"status\":0}\n");
	assert_string_equal(screen, "@bench {\"id\":\"x\"}\r\n[0 alpha] @event {\"event\":\"poweroff\",\"status\":0}\r\n");
}

static void control_characters_do_not_reach_the_terminal(void **state)
{
	(void)state;
	say(&a, "x\001y\r\n");
	assert_string_equal(screen, "[0 alpha] x?y\r\n");
}

static void a_prompt_is_shown_at_once_and_others_go_to_a_new_line(void **state)
{
	(void)state;
	say(&a, "ask> ");
	assert_string_equal(screen, "");
	console_prompt(&a, &sink);
	assert_string_equal(screen, "[0 alpha] ask> ");
	say(&b, "hello\n");
	assert_string_equal(screen, "[0 alpha] ask> \r\n[3 beta] hello\r\n");
}

static void a_prompt_is_continued_by_its_own_writer(void **state)
{
	(void)state;
	say(&a, "ask> ");
	console_prompt(&a, &sink);
	say(&a, "answer\n");
	assert_string_equal(screen, "[0 alpha] ask> answer\r\n");
}

static void a_long_line_is_cut_and_nothing_is_lost(void **state)
{
	char text[CONSOLE_LINE_BYTES + 2];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = 0;
	say(&a, text);
	say(&a, "\n");
	assert_int_equal(strlen(screen), 2 * strlen("[0 alpha] \r\n") + CONSOLE_LINE_BYTES + 1);
}

static void what_is_left_is_shown_at_the_end(void **state)
{
	(void)state;
	say(&a, "last words");
	console_writer_end(&a, &sink);
	assert_string_equal(screen, "[0 alpha] last words\r\n");
}

static void typing_echoes_and_edits(void **state)
{
	(void)state;
	assert_int_equal(type("lx\bs\r"), CONSOLE_TYPED_LINE);
	assert_int_equal(input.used, 3);
	assert_memory_equal(input.line, "ls\n", 3);
	assert_string_equal(screen, "lx\b \bs\r\n");
}

static void control_u_begins_anew_and_control_d_ends(void **state)
{
	(void)state;
	assert_int_equal(type("ab\x04"), CONSOLE_TYPED_MORE);
	assert_int_equal(type("\x15"), CONSOLE_TYPED_MORE);
	assert_int_equal(input.used, 0);
	assert_int_equal(type("\x04"), CONSOLE_TYPED_END);
}

static void a_line_too_long_to_type_keeps_room_for_its_end(void **state)
{
	(void)state;
	for (int i = 0; i < 2 * CONSOLE_LINE_BYTES; i++)
		assert_int_equal(console_type(&input, &sink, 'x'), CONSOLE_TYPED_MORE);
	assert_int_equal(type("\r"), CONSOLE_TYPED_LINE);
	assert_int_equal(input.used, CONSOLE_LINE_BYTES);
	assert_int_equal(input.line[CONSOLE_LINE_BYTES - 1], '\n');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(lines_of_two_writers_never_mix, begin),
		cmocka_unit_test_setup(facts_are_not_tagged_but_the_systems_own_are, begin),
		cmocka_unit_test_setup(control_characters_do_not_reach_the_terminal, begin),
		cmocka_unit_test_setup(a_prompt_is_shown_at_once_and_others_go_to_a_new_line, begin),
		cmocka_unit_test_setup(a_prompt_is_continued_by_its_own_writer, begin),
		cmocka_unit_test_setup(a_long_line_is_cut_and_nothing_is_lost, begin),
		cmocka_unit_test_setup(what_is_left_is_shown_at_the_end, begin),
		cmocka_unit_test_setup(typing_echoes_and_edits, begin),
		cmocka_unit_test_setup(control_u_begins_anew_and_control_d_ends, begin),
		cmocka_unit_test_setup(a_line_too_long_to_type_keeps_room_for_its_end, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
