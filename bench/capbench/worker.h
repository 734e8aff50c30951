/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* A worker: the same program on another core, which holds what it is given. It does as it is told by calls and stream messages on its
 * service "capbench.CORE". */

#include <stdbool.h>
#include <stdint.h>

#include <atoll/ipc.h>

/* Labels of calls to a worker. */
enum {
	WORKER_LOOK = 1,     /* replies when all that was given has been seen; word 0: whether it holds something */
	WORKER_MAP = 2,      /* maps what it holds and touches it; replies word 0: an error number */
	WORKER_FORGET = 3,   /* gives up what it holds, or what is left of it */
	WORKER_MESSAGES = 4, /* replies word 0: how many messages between monitors its moves have taken since the last time */
	WORKER_POLLING = 5,  /* word 0: iterations that its library OS polls before it parks */
	WORKER_DELETE = 6,   /* deletes what it holds; replies words 0 to 2: an error number, when it began and when it was over */
	WORKER_END = 7,
};

/* Labels on a stream to a worker. */
enum {
	STREAM_UNMAP = 1, /* unmaps what WORKER_MAP mapped; answered with the same label */
};

/* Tags of what is given. */
enum {
	GIVEN_TO_HOLD = 1,
	GIVEN_TO_RETURN = 2, /* moves back at once */
};

struct worker {
	unsigned core;
	uint32_t domain;
	struct ipc_connection *call, *stream;
};

/* The worker's own main: serves until WORKER_END. */
int worker_main(const char *service);

/* Starts the worker on `core` and binds to it. On failure prints a sentence. */
bool worker_start(struct worker *w, unsigned core);
/* A call with one word there and back. On failure prints a sentence. */
bool worker_tell(struct worker *w, uint16_t label, uint64_t word, uint64_t *answer);
void worker_end(struct worker *w);
