/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Ranges that the fields of a message may have to be in (messages.def, agreement/messages.def). `cores`: how many the machine has. */

#include <stdbool.h>
#include <stdint.h>

#include "monitor/abi/start.h"

static inline bool in_range_ANY(uint64_t value, unsigned cores)
{
	(void)value, (void)cores;
	return true;
}

static inline bool in_range_CORE(uint64_t value, unsigned cores)
{
	return value < cores;
}

static inline bool in_range_FLAG(uint64_t value, unsigned cores)
{
	(void)cores;
	return value <= 1;
}

static inline bool in_range_PAGE(uint64_t value, unsigned cores)
{
	(void)cores;
	return value != 0 && value % PAGE_BYTES == 0 && value < WINDOW_BYTES;
}

static inline bool in_range_MEMBER(uint64_t value, unsigned cores)
{
	(void)cores;
	return value < SPAN_MAX;
}

static inline bool in_range_ERROR(uint64_t value, unsigned cores)
{
	(void)cores;
	return value <= UINT8_MAX;
}
