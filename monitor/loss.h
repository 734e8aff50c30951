/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

#include "monitor/monitor.h"

/* A core is suspected to be dead: it is reported, and everything here that depends on it ends. */
void core_lost(struct monitor *m, uint32_t core);
