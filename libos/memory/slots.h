/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Which slots of the capability space are free: one bit a slot. Pure; whoever uses it makes the CNodes.
 *
 * The space is a root CNode whose slots hold CNodes (design, section 5). Slots are only given out of CNodes that were added; when none
 * has room the answer is NO_SLOT, and the caller adds a new CNode at slot_space_next and asks again. */

#include "cpudriver/abi/capabilities.h"
#include "cpudriver/abi/errors.h"

#define SLOT_WORDS (CNODE_SLOTS / 64)

struct slot_space {
	uint64_t taken[CNODE_SLOTS][SLOT_WORDS]; /* [root slot]; all ones: no CNode of ours, or full */
	uint16_t first_new;                      /* root slots below are in use */
	uint16_t search_from;                    /* no CNode below has a free slot */
};

/* CNodes may be added from root slot `first_root` on. */
void slot_space_init(struct slot_space *s, unsigned first_root);
/* `count` consecutive slots of one CNode. */
MUST_USE err_t slot_space_take(struct slot_space *s, unsigned count, cap_t *first);
/* Answers false, and changes nothing, if the slot was not taken from here. */
bool slot_space_give(struct slot_space *s, cap_t slot);
/* The root slot for the next CNode; NO_SLOT if the root is full. */
MUST_USE err_t slot_space_next(const struct slot_space *s, unsigned *root_slot);
/* The CNode is there now; it must be the one that slot_space_next named. */
void slot_space_add(struct slot_space *s, unsigned root_slot);
