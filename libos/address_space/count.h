/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* What this member has sent to others for memory's sake. */

#include <atoll/address_space.h>

extern struct memory_counts memory_count;
