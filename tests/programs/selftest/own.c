/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* What a program has to itself: the C library and Linux's calls, threads, memory, capabilities. */

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <atoll/address_space.h>
#include <atoll/capability.h>
#include <atoll/thread.h>

#include "tests/programs/selftest/selftest.h"

/* ---- The C library ---- */

static _Thread_local int thread_local_value = 7;

static const char *check_c_library(void)
{
	char text[64];
	void *blocks[64];

	CHECK(thread_local_value == 7);
	snprintf(text, sizeof(text), "%.3f %d %s", sqrt(2), -5, "x");
	CHECK(strcmp(text, "1.414 -5 x") == 0);
	for (size_t i = 0; i < 64; i++) {
		blocks[i] = malloc(1000 * (i + 1));
		CHECK(blocks[i] != NULL);
		memset(blocks[i], (int)i, 1000 * (i + 1));
	}
	for (size_t i = 0; i < 64; i++) {
		CHECK(*((unsigned char *)blocks[i] + 1000 * i) == i);
		free(blocks[i]);
	}
	return NULL;
}

static const char *check_environment(void)
{
	CHECK(getenv("LENS") == NULL || strlen(getenv("LENS")) > 0);
	CHECK(sysconf(_SC_PAGESIZE) == 4096);
	CHECK(getpid() > 0);
	return NULL;
}

static const char *check_unknown_calls(void)
{
	uint64_t before = foreign_unknown_count();

	errno = 0;
	CHECK(syscall(SYS_bpf, 0, 0, 0) == -1 && errno == ENOSYS);
	CHECK(syscall(100000) == -1 && errno == ENOSYS);
	CHECK(foreign_unknown_count() == before + 2);
	CHECK(write(77, "x", 1) == -1 && errno == EBADF);
	return NULL;
}

static bool faults(long number, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	errno = 0;
	return syscall(number, a, b, c, d) == -1 && errno == EFAULT;
}

/* Calls that read or write what they are pointed to, with addresses that are not the program's: nothing, nothing, the CPU driver's, none at
 * all (not canonical). Only the last one, which may be read, lies in the program itself. */
static const char *check_bad_pointers(void)
{
	static const uint64_t constant[8];
	const uint64_t bad[] = {8, UINT64_C(0x7ffffffff000), UINT64_C(0xffff800000100000), UINT64_C(0x8000000000000000),
	                        (uint64_t)constant};
	const unsigned count = sizeof(bad) / sizeof(bad[0]);

	for (unsigned i = 0; i < count; i++) {
		CHECK(faults(SYS_clock_gettime, CLOCK_MONOTONIC, bad[i], 0, 0));
		CHECK(faults(SYS_gettimeofday, bad[i], 0, 0, 0));
		CHECK(faults(SYS_fstat, 1, bad[i], 0, 0));
		CHECK(faults(SYS_uname, bad[i], 0, 0, 0));
		CHECK(faults(SYS_getrandom, bad[i], 100, 0, 0));
		CHECK(faults(SYS_rt_sigaction, 10, 0, bad[i], 8));
		CHECK(faults(SYS_sched_getaffinity, 0, 128, bad[i], 0));
		CHECK(faults(SYS_arch_prctl, 0x1003, bad[i], 0, 0));
	}
	for (unsigned i = 0; i < count - 1; i++) {
		CHECK(faults(SYS_write, 1, bad[i], 1, 0));
		CHECK(faults(SYS_writev, 1, bad[i], 1, 0));
		CHECK(faults(SYS_writev, 1, (uint64_t)(const uint64_t[]){bad[i], 1}, 1, 0));
		CHECK(faults(SYS_open, bad[i], 0, 0, 0));
		CHECK(faults(SYS_nanosleep, bad[i], 0, 0, 0));
		CHECK(faults(SYS_rt_sigprocmask, 0, bad[i], 0, 8));
		CHECK(faults(SYS_rt_sigaction, 10, bad[i], 0, 8));
		CHECK(faults(SYS_futex, bad[i] & ~UINT64_C(3), 0, 1, 0));
		CHECK(faults(SYS_futex, (uint64_t)&constant, 0, 0, bad[i]));
	}
	return NULL;
}

/* A call gets as far as the memory does, and untouched memory is as good as any. */
static const char *check_pointers_to_the_edge(void)
{
	unsigned char *memory = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned sum = 0;

	CHECK(memory != MAP_FAILED);
	CHECK(syscall(SYS_getrandom, memory, 8192, 0) == 8192);
	for (unsigned i = 0; i < 8192; i++)
		sum += memory[i];
	CHECK(sum > 0);
	CHECK(munmap(memory + 4096, 4096) == 0);
	CHECK(syscall(SYS_getrandom, memory + 4000, 96, 0) == 96);
	sum = (unsigned)syscall(SYS_getrandom, memory + 4000, 200, 0);
	CHECK(sum > 0 && sum <= 96);
	CHECK(faults(SYS_clock_gettime, CLOCK_MONOTONIC, (uint64_t)memory + 4088, 0, 0));
	CHECK(munmap(memory, 4096) == 0);
	return NULL;
}

static const char *check_mmap(void)
{
	char *memory = mmap(NULL, 100000, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(memory != MAP_FAILED);
	for (size_t i = 0; i < 100000; i += 4096) {
		CHECK(memory[i] == 0);
		memory[i] = 1;
	}
	CHECK(munmap(memory, 100000) == 0);
	CHECK(mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED && errno == EINVAL);
	return NULL;
}

static const char *check_clock(void)
{
	struct timespec a, b, nap = {.tv_nsec = 20000000};
	int64_t elapsed;

	CHECK(clock_gettime(CLOCK_MONOTONIC, &a) == 0);
	CHECK(nanosleep(&nap, NULL) == 0);
	CHECK(clock_gettime(CLOCK_MONOTONIC, &b) == 0);
	elapsed = (b.tv_sec - a.tv_sec) * 1000000000ll + b.tv_nsec - a.tv_nsec;
	CHECK(elapsed >= nap.tv_nsec);
	return NULL;
}

/* ---- Threads ---- */

#define THREADS 4
#define ROUNDS  1000

static struct {
	struct mutex mutex;
	struct condition condition;
	unsigned turn, counted;
} shared;

static void take_turns(void *argument)
{
	unsigned self = (unsigned)(uintptr_t)argument;

	for (unsigned i = 0; i < ROUNDS; i++) {
		mutex_lock(&shared.mutex);
		while (shared.turn != self)
			condition_wait(&shared.condition, &shared.mutex);
		shared.turn = (self + 1) % THREADS;
		shared.counted++;
		condition_broadcast(&shared.condition);
		mutex_unlock(&shared.mutex);
	}
}

static const char *check_threads(void)
{
	struct thread *threads[THREADS];

	for (unsigned i = 0; i < THREADS; i++)
		CHECK(is_ok(thread_create(take_turns, (void *)(uintptr_t)i, 0, &threads[i])));
	for (unsigned i = 0; i < THREADS; i++)
		CHECK(is_ok(thread_join(threads[i])));
	CHECK(shared.counted == THREADS * ROUNDS);
	return NULL;
}

static pthread_mutex_t pthread_lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned pthread_counted;

static void *count_up(void *argument)
{
	thread_local_value = (int)(intptr_t)argument;
	for (unsigned i = 0; i < ROUNDS; i++) {
		pthread_mutex_lock(&pthread_lock);
		pthread_counted++;
		pthread_mutex_unlock(&pthread_lock);
	}
	return (void *)(intptr_t)thread_local_value;
}

static const char *check_pthreads(void)
{
	pthread_t threads[THREADS];

	for (intptr_t i = 0; i < THREADS; i++)
		CHECK(pthread_create(&threads[i], NULL, count_up, (void *)i) == 0);
	for (intptr_t i = 0; i < THREADS; i++) {
		void *answer;

		CHECK(pthread_join(threads[i], &answer) == 0);
		CHECK((intptr_t)answer == i);
	}
	CHECK(pthread_counted == THREADS * ROUNDS);
	CHECK(thread_local_value == 7);
	return NULL;
}

/* Two threads that never yield, with numbers in vector registers: preemption must keep both. */
static volatile bool spinning = true;
static bool spinner_exact = true;

static void spin_with_numbers(void *argument)
{
	double step = (double)(uintptr_t)argument, sum = 0;
	uint64_t rounds = 0;

	while (spinning) {
		for (int i = 0; i < 1000; i++)
			sum += step;
		rounds += 1000;
	}
	if (sum != step * (double)rounds)
		spinner_exact = false;
}

static const char *check_preemption(void)
{
	struct thread *a, *b;

	CHECK(is_ok(thread_create(spin_with_numbers, (void *)3, 0, &a)));
	CHECK(is_ok(thread_create(spin_with_numbers, (void *)5, 0, &b)));
	thread_sleep_until(time_tsc() + time_tsc_hz() / 10);
	spinning = false;
	CHECK(is_ok(thread_join(a)));
	CHECK(is_ok(thread_join(b)));
	CHECK(spinner_exact);
	return NULL;
}

/* ---- Memory ---- */

static const char *check_memory(void)
{
	unsigned char *a, *b;
	void *mapped;

	CHECK(is_ok(memory_map(64 * KIB, READ_WRITE, PLACE_TOUCH, &mapped)));
	a = mapped;
	for (size_t i = 0; i < 64 * KIB; i += 512) {
		CHECK(a[i] == 0);
		a[i] = 0xaa;
	}
	CHECK(is_ok(memory_unmap(a, 64 * KIB)));
	CHECK(is_ok(memory_map(64 * KIB, READ_WRITE, PLACE_NOW, &mapped)));
	b = mapped;
	for (size_t i = 0; i < 64 * KIB; i += 512)
		CHECK(b[i] == 0); /* used before, perhaps by us, but clean */
	CHECK(is_ok(memory_protect(b, 64 * KIB, RIGHTS(RIGHT_READ))));
	CHECK(b[512] == 0);
	CHECK(is_ok(memory_unmap(b, 64 * KIB)));
	CHECK(is_err(memory_unmap((void *)0x123, 1)));
	return NULL;
}

static const char *check_memory_is_given_back(void)
{
	void *mapped;

	for (unsigned i = 0; i < 64; i++) { /* together many times what the domain has */
		CHECK(is_ok(memory_map(MIB, READ_WRITE, PLACE_NOW, &mapped)));
		CHECK(is_ok(memory_unmap(mapped, MIB)));
	}
	return NULL;
}

/* ---- Capabilities ---- */

static const char *check_capabilities(void)
{
	struct cap_identity id;
	cap_t ram, child, other, first;
	paddr_t base;

	CHECK(is_ok(cap_slot_alloc(&ram)) && is_ok(cap_slot_alloc(&child)) && is_ok(cap_slot_alloc(&other)) &&
	      is_ok(cap_slots_alloc(4, &first)));
	CHECK(is_ok(memory_object(CAP_RAM, 64 * KIB, PAGE_BYTES, ram, &base)));
	CHECK(is_ok(cap_identify(ram, &id)) && id.type == CAP_RAM && id.base == base.value && id.size == 64 * KIB);

	CHECK(is_ok(cap_retype(ram, CAP_Frame, 0, PAGE_BYTES, 1, child)));
	CHECK(err_is(cap_retype(ram, CAP_Frame, 0, PAGE_BYTES, 1, other), ERR_NUMBER_OVERLAP));
	CHECK(err_is(cap_retype(ram, CAP_RAM, 0, 8 * KIB, 1, other), ERR_NUMBER_OVERLAP));
	CHECK(err_is(cap_retype(ram, CAP_Frame, PAGE_BYTES, PAGE_BYTES, 1, child), ERR_NUMBER_SLOT_IN_USE));
	CHECK(err_is(cap_retype(ram, CAP_Frame, 60 * KIB, 8 * KIB, 1, other), ERR_NUMBER_RANGE));
	CHECK(err_is(cap_retype(ram, CAP_Frame, 100, PAGE_BYTES, 1, other), ERR_NUMBER_ALIGNMENT));
	CHECK(err_is(cap_retype(child, CAP_RAM, 0, PAGE_BYTES, 1, other), ERR_NUMBER_RETYPE));
	CHECK(err_is(cap_retype(ram, CAP_Kernel, 0, 0, 1, other), ERR_NUMBER_RETYPE));

	CHECK(is_ok(cap_mint(child, other, RIGHTS(RIGHT_READ), 0)));
	CHECK(is_ok(cap_identify(other, &id)) && id.rights == RIGHT_READ);
	CHECK(is_ok(cap_delete(child)));
	CHECK(is_ok(cap_mint(other, child, RIGHTS(RIGHTS_ALL), 0)) && is_ok(cap_identify(child, &id)) && id.rights == RIGHT_READ);

	CHECK(is_ok(cap_retype(ram, CAP_Frame, 16 * KIB, PAGE_BYTES, 4, first)));
	CHECK(is_ok(cap_revoke(ram)));
	CHECK(err_is(cap_identify(child, &id), ERR_NUMBER_CAP_EMPTY) && err_is(cap_identify(other, &id), ERR_NUMBER_CAP_EMPTY));
	CHECK(err_is(cap_identify(first, &id), ERR_NUMBER_CAP_EMPTY));
	CHECK(is_ok(cap_retype(ram, CAP_RAM, 0, 64 * KIB, 1, child))); /* all of it is free again */
	CHECK(is_ok(cap_revoke(ram)));
	memory_object_free(ram);
	return NULL;
}

static const char *check_mapped_frame_goes_with_its_capability(void)
{
	cap_t frame;
	void *mapped;
	paddr_t base;

	CHECK(is_ok(frame_create(PAGE_BYTES, READ_WRITE, &frame, &mapped, &base)));
	*(volatile int *)mapped = 42;
	CHECK(*(volatile int *)mapped == 42);
	CHECK(is_ok(frame_unmap(mapped)));
	CHECK(is_ok(frame_map(frame, 0, PAGE_BYTES, READ_WRITE, &mapped)));
	CHECK(*(volatile int *)mapped == 42);
	CHECK(is_ok(frame_unmap(mapped)));
	memory_object_free(frame);
	return NULL;
}

const struct check own_checks[] = {
    {"c_library", check_c_library},
    {"environment", check_environment},
    {"unknown_calls", check_unknown_calls},
    {"bad_pointers", check_bad_pointers},
    {"pointers_to_the_edge", check_pointers_to_the_edge},
    {"mmap", check_mmap},
    {"clock", check_clock},
    {"threads", check_threads},
    {"pthreads", check_pthreads},
    {"preemption", check_preemption},
    {"memory", check_memory},
    {"memory_is_given_back", check_memory_is_given_back},
    {"capabilities", check_capabilities},
    {"mapped_frame", check_mapped_frame_goes_with_its_capability},
    {NULL, NULL},
};
