/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include "numa/model/text.h"

struct text text_begin(char *buffer, size_t bytes)
{
	if (bytes > 0)
		buffer[0] = '\0';
	return (struct text){buffer, bytes, 0};
}

static void put(struct text *text, char letter)
{
	if (text->length + 1 < text->bytes) {
		text->at[text->length] = letter;
		text->at[text->length + 1] = '\0';
	}
	text->length++;
}

void text_string(struct text *text, const char *string)
{
	while (*string != '\0')
		put(text, *string++);
}

static void put_digits(struct text *text, uint64_t number, unsigned base, unsigned least)
{
	char digits[20]; /* 2^64 - 1 has 20 decimal digits */
	unsigned count = 0;

	do {
		digits[count++] = "0123456789abcdef"[number % base];
		number /= base;
	} while (number != 0);
	while (least-- > count)
		put(text, '0');
	while (count > 0)
		put(text, digits[--count]);
}

void text_decimal(struct text *text, uint64_t number)
{
	put_digits(text, number, 10, 1);
}

void text_hex(struct text *text, uint64_t number, unsigned digits)
{
	put_digits(text, number, 16, digits);
}
