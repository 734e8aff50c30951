/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* A worker: the same program on another core (or a second domain on this one), which answers what a measurement asks. Workers do as they are told
 * by calls on their service "bench.CORE.NUMBER"; streams between two workers carry what is measured. */

#include <atoll/ipc.h>

#include "bench/common/sample.h"

/* Labels of calls to a worker. */
enum {
	WORKER_ECHO = 1,    /* the reply is the request */
	WORKER_MEASURE = 2, /* word 0: the core of the peer to measure against, word 1: quick or not; replies when done, word 0 an error number */
	WORKER_POLLING = 3, /* word 0: iterations that the library OS polls before it parks */
	WORKER_END = 4,     /* replies, then ends */
};

/* Labels on a stream between workers; the payload is one word. */
enum {
	STREAM_FLOOR = 1, /* this stream's memory is for the bouncing word */
	STREAM_PAIR = 2,  /* then answer one batch of floor, then one of channel */
	STREAM_POUR = 3,  /* then take as many bursts of lines as the word says */
	STREAM_WAKE = 4,  /* then answer as many lines as the word says, asleep between them */
	STREAM_PING = 5,  /* answered with the same, through the library OS */
};

struct worker {
	unsigned core;
	uint32_t domain;
	struct ipc_connection *connection;
};

/* The worker's own main: serves until WORKER_END. */
int worker_main(const struct lens *lens, const char *service);

/* Starts worker `number` on `core` and binds to it. On failure prints a sentence. */
bool worker_start(struct worker *w, unsigned core, unsigned number);
void worker_end(struct worker *w);
