/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* The binary tree along which a message goes to a set of members. Pure.
 *
 * Who sends halves the set: the lowest member of each half is a child, and the child's half (without the child itself) is what it sends on
 * to. So k members hear of it after about log2(k) messages one behind the other, and nobody sends more than two. */

#include <stdint.h>

#define TREE_CHILDREN 2

struct tree_part {
	unsigned child;
	uint64_t below; /* the members that the child sends on to */
};

/* Answers how many children there are. */
static inline unsigned tree_split(uint64_t members, struct tree_part part[TREE_CHILDREN])
{
	unsigned half = ((unsigned)__builtin_popcountll(members) + 1) / 2, count = 0;

	while (members != 0) {
		uint64_t mine = 0;

		for (unsigned i = 0; i < half && members != 0; i++) {
			mine |= members & -members;
			members &= members - 1;
		}
		part[count].child = (unsigned)__builtin_ctzll(mine);
		part[count].below = mine & (mine - 1);
		count++;
	}
	return count;
}
