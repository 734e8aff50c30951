/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* What is measured of Linux, so that Atoll's figures have something beside them that ran in the same emulator (bench/peers/table.py says
 * which rows stand side by side):
 *
 *   getppid                   single.c   the empty call
 *   fault                     single.c   the first touch of a page
 *   pthread.create+join       single.c   a thread that does nothing
 *   pthread.mutex.uncontended single.c
 *   switch.WHO                switch.c   from one to the other on the same core, by yielding
 *   TRANSPORT.rtt.WHO         pairs.c    a question and its answer, on one core and between two; link.c has the transports
 *   unmap, unmap.running      unmap.c    a page goes that so many other threads have touched, which sleep, or run
 *   barrier, barrier.polled   barrier.c  so many threads, each on a core, until all are there
 *
 * WHO is `process` or `thread`: under an emulator, going from one address space to another costs what it costs on no machine, so each is
 * measured both ways. Samples are taken as Atoll's benchmarks take theirs (bench/common/sample.h).
 *
 * Each function prints its facts, and answers false, after a sentence, if something could not be measured. */

#include <stdbool.h>

#include "bench/common/sample.h"

struct plan {
	const struct lens *lens;
	unsigned cores;  /* of this machine: 0 to cores - 1 */
	unsigned rounds; /* of what is measured */
	unsigned polled; /* so many threads may poll at the same time: more would wait for each other's time slices */
};

enum {
	WARM_UP = 16,      /* first rounds that are not counted */
	ROUNDS_LEAST = 20, /* of which some measurements take a part */
};

/* Starts the other cores of the machine, and says how many there are now. */
bool cores_start(unsigned *count);

bool single_measure(const struct plan *p);
bool switch_measure(const struct plan *p);
bool pairs_measure(const struct plan *p);
bool unmap_measure(const struct plan *p);
bool barrier_measure(const struct plan *p);

bool failed(const char *id, const char *why);       /* false */
bool failed_call(const char *id, const char *call); /* likewise, with what errno says */
