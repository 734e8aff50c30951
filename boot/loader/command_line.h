/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

#include "cpudriver/abi/core_boot.h"

/* Appends `bytes` characters of `text` (they need not end with 0) to a command line, with a space between. Returns a sentence that says why
 * it can't, or NULL. Of a text that is longer than any command line nothing is read. Pure. What the words mean is up to the monitor and
 * init. */
MUST_USE const char *command_line_append(char line[COMMAND_LINE_BYTES], const char *text, size_t bytes);
