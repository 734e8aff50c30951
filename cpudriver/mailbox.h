/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* A core's mailbox: how another core rings one of its doorbells, without a lock and without a line that two cores write.
 *
 * The mailbox of receiver r lies in r's memory and has two parts of one line per core:
 *
 *   line s of `rung`  written by core s only   bit i has another value than in `seen`: s rings doorbell i
 *   line s of `seen`  written by r only        what r has seen of that line
 *
 * A line has 512 bits; doorbell indices are 1..511.
 *
 *   sender                                          receiver, on the interrupt that names s
 *   1 write the message                             a acknowledge the interrupt (another one may come from here on)
 *   2 fence                                         b new = rung[s] ^ seen[s]
 *   3 if rung[s] and seen[s] differ in bit i: done  c seen[s] = the rung[s] that was read
 *   4 flip bit i of rung[s]                         d fence
 *   5 fence, send the interrupt                     e make the dispatchers of the bits in `new` look for messages
 *
 * No wake-up is lost. If the sender gets to 5, an interrupt is on its way whose `b` comes after 4, so it sees the bit flipped, or an
 * earlier `b` saw it. If the sender stops at 3, somebody's flip of that bit has not been seen: its interrupt is still on its way, and
 * `c` comes after 3 has read the old value. Then, because both sides have a fence between their write and their read (1 before 3,
 * c before e), `e` comes after the message is visible. A bit that flips twice between two `b` would be lost, but 3 forbids the second. */

#include "cpudriver/abi/core_boot.h"
#include "cpudriver/abi/errors.h"

#define MAILBOX_WORDS     8
#define MAILBOX_DOORBELLS 512

struct mailbox_line {
	_Alignas(LINE_BYTES) uint64_t word[MAILBOX_WORDS];
};
_Static_assert(sizeof(struct mailbox_line) == LINE_BYTES && MAILBOX_WORDS * 64 == MAILBOX_DOORBELLS, "one line per pair of cores");
_Static_assert(2 * sizeof(struct mailbox_line) == MAILBOX_BYTES_EACH, "what the starter laid out");

/* What another core's driver needs to be rung; immutable between two Kernel.peer. */
struct peer {
	uint64_t mailbox; /* physical, 0: no such core */
	uint32_t apic;
};

/* Rings doorbell `index` of another core: CORE_UNKNOWN. */
MUST_USE err_t mailbox_ring(uint32_t core, uint64_t index);

/* Takes what the cores that share this vector have rung. */
void mailbox_receive(unsigned vector);

/* A new core is in the place of one that may have died between 4 and 5: what that one has rung counts as seen, or the new one could
 * never ring the same doorbell. */
void mailbox_receive_from(uint32_t sender);
