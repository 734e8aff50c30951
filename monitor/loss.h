/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

#include "monitor/monitor.h"

/* A core is not a member any more: everything here that depends on it ends. */
void core_lost(struct monitor *m, uint32_t core);

/* A block of this core's that the lost core could write to: comes back when the core is buried. */
void core_lost_keeps(struct monitor *m, uint32_t core, struct block *b);

/* It can't write any more. */
void core_buried(struct monitor *m, uint32_t core);
