/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* What the CPU driver says on the serial line: little, because a domain prints for everybody else. Facts are @event lines. */

#include "cpudriver/dispatch/dispatcher.h"
#include "cpudriver/entry/trap.h"

/* An exception inside the CPU driver: the full report, then this core stops for good. The other cores do not notice. */
NORETURN void panic(const struct trap_frame *f);

/* This core can't run Atoll: why, then it stops for good. If it is the first one, the machine is reset, as the loader does. */
NORETURN void refuse_to_start(const char *sentence);

void report_control(const char *reg, uint64_t here, uint64_t first);
void report_monitor_stopped(const struct dispatcher *d);
void report_interrupt(const char *what, uint64_t number);
