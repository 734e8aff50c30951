/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Who is alive? Members form a ring by their numbers. Each beats for the member before it, and looks at the beats of the member behind it.
 * The CPU drivers do that, in the timer's interrupt (cpudriver/dispatch/beat.h): one write and one read of a cache line every BEAT_US, no
 * message, and no monitor wakes up. So an idle core halts but for 40 short interrupts a second, however many cores there are, and a monitor
 * that has much to do is not taken for a dead one. It is woken when the watched core has been silent for too long:
 *
 *   the watched core dies ──── at most a beat ────▶ its last beat is seen ──── CALM_US without another ────▶ suspected: within 90 ms
 *
 * A CPU driver that takes an exception says so in its last beat, and is suspected at once.
 *
 * A core that is slow is not dead. An interrupt that comes milliseconds late means that processors are shared out to more than they can
 * serve: then any core may be next to wait, and for long. While all delays that this core knows of, its own, the watched core's and those
 * that it was told of, are less than DELAY_US, the machine is calm. While they are not, or the watched core has beaten for less than half a
 * second, silence has to last STRAINED_US, or eight times the longest delay. */

#include "monitor/monitor.h"

#define BEAT_US     25000
#define CALM_US     65000
#define DELAY_US    3000
#define STRAINED_US 1000000
#define FIRST_US    2000000 /* the first core: nobody can do without it */
#define LEASE_US    4000000 /* a monitor that has said nothing for so long does not live */
#define RENEW_US    1000000

/* The view has changed. */
void heartbeat_view(struct monitor *m, uint64_t now);
/* The CPU driver says that the watched core is silent. */
void heartbeat_silence(struct monitor *m);
/* Returns when to come back; 0: never. */
uint64_t heartbeat_step(struct monitor *m, uint64_t now);
