/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Memory that is at home at another member of the span, seen from both sides; and changes of what others have mapped.
 *
 * First touch of a page by member c, whose home is h (remote.c at c, home.c at h):
 *
 *   c                                    h
 *   the thread waits
 *   touch{address, code}           -->   looks at its regions as for a fault of its own; makes the pages; notes c among their users
 *                                  <--   touched{pages of a slab, rights} or why not
 *   gets the slab (others.c), if it has none of it yet
 *   maps the pages; the thread goes on
 *
 * A change at h (unmap, protect, forget ...) of a range that others use (change.c): drop{range} goes down a binary tree to exactly the
 * users, each unmaps the range, sends on, and answers dropped when it and those below it are done. Until then nobody's touch of the range
 * is answered, and the pages are not used again. An answer
 * that a drop has overtaken (they may come by different links), as the count of changes that it bears tells, is worth nothing, and so is
 * one whose slab has not come yet when a drop does: the thread faults again. h has one such change at a time.
 *
 * Who wants to change a range that is at home elsewhere asks h, and waits: range{operation, range} / ranged. Inside sections. */

#include "libos/address_space/regions.h"
#include "libos/address_space/tables.h"
#include "libos/span/messages.h"
#include "libos/thread/queue.h"

struct thread;

/* ---- Where a page is at home elsewhere (remote.c) ---- */

/* Whether an address is at home at another member, and which. */
bool is_elsewhere(uint64_t address, unsigned *home);
/* A fault at such an address. WOULD_BLOCK: the thread has to wait in *queue, and touches again. */
MUST_USE err_t remote_touch(unsigned home, uint64_t address, uint64_t code, struct queue **queue);
/* A slab has come, or will not: touches that wait for it go on. */
void touches_go_on(void);
void touches_refused(unsigned owner, uint16_t slab);
/* Unmaps what is there of a range of another member's. */
void remote_drop(uint64_t base, uint64_t end);
/* A member is gone; what is at home there can't be touched any more. */
void remote_left(unsigned member);
/* Asks the home of a range to do something with it (enum range_operation); waits. */
MUST_USE err_t remote_range(unsigned home, unsigned operation, uint64_t base, uint64_t bytes, uint64_t argument, struct link_ranged *out);
/* touched.how: the pages may be mapped, or copied and the copy mapped. */
enum touched_how { TOUCHED_PLAIN, TOUCHED_REPLICA };
enum range_operation {
	RANGE_MAP,
	RANGE_MAP_ANYWHERE,
	RANGE_REMAP,
	RANGE_FRAME_UNMAP,
	RANGE_UNMAP,
	RANGE_UNMAP_COVERED,
	RANGE_PROTECT,
	RANGE_FORGET,
	RANGE_WHERE,
	RANGE_MIGRATE,
	RANGE_USABLE
};

/* ---- Where it is at home (home.c) ---- */

/* Touches of a range, also the own ones, that have to wait: for the end of a change, or until pages have come from elsewhere. */
extern struct queue touches_blocked;
/* They are looked at again. */
void home_go_on(void);

/* ---- Changes (change.c) ---- */

/* Takes [base, end) away from all other members that use it, and waits until they have. Then they don't touch it until change_end, and
 * neither does this member's pager: if anybody has used it, or `alone` says so. For threads. */
void change_begin(uint64_t base, uint64_t end, bool alone);
void change_end(uint64_t base, uint64_t end);
/* Whether the address lies in a range that is being changed. */
bool change_covers(uint64_t address);
/* How many changes there have been here. */
uint32_t change_sequence(void);
/* Whether a later change than that has taken any of [base, end) away, as far as this member has heard from the home. */
bool change_outdates(unsigned home, uint32_t sequence, uint64_t base, uint64_t end);
void change_start(void);
