/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include "bench/threadbench/local.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atoll/domain.h>
#include <atoll/thread.h>

/* Linux: include/uapi/linux/futex.h */
enum { FUTEX_WAIT_PRIVATE = 128, FUTEX_WAKE_PRIVATE = 129 };

enum { REPEATS = 2000, QUICK_REPEATS = 200, WARM_UP = 16 };

static struct samples samples;

struct run {
	const struct lens *lens;
	unsigned rounds;
};

static bool print(const struct run *run, const char *id)
{
	samples_print(&samples, run->lens, id, domain_core(), domain_core());
	return true;
}

static bool failed(const char *id, const char *why)
{
	printf("threadbench: %s: %s\n", id, why);
	return false;
}

static void add(unsigned round, uint64_t begin, unsigned parts)
{
	if (round >= WARM_UP)
		samples_add(&samples, sample_now() - begin, parts);
}

/* ---- Switching ---- */

static atomic_bool over;

static void yield_for_ever(void *argument)
{
	(void)argument;
	while (!over)
		thread_yield();
}

static bool measure_switch(const struct run *run)
{
	struct thread *other;
	err_t e;

	over = false;
	e = thread_create(yield_for_ever, NULL, 0, &other);
	if (is_err(e))
		return failed("thread.switch", err_sentence(e));
	samples_begin(&samples);
	for (unsigned round = 0; round < run->rounds + WARM_UP; round++) {
		uint64_t begin = sample_now();

		thread_yield();
		add(round, begin, 2); /* there and back */
	}
	over = true;
	e = thread_join(other);
	return is_err(e) ? failed("thread.switch", err_sentence(e)) : print(run, "thread.switch");
}

/* ---- Beginning and end ---- */

static void nothing(void *argument)
{
	(void)argument;
}

static bool measure_create(const struct run *run)
{
	err_t e = OK;

	samples_begin(&samples);
	for (unsigned round = 0; round < run->rounds + WARM_UP && is_ok(e); round++) {
		uint64_t begin = sample_now();
		struct thread *t;

		e = thread_create(nothing, NULL, 0, &t);
		if (is_ok(e))
			e = thread_join(t);
		add(round, begin, 1);
	}
	return is_err(e) ? failed("thread.create+join", err_sentence(e)) : print(run, "thread.create+join");
}

static void *nothing_either(void *argument)
{
	return argument;
}

static bool measure_pthread(const struct run *run)
{
	int error = 0;

	samples_begin(&samples);
	for (unsigned round = 0; round < run->rounds / 4 + WARM_UP && error == 0; round++) {
		uint64_t begin = sample_now();
		pthread_t id;

		error = pthread_create(&id, NULL, nothing_either, NULL);
		if (error == 0)
			error = pthread_join(id, NULL);
		add(round, begin, 1);
	}
	return error != 0 ? failed("pthread.create+join", "no thread could be made") : print(run, "pthread.create+join");
}

/* ---- Waiting ---- */

static bool measure_mutex(const struct run *run)
{
	static struct mutex mutex;

	samples_begin(&samples);
	for (unsigned round = 0; round < run->rounds + WARM_UP; round++) {
		uint64_t begin = sample_now();

		mutex_lock(&mutex);
		mutex_unlock(&mutex);
		add(round, begin, 1);
	}
	return print(run, "mutex.uncontended");
}

static bool measure_pthread_mutex(const struct run *run)
{
	static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

	samples_begin(&samples);
	for (unsigned round = 0; round < run->rounds + WARM_UP; round++) {
		uint64_t begin = sample_now();

		pthread_mutex_lock(&mutex);
		pthread_mutex_unlock(&mutex);
		add(round, begin, 1);
	}
	return print(run, "pthread.mutex.uncontended");
}

/* 0: somebody may wait; 1: go on; 2: it is over. */
static _Atomic uint32_t word;

static void wait_for_ever(void *argument)
{
	(void)argument;
	while (word != 2) {
		while (word == 0)
			syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
		if (word == 1)
			word = 0;
	}
}

static bool measure_futex(const struct run *run)
{
	struct thread *other;
	err_t e;

	word = 0;
	e = thread_create(wait_for_ever, NULL, 0, &other);
	if (is_err(e))
		return failed("futex.wake", err_sentence(e));
	samples_begin(&samples);
	for (unsigned round = 0; round < run->rounds + WARM_UP; round++) {
		uint64_t begin;

		thread_yield(); /* it waits now */
		begin = sample_now();
		word = 1;
		syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
		while (word == 1)
			thread_yield();
		add(round, begin, 1);
	}
	word = 2;
	syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
	e = thread_join(other);
	return is_err(e) ? failed("futex.wake", err_sentence(e)) : print(run, "futex.wake");
}

bool local_measure(const struct lens *lens, bool quick)
{
	static bool (*const all[])(const struct run *run) = {measure_switch, measure_create,        measure_pthread,
	                                                     measure_mutex,  measure_pthread_mutex, measure_futex};
	const struct run run = {lens, quick ? QUICK_REPEATS : REPEATS};
	bool ok = true;

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		ok = all[i](&run) && ok;
	return ok;
}
