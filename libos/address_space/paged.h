/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Regions with a pager of the program's, inside the library OS. Inside sections. */

#include "libos/address_space/regions.h"

/* As region_fill (place.h), for such a region. */
MUST_USE err_t paged_fill(struct vm_region *r, uint64_t page, bool write, unsigned from);
