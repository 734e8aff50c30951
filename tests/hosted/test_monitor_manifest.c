// sources: monitor/manifest.c
/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "monitor/abi/messages.h"
#include "monitor/manifest.h"

static struct manifest m;

static const struct manifest_program *read_one(const char *text)
{
	const char *why = "";
	unsigned line;

	if (is_err(manifest_read(text, strlen(text), &m, &why, &line)))
		fail_msg("line %u: %s", line, why);
	assert_int_equal(m.programs, 1);
	return &m.program[0];
}

static void test_everything(void **state)
{
	const struct manifest_program *p = read_one("# a comment\n\n  driver boot last arguments devices core=7 memory=12M ioports=0x3f8+8 "
	                                            "interrupt=isa:4 may=power_off,kill # more\n");

	(void)state;
	assert_string_equal(p->name, "driver");
	assert_true(p->boot && p->last && p->arguments && p->devices);
	assert_int_equal(p->core, 7);
	assert_int_equal(p->memory, 12 * MIB);
	assert_int_equal(p->port, 0x3f8);
	assert_int_equal(p->ports, 8);
	assert_int_equal(p->interrupt_kind, INTERRUPT_ISA);
	assert_int_equal(p->interrupt, 4);
	assert_int_equal(p->may, UINT64_C(1) << REQUEST_power_off | UINT64_C(1) << REQUEST_kill);
	assert_ptr_equal(manifest_find(&m, "driver"), p);
	assert_null(manifest_find(&m, "drive"));
}

static void test_defaults(void **state)
{
	const struct manifest_program *p = read_one("plain");

	(void)state;
	assert_false(p->boot || p->last || p->arguments || p->devices);
	assert_int_equal(p->core, MANIFEST_ANY_CORE);
	assert_int_equal(p->memory | p->ports | p->may, 0);
	assert_int_equal(p->interrupt_kind, INTERRUPT_NONE);
}

static void test_whole_ranges(void **state)
{
	(void)state;
	assert_int_equal(read_one("a ioports=0+0x10000")->ports, 0x10000);
	assert_int_equal(read_one("a ioports=65535+1")->port, 65535);
	assert_int_equal(read_one("a interrupt=gsi:1023")->interrupt, 1023);
	assert_int_equal(read_one("a interrupt=sci")->interrupt_kind, INTERRUPT_SCI);
	assert_int_equal(read_one("a memory=64K")->memory, 64 * KIB);
}

static void test_refusals(void **state)
{
	static const struct {
		const char *text, *word;
		unsigned line;
	} cases[] = {
	    {"a core=256", "core=", 1},
	    {"a core=", "core=", 1},
	    {"a core=1x", "core=", 1},
	    {"a memory=0", "memory=", 1},
	    {"a memory=M", "memory=", 1},
	    {"\na memory=99999999999M", "memory=", 2},
	    {"a ioports=0x3f8", "ioports=", 1},
	    {"a ioports=0x3f8+0", "ioports=", 1},
	    {"a ioports=65535+2", "ioports=", 1},
	    {"a interrupt=16", "interrupt=", 1},
	    {"a interrupt=isa:16", "interrupt=", 1},
	    {"a interrupt=pci:1", "interrupt=", 1},
	    {"a may=everything", "may=", 1},
	    {"a may=power_off,", "may=", 1},
	    {"a colour=red", "key", 1},
	    {"a fast", "word", 1},
	    {"a\nb\na", "two lines", 3},
	    {"a-name-that-is-far-too-long", "23", 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *why = "";
		unsigned line = 0;

		assert_true(err_is(manifest_read(cases[i].text, strlen(cases[i].text), &m, &why, &line), ERR_NUMBER_FORMAT));
		if (strstr(why, cases[i].word) == NULL || line != cases[i].line)
			fail_msg("%s: line %u: %s", cases[i].text, line, why);
	}
}

static void test_too_many(void **state)
{
	char text[MANIFEST_PROGRAMS * 8 + 16] = "";
	const char *why = "";
	unsigned line;

	(void)state;
	for (unsigned i = 0; i <= MANIFEST_PROGRAMS; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "p%u\n", i);
	assert_true(is_err(manifest_read(text, strlen(text), &m, &why, &line)));
	assert_non_null(strstr(why, "32"));
	assert_int_equal(line, MANIFEST_PROGRAMS + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_everything), cmocka_unit_test(test_defaults), cmocka_unit_test(test_whole_ranges),
	    cmocka_unit_test(test_refusals),   cmocka_unit_test(test_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
