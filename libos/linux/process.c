/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* The process: who it is, how it ends, and signals, which nobody sends. */

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
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

static struct signal_action actions[SIGNALS];
static uint64_t signal_mask;

void linux_start(uint64_t high)
{
	linux_break_start(high);
}

int64_t linux_getpid(void)
{
	return start_page == NULL ? 1 : start_page->domain + 1;
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
	struct utsname *u = (struct utsname *)f->rdi;

	memset(u, 0, sizeof *u);
	strcpy(u->sysname, "Atoll");
	strcpy(u->nodename, "atoll");
	strcpy(u->release, "1");
	strcpy(u->version, "1");
	strcpy(u->machine, "x86_64");
	return 0;
}

int64_t linux_rt_sigaction(struct linux_frame *f)
{
	const struct signal_action *new = (const struct signal_action *)f->rsi;
	struct signal_action *old = (struct signal_action *)f->rdx;
	uint64_t signal = f->rdi;

	if (signal == 0 || signal > SIGNALS || f->r10 != MASK_BYTES || signal == SIGKILL || signal == SIGSTOP)
		return -EINVAL;
	if (old != NULL)
		*old = actions[signal - 1];
	if (new != NULL)
		actions[signal - 1] = *new;
	return 0;
}

int64_t linux_rt_sigprocmask(struct linux_frame *f)
{
	const uint64_t *set = (const uint64_t *)f->rsi;
	uint64_t *old = (uint64_t *)f->rdx, bits;

	if (f->r10 != MASK_BYTES)
		return -EINVAL;
	bits = set != NULL ? *set : 0;
	if (old != NULL)
		*old = signal_mask;
	if (set == NULL)
		return 0;
	if (f->rdi == SIG_BLOCK)
		signal_mask |= bits;
	else if (f->rdi == SIG_UNBLOCK)
		signal_mask &= ~bits;
	else if (f->rdi == SIG_SETMASK)
		signal_mask = bits;
	else
		return -EINVAL;
	return 0;
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
	const uint64_t bytes = CORES_MAX / 8;
	uint8_t *mask = (uint8_t *)f->rdx;

	if (f->rsi < bytes)
		return -EINVAL;
	memset(mask, 0, bytes);
	mask[domain_core() / 8] = (uint8_t)(1 << domain_core() % 8);
	return (int64_t)bytes;
}

int64_t linux_prlimit64(struct linux_frame *f)
{
	struct rlimit *old = (struct rlimit *)f->r10;

	if (f->rdx != 0)
		return -EPERM;
	if (old != NULL)
		*old = (struct rlimit){RLIM_INFINITY, RLIM_INFINITY};
	return 0;
}

/* xorshift64*, seeded by the time-stamp counter each time: good for hash seeds, not for secrets. */
int64_t linux_getrandom(struct linux_frame *f)
{
	uint8_t *out = (uint8_t *)f->rdi;
	static uint64_t state = 1;

	for (uint64_t i = 0; i < f->rsi; i++) {
		state ^= time_tsc() << 1 | 1;
		state ^= state >> 12;
		state ^= state << 25;
		state ^= state >> 27;
		out[i] = (uint8_t)(state * UINT64_C(0x2545f4914f6cdd1d) >> 56);
	}
	return (int64_t)f->rsi;
}
