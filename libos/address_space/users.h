/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Which other members of the span have mapped what pages that are at home here: a bit each for each page. Only pages that others have ever
 * touched cost memory. Inside sections. */

#include "cpudriver/abi/errors.h"
#include "cpudriver/abi/types.h"

/* From now on the member counts as a user of the pages of [base, end), which lie in one table of level 1. NO_MEMORY. */
MUST_USE err_t users_add(uint64_t base, uint64_t end, unsigned member);
/* The users of any page of [base, end), a bit each. */
uint64_t users_of(uint64_t base, uint64_t end);
/* They are no users any more. */
void users_forget(uint64_t base, uint64_t end, uint64_t members);
void users_forget_everywhere(unsigned member);
