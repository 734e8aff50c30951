/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Somebody else who takes part in a measurement, on a core of its own choice: a thread of this process, or a process of its own that shares
 * only what lies in shared_memory(). */

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/types.h>

enum party_kind { PARTY_PROCESS, PARTY_THREAD, PARTY_KINDS };
extern const char *const party_kind_names[PARTY_KINDS];

struct party {
	enum party_kind kind;
	unsigned core;
	bool (*run)(void *argument);
	void *argument;
	pid_t pid;        /* of a process */
	pthread_t thread; /* of a thread, with what `run` answered */
	bool went_well;
};

/* Both answer false, with errno set, if the party can't begin, or did not go well. */
bool party_start(struct party *party, enum party_kind kind, unsigned core, bool (*run)(void *argument), void *argument);
bool party_join(struct party *party);

/* Binds who calls it to a core. */
bool stay_on(unsigned core);

/* Zeroed memory that processes which begin later share with this one; NULL: there is none. It stays. */
void *shared_memory(size_t bytes);

/* Waits while the word has this value; wakes all who wait. Between processes, or among the threads of one. */
void word_wait(_Atomic uint32_t *word, uint32_t value, enum party_kind between);
void word_wake(_Atomic uint32_t *word, enum party_kind between);
