/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

#include "cpudriver/capability/capability.h"

/* Slots that one call deletes at most, so that no call takes long. A test may say less, to see more calls that are half done. */
#ifndef WORK_PER_CALL
#define WORK_PER_CALL 64
#endif

/* Deletes the capability in `s`: OK when the slot is empty, or holds the object's memory as RAM; AGAIN when *work is used up. */
MUST_USE err_t slot_delete(struct capabilities *c, struct slot *s, unsigned *work);

/* Deletes every other copy of the object in `s`, and every descendant: OK, or as above. */
MUST_USE err_t slot_revoke(struct capabilities *c, struct slot *s, unsigned *work);

/* Goes on with unfinished deletions, whoever began them. */
void finish_deletions(struct capabilities *c, unsigned *work);

/* The same as all that a call does, because they are in its way: AGAIN. */
MUST_USE err_t deletions_first(struct capabilities *c);

/* Removes a copy and nothing else. */
void slot_leave(struct capabilities *c, struct slot *s);

/* Ends a call that deletes: flushes, and on LAST_COPY or NEEDS_AGREEMENT tells in V0..V2 what was in the way. */
MUST_USE err_t deletion_result(struct invocation *i, err_t e);
