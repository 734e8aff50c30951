/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* The boot archive: a cpio archive in the "new ASCII" format (magic 070701), as `cpio -o -H newc` writes it. Pure; nothing in it is
 * trusted.
 *
 * Each entry is a header of 110 characters (the magic, then 13 numbers of 8 hexadecimal digits each), the name with its 0, padding to a
 * multiple of 4, the file's bytes, padding to a multiple of 4. The entry "TRAILER!!!" is the last. */

#include "cpudriver/abi/errors.h"

struct archive {
	const uint8_t *bytes;
	size_t size;
};

struct archive_file {
	const char *name; /* ends with 0, inside the archive */
	const uint8_t *data;
	size_t size;
	size_t next; /* offset of the entry behind it */
};

/* Checks every entry of the archive once. On FORMAT *why is a sentence that names the field, *offset the entry at fault. */
MUST_USE err_t archive_open(const void *bytes, size_t size, struct archive *out, const char **why, size_t *offset);

/* The entry at `offset` (0: the first). Errors: NOT_FOUND at the end, FORMAT. */
MUST_USE err_t archive_entry(const struct archive *a, size_t offset, struct archive_file *out, const char **why);

/* The file of that name. Errors: NOT_FOUND. */
MUST_USE err_t archive_find(const struct archive *a, const char *name, struct archive_file *out);
