/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Arguments and environment in one block, as REQUEST_spawn wants them (struct spawn_order). Pure. */

#include "cpudriver/abi/errors.h"

/* `envp` may be NULL. ARGUMENT: no program name; RANGE: it does not fit. */
MUST_USE err_t command_build(const char *const argv[], const char *const envp[], char *block, size_t capacity, size_t *length);
