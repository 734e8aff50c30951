// sources: apps/supervisor/plan.c
/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* The supervisor's file, and how often is too often. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "apps/supervisor/plan.h"
#include "apps/supervisor/rate.h"

static struct plan plan;
static unsigned line;

static const char *read_text(const char *text)
{
	return plan_read(text, strlen(text), &plan, &line);
}

/* ---- The file ---- */

static void a_whole_file(void **state)
{
	(void)state;
	assert_null(read_text("# a comment\n\nstore restart=5/10s memory=8M quota=32768K : kv serve store # not its\n"
	                      "front\tneeds=store  core=1 : kv front \"two words\" \"\"\r\n"
	                      "log after=store,front restart=never cores=0,2,130 quiet : logger\n"
	                      "far needs=front after=store node=3 : x"));
	assert_int_equal(plan.services, 4);
	assert_string_equal(plan.service[0].name, "store");
	assert_int_equal(plan.service[0].restarts, 5);
	assert_int_equal(plan.service[0].within_ms, 10000);
	assert_int_equal(plan.service[0].memory, 8 << 20);
	assert_int_equal(plan.service[0].quota, 32 << 20);
	assert_string_equal(plan.service[0].argument[2], "store");
	assert_null(plan.service[0].argument[3]);
	assert_int_equal(plan.service[1].needs, 1);
	assert_int_equal(plan.service[1].after, 1);
	assert_int_equal(plan.service[1].restarts, 3);
	assert_int_equal(plan.service[1].within_ms, 60000);
	assert_int_equal(plan.service[1].place, PLAN_CORE);
	assert_string_equal(plan.service[1].argument[2], "two words");
	assert_string_equal(plan.service[1].argument[3], "");
	assert_null(plan.service[1].argument[4]);
	assert_int_equal(plan.service[2].after, 3);
	assert_int_equal(plan.service[2].needs, 0);
	assert_int_equal(plan.service[2].restarts, 0);
	assert_true(plan.service[2].quiet && plan.service[2].place == PLAN_CORES);
	assert_true(plan.service[2].cores[0] == 5 && plan.service[2].cores[2] == 4);
	assert_int_equal(plan.service[3].after, 3);
	assert_int_equal(plan.service[3].needs, 2);
	assert_int_equal(plan.service[3].node, 3);
}

static void nothing_is_a_file_too(void **state)
{
	(void)state;
	assert_null(read_text(""));
	assert_null(read_text("\n# only this\n   \n"));
	assert_int_equal(plan.services, 0);
}

static void errors_have_lines_and_sentences(void **state)
{
	static const struct {
		unsigned line;
		const char *text, *words;
	} cases[] = {
	    {1, "a", "ends with : and the program"},
	    {2, "a : x\nb :", "ends with : and the program"},
	    {2, "a : x\na : y", "two lines"},
	    {3, "# 1\n\na frequently : x\n", "no setting"},
	    {1, "a often=1 : x", "key that nobody knows"},
	    {1, "a restart=3 : x", "restart= wants"},
	    {1, "a restart=3/0s : x", "restart= wants"},
	    {1, "a restart=65/1s : x", "restart= wants"},
	    {1, "a restart=-1/1s : x", "restart= wants"},
	    {1, "a restart=3/10 : x", "ms, s or m"},
	    {1, "a restart=3/10h : x", "ms, s or m"},
	    {1, "a core=256 : x", "core= wants"},
	    {1, "a core= : x", "core= wants"},
	    {1, "a cores=1, : x", "cores= wants"},
	    {1, "a cores=1;2 : x", "cores= wants"},
	    {1, "a node=x : x", "node= wants"},
	    {1, "a core=1 node=0 : x", "one place"},
	    {1, "a memory=0 : x", "memory= wants"},
	    {1, "a memory=8G : x", "memory= wants"},
	    {1, "a quota=M : x", "quota= wants"},
	    {1, "a memory=2M quota=1M : x", "less than the memory"},
	    {1, "a needs=b : x\nb : y", "lines above"},
	    {1, "a after=a : x", "lines above"},
	    {2, "a : x\nb after=a, : x", "lines above"},
	    {2, "a : x\nb needs= : x", "lines above"},
	    {1, "= : x", "begins with the service's name"},
	    {1, ": x", "begins with the service's name"},
	    {1, "a-name-that-has-24-bytes : x", "longer than 23"},
	    {1, "a : x \"y", "no end"},
	    {1, "a : 1 2 3 4 5 6 7 8 9 a b c d e f g h", "more than 15"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *why = read_text(cases[i].text);

		assert_non_null(why);
		assert_non_null(strstr(why, cases[i].words));
		assert_int_equal(line, cases[i].line);
	}
}

static void too_much_is_refused(void **state)
{
	static char text[PLAN_BYTES + 2];
	size_t bytes = 0;

	(void)state;
	memset(text, '#', PLAN_BYTES + 1);
	assert_non_null(plan_read(text, PLAN_BYTES + 1, &plan, &line));
	assert_null(plan_read(text, PLAN_BYTES, &plan, &line));
	assert_non_null(plan_read("a : x\0y", 7, &plan, &line));
	for (unsigned i = 0; i < PLAN_SERVICES; i++)
		bytes += (size_t)snprintf(text + bytes, sizeof(text) - bytes, "s%u : x\n", i);
	assert_null(plan_read(text, bytes, &plan, &line));
	assert_int_equal(plan.services, PLAN_SERVICES);
	strcpy(text + bytes, "more : x\n");
	assert_non_null(strstr(read_text(text), "more than 32"));
	assert_int_equal(line, PLAN_SERVICES + 1);
}

/* ---- How often ---- */

static void so_often_and_no_more(void **state)
{
	struct rate r = {.restarts = 3, .within = 100};

	(void)state;
	assert_true(rate_allows(&r, 10));
	assert_true(rate_allows(&r, 10));
	assert_true(rate_allows(&r, 50));
	assert_false(rate_allows(&r, 109));
	assert_true(rate_allows(&r, 110));
	assert_true(rate_allows(&r, 110));
	assert_false(rate_allows(&r, 149));
	assert_true(rate_allows(&r, 150));
	assert_false(rate_allows(&r, 150));
	assert_true(rate_allows(&r, UINT64_MAX));
	r.restarts = 0;
	assert_false(rate_allows(&r, UINT64_MAX));
}

/* Against the definition: of those allowed, never more than `restarts` in a stretch of `within`; and none refused that would have kept
 * that. */
static void as_it_is_defined(void **state)
{
	static uint64_t allowed[2000];
	uint64_t seed = 1;

	(void)state;
	for (unsigned restarts = 1; restarts <= RATE_MOST; restarts += 7) {
		struct rate r = {.restarts = restarts, .within = 1000};
		uint64_t now = 0;
		unsigned count = 0;

		for (unsigned i = 0; i < 2000; i++) {
			unsigned recent = 0;

			seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
			now += (seed >> 40) % (2000 / restarts);
			for (unsigned k = 0; k < count; k++)
				recent += now - allowed[k] < r.within;
			assert_int_equal(rate_allows(&r, now), recent < restarts);
			if (recent < restarts)
				allowed[count++] = now;
		}
		assert_true(count > restarts);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_whole_file),
	    cmocka_unit_test(nothing_is_a_file_too),
	    cmocka_unit_test(errors_have_lines_and_sentences),
	    cmocka_unit_test(too_much_is_refused),
	    cmocka_unit_test(so_often_and_no_more),
	    cmocka_unit_test(as_it_is_defined),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
