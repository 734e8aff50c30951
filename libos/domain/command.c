/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include <string.h>

#include "libos/domain/command.h"

static err_t add_list(const char *const list[], char *block, size_t capacity, size_t *length)
{
	for (size_t i = 0; list != NULL && list[i] != NULL; i++) {
		size_t bytes = strlen(list[i]) + 1;

		if (bytes == 1)
			return ERR(ARGUMENT);
		if (bytes > capacity - *length)
			return ERR(RANGE);
		memcpy(block + *length, list[i], bytes);
		*length += bytes;
	}
	if (*length == capacity)
		return ERR(RANGE);
	block[(*length)++] = 0;
	return OK;
}

err_t command_build(const char *const argv[], const char *const envp[], char *block, size_t capacity, size_t *length)
{
	err_t e;

	*length = 0;
	if (argv == NULL || argv[0] == NULL)
		return ERR(ARGUMENT);
	e = add_list(argv, block, capacity, length);
	return is_err(e) ? e : add_list(envp, block, capacity, length);
}
