/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* The first monitor's way from being alone to a running system: the acpi domain finds out what the machine is made of, then the other cores
 * are started, then the programs that the manifest wants started. Each step is begun by the arrival of what it waits for. */

#include "monitor/monitor.h"

/* Starts the acpi domain. */
MUST_USE err_t discovery_begin(struct monitor *m);
/* It hands over the model. */
MUST_USE err_t discovery_take_machine(struct monitor *m, const struct domain *acpi, uint64_t bytes, uint64_t slot);
/* It may have ended without doing so, or cores may stay away: goes on without them. */
void discovery_step(struct monitor *m, uint64_t now);
/* All cores are up or have failed. */
void discovery_complete(struct monitor *m);
