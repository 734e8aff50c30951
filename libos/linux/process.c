/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* The process: who it is, how it ends, and signals, which nobody sends. */

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/utsname.h>

#include <atoll/domain.h>

#include "libos/domain/start.h"
#include "libos/linux/linux.h"
#include "libos/linux/process.h"
#include "libos/thread/thread.h"

/* What the kernel knows of a handler (Linux's struct kernel_sigaction on x86-64). */
struct signal_action {
	uint64_t handler, flags, restorer, mask;
};
_Static_assert(sizeof(struct signal_action) == 32, "as the C library passes it");

#define SIGNALS    64
#define MASK_BYTES 8

#define RANDOM_BYTES 0x1ffffff /* Linux gives no more at once (getrandom(2)) */

static struct signal_action actions[SIGNALS];
static uint64_t signal_mask;

void linux_start(uint64_t high)
{
	linux_break_start(high);
}

int64_t linux_getpid(void)
{
	return start_page == NULL ? 1 : start_page->span + 1;
}
int64_t linux_zero(void)
{
	return 0;
}

int64_t linux_exit_group(struct linux_frame *f)
{
	domain_exit((int64_t)(f->rdi & 0xff));
}

int64_t linux_uname(struct linux_frame *f)
{
	static const struct utsname name = {.sysname = "Atoll", .nodename = "atoll", .release = "1", .version = "1", .machine = "x86_64"};

	return program_write(f->rdi, &name, sizeof name) ? 0 : -EFAULT;
}

int64_t linux_rt_sigaction(struct linux_frame *f)
{
	struct signal_action old, new;
	uint64_t signal = f->rdi;

	if (signal == 0 || signal > SIGNALS || f->r10 != MASK_BYTES || signal == SIGKILL || signal == SIGSTOP)
		return -EINVAL;
	old = new = actions[signal - 1];
	if (f->rsi != 0 && !program_read(&new, f->rsi, sizeof new))
		return -EFAULT;
	actions[signal - 1] = new;
	return f->rdx == 0 || program_write(f->rdx, &old, sizeof old) ? 0 : -EFAULT;
}

static bool change_mask(uint64_t how, uint64_t bits)
{
	switch (how) {
	case SIG_BLOCK:
		signal_mask |= bits;
		return true;
	case SIG_UNBLOCK:
		signal_mask &= ~bits;
		return true;
	case SIG_SETMASK:
		signal_mask = bits;
		return true;
	default:
		return false;
	}
}

int64_t linux_rt_sigprocmask(struct linux_frame *f)
{
	const uint64_t old = signal_mask;
	uint64_t bits;

	if (f->r10 != MASK_BYTES)
		return -EINVAL;
	if (f->rsi != 0 && !program_read(&bits, f->rsi, sizeof bits))
		return -EFAULT;
	if (f->rsi != 0 && !change_mask(f->rdi, bits))
		return -EINVAL;
	return f->rdx == 0 || program_write(f->rdx, &old, sizeof old) ? 0 : -EFAULT;
}

int64_t linux_sigaltstack(struct linux_frame *f)
{
	(void)f;
	return 0;
}

/* A program that sends itself a signal ends by it (abort does), unless it ignores it. */
static int64_t send(uint64_t signal)
{
	if (signal > SIGNALS)
		return -EINVAL;
	if (signal == 0 || signal == SIGCHLD || signal == SIGCONT || actions[signal - 1].handler == (uint64_t)SIG_IGN)
		return 0;
	domain_exit(128 + (int64_t)signal);
}

int64_t linux_kill(struct linux_frame *f)
{
	return f->rdi == (uint64_t)linux_getpid() ? send(f->rsi) : -ESRCH;
}
int64_t linux_tkill(struct linux_frame *f)
{
	return send(f->rsi);
}
int64_t linux_tgkill(struct linux_frame *f)
{
	return send(f->rdx);
}

/* One bit: the core that this dispatcher is on. */
int64_t linux_sched_getaffinity(struct linux_frame *f)
{
	uint8_t mask[CORES_MAX / 8] = {0};

	if (f->rsi < sizeof mask)
		return -EINVAL;
	mask[domain_core() / 8] = (uint8_t)(1 << domain_core() % 8);
	return program_write(f->rdx, mask, sizeof mask) ? (int64_t)sizeof mask : -EFAULT;
}

int64_t linux_prlimit64(struct linux_frame *f)
{
	const struct rlimit none = {RLIM_INFINITY, RLIM_INFINITY};

	if (f->rdx != 0)
		return -EPERM;
	return f->r10 == 0 || program_write(f->r10, &none, sizeof none) ? 0 : -EFAULT;
}

/* xorshift64*, seeded by the time-stamp counter each time: good for hash seeds, not for secrets. */
static uint8_t random_byte(void)
{
	static uint64_t state = 1;

	state ^= time_tsc() << 1 | 1;
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (uint8_t)(state * UINT64_C(0x2545f4914f6cdd1d) >> 56);
}

int64_t linux_getrandom(struct linux_frame *f)
{
	uint64_t done = 0, wanted = f->rsi < RANDOM_BYTES ? f->rsi : RANDOM_BYTES;

	while (done < wanted) {
		uint8_t chunk[64];
		uint64_t bytes = wanted - done < sizeof chunk ? wanted - done : sizeof chunk;

		for (unsigned i = 0; i < bytes; i++)
			chunk[i] = random_byte();
		if (!program_write(f->rdi + done, chunk, bytes))
			return done > 0 ? (int64_t)done : -EFAULT;
		done += bytes;
	}
	return (int64_t)done;
}
