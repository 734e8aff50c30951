/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* A line of text in a fixed buffer; what does not fit is cut off. For where the C library's printf can't be used. */

#include <stddef.h>
#include <stdint.h>

struct text {
	char bytes[160];
	size_t length;
};

static inline void text_add(struct text *t, const char *string)
{
	while (*string != 0 && t->length < sizeof t->bytes)
		t->bytes[t->length++] = *string++;
}

static inline void text_add_hex(struct text *t, uint64_t value)
{
	char digits[19] = "0x";
	unsigned count = 1;

	while (count < 16 && value >> 4 * count != 0)
		count++;
	for (unsigned i = 0; i < count; i++)
		digits[2 + i] = "0123456789abcdef"[value >> 4 * (count - 1 - i) & 15];
	digits[2 + count] = 0;
	text_add(t, digits);
}

static inline void text_add_number(struct text *t, uint64_t value)
{
	char digits[21];
	unsigned at = sizeof digits - 1;

	digits[at] = 0;
	do {
		digits[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value != 0);
	text_add(t, digits + at);
}
