/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* The mapping database: all non-empty slots of this core in one ordered, balanced tree.
 *
 * Order: base ascending, then size descending, then type ascending. So an object comes before everything that lies in it, its
 * copies are neighbours, and its descendants follow them without a gap. (RAM has the lowest type number and Dispatcher a lower one
 * than Endpoint and Doorbell, which decides between objects of equal range.) Copies have no order among themselves.
 *
 * It is a weak AVL tree (Haeupler, Sen, Tarjan: Rank-balanced trees, 2015): each node has a rank, a leaf's is 1, and a child's is one or
 * two less than its parent's; so a path has at most 2 log2(n) nodes. A change at the bottom is felt on average at a constant number of
 * nodes above, also when slots come and go at the same place again and again, where an AVL tree may grow and shrink up to its root each
 * time. Each node also knows the largest end of a range in its subtree; that finds what *reaches* past an address in O(log n) although such
 * ranges may begin anywhere before it.
 *
 * New slots are put next to a known neighbour: a copy beside its source, a new object before the first one that follows its range. That
 * costs no search from the root, which makes copy and retype nearly independent of the database's size. */

#include "cpudriver/capability/capability.h"

/* Puts a slot (base, size, type are set, the pointers need not be) before `next`; NULL: at the end. */
void database_insert(struct capabilities *c, struct slot *s, struct slot *next);
/* Puts a slot behind `source`, which holds the same object. */
void database_insert_copy(struct capabilities *c, struct slot *s, struct slot *source);
void database_remove(struct capabilities *c, struct slot *s);
/* All of `from` moves to `to`, in its place in the tree; `from` becomes all zero. */
void database_move(struct capabilities *c, struct slot *from, struct slot *to);
/* The slot's object ends earlier now; it must still come after and before the same ones. */
void database_shrink(struct slot *s, uint64_t size);

struct slot *database_next(const struct slot *s);
struct slot *database_previous(const struct slot *s);

/* The first slot that comes after every copy of this object. */
struct slot *database_after(const struct capabilities *c, const struct slot *object);
/* The first slot that comes not before this object: its first copy, if it has any. */
struct slot *database_not_before(const struct capabilities *c, const struct slot *object);
/* The first slot that begins at or above `address`. */
struct slot *database_from(const struct capabilities *c, uint64_t address);
/* The first slot, from `s` on, whose range ends above `address`; s may be NULL, and is the answer then. */
struct slot *database_reaching(const struct slot *s, uint64_t address);
/* The same from the very first slot on. */
struct slot *database_first_reaching(const struct capabilities *c, uint64_t address);
/* The last slot before `s` (NULL: before the end) whose range ends above `address`. */
struct slot *database_last_reaching(const struct capabilities *c, const struct slot *s, uint64_t address);
/* The last slot that begins below `address`. */
struct slot *database_last_below(const struct capabilities *c, uint64_t address);

static inline bool same_object(const struct slot *a, const struct slot *b)
{
	return a->base == b->base && a->size == b->size && a->type == b->type;
}

/* Whether a's object comes before b's. */
static inline bool object_before(const struct slot *a, const struct slot *b)
{
	if (a->base != b->base)
		return a->base < b->base;
	if (a->size != b->size)
		return a->size > b->size;
	return a->type < b->type;
}

/* ---- Questions about objects -------------------------------------------------------------------- */

/* Another copy of this slot's object, or NULL: it is the last one on this core. */
static inline struct slot *another_copy(const struct slot *s)
{
	struct slot *n = database_next(s);

	if (n && same_object(n, s))
		return n;
	n = database_previous(s);
	return n && same_object(n, s) ? n : NULL;
}

/* Whether the range of this last copy lies inside an object other than its own. The first slot that reaches its end is the
 * outermost object around it. */
static inline bool is_covered(const struct capabilities *c, const struct slot *s)
{
	return database_first_reaching(c, slot_end(s) - 1) != s;
}

/* The last descendant in the database's order: one that has none itself. */
static inline struct slot *last_descendant(const struct capabilities *c, const struct slot *s)
{
	struct slot *d = database_last_below(c, slot_end(s));

	return d && object_before(s, d) ? d : NULL;
}
