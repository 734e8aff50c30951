/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* What a program may count on, tried from inside one: `selftest` runs every check and prints a `@test` fact for each; `selftest child ...` is
 * the other domain that some checks need. A check returns NULL or the reason why it failed. */

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
#include <atoll/domain.h>
#include <atoll/ipc.h>
#include <atoll/thread.h>

#include "tests/programs/check.h"

#define PROGRAM "selftest"

#define USUAL_POLLING 1000 /* looks */

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
	const uint64_t bad[] = {8, UINT64_C(0x7ffffffff000), UINT64_C(0xffff800000100000), UINT64_C(0x8000000000000000), (uint64_t)constant};
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

	CHECK(is_ok(cap_slot_alloc(&ram)) && is_ok(cap_slot_alloc(&child)) && is_ok(cap_slot_alloc(&other)) && is_ok(cap_slots_alloc(4, &first)));
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

/* ---- Domains and IPC ---- */

/* Calls that the child which serves does not just answer: SEND asks for a message over the stream that it was last spoken to by. */
enum label { LABEL_SEND = 97, LABEL_VANISH, LABEL_STOP };

static bool spawn_child(const char *what, const char *argument, uint64_t core, uint32_t *domain)
{
	const char *const argv[] = {PROGRAM, "child", what, argument, NULL};
	const char *const envp[] = {"COLOUR=coral", NULL};

	return is_ok(domain_spawn(argv, envp, core, 0, domain));
}

static const char *check_domains(void)
{
	static struct core_info cores[MACHINE_CORES];
	const char *const nobody[] = {"no-such-program", NULL};
	unsigned count;
	uint32_t domain;
	int64_t status;
	enum end_cause cause;

	CHECK(is_ok(core_list(cores, MACHINE_CORES, &count)) && count > 0);
	for (unsigned i = 0; i < count; i++) {
		CHECK(spawn_child("status", "17", cores[i].core, &domain));
		CHECK(is_ok(domain_wait(domain, &status, &cause)));
		CHECK(cause == END_EXIT && status == 17);
	}
	CHECK(err_is(domain_spawn(nobody, NULL, CORE_HERE, 0, &domain), ERR_NUMBER_NOT_FOUND));
	CHECK(err_is(domain_spawn((const char *const[]){PROGRAM, NULL}, NULL, 9999, 0, &domain), ERR_NUMBER_CORE_UNKNOWN));
	CHECK(spawn_child("sleep", "-", CORE_HERE, &domain));
	CHECK(is_ok(domain_kill(domain)));
	CHECK(is_ok(domain_wait(domain, &status, &cause)) && cause == END_KILLED);
	CHECK(is_ok(domain_wait(domain, &status, &cause)) && cause == END_KILLED); /* its end is remembered */
	CHECK(is_err(domain_wait(domain + 1000, &status, &cause)));
	return NULL;
}

static const char *check_environment_is_handed_down(void)
{
	uint32_t domain;
	int64_t status;
	enum end_cause cause;

	CHECK(spawn_child("environment", "two words", CORE_HERE, &domain));
	CHECK(is_ok(domain_wait(domain, &status, &cause)) && cause == END_EXIT && status == 0);
	return NULL;
}

static const char *check_empty_arguments(void)
{
	const char *const argv[] = {PROGRAM, "child", "empty", "", NULL};
	const char *const envp[] = {"", "COLOUR=", NULL};
	static struct core_info cores[MACHINE_CORES];
	unsigned count;
	uint32_t domain;
	int64_t status;
	enum end_cause cause;

	CHECK(is_ok(core_list(cores, MACHINE_CORES, &count)));
	for (unsigned i = 0; i < count; i++) {
		CHECK(is_ok(domain_spawn(argv, envp, cores[i].core, 0, &domain)));
		CHECK(is_ok(domain_wait(domain, &status, &cause)) && cause == END_EXIT && status == 0);
	}
	return NULL;
}

static const char *check_null_pointer_ends_the_domain(void)
{
	uint32_t domain;
	int64_t status;
	enum end_cause cause;

	CHECK(spawn_child("fault", "-", CORE_HERE, &domain));
	CHECK(is_ok(domain_wait(domain, &status, &cause)));
	CHECK(cause == END_FAULT || status > 128);
	return NULL;
}

static const char *talk_to(unsigned core)
{
	static unsigned char out[IPC_STREAM_BYTES], in[IPC_STREAM_BYTES];
	struct ipc_message message = {.label = 3, .word = {1, 2, 3, 4}};
	struct ipc_connection *call, *stream;
	uint32_t domain;
	int64_t status;
	enum end_cause cause;

	CHECK(spawn_child("serve", "-", core, &domain));
	CHECK(is_ok(ipc_bind("selftest", false, &call)));
	CHECK(ipc_is_local(call) == (core == domain_core()));
	for (unsigned i = 0; i < 100; i++) {
		message.word[0] = i;
		CHECK(is_ok(ipc_call(call, &message, &message)));
		CHECK(message.word[0] == i + 1);
		CHECK(message.word[3] == 4);
		CHECK(message.label == 3);
	}
	CHECK(is_ok(ipc_bind("selftest", true, &stream)));
	for (size_t bytes = 1; bytes <= IPC_STREAM_BYTES; bytes = bytes * 2 + (bytes & 1)) {
		size_t got;
		uint16_t label;

		memset(out, (int)bytes, bytes);
		CHECK(is_ok(ipc_send(stream, (uint16_t)bytes, out, bytes)));
		CHECK(is_ok(ipc_receive(stream, &label, in, sizeof(in), &got)));
		CHECK(label == (uint16_t)bytes && got == bytes && memcmp(in, out, bytes) == 0);
	}
	message.label = LABEL_STOP;
	CHECK(is_ok(ipc_call(call, &message, &message)));
	CHECK(is_ok(domain_wait(domain, &status, &cause)) && cause == END_EXIT && status == 0);
	CHECK(is_err(ipc_call(call, &message, &message)));
	ipc_close(stream);
	ipc_close(call);
	return NULL;
}

static const char *check_ipc(void)
{
	static struct core_info cores[MACHINE_CORES];
	unsigned count;

	CHECK(is_ok(core_list(cores, MACHINE_CORES, &count)) && count > 0);
	for (unsigned i = 0; i < count; i++) {
		const char *why = talk_to(cores[i].core);

		if (why != NULL)
			return why;
	}
	return NULL;
}

/* ---- Threads that look for messages ---- */

static unsigned another_core(void)
{
	static struct core_info cores[MACHINE_CORES];
	unsigned count = 0;

	if (is_err(core_list(cores, MACHINE_CORES, &count)))
		return domain_core();
	for (unsigned i = 0; i < count; i++)
		if (cores[i].alive && cores[i].core != domain_core())
			return cores[i].core;
	return domain_core();
}

static uint64_t in_seconds(unsigned seconds)
{
	return time_tsc() + seconds * time_tsc_hz();
}

/* Has always something to do, and lets others run. */
static volatile bool yielding;

static void keep_yielding(void *argument)
{
	uint64_t end = *(const uint64_t *)argument;

	while (yielding && time_tsc() < end)
		thread_yield();
}

/* The peer ends in the middle of a call; the one who waits for its answer is not the only thread that runs. */
static const char *check_peer_that_ends_in_a_call(void)
{
	struct ipc_message message = {.label = LABEL_VANISH};
	uint64_t end = in_seconds(10);
	struct ipc_connection *c;
	struct thread *other;
	uint32_t domain;
	int64_t status;
	enum end_cause cause;

	CHECK(spawn_child("serve", "-", another_core(), &domain));
	CHECK(is_ok(ipc_bind("selftest", false, &c)));
	yielding = true;
	CHECK(is_ok(thread_create(keep_yielding, &end, 0, &other)));
	CHECK(is_err(ipc_call(c, &message, &message)));
	yielding = false;
	CHECK(time_tsc() < end);
	CHECK(is_ok(thread_join(other)));
	CHECK(is_ok(domain_wait(domain, &status, &cause)) && cause == END_EXIT);
	ipc_close(c);
	return NULL;
}

static _Atomic bool message_came;

static void wait_for_message(void *argument)
{
	struct ipc_connection *stream = argument;
	uint16_t label;
	uint8_t byte;
	size_t bytes;

	message_came = is_ok(ipc_receive(stream, &label, &byte, 1, &bytes)) && label == LABEL_SEND;
}

/* One thread calls again and again and never sleeps; another one that sleeps hears of its message all the same. */
static const char *call_until_message_came(struct ipc_connection *call, struct ipc_connection *stream)
{
	struct ipc_message message = {.label = LABEL_SEND};
	uint64_t end = in_seconds(10);
	struct thread *waiter;

	CHECK(is_ok(thread_create(wait_for_message, stream, 0, &waiter)));
	ipc_set_polling(0);
	thread_sleep_until(time_tsc() + time_tsc_hz() / 100);
	ipc_set_polling(IPC_POLL_ALWAYS);
	for (message.label = LABEL_SEND; !message_came && time_tsc() < end; message.label = 1)
		CHECK(is_ok(ipc_call(call, &message, &message)));
	CHECK(message_came);
	CHECK(is_ok(thread_join(waiter)));
	return NULL;
}

/* One thread computes and never enters the library OS; only the bell of the one that sleeps can interrupt it. */
static const char *compute_until_message_came(struct ipc_connection *call, struct ipc_connection *stream)
{
	uint64_t end = in_seconds(10);
	struct thread *waiter;

	(void)call;
	message_came = false;
	CHECK(is_ok(thread_create(wait_for_message, stream, 0, &waiter)));
	ipc_set_polling(0);
	thread_sleep_until(time_tsc() + time_tsc_hz() / 100);
	CHECK(is_ok(ipc_send(stream, LABEL_SEND, "", 1)));
	while (!message_came && time_tsc() < end)
		;
	CHECK(message_came);
	CHECK(is_ok(thread_join(waiter)));
	return NULL;
}

static const char *wait_beside(const char *(*body)(struct ipc_connection *call, struct ipc_connection *stream))
{
	struct ipc_message message = {.label = LABEL_STOP};
	struct ipc_connection *call, *stream;
	const char *why;
	uint16_t label;
	uint8_t byte;
	size_t bytes;
	uint32_t domain;
	int64_t status;
	enum end_cause cause;

	CHECK(spawn_child("serve", "-", another_core(), &domain));
	CHECK(is_ok(ipc_bind("selftest", false, &call)));
	CHECK(is_ok(ipc_bind("selftest", true, &stream)));
	CHECK(is_ok(ipc_send(stream, 1, "", 1)) && is_ok(ipc_receive(stream, &label, &byte, 1, &bytes)));
	why = body(call, stream);
	ipc_set_polling(USUAL_POLLING);
	CHECK(is_ok(ipc_call(call, &message, &message)));
	CHECK(is_ok(domain_wait(domain, &status, &cause)));
	ipc_close(stream);
	ipc_close(call);
	return why;
}

static const char *check_thread_that_calls_for_ever(void)
{
	return wait_beside(call_until_message_came);
}

static const char *check_thread_that_computes_for_ever(void)
{
	return wait_beside(compute_until_message_came);
}

/* ---- The other domain ---- */

static bool served_out;
static struct ipc_connection *remembered;

static void serve_call(void *context, struct ipc_connection *c, const struct ipc_message *request, struct ipc_message *reply)
{
	(void)context, (void)c;
	if (request->label == LABEL_VANISH)
		exit(EXIT_SUCCESS);
	if (request->label == LABEL_SEND && is_err(ipc_send(remembered, LABEL_SEND, "", 1)))
		exit(EXIT_FAILURE);
	*reply = *request;
	reply->word[0]++;
	served_out = request->label == LABEL_STOP;
}

static void serve_message(void *context, struct ipc_connection *c, uint16_t label, const void *data, size_t bytes)
{
	(void)context;
	remembered = c;
	if (is_err(ipc_send(c, label, data, bytes)))
		served_out = true;
}

static int child_serve(void)
{
	const struct ipc_server server = {.call = serve_call, .message = serve_message};
	struct ipc_service *service;

	if (is_err(ipc_offer("selftest", &server, &service)))
		return EXIT_FAILURE;
	while (!served_out)
		ipc_serve_once(0);
	return EXIT_SUCCESS;
}

static int child(const char *what, const char *argument)
{
	if (strcmp(what, "status") == 0)
		return atoi(argument);
	if (strcmp(what, "environment") == 0)
		return getenv("COLOUR") == NULL || strcmp(getenv("COLOUR"), "coral") != 0 || strcmp(argument, "two words") != 0;
	if (strcmp(what, "empty") == 0)
		return argument[0] != '\0' || environ[0][0] != '\0' || strcmp(environ[1], "COLOUR=") != 0 || environ[2] != NULL;
	if (strcmp(what, "serve") == 0)
		return child_serve();
	if (strcmp(what, "fault") == 0) {
		static volatile int *volatile nowhere;

		*nowhere = 1;
		return EXIT_SUCCESS;
	}
	for (;;)
		thread_sleep_until(time_tsc() + time_tsc_hz());
}

static const struct {
	const char *name;
	const char *(*run)(void);
} checks[] = {
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
	{"domains", check_domains},
	{"environment_is_handed_down", check_environment_is_handed_down},
	{"empty_arguments", check_empty_arguments},
	{"null_pointer", check_null_pointer_ends_the_domain},
	{"ipc", check_ipc},
	{"peer_that_ends_in_a_call", check_peer_that_ends_in_a_call},
	{"thread_that_calls_for_ever", check_thread_that_calls_for_ever},
	{"thread_that_computes_for_ever", check_thread_that_computes_for_ever},
};

int main(int argc, char **argv)
{
	unsigned failures = 0;

	if (argc == 4 && strcmp(argv[1], "child") == 0)
		return child(argv[2], argv[3]);
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		const char *why = checks[i].run();

		printf("@test {\"name\":\"selftest.%s\",\"core\":%u,\"ok\":%s}\n", checks[i].name, domain_core(), why == NULL ? "true" : "false");
		if (why != NULL)
			printf("selftest.%s failed: %s\n", checks[i].name, why);
		failures += why != NULL;
	}
	return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
