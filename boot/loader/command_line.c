/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#include "boot/loader/command_line.h"

#include <string.h>

static const char too_long[] = "the command line has more than 1023 characters";

static bool is_printable(char c)
{
	return c >= ' ' && c <= '~';
}

const char *command_line_append(char line[COMMAND_LINE_BYTES], const char *text, size_t bytes)
{
	size_t length = strlen(line);

	if (bytes > COMMAND_LINE_BYTES)
		return too_long;
	while (bytes > 0 && text[bytes - 1] == 0)
		bytes--;
	for (size_t i = 0; i < bytes; i++)
		if (!is_printable(text[i]))
			return "the command line has a character that is not printable ASCII";
	if (bytes == 0)
		return NULL;
	size_t space = length > 0 ? 1 : 0;
	if (length + space + bytes >= COMMAND_LINE_BYTES)
		return too_long;

	if (space)
		line[length] = ' ';
	memcpy(line + length + space, text, bytes);
	line[length + space + bytes] = 0;
	return NULL;
}
