/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

#include "cpudriver/abi/core_boot.h"

/* Makes this core's first domain, its monitor, and puts its dispatcher into the schedule. The first core's monitor also gets all ports and
 * interrupts. Refuses to start if the core_boot does not make sense. */
void monitor_start(const struct core_boot *boot, bool first);
