/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* A check returns NULL or the reason why it failed. Those of one peer are run with each peer in turn, the others once. */

#include "tests/programs/agreement/peer.h"

typedef const char *peer_check_fn(struct peer *p);
typedef const char *check_fn(void);

struct peer_check {
	const char *name;
	peer_check_fn *run;
};
struct check {
	const char *name;
	unsigned remote; /* so many peers on other cores are needed */
	check_fn *run;
};
extern const struct peer_check operation_checks[];
extern const struct check group_checks[], race_checks[], attack_checks[]; /* the last one has no name */

/* RAM of this domain's own, of which nothing is made. */
#define RAM_BYTES (64 * KIB)
bool make_ram(cap_t *ram);
/* All of it is free again, and goes back; waits for what other cores still have to do. */
bool end_ram(cap_t ram);

/* A frame of this domain's own in a new slot. */
bool make_frame(cap_t *frame);
bool is_there(cap_t cap);
bool peer_has(const struct peer *p, cap_t slot);
unsigned flags_of(cap_t cap);

/* The peer gets a copy, and finds it in that slot of its own. */
err_t hand_over(struct peer *p, cap_t cap, unsigned rights, cap_t *slot);

/* Waits until it holds, two seconds at most: what other cores do after they have answered. */
#define EVENTUALLY(condition)                                                                                                              \
	do {                                                                                                                               \
		uint64_t eventually_end = time_tsc() + 2 * time_tsc_hz();                                                                  \
		while (!(condition) && time_tsc() < eventually_end)                                                                        \
			thread_sleep_until(time_tsc() + time_tsc_hz() / 1000);                                                             \
		CHECK(condition);                                                                                                          \
	} while (0)
