/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* The first monitor's way to the console: while there is one, the monitor is a client of it like any domain, so that no line is written
 * into the middle of another. Before and after, lines go through the CPU driver. The monitor's domain number is 0, by which the console
 * knows it. */

#include "monitor/monitor.h"

/* A domain of this core has offered the console's service, under that number of its own. */
void voice_begin(struct monitor *m, struct domain *console, uint32_t service);
/* Its connection with the monitor ends. */
void voice_end(struct monitor *m);
/* Whole lines. false: there is no console, or it does not listen. */
bool voice_say(struct monitor *m, const char *text, size_t bytes);
