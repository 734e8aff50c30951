/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

#include <stdbool.h>

#define CLEAR_SCREEN "\033[H\033[J"

/* Calls `show` at once and then each second, until q or Control-C is pressed, the console goes, or it answers false (it has said why).
 * Answers the program's exit status. */
int live_run(const char *program, bool (*show)(void));
