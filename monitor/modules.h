/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

#include "monitor/monitor.h"

/* Maps a boot module, read-only and for good. Errors: NOT_FOUND. */
MUST_USE err_t module_map(const struct monitor *m, const char *name, const void **at, size_t *bytes);
