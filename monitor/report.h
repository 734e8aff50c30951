/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* What monitors say: sentences for people and facts for programs, each a whole line. Only the first core writes to the serial line; the
 * monitors of the others send it their text. */

#include "monitor/monitor.h"

__attribute__((format(printf, 2, 3))) void report_line(struct monitor *m, const char *format, ...);

/* The facts about the machine and its start, on the first core. */
void report_boot(struct monitor *m);
