/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

#include "numa/model.h"

#define LEAVES_MAX 48

/* What this core says of cores, packages and caches, for machine_read_levels; answers how many leaves there are. */
size_t leaves_read(struct machine_leaf leaves[LEAVES_MAX]);
