/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* What is measured between two cores, in short batches that take turns, because the host's cache-line latency changes under an emulated machine:
 *
 *   floor.rtt       each side writes a word of its own cache line, no protocol
 *   channel.rtt     one line there and back, both sides polling
 *   channel.rtt/floor.rtt   the two of one turn, as a ratio
 *   channel.stream  lines one way: time of one line
 *   channel.wake    one line there and back, both sides asleep in between
 *   ipc.stream.wake the same through the library OS
 *   ipc.remote.rtt  a call through the library OS, both sides polling
 *   ipc.remote.rtt/channel.rtt   the two of one turn, as a ratio
 *   ipc.remote.shared.rtt   the same, both sides free to run other threads
 *
 * The asking side prints the facts. */

#include <atoll/ipc.h>

#include "bench/common/sample.h"

/* Measures from this core to the worker with service `peer` on `core`. Prints a sentence and returns false when something went wrong. */
bool pair_measure(const struct lens *lens, const char *peer, unsigned core, bool quick);

/* The answering side: called for each message on a stream to the worker. */
void pair_answer(struct ipc_connection *stream, uint16_t label, const uint64_t *words);
