/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* What a worker holds: capabilities to memory of arenas, one in each slot. Any of them may be revoked at any time; a thing whose slot is found
 * empty is dropped. A thread that works with a thing has it for itself until it puts it back. */

#include "tests/programs/soak/soak.h"

struct thing {
	bool used, busy;
	bool inside; /* in a CNode that this worker has made: the slot is not the library's */
	cap_t cap;
	unsigned char *at; /* where a Frame is mapped */
};

/* One of these types (1 << type, 0: any) with these rights, of which *id tells; NULL: none was found. */
struct thing *thing_take(struct random *r, unsigned types, unsigned rights, struct cap_identity *id);
void thing_put(struct thing *t);
/* What has been put into that slot. False: there is no room, the slot stays the caller's. */
bool thing_add(cap_t cap, bool inside);
/* Deletes what is in a slot, which may take more than one try. False: it can't go. */
bool thing_empty(cap_t cap);
/* The same, and the slot is the library's again. */
void thing_discard(cap_t cap);
/* Whether a thing is at this address. */
bool thing_at(cap_t cap);
unsigned thing_count(void);
/* Number `index`, with HELD_CLOSED; false: there is none. */
bool thing_look(unsigned index, struct cap_identity *id);
void things_unmap(void);
/* Puts one after the other to its end. */
void things_give_back(void);
/* Whether a CNode can't go because it has the last of a dead core's memory in it. */
bool things_keep_the_last(void);
