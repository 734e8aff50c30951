/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include "apps/hostile/attacks.h"

#include <stdio.h>

#include <atoll/address_space.h>
#include <atoll/capability.h>
#include <atoll/domain.h>

/* Random calls to the CPU driver.
 *
 * What the fuzzer may lose lies in a sandbox, a CNode of its own: RAM and all that can be made of it, and weaker copies of what it lives
 * on (address space, dispatcher, start page: no right to control, so a revoke of them is refused). Calls that destroy are made on the
 * sandbox only; everything else on any capability address there is. Since the sandbox is refilled now and then, calls succeed often
 * enough to get deep. A domain that the fuzzer starts by accident may well run into the fuzzer's own memory: then it dies, as it may. */

enum {
	SANDBOX_ROOT = 200, /* slot of the root CNode that holds the sandbox */
	SANDBOX_RAM = 1,    /* its slots: a block of RAM, */
	SANDBOX_SELF = 2,   /* the sandbox, */
	SANDBOX_WEAK = 3,   /* and what has no right to control */
	SANDBOX_FREE = 8,
	REFILL_EVERY = 512,
	TIMER_CYCLES = 100000, /* ends a call that would wait */
};
#define SANDBOX_BYTES (512 * KIB)

static uint64_t random_state;

/* xorshift64* (Vigna, "An experimental exploration of Marsaglia's xorshift generators, scrambled", 2016) */
static uint64_t random_word(void)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return random_state * UINT64_C(2685821657736338717);
}

static uint64_t random_below(uint64_t bound) { return random_word() % bound; }

static uint16_t sandbox_cap(void) { return CAP(SANDBOX_ROOT, random_below(40)).value; }

static uint64_t random_argument(void)
{
	static const uint64_t edges[] = {0, 1, 2, 3, 7, 8, 15, 255, 256, 511, 512, 513, 4095, 4096, 8192, 16384, 65536, 2 * MIB, GIB, UINT64_C(1) << 47,
	                                 (UINT64_C(1) << 47) - 4096, UINT64_C(0xffff800000000000), UINT64_C(0xffffffff80000000), INT64_MAX, UINT64_MAX};

	switch (random_below(6)) {
	case 0:
		return edges[random_below(sizeof(edges) / sizeof(edges[0]))];
	case 1:
		return CAP(SANDBOX_ROOT, SANDBOX_SELF).value;
	case 2:
		return sandbox_cap();
	case 3:
		return random_below(48);
	case 4:
		return random_below(CAP_TYPES) | random_below(8) << 8;
	default:
		return random_word() >> random_below(64);
	}
}

/* Operations that take something away from the slot that they are called on. */
static bool destroys(unsigned op) { return op == OP_Any_move || op == OP_Any_delete || op == OP_Any_revoke || op == OP_Any_retype || op >= 16; }

static void random_invoke(void)
{
	unsigned op = (unsigned)random_below(random_below(8) == 0 ? 300 : 30);
	uint16_t cap = destroys(op) || random_below(4) != 0 ? sandbox_cap() : (uint16_t)random_word();

	(void)invoke((cap_t){cap}, op, random_argument(), random_argument(), random_argument(), random_argument(), random_argument());
}

/* Any call number with any words, but for those that block without a timer or make the domain's own wishes come true. */
static void random_call(void)
{
	uint64_t number = random_below(8) == 0 ? random_word() & ~CALL_BIT : CALL_NUMBER_YIELD + 1 + random_below(8);
	uint64_t rax = CALL_BIT | number, rdi = random_argument(), rsi = random_argument(), rdx = random_argument();

	if (number <= CALL_NUMBER_YIELD)
		return;
	__asm__ volatile("syscall" : "+a"(rax), "+D"(rdi), "+S"(rsi), "+d"(rdx) : : "rcx", "r8", "r9", "r10", "r11", "memory");
}

/* Disabled from the setting of the timer on: else the timer's upcall could come before the call, and nothing would end the call. */
static void random_wait(void)
{
	struct dispatcher_shared *shared = (struct dispatcher_shared *)USER_DISPATCHER;
	uint64_t rax = CALL_BIT | (CALL_NUMBER_CALL + random_below(3)), rdi = random_argument(), rsi = random_argument(), rdx = random_argument();
	register uint64_t r9 __asm__("r9") = random_below(4);

	if (rdi == CAP_MONITOR.value)
		return;
	atomic_store_explicit(&shared->disabled, 1, memory_order_relaxed);
	(void)invoke(CAP_SELF_DISPATCHER, OP_Dispatcher_set_timer, time_tsc() + TIMER_CYCLES, 0, 0, 0, 0);
	__asm__ volatile("syscall"
	                 : "+a"(rax), "+D"(rdi), "+S"(rsi), "+d"(rdx), "+r"(r9)
	                 : : "rbx", "rbp", "rcx", "r8", "r10", "r11", "r12", "r13", "r14", "r15", "memory", "cc");
	(void)invoke(CAP_SELF_DISPATCHER, OP_Dispatcher_set_timer, 0, 0, 0, 0, 0);
	atomic_store_explicit(&shared->disabled, 0, memory_order_relaxed);
}

/* Puts back what the sandbox begins with, where it has gone. */
static void refill(cap_t ram)
{
	const cap_t sandbox = CAP(ROOT_SELF, SANDBOX_ROOT);

	(void)!is_ok(cap_copy(ram, CAP(SANDBOX_ROOT, SANDBOX_RAM)));
	(void)!is_ok(cap_copy(sandbox, CAP(SANDBOX_ROOT, SANDBOX_SELF)));
	(void)!is_ok(cap_mint(CAP_PAGE_TABLE4, CAP(SANDBOX_ROOT, SANDBOX_WEAK), RIGHTS(RIGHT_WRITE), 0));
	(void)!is_ok(cap_mint(CAP_SELF_DISPATCHER, CAP(SANDBOX_ROOT, SANDBOX_WEAK + 1), RIGHTS(RIGHT_READ), 0));
	(void)!is_ok(cap_mint(CAP_START_FRAME, CAP(SANDBOX_ROOT, SANDBOX_WEAK + 2), RIGHTS(RIGHT_READ), 0));
	(void)!is_ok(cap_mint(CAP_ROOT_CNODE, CAP(SANDBOX_ROOT, SANDBOX_WEAK + 3), RIGHTS(RIGHT_READ), 0));
	for (unsigned type = CAP_RAM; type <= CAP_Dispatcher; type++)
		(void)!is_ok(cap_retype(CAP(SANDBOX_ROOT, SANDBOX_RAM), type, type * 32 * KIB, type <= CAP_Frame ? 8 * PAGE_BYTES : 0, 1,
		                        CAP(SANDBOX_ROOT, SANDBOX_FREE + type)));
}

bool fuzz_calls(unsigned long long seed, unsigned long long calls)
{
	cap_t ram;
	paddr_t base;
	err_t e;

	random_state = seed * 2 + 1;
	e = cap_slot_alloc(&ram);
	if (is_ok(e))
		e = memory_object(CAP_RAM, SANDBOX_BYTES, PAGE_BYTES, ram, &base);
	if (is_ok(e))
		e = memory_object(CAP_CNode, CNODE_BYTES, PAGE_BYTES, CAP(ROOT_SELF, SANDBOX_ROOT), &base);
	if (is_err(e)) {
		printf("hostile: no sandbox: %s\n", err_sentence(e));
		return false;
	}
	for (unsigned long long i = 0; i < calls; i++) {
		if (i % REFILL_EVERY == 0) {
			(void)!is_ok(cap_revoke(ram));
			refill(ram);
		}
		switch (random_below(32)) {
		case 0:
			random_wait();
			break;
		case 1:
			random_call();
			break;
		default:
			random_invoke();
		}
	}
	return true;
}
