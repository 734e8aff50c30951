/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* The hardware's own limit for a round trip between two cores: each writes a counter into a cache line of its own and
 * waits for the other's. No payload, no protocol, nothing to check. What a message costs is measured against this, on
 * the same two cores and within the same milliseconds. Both wait in the same way. */

#include <stdatomic.h>
#include <stdint.h>

#include "channels/wait.h"

/* Alone in a pair of lines, so that no prefetcher brings one core's line along with the other's. */
struct floor_line {
	_Alignas(128) _Atomic uint64_t word;
};

_Static_assert(sizeof(struct floor_line) == 128, "a pair of cache lines");

static inline void floor_wait(const struct floor_line *line, uint64_t value, struct channel_wait *wait)
{
	while (atomic_load_explicit(&line->word, memory_order_acquire) != value)
		channel_wait(wait);
}

/* Both sides call with the same `rounds`; `*count` is each side's own and carries on from call to call. */
static inline void floor_ask(struct floor_line *mine, const struct floor_line *theirs, uint64_t *count, unsigned rounds)
{
	struct channel_wait wait = channel_wait_begin((uintptr_t)mine / sizeof(*mine) + *count);

	for (unsigned i = 0; i < rounds; i++) {
		atomic_store_explicit(&mine->word, ++*count, memory_order_release);
		floor_wait(theirs, *count, &wait);
	}
}

static inline void floor_answer(struct floor_line *mine, const struct floor_line *theirs, uint64_t *count, unsigned rounds)
{
	struct channel_wait wait = channel_wait_begin((uintptr_t)mine / sizeof(*mine) + *count);

	for (unsigned i = 0; i < rounds; i++) {
		floor_wait(theirs, ++*count, &wait);
		atomic_store_explicit(&mine->word, *count, memory_order_release);
	}
}
