/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* What becomes of a dead core's memory.
 *
 * The leader knows which memory every core but the first serves: whoever starts a core says what it got (`given`), and so does the leader
 * itself when memory changes hands here. When the core is buried and the agreement has settled who owns its objects, its memory is settled
 * piece by piece:
 *
 *   leader ── inventory ──▶ every member         what have you got there?
 *          ◀── holding ... ── inventoried        each object, and how many objects in the piece came from other cores meanwhile
 *          ── inherit ──▶ heir                   for every gap: a core of the piece's node, or of the nearest one that has a core
 *          ◀── inherited ──                      cleared, and free memory from now on
 *
 * An object that goes from one core to another while they are asked could be missed: by the one before it has come, by the other after it
 * has gone. So they are asked until the number of objects that came did not change between two rounds: whatever was missed in the
 * one has come before the other.
 *
 * What somebody holds is put to the name of the (lowest) holder, who may give it on to others, so all that is held is settled again
 * whenever a core dies. A monitor that drops something that it held of a dead core says so (`dropped`), and that piece is settled again
 * at once: so do all where the last capability to something is deleted, or everybody would collect splinters of the others' memory. Only
 * who can't part with it keeps it, and says so (`returned`). */

#include "monitor/monitor.h"

/* ---- The leader ---- */

/* [base, base + bytes) is in the hands of that core's monitor. False: no memory to note that, and nothing has changed. */
bool estate_given(struct monitor *m, uint32_t core, uint64_t base, uint64_t bytes);
/* The core is dead and can't touch its memory. */
void estate_orphan(struct monitor *m, uint32_t core);
/* Before: a part of its memory that nobody gets, because somebody wants to read it when the machine has gone: its trace (monitor/trace.h).
 * Of each core that is what it left when it died last. bytes 0: nothing. What is not its own is not kept. */
void estate_keep(struct monitor *m, uint32_t core, uint64_t base, uint64_t bytes);
/* Who gets memory of the node. */
uint32_t estate_heir(const struct monitor *m, unsigned node);

/* ---- Everybody ---- */

/* Tells the leader. */
void estate_tell_given(struct monitor *m, uint32_t core, uint64_t base, uint64_t bytes, uint64_t boot_page);
void estate_tell_dropped(struct monitor *m, uint64_t base, uint64_t bytes);
void estate_tell_returned(struct monitor *m, uint64_t base, uint64_t bytes);
/* An object has come from another core. */
void estate_arrival(struct monitor *m, uint64_t base, uint64_t bytes);
/* A slice of what is to do. Returns when something is due next (0: nothing). */
uint64_t estate_step(struct monitor *m, uint64_t now);
