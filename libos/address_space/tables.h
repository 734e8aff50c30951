/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* The page tables of the address space, as capabilities: which table translates an address. Made when they are first needed, and kept. */

#include "cpudriver/abi/capabilities.h"
#include "cpudriver/abi/errors.h"

/* A table that exists already. Levels must come from 3 down to 1; one whose upper table is unknown is ignored. */
MUST_USE err_t tables_add(uint64_t address, unsigned level, cap_t table);

/* The table of level 1 or 2 that holds the address's entry, made with all those above it if need be. */
MUST_USE err_t tables_get(uint64_t address, unsigned level, cap_t *out);

/* The level-1 table of the address, CAP_NULL if there is none yet. */
cap_t tables_find(uint64_t address);

/* Entry of the address in a table of that level (Intel SDM vol. 3, 4.5). */
static inline uint64_t tables_entry(uint64_t address, unsigned level)
{
	return address >> (12 + 9 * (level - 1)) & 511;
}
