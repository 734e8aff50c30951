/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* What a core has done since its start, as its CPU driver tells its monitor (Kernel.counters). The numbers only grow, but for COUNTER_SENT
 * and COUNTER_RECEIVED: the domains count those in the frame that they share with the CPU driver, so they are as honest as the domains are.
 * Whoever wants to know what happens looks twice. */

enum core_counter {
	COUNTER_BUSY,     /* cycles of the time-stamp counter in which a dispatcher had the core */
	COUNTER_WAKE_UPS, /* dispatchers that waited, and were made ready to run */
	COUNTER_FAULTS,   /* page faults of domains */
	COUNTER_CALLS,    /* of endpoints, whose servers are on the same core */
	COUNTER_SENT,     /* messages through channels, to other cores or to this one */
	COUNTER_RECEIVED,
	CORE_COUNTERS
};

#define COUNTERS_AT_ONCE 3 /* that one Kernel.counters tells */
_Static_assert(CORE_COUNTERS % COUNTERS_AT_ONCE == 0, "it tells whole groups");
