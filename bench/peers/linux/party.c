/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include "bench/peers/linux/party.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Linux: include/uapi/linux/futex.h */
enum { FUTEX_WAIT = 0, FUTEX_WAKE = 1, FUTEX_PRIVATE = 128 };

const char *const party_kind_names[PARTY_KINDS] = {[PARTY_PROCESS] = "process", [PARTY_THREAD] = "thread"};

bool stay_on(unsigned core)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(core, &set);
	return sched_setaffinity(0, sizeof(set), &set) == 0;
}

static void *run_thread(void *argument)
{
	struct party *party = argument;

	party->went_well = stay_on(party->core) && party->run(party->argument);
	return NULL;
}

static bool start_process(struct party *party)
{
	party->pid = fork();
	if (party->pid == 0)
		_exit(stay_on(party->core) && party->run(party->argument) ? 0 : 1);
	return party->pid > 0;
}

bool party_start(struct party *party, enum party_kind kind, unsigned core, bool (*run)(void *argument), void *argument)
{
	*party = (struct party){.kind = kind, .core = core, .run = run, .argument = argument};
	if (kind == PARTY_PROCESS)
		return start_process(party);
	errno = pthread_create(&party->thread, NULL, run_thread, party);
	return errno == 0;
}

bool party_join(struct party *party)
{
	int status;

	errno = ECANCELED;
	if (party->kind == PARTY_PROCESS)
		return waitpid(party->pid, &status, 0) == party->pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
	return pthread_join(party->thread, NULL) == 0 && party->went_well;
}

void *shared_memory(size_t bytes)
{
	void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

void word_wait(_Atomic uint32_t *word, uint32_t value, enum party_kind between)
{
	while (*word == value)
		syscall(SYS_futex, word, FUTEX_WAIT | (between == PARTY_THREAD ? FUTEX_PRIVATE : 0), value, NULL, NULL, 0);
}

void word_wake(_Atomic uint32_t *word, enum party_kind between)
{
	syscall(SYS_futex, word, FUTEX_WAKE | (between == PARTY_THREAD ? FUTEX_PRIVATE : 0), INT_MAX, NULL, NULL, 0);
}
