// sources: apps/common/options.c
/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* The options of the examples: what is said is set, and what is wrong is named. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "apps/common/options.h"

static uint64_t cores, size;
static const struct option options[] = {{"cores", &cores, 0, 64, "cores"}, {"size", &size, 1, UINT64_MAX, "size"}};
static char why[OPTIONS_WHY_BYTES];

static bool read(char *const *words)
{
	cores = 7;
	size = 9;
	memset(why, 0, sizeof why);
	return options_read(options, 2, words, why);
}

static void test_values(void **state)
{
	(void)state;
	assert_true(read((char *[]){NULL}));
	assert_true(cores == 7 && size == 9);
	assert_true(read((char *[]){"--size", "18446744073709551615", "--cores", "0", NULL}));
	assert_true(cores == 0 && size == UINT64_MAX);
	assert_true(read((char *[]){"--cores", "1", "--cores", "64", NULL}));
	assert_true(cores == 64 && size == 9);
}

static void refused(char *const *words, const char *sentence)
{
	assert_false(read(words));
	assert_string_equal(why, sentence);
}

static void test_refusals(void **state)
{
	static const char *const wrong[] = {"65", "-1", "+1", " 1", "1x", "0x1", "", "18446744073709551616", "99999999999999999999999999"};

	(void)state;
	refused((char *[]){"cores", "1", NULL}, "there is no option cores");
	refused((char *[]){"--core", "1", NULL}, "there is no option --core");
	refused((char *[]){"--", NULL}, "there is no option --");
	refused((char *[]){"", NULL}, "there is no option ");
	refused((char *[]){"--size", "2", "--cores", NULL}, "--cores needs a number behind it");
	refused((char *[]){"--size", "0", NULL}, "--size 0: it must be a whole number from 1 to 18446744073709551615");
	for (unsigned i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		assert_false(read((char *[]){"--cores", (char *)wrong[i], NULL}));
		assert_non_null(strstr(why, "it must be a whole number from 0 to 64"));
		assert_true(cores == 7);
	}
}

static void test_long_words_are_cut(void **state)
{
	static char word[4096];

	(void)state;
	memset(word, 'x', sizeof word - 1);
	assert_false(read((char *[]){word, NULL}));
	assert_true(strlen(why) < sizeof why);
	assert_false(read((char *[]){"--size", word, NULL}));
	assert_true(strlen(why) < sizeof why);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_values), cmocka_unit_test(test_refusals),
	                                   cmocka_unit_test(test_long_words_are_cut)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
