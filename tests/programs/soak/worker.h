/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

#include "tests/programs/soak/things.h"

struct worker {
	unsigned number;
	cap_t arena; /* all of it, for good */
	uint64_t arena_base;
	struct ipc_connection *peer[WORKERS_MAX]; /* NULL: none, or gone */
	bool stop, failed;
	unsigned at_work;
	uint64_t operations, refused;
	const char *doing[THREADS];
};
extern struct worker me;

/* Says what is wrong, with the seed and the round; the round has failed. */
__attribute__((format(printf, 1, 2))) void fail(const char *format, ...);

/* One operation, drawn at random. */
void operate(struct random *r, unsigned thread);

/* ---- What is in memory (contents.c) ---- */

/* Maps it, if it is not. */
void contents_map(struct thing *t, const struct cap_identity *id);
/* Looks for what this worker has written to a page, and writes something new. */
void contents_touch(struct random *r, struct thing *t, const struct cap_identity *id);
/* This is the only Frame with that memory, anywhere: nobody else writes to it. */
void contents_are_mine(cap_t frame, const struct cap_identity *id);
