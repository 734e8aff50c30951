// sources: libos/domain/options.c cpudriver/abi/errors.c
/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Wishes for a new program: where it goes, and the sentences for those that make no sense. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "libos/domain/options.h"

static const char *const hello[] = {"hello", "one", NULL}, *const nothing[] = {NULL}, *const nameless[] = {"", NULL};
static const struct core_info cores[] = {{.core = 0, .node = 0, .alive = 1},
                                         {.core = 1, .node = 0, .alive = 0},
                                         {.core = 2, .node = 3, .alive = 1},
                                         {.core = 5, .node = 4, .alive = 0}};

static struct text why;

static err_t check(struct domain_options o)
{
	err_t e;

	if (o.arguments == NULL)
		o.arguments = hello;
	why.length = 0;
	e = options_check(&o, cores, 4, &why);
	assert_true(why.length < sizeof(why.bytes));
	why.bytes[why.length] = '\0';
	assert_int_equal(is_ok(e), why.length == 0);
	return e;
}

#define REFUSED(options, expected, sentence)                                                                                               \
	do {                                                                                                                               \
		assert_int_equal(check((struct domain_options)options).number, expected);                                                  \
		assert_string_equal(why.bytes, sentence);                                                                                  \
	} while (0)
#define OPTIONS(...)                                                                                                                       \
	{                                                                                                                                  \
		__VA_ARGS__                                                                                                                \
	}

static void what_makes_sense_is_taken(void **state)
{
	(void)state;
	assert_true(is_ok(check((struct domain_options){0})));
	assert_true(is_ok(check((struct domain_options){.where = DOMAIN_ON_CORE, .core = 2})));
	assert_true(is_ok(check((struct domain_options){.where = DOMAIN_ON_CORES, .cores = {5}})));
	assert_true(is_ok(check((struct domain_options){.where = DOMAIN_ON_NODE, .node = 3})));
	assert_true(is_ok(check((struct domain_options){.memory = 8, .quota = 8})));
	assert_true(is_ok(check((struct domain_options){.quota = DOMAIN_LEAST_MEMORY})));
	assert_true(is_ok(check((struct domain_options){.gifts = DOMAIN_GIFTS_MAX})));
}

static void what_makes_none_is_named(void **state)
{
	(void)state;
	REFUSED(OPTIONS(.arguments = nothing), ERR_NUMBER_ARGUMENT, "no program is named");
	REFUSED(OPTIONS(.arguments = nameless), ERR_NUMBER_ARGUMENT, "no program is named");
	REFUSED(OPTIONS(.where = DOMAIN_ON_CORE, .core = 3), ERR_NUMBER_CORE_UNKNOWN, "the machine has no core 3");
	REFUSED(OPTIONS(.where = DOMAIN_ON_CORE, .core = 1), ERR_NUMBER_CORE_DEAD, "core 1 does not answer");
	REFUSED(OPTIONS(.where = DOMAIN_ON_CORES), ERR_NUMBER_ARGUMENT, "the set of cores is empty");
	REFUSED(OPTIONS(.where = DOMAIN_ON_CORES, .cores = {3}), ERR_NUMBER_CORE_DEAD, "core 1 does not answer");
	REFUSED(OPTIONS(.where = DOMAIN_ON_CORES, .cores = {1, 0, 0, UINT64_C(1) << 63}), ERR_NUMBER_CORE_UNKNOWN,
	        "the machine has no core 255");
	REFUSED(OPTIONS(.where = DOMAIN_ON_NODE, .node = 1), ERR_NUMBER_CORE_UNKNOWN, "node 1 has no core that answers");
	REFUSED(OPTIONS(.where = DOMAIN_ON_NODE, .node = 4), ERR_NUMBER_CORE_UNKNOWN, "node 4 has no core that answers");
	REFUSED(OPTIONS(.quota = 7, .memory = 8), ERR_NUMBER_ARGUMENT, "a quota of 7 bytes is less than the 8 bytes to begin with");
	REFUSED(OPTIONS(.quota = 7), ERR_NUMBER_ARGUMENT, "a quota of 7 bytes is less than any program begins with");
	REFUSED(OPTIONS(.gifts = 17), ERR_NUMBER_LIMIT, "more than 16 capabilities can't be handed over");
}

static void the_core_with_least_to_do(void **state)
{
	struct core_load loads[] = {{4, 2, 3}, {3, 1, 9}, {2, 1, 8}, {1, 1, 8}, {0, 5, 5}};
	struct domain_info list[] = {{.state = DISPATCHER_RUNNABLE}, {.state = DISPATCHER_WAITING}, {.state = DISPATCHER_RUNNABLE}};

	(void)state;
	assert_int_equal(load_least(loads, 1), 4);
	assert_int_equal(load_least(loads, 2), 3);
	assert_int_equal(load_least(loads, 3), 2);
	assert_int_equal(load_least(loads, 5), 1);
	load_of(list, 3, &loads[0]);
	assert_int_equal(loads[0].runnable, 2);
	assert_int_equal(loads[0].domains, 3);
	load_of(list, 0, &loads[0]);
	assert_int_equal(load_least(loads, 5), 4);
}

static void answers_name_the_program(void **state)
{
	static const struct {
		enum err_number number;
		const char *sentence;
	} answers[] = {{ERR_NUMBER_NOT_FOUND, "the boot archive has no program hello (core 2)"},
	               {ERR_NUMBER_FORMAT, "hello is not a program (core 2)"},
	               {ERR_NUMBER_RANGE, "the arguments and the environment of hello do not fit a page (core 2)"},
	               {ERR_NUMBER_LIMIT, "hello can't be started: a fixed limit of this core is reached (core 2)"}};
	const struct domain_options o = {.arguments = hello};

	(void)state;
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		why.length = 0;
		options_explain(&o, 2, (err_t){answers[i].number}, &why);
		why.bytes[why.length] = '\0';
		assert_string_equal(why.bytes, answers[i].sentence);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_makes_sense_is_taken),
	    cmocka_unit_test(what_makes_none_is_named),
	    cmocka_unit_test(the_core_with_least_to_do),
	    cmocka_unit_test(answers_name_the_program),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
