/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

#include <stddef.h>

/* The end of a boot that can't go on: a sentence on the serial line, for people and as an @event, then a reset of the machine (QEMU ends,
 * because the launcher says -no-reboot). The sentence comes in parts, the last one NULL. */
_Noreturn void fail_with(const char *const parts[]);
#define FAIL(...) fail_with((const char *const[]){__VA_ARGS__, NULL})

/* A sentence about something that the boot can go on without. */
void warn(const char *sentence);
