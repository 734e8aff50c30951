// sources: bench/common/stats.c
/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "bench/common/stats.h"

static void percentiles_are_samples(void **state)
{
	double hundred[100], five[] = {5, 1, 4, 2, 3}, one[] = {7};
	struct summary s;

	(void)state;
	for (int i = 0; i < 100; i++)
		hundred[i] = (double)((i * 37) % 100 + 1);
	s = summarise(hundred, 100);
	assert_true(s.n == 100 && s.min == 1 && s.p5 == 5 && s.p25 == 25 && s.p50 == 50 && s.p75 == 75 && s.p95 == 95 && s.p99 == 99 &&
	            s.max == 100);
	assert_true(percentile(hundred, 100, 0) == 1 && percentile(hundred, 100, 99.5) == 100 && percentile(hundred, 100, 100) == 100);
	s = summarise(five, 5);
	assert_true(s.min == 1 && s.p50 == 3 && s.p99 == 5 && s.max == 5);
	s = summarise(one, 1);
	assert_true(s.min == 7 && s.p50 == 7 && s.p99 == 7 && s.max == 7);
	s = summarise(one, 0);
	assert_true(s.n == 0 && s.p50 == 0 && percentile(one, 0, 50) == 0);
}

static void a_fact_is_one_line(void **state)
{
	struct fact fact = {"channel.rtt", "host", "ns", 0, 5, 0, 0, {10000, 80.5, 82, 85, 90.25, 99, 500, 1e9, 12345678901.0}};
	const char *expected =
	    "@bench {\"id\":\"channel.rtt\",\"lens\":\"host\",\"unit\":\"ns\",\"from\":0,\"to\":5,\"n\":10000,"
	    "\"min\":80.5,\"p5\":82,\"p25\":85,\"p50\":90.25,\"p75\":99,\"p95\":500,\"p99\":1000000000,\"max\":1.23456789e+10}";
	char line[256], small[20];

	(void)state;
	assert_true(fact_line(line, sizeof line, &fact));
	assert_string_equal(line, expected);
	assert_false(fact_line(small, sizeof small, &fact));
	fact.holders = 3;
	fact.messages = 12.5;
	assert_true(fact_line(line, sizeof line, &fact));
	expected =
	    "@bench {\"id\":\"channel.rtt\",\"lens\":\"host\",\"unit\":\"ns\",\"from\":0,\"to\":5,\"holders\":3,\"messages\":12.5,"
	    "\"n\":10000,\"min\":80.5,\"p5\":82,\"p25\":85,\"p50\":90.25,\"p75\":99,\"p95\":500,\"p99\":1000000000,\"max\":1.23456789e+10}";
	assert_string_equal(line, expected);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(percentiles_are_samples),
	    cmocka_unit_test(a_fact_is_one_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
