/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* The table in the trampoline page (cpudriver/abi/core_boot.h): who shall be started, and who has passed. */

#include "monitor/monitor.h"

#define INIT_WAIT_US 10000 /* Intel SDM vol. 3, 8.4.4.1: between INIT and SIPI */

/* The core with that APIC ID goes on with `core_boot`; 0: it halts, which is how a core is stopped for good. false: there is no room. */
bool trampoline_enter(struct monitor *m, uint32_t apic, uint64_t core_boot);
/* Whether it has passed since. */
bool trampoline_passed(const struct monitor *m, uint32_t apic);
void trampoline_leave(struct monitor *m, uint32_t apic);
