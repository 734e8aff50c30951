/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
// sources: apps/init/plan.c

/* How init reads the command line. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "apps/init/plan.h"

static struct init_plan plan;

static void expect_words(const struct init_program *program, const char *const words[])
{
	unsigned i = 0;

	for (; words[i] != NULL; i++) {
		assert_non_null(program->argument[i]);
		assert_string_equal(program->argument[i], words[i]);
	}
	assert_null(program->argument[i]);
}

static void an_empty_line_runs_the_default(void **state)
{
	(void)state;
	assert_null(init_plan_parse("  ", "bench --all", &plan));
	assert_int_equal(plan.programs, 1);
	expect_words(&plan.program[0], (const char *const[]){"bench", "--all", NULL});
	assert_null(plan.environment[0]);
}

static void programs_are_separated_and_settings_become_environment(void **state)
{
	(void)state;
	assert_null(init_plan_parse("lens=elapsed my-key=a=b app=hello one two ; shell", "x", &plan));
	assert_int_equal(plan.programs, 2);
	expect_words(&plan.program[0], (const char *const[]){"hello", "one", "two", NULL});
	expect_words(&plan.program[1], (const char *const[]){"shell", NULL});
	assert_string_equal(plan.environment[0], "LENS=elapsed");
	assert_string_equal(plan.environment[1], "MY_KEY=a=b");
	assert_null(plan.environment[2]);
}

static void settings_alone_run_the_default(void **state)
{
	(void)state;
	assert_null(init_plan_parse("lens=instructions", "bench", &plan));
	assert_int_equal(plan.programs, 1);
	expect_words(&plan.program[0], (const char *const[]){"bench", NULL});
}

static void a_quoted_word_keeps_its_spaces(void **state)
{
	(void)state;
	assert_null(init_plan_parse("app= say \"two words\" key=value", "x", &plan));
	expect_words(&plan.program[0], (const char *const[]){"say", "two words", "key=value", NULL});
	assert_null(plan.environment[0]);
}

static void what_is_wrong_is_said(void **state)
{
	char line[4096];

	(void)state;
	assert_non_null(strstr(init_plan_parse("quiet app=a", "x", &plan), "no setting"));
	assert_non_null(strstr(init_plan_parse("=3", "x", &plan), "without a name"));
	assert_non_null(strstr(init_plan_parse("app=; a", "x", &plan), "without a program"));
	assert_non_null(strstr(init_plan_parse("app=a ; ; b", "x", &plan), "without a program"));

	memset(line, 'a', INIT_LINE_BYTES);
	line[INIT_LINE_BYTES] = 0;
	assert_non_null(strstr(init_plan_parse(line, "x", &plan), "1023"));
}

static void limits_hold_to_the_last(void **state)
{
	char line[INIT_LINE_BYTES] = "app=";

	(void)state;
	for (int i = 0; i < INIT_ARGUMENTS_MAX; i++)
		strcat(line, "a ");
	assert_null(init_plan_parse(line, "x", &plan));
	assert_null(plan.program[0].argument[INIT_ARGUMENTS_MAX]);
	strcat(line, "a");
	assert_non_null(init_plan_parse(line, "x", &plan));

	strcpy(line, "app=a");
	for (int i = 1; i < INIT_PROGRAMS_MAX; i++)
		strcat(line, " ; a");
	assert_null(init_plan_parse(line, "x", &plan));
	assert_int_equal(plan.programs, INIT_PROGRAMS_MAX);
	strcat(line, " ; a");
	assert_non_null(init_plan_parse(line, "x", &plan));

	line[0] = 0;
	for (int i = 0; i <= INIT_SETTINGS_MAX; i++)
		strcat(line, "k=v ");
	assert_non_null(init_plan_parse(line, "x", &plan));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_line_runs_the_default),
		cmocka_unit_test(programs_are_separated_and_settings_become_environment),
		cmocka_unit_test(settings_alone_run_the_default),
		cmocka_unit_test(a_quoted_word_keeps_its_spaces),
		cmocka_unit_test(what_is_wrong_is_said),
		cmocka_unit_test(limits_hold_to_the_last),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
