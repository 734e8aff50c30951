/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

#include "cpudriver/capability/capability.h"

/* Whether an object (base, size, type) that another core or the starter vouches for fits among those that are here: OVERLAP if ranges
 * would cross or an object would lie in one that it can't come from, LIMIT if it would contain too many. Then *next is what it is
 * to be inserted before, and *same a copy of the same object or NULL. */
MUST_USE err_t nesting_place(const struct capabilities *c, const struct slot *object, struct slot **next, struct slot **same);
