/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* What a new program is given: its arguments, its environment and what else was ordered, as a request or another monitor hands them over (monitor/abi/messages.h).
 * Pure. */

#include <stddef.h>

#include "cpudriver/abi/errors.h"
#include "monitor/abi/messages.h"

struct spawn_strings {
	struct spawn_order order;
	const char *first; /* the program's name; all the others follow, each ended by 0 */
	size_t bytes;
	unsigned arguments, environment;
	size_t environment_at; /* from `first` on */
};

/* ARGUMENT: the text is longer than a start page has room for, holds other strings than it says, or does not name a program. */
MUST_USE err_t spawn_text_read(const void *text, size_t bytes, struct spawn_strings *out);
