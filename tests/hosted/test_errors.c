/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
// sources: cpudriver/abi/errors.c

/* Every error has a name and a sentence, and numbers that are none say so. */

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "cpudriver/abi/errors.h"

static void names(void **state)
{
	(void)state;
	assert_string_equal(err_name(OK), "OK");
	assert_string_equal(err_name(ERR(CAP_TYPE)), "CAP_TYPE");
	assert_non_null(strstr(err_sentence(ERR(AGAIN)), "repeat"));
#define ERROR(name, number, sentence)                                                                                                      \
	assert_int_equal(ERR_NUMBER_##name, number);                                                                                       \
	assert_string_equal(err_name((err_t){number}), #name);                                                                             \
	assert_string_equal(err_sentence((err_t){number}), sentence);
#include "cpudriver/abi/errors.def"
#undef ERROR
	assert_string_equal(err_name((err_t){1000}), "UNKNOWN");
	assert_string_equal(err_name((err_t){UINT32_MAX}), "UNKNOWN");
	assert_true(strlen(err_sentence((err_t){UINT32_MAX})) > 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(names)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
