/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include <pthread.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench/peers/linux/peers.h"

enum { HERE = 0, PAGE_BYTES = 4096 };

static struct samples samples;

static void add(unsigned round, uint64_t begin)
{
	if (round >= WARM_UP)
		samples_add(&samples, sample_now() - begin, 1);
}

static bool print(const struct plan *p, const char *id)
{
	samples_print(&samples, p->lens, id, HERE, HERE);
	return true;
}

static bool measure_call(const struct plan *p)
{
	samples_begin(&samples);
	for (unsigned round = 0; round < p->rounds + WARM_UP; round++) {
		uint64_t begin = sample_now();

		syscall(SYS_getppid);
		add(round, begin);
	}
	return print(p, "getppid");
}

static bool measure_fault(const struct plan *p)
{
	const size_t bytes = (size_t)(p->rounds + WARM_UP) * PAGE_BYTES;
	volatile char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		return failed_call("fault", "mmap");
	/* One fault for each page, not one for many. */
	(void)madvise((void *)memory, bytes, MADV_NOHUGEPAGE);
	samples_begin(&samples);
	for (unsigned round = 0; round < p->rounds + WARM_UP; round++) {
		uint64_t begin = sample_now();

		memory[(size_t)round * PAGE_BYTES] = 1;
		add(round, begin);
	}
	if (munmap((void *)memory, bytes) != 0)
		return failed_call("fault", "munmap");
	return print(p, "fault");
}

static void *nothing(void *argument)
{
	return argument;
}

static bool measure_create(const struct plan *p)
{
	int error = 0;

	samples_begin(&samples);
	for (unsigned round = 0; round < p->rounds + WARM_UP && error == 0; round++) {
		uint64_t begin = sample_now();
		pthread_t id;

		error = pthread_create(&id, NULL, nothing, NULL);
		if (error == 0)
			error = pthread_join(id, NULL);
		add(round, begin);
	}
	return error != 0 ? failed("pthread.create+join", "no thread could be made") : print(p, "pthread.create+join");
}

static bool measure_mutex(const struct plan *p)
{
	static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

	samples_begin(&samples);
	for (unsigned round = 0; round < p->rounds + WARM_UP; round++) {
		uint64_t begin = sample_now();

		pthread_mutex_lock(&mutex);
		pthread_mutex_unlock(&mutex);
		add(round, begin);
	}
	return print(p, "pthread.mutex.uncontended");
}

bool single_measure(const struct plan *p)
{
	static bool (*const all[])(const struct plan *p) = {measure_call, measure_fault, measure_create, measure_mutex};
	bool ok = true;

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		ok = all[i](p) && ok;
	return ok;
}
