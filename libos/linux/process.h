/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

#include <stdint.h>

/* Quick answers. */
int64_t linux_getpid(void);
int64_t linux_zero(void);

/* The program break begins here. */
void linux_break_start(uint64_t base);
