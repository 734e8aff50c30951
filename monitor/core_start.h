/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Starting other cores, along the start tree of the machine model: the first monitor starts a leader on each other node, each leader the
 * rest of its node. All cores that one monitor starts go through the same steps side by side, and it serves everybody else meanwhile.
 *
 *   PREPARED    the core's memory is laid out: CPU driver and monitor (core_image.h), mesh area, machine model; the trampoline knows the
 * core INIT        after 10 ms ... SIPI        ... after 200 us, if nothing has been heard: once more (Intel SDM vol. 3, 8.4.4.1)
 *   SIPI_AGAIN  waits for the message `up` from the core's monitor, within a bound
 *   UP          its memory has changed hands
 *   FAILED      it gets another INIT, so that it never wakes late, and the memory comes back
 *
 *   low end of the first piece of its memory                                     then
 *   core_image | mesh area: a page for each core | machine model | RAM ...       further pieces, RAM
 *
 * Memory: a leader gets all RAM of its node, and of nodes near it that have no core; the cores of a node get equal shares of what the node
 * has. A node without memory gets shares of its starter's. */

#include "monitor/monitor.h"

/* Prepares all cores that are this monitor's to start, and starts them. */
MUST_USE err_t core_start_begin(struct monitor *m);
/* Starts a core that was up before and is stopped, with memory of this core's. The leader hears of it by `up` or `failed`. */
void core_start_again(struct monitor *m, uint32_t core);
/* Does what is due. Returns when something is due next (0: nothing). */
uint64_t core_start_step(struct monitor *m, uint64_t now);
/* A core that this monitor is starting has written its first message: believes it. */
void core_start_heard(struct monitor *m, uint32_t core);

/* On a started core: its starter is the first peer. */
MUST_USE err_t core_start_answer(struct monitor *m);
