/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* A barrier made of two words, as any program for Linux might have it: who comes last lets all go on. The others sleep by futex, or poll.
 * Measured under Atoll and under Linux, it is the same code in both places. */

#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "channels/memory.h"

/* Linux: include/uapi/linux/futex.h */
enum { BARRIER_FUTEX_WAIT_PRIVATE = 128, BARRIER_FUTEX_WAKE_PRIVATE = 129 };

struct barrier {
	unsigned parties; /* immutable, like the next one */
	bool polls;
	_Alignas(128) _Atomic uint32_t arrived; /* in this round */
	_Alignas(128) _Atomic uint32_t round;
};

static inline void barrier_wait(struct barrier *b)
{
	const uint32_t round = b->round;

	if (++b->arrived == b->parties) {
		b->arrived = 0;
		b->round = round + 1;
		if (!b->polls)
			syscall(SYS_futex, &b->round, BARRIER_FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
		return;
	}
	while (b->round == round) {
		if (b->polls)
			channel_pause();
		else
			syscall(SYS_futex, &b->round, BARRIER_FUTEX_WAIT_PRIVATE, round, NULL, NULL, 0);
	}
}

/* What is measured is so many rounds together. */
enum { BARRIER_BATCH = 10 };

static inline void barrier_pass(struct barrier *b, unsigned batches)
{
	for (unsigned i = 0; i < batches * BARRIER_BATCH; i++)
		barrier_wait(b);
}
