/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

#include "cpudriver/abi/core_boot.h"

/* What the memory type ranges are now; all zero without such registers. */
void memory_types_read(struct memory_types *out);

/* Makes this core's like the first core's, with its default type, if they differ. */
void memory_types_adopt(const struct memory_types *first, uint64_t default_type);
