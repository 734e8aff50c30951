/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/* The time-stamp counter at that time, or after it from now; false: no valid time. */
bool linux_deadline(const struct timespec *t, bool absolute, uint64_t *deadline);
