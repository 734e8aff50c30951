/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* What a core has before its first domain starts and after its last one has ended: must be equal.
 *
 * Memory is what the monitor can give to domains; channels are ends of connections. Of the capabilities in the CPU driver's database those
 * are left out that have nothing to do with domains: the frames, tables and CNodes of the monitor's own library, the memory that it serves,
 * what it holds of other monitors (three for each that it has talked with), and everything of the acpi domain, which outlives the others. */

#include "monitor/monitor.h"

struct balance balance_now(struct monitor *m);
/* Remembers the balance as the one before, once. */
void balance_note(struct monitor *m);
