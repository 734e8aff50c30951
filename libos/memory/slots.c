/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include "libos/memory/slots.h"

void slot_space_init(struct slot_space *s, unsigned first_root)
{
	for (unsigned root = 0; root < CNODE_SLOTS; root++)
		for (unsigned word = 0; word < SLOT_WORDS; word++)
			s->taken[root][word] = ~UINT64_C(0);
	s->first_new = (uint16_t)first_root;
	s->search_from = (uint16_t)first_root;
}

static bool is_taken(const struct slot_space *s, unsigned root, unsigned slot)
{
	return s->taken[root][slot / 64] >> slot % 64 & 1;
}

static bool is_full(const struct slot_space *s, unsigned root)
{
	uint64_t all = ~UINT64_C(0);

	for (unsigned word = 0; word < SLOT_WORDS; word++)
		all &= s->taken[root][word];
	return all == ~UINT64_C(0);
}

/* The first of `count` free slots in a row, or CNODE_SLOTS. */
static unsigned find_row(const struct slot_space *s, unsigned root, unsigned count)
{
	unsigned row = 0;

	for (unsigned slot = 0; slot < CNODE_SLOTS; slot++) {
		row = is_taken(s, root, slot) ? 0 : row + 1;
		if (row == count)
			return slot + 1 - count;
	}
	return CNODE_SLOTS;
}

static unsigned find_one(const struct slot_space *s, unsigned root)
{
	for (unsigned word = 0; word < SLOT_WORDS; word++)
		if (~s->taken[root][word] != 0)
			return word * 64 + (unsigned)__builtin_ctzll(~s->taken[root][word]);
	return CNODE_SLOTS;
}

err_t slot_space_take(struct slot_space *s, unsigned count, cap_t *first)
{
	if (count == 0 || count > CNODE_SLOTS)
		return ERR(ARGUMENT);
	while (s->search_from < s->first_new && is_full(s, s->search_from))
		s->search_from++;
	for (unsigned root = s->search_from; root < s->first_new; root++) {
		unsigned slot = count == 1 ? find_one(s, root) : find_row(s, root, count);

		if (slot == CNODE_SLOTS)
			continue;
		for (unsigned i = slot; i < slot + count; i++)
			s->taken[root][i / 64] |= UINT64_C(1) << i % 64;
		*first = CAP(root, slot);
		return OK;
	}
	return ERR(NO_SLOT);
}

bool slot_space_give(struct slot_space *s, cap_t cap)
{
	unsigned root = cap.value >> 8;
	unsigned slot = cap.value & 0xff;

	if (root >= s->first_new || !is_taken(s, root, slot))
		return false;
	s->taken[root][slot / 64] &= ~(UINT64_C(1) << slot % 64);
	if (root < s->search_from)
		s->search_from = (uint16_t)root;
	return true;
}

err_t slot_space_next(const struct slot_space *s, unsigned *root_slot)
{
	if (s->first_new >= CNODE_SLOTS)
		return ERR(NO_SLOT);
	*root_slot = s->first_new;
	return OK;
}

void slot_space_add(struct slot_space *s, unsigned root_slot)
{
	for (unsigned word = 0; word < SLOT_WORDS; word++)
		s->taken[root_slot][word] = 0;
	s->first_new = (uint16_t)(root_slot + 1);
}
