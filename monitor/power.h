/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* The end of the system, led by the first monitor.
 *
 *   shutdown ──▶ every monitor: ends its domains; when the last is gone, and all it held is back, ──▶ balance
 *
 * The console ends after all others, once it has let go of every connection, because then it has shown all that they said. When every core
 * has sent its balance (or is suspected dead), or a bound has passed, the first monitor prints them, then the last line, and tells the acpi
 * domain to switch the machine off. */

#include "monitor/monitor.h"

void power_off_begin(struct monitor *m, uint64_t status);
/* The acpi domain has something to say (numa/acpi/hand_over.h). */
void power_told(struct monitor *m, uint64_t what, uint64_t value);
/* Looks how far the end has come. Returns whether it is further than before, so that there is more to do at once. */
bool power_step(struct monitor *m, uint64_t now);
