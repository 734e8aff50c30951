// sources: monitor/archive.c
/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* A sound archive of three files, then the same with every field that matters wrong in turn, and cut off at every length. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "monitor/archive.h"

#define HEADER      110
#define FIELD_AT(n) (6 + 8 * (n))

struct made {
	uint8_t *bytes; /* exactly as long as the archive, so that the sanitizer sees every step outside */
	size_t size;
};

static void add(struct made *m, const char *name, const char *data, size_t bytes)
{
	size_t name_size = strlen(name) + 1, at = m->size;
	size_t data_at = (at + HEADER + name_size + 3) & ~(size_t)3, end = (data_at + bytes + 3) & ~(size_t)3;
	char header[HEADER + 1];

	m->bytes = realloc(m->bytes, end);
	memset(m->bytes + at, 0, end - at);
	snprintf(header, sizeof(header), "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X", 1, 0100644, 0, 0, 1, 0,
	         (unsigned)bytes, 0, 0, 0, 0, (unsigned)name_size, 0);
	memcpy(m->bytes + at, header, HEADER);
	memcpy(m->bytes + at + HEADER, name, name_size);
	memcpy(m->bytes + data_at, data, bytes);
	m->size = end;
}

static struct made make(void)
{
	struct made m = {NULL, 0};

	add(&m, "one", "first", 5);
	add(&m, "empty", "", 0);
	add(&m, "three", "the third file", 14);
	add(&m, "TRAILER!!!", "", 0);
	return m;
}

static err_t open_it(const struct made *m, const char **why)
{
	struct archive a;
	size_t offset;

	*why = NULL;
	return archive_open(m->bytes, m->size, &a, why, &offset);
}

static void test_sound(void **state)
{
	struct made m = make();
	struct archive_file file;
	struct archive a;
	const char *why;
	size_t offset;

	(void)state;
	assert_true(is_ok(archive_open(m.bytes, m.size, &a, &why, &offset)));
	assert_true(is_ok(archive_find(&a, "one", &file)));
	assert_int_equal(file.size, 5);
	assert_memory_equal(file.data, "first", 5);
	assert_true(is_ok(archive_find(&a, "empty", &file)));
	assert_int_equal(file.size, 0);
	assert_true(is_ok(archive_find(&a, "three", &file)));
	assert_memory_equal(file.data, "the third file", 14);
	assert_true(err_is(archive_find(&a, "two", &file), ERR_NUMBER_NOT_FOUND));
	assert_true(err_is(archive_find(&a, "TRAILER!!!", &file), ERR_NUMBER_NOT_FOUND));
	free(m.bytes);
}

/* Overwrites 8 digits of the first entry and wants a sentence with `word`. */
static void refused_with(unsigned field, const char *digits, const char *word)
{
	struct made m = make();
	const char *why;

	memcpy(m.bytes + FIELD_AT(field), digits, 8);
	assert_true(err_is(open_it(&m, &why), ERR_NUMBER_FORMAT));
	assert_non_null(strstr(why, word));
	free(m.bytes);
}

static void test_fields(void **state)
{
	struct made m = make();
	const char *why;

	(void)state;
	refused_with(6, "FFFFFFFF", "file");
	refused_with(6, "00001000", "file");
	refused_with(11, "00000000", "name");
	refused_with(11, "00000001", "name");
	refused_with(11, "FFFFFFFF", "name");
	refused_with(11, "00000003", "name");
	refused_with(0, "0000000x", "digit");
	refused_with(12, "-0000001", "digit");
	m.bytes[5] = '2';
	assert_true(err_is(open_it(&m, &why), ERR_NUMBER_FORMAT));
	assert_non_null(strstr(why, "magic"));
	free(m.bytes);
}

static void test_cut_off(void **state)
{
	struct made m = make();
	const char *why;

	(void)state;
	/* The last entry has no bytes but padding behind its name. */
	for (size_t size = 0; size + 3 < m.size; size++) {
		struct made cut = {malloc(size + 1), size};

		memcpy(cut.bytes, m.bytes, size);
		cut.bytes = realloc(cut.bytes, size ? size : 1);
		assert_true(err_is(open_it(&cut, &why), ERR_NUMBER_FORMAT));
		assert_non_null(why);
		free(cut.bytes);
	}
	free(m.bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_sound),
	    cmocka_unit_test(test_fields),
	    cmocka_unit_test(test_cut_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
