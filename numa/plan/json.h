/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

#include <stdio.h>

#include "numa/plan/plan.h"

/* A plan as one JSON object, for boot/launch/plan.py:
 *
 *   {"host": NAME, "this_host": true, "cpus": 4, "memory_mib": 2048,
 *    "smp": {"sockets": 1, "dies": 1, "cores": 2, "threads": 2},
 *    "nodes": [{"host_node": 0, "first": 0, "cpus": 4, "memory_mib": 2048}, ...],
 *    "distances": [[10, ...], ...],
 *    "processors": [{"processor": 0, "core": 0, "package": 0, "node": 0, "kind": 0}, ...]   of each virtual CPU; node: the virtual one
 *    "spare": [2, 3], "why": ["...", ...]}
 *
 * Processors and the host's nodes are the operating system's numbers, a host's cores and packages dense ones. */
void plan_print(FILE *out, const struct host *host, const struct plan *plan);
