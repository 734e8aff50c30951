/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* What the leader does with a core that has left the view, and how it may come back.
 *
 *                             after 10 ms          passed
 *   INIT ── INIT is sent ──▶ SIPI ──▶ WAITING ───────────────▶ BURIED ── memory settled ──▶ OUT ── start ──▶ STARTING ──▶ member
 *     ▲                                  │                                                   ▲                  │
 *     └───── not passed in time ─────────┘                                                   └── failed ────────┘
 *
 * INIT stops a core wherever it is (Intel SDM vol. 3, 8.4.4.1), but it is only a message: a virtual core that doesn't run takes it
 * later, at the end of the instructions that it is in the middle of. So the core is sent through the trampoline, where its entry says that
 * it shall halt; it notes there that it has passed, and only then what it could write to is used again.
 *
 * A core whose CPU driver took an exception says so in its core_boot, and stays out until somebody asks for it. One that was only silent is
 * started again, but not more than RESTARTS_MAX times without anybody's asking. */

#include "monitor/monitor.h"

#define RESTARTS_MAX 3

/* The core is not a member any more. */
void fence_begin(struct monitor *m, uint32_t core);
/* Its memory has been settled. */
void fence_settled(struct monitor *m, uint32_t core);
/* It is a member again. */
void fence_joined(struct monitor *m, uint32_t core);
/* It could not be started. */
void fence_failed(struct monitor *m, uint32_t core);
/* Returns when something is due next (0: nothing). */
uint64_t fence_step(struct monitor *m, uint64_t now);

/* Whether a core is being stopped. */
bool fence_stops(const struct monitor *m);

/* The leader: the record of a core. */
struct fence *fence_of(struct monitor *m, uint32_t core);

/* Somebody's wish that the core be started; the answer is the event `done`. */
MUST_USE err_t fence_ask(struct monitor *m, const struct domain *d, uint32_t tag, uint32_t core);
