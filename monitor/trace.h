/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* This core's trace area (cpudriver/abi/trace.h), if there is one: the directory, and which domain has which ring. A domain gets a copy of
 * its ring's frame without the right to control, which ends with its capability space. Should it have given the frame on, somebody else may
 * write to the ring for ever: then nobody gets it any more. */

#include <atoll/trace.h>

#include "monitor/monitor.h"

/* Makes the area this monitor's own; before any domain is started. */
MUST_USE err_t tracing_begin(struct monitor *m);
/* Says once where the area is, as soon as the first monitor is there to print it. */
void tracing_tell(struct monitor *m);

/* The event: this domain begins here. */
void tracing_domain(const struct domain *d);
/* A ring for the domain: CAP_NULL if there is no trace, or no ring left. */
cap_t tracing_take(struct monitor *m, struct domain *d);
/* Its dispatcher and its name are known now. */
void tracing_describe(const struct monitor *m, const struct domain *d);
/* Bytes of the ring that it has; 0: none. */
uint64_t tracing_bytes_of(const struct monitor *m, const struct domain *d);
/* Whether the frame at that address is the ring that the domain has. */
bool tracing_is_ring(const struct monitor *m, const struct domain *d, uint64_t base);
/* The domain's capability space is gone. */
void tracing_give(struct monitor *m, struct domain *d);
