/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* A domain on several cores.
 *
 * A domain begins on one core and may grow to others at run time. It has one dispatcher on each, a *member* of its span; the first one is
 * member 0. Members have the program's memory in common, and each its own memory of its core's node to make more of. If one of them exits,
 * is killed or faults, all end, and `domain_wait` answers when the last one is gone.
 *
 * If the core of another member than member 0 dies, that member is lost with the threads and the memory that it was home to. The program
 * may go on if it can: it installs a handler. Without one the domain ends (END_CORE). With the core of member 0 it ends in any case. A core
 * that is taken back (<atoll/revocation.h>) is lost in the same way, but for the cause (END_REVOKED). */

#include "cpudriver/abi/errors.h"
#include "monitor/abi/start.h"

/* Where a member is. */
struct span_place {
	unsigned member, core, node;
	uint32_t domain; /* the number of this part of the domain, for tools; programs go by that of the whole */
};

/* Grows to `core`, with `memory` bytes there (0: the default). Errors: EXISTS (it has a member there already), CORE_UNKNOWN, CORE_DEAD,
 * NO_MEMORY (that core has not so much), LIMIT (SPAN_MAX), PERMISSION (the program belongs to one core), NOT_FOUND (it does not come from
 * the boot archive). */
MUST_USE err_t span_grow(uint64_t core, uint64_t memory, unsigned *member);
/* Gives the core up again; returns when its memory is free. Errors: NOT_FOUND (no member is there), STATE (it is member 0's, or threads or
 * memory of the program are at home there; also the last few objects of its heap that members other than the caller's have freed, which they
 * send home some at a time). */
MUST_USE err_t span_shrink(uint64_t core);

/* The caller's own member, and all that there are, in the order of their numbers; answers how many there are. */
unsigned span_member(void);
unsigned span_members(struct span_place *out, unsigned capacity);

/* A thread on that member calls the function. It has a stack and the library OS, but nothing of the C library's that is a thread's own
 * (errno, thread-local variables, so stdio). span_run returns when it has begun, span_call when the function has returned. Errors:
 * PEER_GONE (no such member; span_call: it is gone before the answer), NO_MEMORY. */
MUST_USE err_t span_run(unsigned member, void (*function)(void *), void *argument);
MUST_USE err_t span_call(unsigned member, uint64_t (*function)(uint64_t), uint64_t argument, uint64_t *result);

/* Called, on member 0 by a thread such as span_run's, for each member that is lost. */
MUST_USE err_t span_on_loss(void (*handler)(unsigned member, unsigned core));
