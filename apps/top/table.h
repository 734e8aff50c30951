/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* What the cores and the domains did between two looks, as text. Pure, so that the hosted tests run it. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <atoll/domain.h>
#include <atoll/performance.h>

#define LOOK_DOMAINS 512 /* in all; what is beyond is left out */

struct look {
	struct look_core {
		bool seen;
		unsigned node;
		struct core_activity load;
	} core[MACHINE_CORES];
	unsigned domains;
	struct domain_info domain[LOOK_DOMAINS];
	unsigned counters;             /* performance counters that the machine has */
	uint64_t instructions, cycles; /* of the core that looks, if there are those */
	uint64_t time;                 /* of the time-stamp counter, when the domains were listed */
};

/* Writes the table into `text`, at most `rows` domains, those that ran most; what does not fit is left out. A core or a domain that was not
 * there at the first look, or has begun anew since, counts from its start on. */
void table_print(const struct look *before, const struct look *now, uint64_t tsc_hz, unsigned rows, char *text, size_t bytes);
