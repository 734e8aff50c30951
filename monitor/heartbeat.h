/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Who is alive? Members form a ring by their numbers. Each writes a beat, a count in one cache line, for the member before it, and looks at the
 * beat of the member behind it: one write and one read every BEAT_US, no message, and no wake-up but the core's own. So an idle core halts
 * but for 40 short looks a second, however many cores there are.
 *
 *   the watched core dies ──── at most a beat ────▶ its last beat is seen ──── CALM_US without another ────▶ suspected: within 90 ms
 *
 * A core that is slow is not dead. Each core knows how late its own looks are, tells that with its beat, and remembers the longest delay that it saw or
 * heard of, which fades. While that is less than a beat the machine is calm. While it is not, silence has to last STRAINED_US, or four times
 * the longest delay. Silence is counted in looks: one that comes late counts as two beats at most, so a core that was
 * itself stopped for a while does not blame the others. */

#include "monitor/monitor.h"

#define BEAT_US     25000
#define CALM_US     65000
#define STRAINED_US 500000
#define FIRST_US    2000000 /* the first core: nobody can do without it */

/* The view has changed. */
void heartbeat_view(struct monitor *m, uint64_t now);
/* Returns when to come back; 0: never. */
uint64_t heartbeat_step(struct monitor *m, uint64_t now);
