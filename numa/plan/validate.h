/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Whether hwloc loads the XML file and finds it consistent; `summary` is a sentence about the machine, or why not. An inconsistency that
 * hwloc only asserts ends the process, what it can put right it says on the error output: a caller takes both for a refusal. */
__attribute__((warn_unused_result)) bool validate(const char *path, char *summary, size_t bytes);
