/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include <string.h>

#include "monitor/archive.h"

/* cpio(5), "New ASCII Format": positions of the numbers that matter. */
enum {
	HEADER_BYTES = 110,
	MAGIC_BYTES = 6,
	NUMBER_BYTES = 8,
	FIELD_FILE_SIZE = 6,
	FIELD_NAME_SIZE = 11,
	FIELDS = 13,
};

static const char magic[] = "070701";
static const char trailer[] = "TRAILER!!!";

static err_t refuse(const char **why, const char *sentence)
{
	*why = sentence;
	return ERR(FORMAT);
}

static bool read_digit(uint8_t c, uint32_t *digit)
{
	if (c >= '0' && c <= '9')
		*digit = (uint32_t)(c - '0');
	else if (c >= 'a' && c <= 'f')
		*digit = (uint32_t)(c - 'a' + 10);
	else if (c >= 'A' && c <= 'F')
		*digit = (uint32_t)(c - 'A' + 10);
	else
		return false;
	return true;
}

static bool read_numbers(const uint8_t *header, uint32_t numbers[FIELDS])
{
	for (unsigned field = 0; field < FIELDS; field++) {
		numbers[field] = 0;
		for (unsigned i = 0; i < NUMBER_BYTES; i++) {
			uint32_t digit;

			if (!read_digit(header[MAGIC_BYTES + field * NUMBER_BYTES + i], &digit))
				return false;
			numbers[field] = numbers[field] << 4 | digit;
		}
	}
	return true;
}

static size_t round4(size_t n)
{
	return (n + 3) & ~(size_t)3;
}

err_t archive_entry(const struct archive *a, size_t offset, struct archive_file *out, const char **why)
{
	uint32_t numbers[FIELDS];
	const uint8_t *header = a->bytes + offset;

	if (offset % 4 != 0 || offset > a->size || a->size - offset < HEADER_BYTES)
		return refuse(why, "the archive ends in the middle of a header");
	if (memcmp(header, magic, MAGIC_BYTES) != 0)
		return refuse(why, "an entry's magic number is not 070701");
	if (!read_numbers(header, numbers))
		return refuse(why, "a number of an entry's header has a character that is no hexadecimal digit");

	size_t name_size = numbers[FIELD_NAME_SIZE], file_size = numbers[FIELD_FILE_SIZE];
	size_t left = a->size - offset - HEADER_BYTES;

	if (name_size < 2 || name_size > left)
		return refuse(why, "an entry's name is empty or lies outside the archive");
	out->name = (const char *)header + HEADER_BYTES;
	if (memchr(out->name, 0, name_size) != out->name + name_size - 1)
		return refuse(why, "an entry's name does not end where its size says");
	if (strcmp(out->name, trailer) == 0)
		return ERR(NOT_FOUND);
	size_t data = round4(offset + HEADER_BYTES + name_size);
	if (data > a->size || file_size > a->size - data)
		return refuse(why, "an entry's file lies outside the archive");
	out->data = a->bytes + data;
	out->size = file_size;
	out->next = round4(data + file_size);
	return OK;
}

err_t archive_open(const void *bytes, size_t size, struct archive *out, const char **why, size_t *offset)
{
	struct archive_file file;
	err_t e;

	*out = (struct archive){bytes, size};
	*offset = 0;
	while (is_ok(e = archive_entry(out, *offset, &file, why)))
		*offset = file.next;
	return err_is(e, ERR_NUMBER_NOT_FOUND) ? OK : e;
}

err_t archive_find(const struct archive *a, const char *name, struct archive_file *out)
{
	const char *why;
	size_t offset = 0;

	while (is_ok(archive_entry(a, offset, out, &why))) {
		if (strcmp(out->name, name) == 0)
			return OK;
		offset = out->next;
	}
	return ERR(NOT_FOUND);
}
