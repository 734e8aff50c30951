/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Sentences and JSON into a buffer of fixed size, without a C library. Like snprintf, what does not fit is cut off,
 * the length that would have been needed is still counted, and the buffer always ends with a NUL. */

#include <stddef.h>
#include <stdint.h>

struct text {
	char *at;
	size_t bytes;  /* of the buffer; 0 is allowed */
	size_t length; /* of the whole text so far */
};

struct text text_begin(char *buffer, size_t bytes);
void text_string(struct text *text, const char *string);
void text_decimal(struct text *text, uint64_t number);

/* At least `digits` hexadecimal digits, without a prefix. */
void text_hex(struct text *text, uint64_t number, unsigned digits);
