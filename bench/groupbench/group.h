/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Messages to many cores and back, through the library OS. A worker runs on each other core; whoever waits sleeps, so that the waiting has
 * no length of its own in instructions and takes nobody's time. In a *round* a word goes from this core to all workers, and an answer comes
 * back from all: either *flat*, this core sends each message and takes each answer itself, or along a binary *tree*
 * (libos/span/tree.h) whose halves follow the nodes, in which a worker sends on, and answers when those below it have answered. Of each
 * round, in either shape:
 *
 *   broadcast.flat, broadcast.tree   until the last worker has the word: all cores' counters agree, and the answers carry the latest
 * arrival reduce.flat, reduce.tree         from there on, until all answers are here; each adds to a sum barrier.flat, barrier.tree all of
 * it: nobody goes on before everybody has come
 *
 * `holders` is the number of workers. */

#include <stdbool.h>
#include <stdint.h>

#include <atoll/domain.h>
#include <atoll/ipc.h>

#define WORKERS_MAX 63 /* worker n is bit n; number 0 is the core that asks */

/* Labels on a stream to a worker. */
enum group_label {
#define MESSAGE(name, label) name = (label),
#include "bench/groupbench/labels.def"
#undef MESSAGE
};

/* Where the workers are, by number. */
struct group_cores {
	uint16_t core[WORKERS_MAX + 1];
};

struct group_word {
	uint64_t value;
	uint64_t below; /* the workers that the receiver is to tell */
};

struct group_answer {
	uint64_t sum;     /* of the value, once for each worker that has it */
	uint64_t arrival; /* the latest, of the time-stamp counter */
};

_Static_assert(sizeof(struct group_cores) <= IPC_STREAM_BYTES, "fits a message of a stream");

void group_service(char name[SERVICE_NAME_BYTES], unsigned core);

/* A round with these workers, by the caller's streams to them; the answer is added to. */
MUST_USE err_t group_round(struct ipc_connection *const stream[], uint64_t workers, bool tree, uint64_t value, struct group_answer *answer);

/* The worker's own main: serves until group_end. */
int group_worker_main(unsigned core);
