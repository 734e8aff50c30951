/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Signs of life between cores. A core counts up in a line of another core's memory, its watcher's, once in a period, and looks at a line of
 * its own where the core that it watches does so. Whatever its domains do, the timer's interrupt comes; so a core that falls silent has no
 * CPU driver any more, or no processor that runs it.
 *
 * Processors that an emulator or a hypervisor shares out run late. *Strain* is the longest delay lately, fading by a 64th with each beat:
 * of this core's own beats, of the watched core's as they arrive here (Chen, Toueg and Aguilera, On the quality of service of failure
 * detectors, IEEE Transactions on Computers 51(5), 2002: what a peer's last beats were like says when the next one may be expected), and
 * what the watched core knows of, which it tells with the beat and which counts less an eighth. A core that has not been listened to for
 * long is not *known* yet. Silence is counted in looks, and one that comes late counts as two periods at most: who was stopped himself
 * does not blame the others.
 *
 * The monitor decides who watches whom, and what silence means (Kernel.watch). It has to say again and again that it is there (`lease`): a
 * core without a monitor is as good as dead. A CPU driver that stops for good says so in its last beat, and nobody has to wait for silence.
 *
 * Pure: no word of the processor or of the machine. */

#include <stdbool.h>
#include <stdint.h>

#include "cpudriver/abi/types.h"

#define BEAT_LAST UINT64_MAX /* a count that says: no more will come */

#define BEATS_TO_KNOW 20

/* Written by one core, read by another. Peer-writable: read once. */
struct beat_line {
	_Alignas(LINE_BYTES) uint64_t count;
	uint64_t strain; /* the writer's */
};
_Static_assert(sizeof(struct beat_line) == LINE_BYTES, "a cache line that two cores share");

struct beat {
	/* as the monitor wants it */
	struct beat_line *there, *here; /* where this core beats, and where it looks */
	uint64_t period;                /* 0: neither */
	uint64_t limit;                 /* silence that the monitor wants to be told of; UINT64_MAX: it has been */
	uint64_t lease;                 /* until when it beats */
	/* so far */
	uint64_t next, looked;
	uint64_t count, strain;
	uint64_t seen, silence;
	uint32_t heard; /* beats of the watched core since it is watched, up to BEATS_TO_KNOW */
	bool over;      /* it has said that it stops */
};

struct beat_orders {
	struct beat_line *there, *here;
	uint64_t period, limit, lease;
};

/* New orders; what is known of the watched core is forgotten if it is another one. */
void beat_order(struct beat *b, const struct beat_orders *o, uint64_t now);
/* The time has come (b->next <= now). Returns whether the monitor must be told. */
bool beat_step(struct beat *b, uint64_t now);
/* This core stops for good. */
void beat_end(struct beat *b);
