/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* How the service's throughput grows with the number of its cores: measured with one core, with two, ... in turn, so that whatever else
 * goes on holds up all of them alike. Says for each number of cores (median of the rounds)
 *
 *   kv                  how long an operation takes, all clients together: the inverse of the throughput
 *   kv.message          operations in a message
 *   kv.2 / kv.1         the throughput with two cores, relative to that with one right before
 *
 * A round counts only if the machine was quiet: if a loop of pure computing, run by two cores at once before and after the round, took no
 * longer than by one alone. If there are not enough such rounds nothing is said but that. With the lens of instructions (LENS in the
 * environment) all cores share one clock, which stands still while nobody runs, so there is nothing to be quiet about, and no ratio. */

#include <stdbool.h>
#include <stdint.h>

#include <atoll/span.h>

#include "apps/kv/kv.h"

#define SCALE_ROUNDS_MAX 1000

/* `client[i]` is member i's. False: an answer was wrong. */
bool scale_measure(struct kv_client *const client[], unsigned members, uint64_t rounds, uint64_t ms);
