/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Whether to look on for a while before going to sleep.
 *
 * To be woken costs: an interrupt, and where the processor is a thread of an emulator or a hypervisor, the time until its host gives it a
 * processor, some 40 us. Whoever looks on for about as long as that before he sleeps waits at most twice as long as one who knew
 * when the answer comes (Karlin, Manasse, McGeoch, Owicki: Empirical studies of competitive spinning for a shared-memory multiprocessor,
 * 1991). But if two processors share one of the host's, the one that looks on keeps the other from answering. Nobody says so, so it is
 * learnt: who has looked on in vain more than a few times in a row leaves it for one time, then for two, four, and so on, and tries
 * again. A success is believed at once.
 *
 * Pure: no word of the machine. */

#include <stdbool.h>
#include <stdint.h>

#define PATIENCE_FORGIVEN      2 /* times in a row that it may be in vain without consequence */
#define PATIENCE_RESTS_AT_MOST 64

/* Zeroed: nothing is known. */
struct patience {
	uint32_t vain; /* in a row */
	uint32_t rest; /* how often not to look on before the next try */
};

/* Somebody is about to wait: whether it is worth looking on. */
bool patience_has(struct patience *p);
/* He has looked on; `came`: not in vain. */
void patience_learn(struct patience *p, bool came);
