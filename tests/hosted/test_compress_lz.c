// sources: apps/compress/lz.c
/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* The compressor of apps/compress: what it makes small becomes large again; what it did not make is refused, without reading too far. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "apps/compress/lz.h"
#include "tests/hosted/random.h"

#define PAGE 4096

static size_t round_trip(const uint8_t *in, size_t bytes)
{
	uint8_t *small = malloc(2 * bytes + 2), *large = malloc(bytes + 1);
	size_t length = lz_compress(in, bytes, small, 2 * bytes + 2);

	assert_true(length != LZ_NONE);
	assert_int_equal(lz_expand(small, length, large, bytes), bytes);
	assert_memory_equal(in, large, bytes);
	if (bytes > 0)
		assert_true(lz_expand(small, length, large, bytes - 1) == LZ_NONE);
	if (length > 0)
		assert_true(lz_compress(in, bytes, small, length - 1) == LZ_NONE);
	free(small);
	free(large);
	return length;
}

static void plain_cases(void **state)
{
	static uint8_t page[PAGE];

	(void)state;
	assert_int_equal(round_trip(page, 0), 0);
	assert_true(round_trip(page, PAGE) < 120);
	memcpy(page + 100, "coral coral coral coral", 23);
	assert_true(round_trip(page, PAGE) < 160);
	for (unsigned i = 0; i < PAGE; i++)
		page[i] = (uint8_t)i;
	assert_true(round_trip(page, PAGE) < 500);
}

static void every_kind_of_page_comes_back(void **state)
{
	static uint8_t page[3 * PAGE];

	(void)state;
	random_state = 7;
	for (unsigned round = 0; round < 3000; round++) {
		size_t bytes = random_number() % (round % 10 == 0 ? sizeof page : 300);
		uint32_t letters = 1 + random_number() % 256;

		for (size_t i = 0; i < bytes; i++)
			page[i] = (uint8_t)(random_number() % letters);
		for (unsigned copies = random_number() % 5; copies > 0 && bytes > 40; copies--)
			memmove(page + random_number() % (bytes - 20), page + random_number() % (bytes - 20), 20);
		assert_true(round_trip(page, bytes) <= bytes + bytes / 128 + 1);
	}
}

static void what_is_no_output_is_refused(void **state)
{
	static const uint8_t bad[][3] = {{200, 0, 0}, {200, 1, 0}, {5, 1, 2}, {128, 255, 255}};
	uint8_t out[256];

	(void)state;
	for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_true(lz_expand(bad[i], 3, out, sizeof out) == LZ_NONE);
	assert_true(lz_expand(bad[0], 1, out, sizeof out) == LZ_NONE);
	random_state = 99;
	for (unsigned round = 0; round < 20000; round++) {
		size_t bytes = random_number() % 64, made;
		uint8_t *in = malloc(bytes + 1);

		for (size_t i = 0; i < bytes; i++)
			in[i] = (uint8_t)random_number();
		made = lz_expand(in, bytes, out, random_number() % sizeof out);
		assert_true(made == LZ_NONE || made < sizeof out);
		free(in);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(plain_cases),
	    cmocka_unit_test(every_kind_of_page_comes_back),
	    cmocka_unit_test(what_is_no_output_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
