/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>

#include <atoll/thread.h>

#include "tests/programs/memory/memory.h"

unsigned others;
static unsigned last_core;

bool report(const char *name, const char *why)
{
	printf("@test {\"name\":\"memory.%s\",\"core\":%u,\"ok\":%s}\n", name, domain_core(), why == NULL ? "true" : "false");
	if (why != NULL)
		printf("memory.%s failed: %s\n", name, why);
	return why == NULL;
}

uint64_t on(unsigned member, uint64_t (*function)(uint64_t), const volatile void *argument)
{
	uint64_t result = 0;

	return is_ok(span_call(member, function, (uint64_t)argument, &result)) ? result : SPAN_FAILED;
}

struct call {
	uint64_t (*function)(uint64_t);
	const volatile void *argument;
	uint64_t result;
	_Atomic bool done;
};

static void call(void *argument)
{
	struct call *c = argument;

	c->result = c->function((uint64_t)c->argument);
	c->done = true;
}

unsigned on_all_others(uint64_t (*function)(uint64_t), const volatile void *argument, uint64_t expected)
{
	static struct call calls[SPAN_MAX];
	unsigned right = 0;

	for (unsigned m = 1; m <= others; m++) {
		calls[m].function = function;
		calls[m].argument = argument;
		calls[m].done = false;
		if (is_err(span_run(m, call, &calls[m])))
			return 0;
	}
	for (unsigned m = 1; m <= others; m++) {
		wait_until(&calls[m].done);
		right += calls[m].result == expected;
	}
	return right;
}

void wait_until(_Atomic bool *done)
{
	while (!*done)
		thread_sleep_until(time_tsc() + time_tsc_hz() / 10000);
}

/* A call of the C library's would set errno, which not every thread has. */
static long system_call(long number, long a, long b)
{
	long answer;

	__asm__ volatile("syscall" : "=a"(answer) : "a"(number), "D"(a), "S"(b) : "rcx", "r11", "memory");
	return answer;
}

bool is_writable(volatile void *address)
{
	return system_call(SYS_clock_gettime, CLOCK_MONOTONIC, (long)address) == 0;
}

/* Whatever is there, the call ends: without a time to sleep, or with one that is none. */
bool is_readable(const volatile void *address)
{
	return system_call(SYS_nanosleep, (long)address, 0) != -EFAULT;
}

uint64_t readable_there(uint64_t address)
{
	return is_readable((const volatile void *)address);
}

uint64_t writable_there(uint64_t address)
{
	return is_writable((volatile void *)address);
}

static const char *grow_to_all(void)
{
	static struct core_info cores[MACHINE_CORES];
	unsigned count = 0, member;

	CHECK(is_ok(core_list(cores, MACHINE_CORES, &count)));
	for (unsigned i = 0; i < count; i++) {
		if (!cores[i].alive || cores[i].core == domain_core())
			continue;
		CHECK(is_ok(span_grow(cores[i].core, 0, &member)));
		last_core = cores[i].core;
		others++;
		CHECK(member == others);
	}
	return NULL;
}

/* Memory of that member, changed twice. */
static const char *use_memory_of(unsigned member)
{
	const struct memory_policy there = {MEMORY_BIND, UINT64_C(1) << member};

	for (unsigned round = 0; round < 2; round++) {
		void *out;

		CHECK(is_ok(memory_map_with(PAGE_BYTES, READ_WRITE, PLACE_NOW, there, &out)));
		*(volatile uint64_t *)out = round;
		CHECK(is_ok(memory_unmap(out, PAGE_BYTES)));
	}
	return NULL;
}

/* A member of the same number, and with the same addresses, is another one: what was known of the former one's changes is void. */
static const char *check_another_member(void)
{
	const char *why = use_memory_of(others);
	unsigned member;

	if (why != NULL)
		return why;
	CHECK(is_ok(span_shrink(last_core)));
	CHECK(is_ok(span_grow(last_core, 0, &member)) && member == others);
	return use_memory_of(member);
}

int main(int argc, char **argv)
{
	bool ok;

	if (argc == 3 && strcmp(argv[1], "heap") == 0)
		return heap_child(argv[2]);
	if (argc == 3 && strcmp(argv[1], "overflow") == 0)
		return overflow_child(argv[2]);
	if (argc == 2 && strcmp(argv[1], "pages") == 0)
		return pages_child();
	ok = report("grow", grow_to_all());
	if (argc >= 2 && strcmp(argv[1], "huge") == 0)
		return check_huge(argc == 3) && ok ? EXIT_SUCCESS : EXIT_FAILURE;
	ok &= others == 0 || report("another_member", check_another_member());

	ok &= check_sharing();
	ok &= check_changes();
	ok &= check_places();
	ok &= check_large();
	ok &= check_heap();
	ok &= check_pagers();
	ok &= check_races();
	ok &= check_exhaustion();
	return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
