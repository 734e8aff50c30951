/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* A set of cores. */

#include <stdbool.h>
#include <stdint.h>

#include "cpudriver/abi/core_boot.h"

#define SET_WORDS (CORES_MAX / 64)

struct core_set {
	uint64_t word[SET_WORDS];
};

static inline bool set_has(const struct core_set *s, uint32_t core)
{
	return core < CORES_MAX && (s->word[core / 64] >> core % 64 & 1);
}

static inline void set_add(struct core_set *s, uint32_t core)
{
	s->word[core / 64] |= UINT64_C(1) << core % 64;
}

static inline void set_remove(struct core_set *s, uint32_t core)
{
	s->word[core / 64] &= ~(UINT64_C(1) << core % 64);
}

static inline bool set_is_empty(const struct core_set *s)
{
	uint64_t any = 0;

	for (unsigned i = 0; i < SET_WORDS; i++)
		any |= s->word[i];
	return any == 0;
}

static inline unsigned set_count(const struct core_set *s)
{
	unsigned count = 0;

	for (unsigned i = 0; i < SET_WORDS; i++)
		count += (unsigned)__builtin_popcountll(s->word[i]);
	return count;
}

/* The lowest member from `core` on; CORES_MAX: there is none. */
static inline uint32_t set_next(const struct core_set *s, uint32_t core)
{
	for (; core < CORES_MAX; core = (core / 64 + 1) * 64) {
		uint64_t word = s->word[core / 64] >> core % 64;

		if (word != 0)
			return core + (uint32_t)__builtin_ctzll(word);
	}
	return CORES_MAX;
}

#define SET_FOR_EACH(core, set) for (uint32_t core = set_next(set, 0); core < CORES_MAX; core = set_next(set, core + 1))
