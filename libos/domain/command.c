/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include <string.h>

#include "libos/domain/command.h"
#include "monitor/abi/messages.h"

static err_t add_list(const char *const list[], char *block, size_t capacity, size_t *length, uint16_t *count)
{
	for (size_t i = 0; list != NULL && list[i] != NULL; i++) {
		size_t bytes = strlen(list[i]) + 1;

		if (bytes > capacity - *length || *count == UINT16_MAX)
			return ERR(RANGE);
		memcpy(block + *length, list[i], bytes);
		*length += bytes;
		++*count;
	}
	return OK;
}

err_t command_build(const char *const argv[], const char *const envp[], char *block, size_t capacity, size_t *length)
{
	struct spawn_order order = {.arguments = 0};
	err_t e;

	if (argv == NULL || argv[0] == NULL)
		return ERR(ARGUMENT);
	if (capacity < sizeof(order))
		return ERR(RANGE);
	*length = sizeof(order);
	e = add_list(argv, block, capacity, length, &order.arguments);
	if (is_ok(e))
		e = add_list(envp, block, capacity, length, &order.environment);
	memcpy(block, &order, sizeof(order));
	return e;
}
