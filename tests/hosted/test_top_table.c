// sources: apps/top/table.c
// flags: -Ilibos/include
/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* top's table: from two looks to text. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <atoll/capability.h>

#include "apps/top/table.h"

#define GHZ UINT64_C(1000000000)

static struct look *before, *now;
static char text[16 * 1024];

static int begin(void **state)
{
	(void)state;
	before = calloc(1, sizeof(*before));
	now = calloc(1, sizeof(*now));
	assert_non_null(before);
	assert_non_null(now);
	before->time = 10 * GHZ;
	now->time = 12 * GHZ; /* two seconds */
	return 0;
}

static int end(void **state)
{
	(void)state;
	free(before);
	free(now);
	return 0;
}

static void core_ran(unsigned core, unsigned node, uint64_t busy, uint64_t sent)
{
	before->core[core] = (struct look_core){true, node, {.time = 10 * GHZ, .busy = 5 * GHZ, .sent = 100, .wake_ups = 50}};
	now->core[core] = (struct look_core){true,
	                                     node,
	                                     {.time = 12 * GHZ,
	                                      .busy = 5 * GHZ + busy,
	                                      .sent = 100 + sent,
	                                      .wake_ups = 60,
	                                      .faults = 8,
	                                      .calls = 4,
	                                      .memory = 64 * MIB,
	                                      .free_memory = 16 * MIB}};
}

static struct domain_info domain(uint32_t number, uint64_t ran, const char *name)
{
	struct domain_info d = {.domain = number, .core = 1, .ram_bytes = 4 * KIB, .tsc_run = ran};

	memcpy(d.name, name, strlen(name) < sizeof(d.name) ? strlen(name) : sizeof(d.name));
	return d;
}

static void print(unsigned rows, size_t bytes)
{
	memset(text, 'x', sizeof(text));
	table_print(before, now, GHZ, rows, text, bytes);
	assert_true(memchr(text, 0, bytes) != NULL);
}

/* The words of the line that begins so, with single spaces between them. */
static const char *row(const char *first)
{
	static char line[200];
	const char *from = strstr(text, first);
	size_t used = 0;

	if (from == NULL)
		return "";
	for (; *from != 0 && *from != '\n' && used + 1 < sizeof(line); from++)
		if (*from != ' ' || (used > 0 && line[used - 1] != ' '))
			line[used++] = *from;
	line[used] = 0;
	return line;
}

static void rates_are_by_the_second(void **state)
{
	(void)state;
	core_ran(3, 1, GHZ, 500);
	print(8, sizeof(text));
	assert_string_equal(row("core 3"), "core 3 1 50.0% 250 2 5 4 64.0 16.0");
	assert_string_equal(row("all   "), "all 50.0% 250 2 5 4 64.0 16.0");
	assert_null(strstr(text, "\nnode"));
}

static void nodes_have_sums_and_their_mean_load(void **state)
{
	(void)state;
	core_ran(0, 0, GHZ, 10);
	core_ran(1, 0, 0, 20);
	core_ran(2, 1, 2 * GHZ, 40);
	print(8, sizeof(text));
	assert_string_equal(row("node        0"), "node 0 25.0% 15 4 10 8 128.0 32.0");
	assert_string_equal(row("node        1"), "node 1 100.0% 20 2 5 4 64.0 16.0");
	assert_string_equal(row("all   "), "all 50.0% 35 6 15 12 192.0 48.0");
}

static void a_core_that_has_begun_anew_counts_from_there(void **state)
{
	(void)state;
	core_ran(0, 0, GHZ, 10);
	now->core[0].load.sent = 30; /* fewer than before */
	core_ran(1, 0, GHZ, 10);
	before->core[1] = (struct look_core){.seen = false};
	now->core[1].load = (struct core_activity){.time = 2 * GHZ, .busy = GHZ, .sent = 100};
	print(8, sizeof(text));
	assert_string_equal(row("core 0"), "core 0 0 50.0% 15 2 5 4 64.0 16.0");
	assert_string_equal(row("core 1"), "core 1 0 50.0% 50 0 0 0 0.0 0.0");
}

static void a_core_never_does_more_than_it_can(void **state)
{
	(void)state;
	core_ran(0, 0, 3 * GHZ, 10);
	print(8, sizeof(text));
	assert_non_null(strstr(row("core 0"), "100.0%"));
	now->core[0].load.time = before->core[0].load.time; /* no time between */
	print(8, sizeof(text));
	assert_string_equal(row("core 0"), "core 0 0 0.0% 0 0 0 0 64.0 16.0");
}

static void domains_stand_by_what_they_ran(void **state)
{
	const char *second, *third;

	(void)state;
	before->domain[0] = domain(7, GHZ, "busy before");
	before->domains = 1;
	now->domain[0] = domain(7, GHZ + GHZ / 10, "busy before");
	now->domain[1] = domain(8, 2 * GHZ, "a name as long as it can");
	now->domain[2] = domain(9, 0, "sleeper");
	now->domains = 3;
	print(2, sizeof(text));
	assert_string_equal(row("8 "), "8 1 100.0% 4 a name as long as it can");
	assert_string_equal(row("7 "), "7 1 5.0% 4 busy before");
	second = strstr(text, "busy before");
	third = strstr(text, "a name");
	assert_true(third < second);
	assert_null(strstr(text, "sleeper"));
}

static void counters_where_there_are_any(void **state)
{
	(void)state;
	print(8, sizeof(text));
	assert_string_equal(row("This"), "This machine has no performance counters.");
	now->counters = before->counters = PERFORMANCE_COUNTERS;
	before->cycles = 1000;
	now->cycles = 3000;
	before->instructions = 500;
	now->instructions = 3500;
	print(8, sizeof(text));
	assert_string_equal(row("This"), "This core: 1.50 instructions a cycle.");
	now->cycles = before->cycles;
	print(8, sizeof(text));
	assert_string_equal(row("This"), "This core: 0.00 instructions a cycle.");
}

static void what_does_not_fit_is_left_out_by_lines(void **state)
{
	(void)state;
	core_ran(0, 0, GHZ, 10);
	for (size_t bytes = 1; bytes < 700; bytes++) {
		print(8, bytes);
		assert_true(strlen(text) == 0 || text[strlen(text) - 1] == '\n');
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(rates_are_by_the_second, begin, end),
	    cmocka_unit_test_setup_teardown(nodes_have_sums_and_their_mean_load, begin, end),
	    cmocka_unit_test_setup_teardown(a_core_that_has_begun_anew_counts_from_there, begin, end),
	    cmocka_unit_test_setup_teardown(a_core_never_does_more_than_it_can, begin, end),
	    cmocka_unit_test_setup_teardown(domains_stand_by_what_they_ran, begin, end),
	    cmocka_unit_test_setup_teardown(counters_where_there_are_any, begin, end),
	    cmocka_unit_test_setup_teardown(what_does_not_fit_is_left_out_by_lines, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
