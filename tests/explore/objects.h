/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* The objects of memory that all cores together have, each once, in the order of their databases: an object comes before what lies in it.
 */

#include "tests/explore/world.h"

struct object_view {
	uint64_t base, end;
	enum cap_type type;
	cores_t holders, owners; /* who has it; who says that it is its own */
	cores_t remote;          /* who flags all its capabilities to it REMOTE */
	uint32_t named;          /* owner that the foreign copies name */
	bool named_differently;
	bool astray; /* a doorbell of another core's, which that core does not have */
};

struct merge {
	const struct slot *next[WORLD_CORES];
};

/* The dead have nothing. */
void merge_begin(struct merge *m);
/* The next object; false after the last. break_invariant says that what is broken is about it. */
bool merge_next(struct merge *m, struct object_view *v);

/* Doorbells of other cores' lie apart in a database; the slot as if they did not. */
struct slot plain(const struct slot *s);

/* What a core's agreement has of it, or NULL. */
const struct shared *entry_of(const struct core *c, const struct object_view *v);
/* Whether its owner keeps account of who has it. */
bool is_shareable(const struct object_view *v);
