/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Where a new program is to run, and what is wrong with the wishes for it. Pure. */

#include <atoll/domain.h>

#include "libos/upcall/text.h"

/* What a core has to do already. */
struct core_load {
	uint32_t core;
	unsigned runnable, domains;
};
void load_of(const struct domain_info *list, unsigned count, struct core_load *out);
/* The one that has least to do: few that can run, then few domains, then a low number. `count` is not 0. */
uint32_t load_least(const struct core_load *loads, unsigned count);

/* Whether the wishes make sense on a machine with these cores; if not, `why` says so. Errors: ARGUMENT, CORE_UNKNOWN, CORE_DEAD, LIMIT. */
MUST_USE err_t options_check(const struct domain_options *o, const struct core_info *cores, unsigned count, struct text *why);
/* What the monitor's answer means for this program. */
void options_explain(const struct domain_options *o, uint64_t core, err_t e, struct text *why);
