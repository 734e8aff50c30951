/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include <stdatomic.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atoll/domain.h>
#include <atoll/thread.h>

#include "bench/spanbench/spanbench.h"

/* Linux: include/uapi/linux/futex.h */
enum { FUTEX_WAIT_PRIVATE = 128, FUTEX_WAKE_PRIVATE = 129 };

enum { ROUNDS = 2000, QUICK_ROUNDS = 100, WARM_UP = 16 };

static struct samples samples;

/* Whose turn it is: this thread's or the other's. Each waits while it is not its turn; the round counts half, for there are two wakes in
 * it. */
static _Atomic uint32_t turn;
enum { HERE, THERE, OVER };

static void wait_while(uint32_t value)
{
	while (turn == value)
		syscall(SYS_futex, &turn, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}

static void pass(uint32_t to)
{
	turn = to;
	syscall(SYS_futex, &turn, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void pass_back(void *argument)
{
	(void)argument;
	for (wait_while(HERE); turn != OVER; wait_while(HERE))
		pass(HERE);
}

bool words_measure(const struct plan *p)
{
	unsigned rounds = p->quick ? QUICK_ROUNDS : ROUNDS;
	struct thread *other;
	err_t e = thread_create_among(UINT64_C(1) << 1, pass_back, NULL, 0, &other);

	if (is_err(e))
		return failed("futex.wake.remote", err_sentence(e));
	turn = HERE;
	samples_begin(&samples);
	for (unsigned round = 0; round < rounds + WARM_UP; round++) {
		uint64_t begin = sample_now();

		pass(THERE);
		wait_while(THERE);
		if (round >= WARM_UP)
			samples_add(&samples, sample_now() - begin, 2);
	}
	pass(OVER);
	e = thread_join(other);
	if (is_err(e))
		return failed("futex.wake.remote", err_sentence(e));
	samples_print(&samples, p->lens, "futex.wake.remote", p->cores[0], p->cores[1]);
	return true;
}
