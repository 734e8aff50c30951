/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Threads as the C library wants them: clone, the thread's end, thread-local storage, futex. */

#include <errno.h>
#include <sched.h>

#include <atoll/domain.h>

#include "libos/linux/linux.h"
#include "libos/linux/time.h"
#include "libos/thread/thread.h"
#include "libos/upcall/dispatcher.h"

/* Linux: include/uapi/linux/futex.h */
enum {
	FUTEX_WAIT = 0,
	FUTEX_WAKE = 1,
	FUTEX_REQUEUE = 3,
	FUTEX_CMP_REQUEUE = 4,
	FUTEX_WAIT_BITSET = 9,
	FUTEX_WAKE_BITSET = 10,
	FUTEX_CMD_MASK = 0x7f, /* the rest: private, or which clock; there is one of each */
};
#define FUTEX_BITSET_MATCH_ANY UINT32_MAX

#define ARCH_SET_GS 0x1001 /* Linux: arch/x86/include/uapi/asm/prctl.h */
#define ARCH_SET_FS 0x1002
#define ARCH_GET_FS 0x1003
#define ARCH_GET_GS 0x1004

static struct futex_table futexes;
static unsigned live_threads = 1;

int64_t linux_sched_yield(struct linux_frame *f)
{
	(void)f;
	thread_yield();
	return 0;
}

int64_t linux_gettid(struct linux_frame *f)
{
	(void)f;
	return thread_current->number;
}

int64_t linux_arch_prctl(struct linux_frame *f)
{
	uint64_t base;

	if (f->rdi >= ARCH_SET_GS && f->rdi <= ARCH_SET_FS && f->rsi >= USER_TOP)
		return -EPERM;
	switch (f->rdi) {
	case ARCH_SET_FS:
		__builtin_ia32_wrfsbase64(f->rsi);
		return 0;
	case ARCH_SET_GS:
		__builtin_ia32_wrgsbase64(f->rsi);
		return 0;
	case ARCH_GET_FS:
		base = __builtin_ia32_rdfsbase64();
		return program_write(f->rsi, &base, sizeof base) ? 0 : -EFAULT;
	case ARCH_GET_GS:
		base = __builtin_ia32_rdgsbase64();
		return program_write(f->rsi, &base, sizeof base) ? 0 : -EFAULT;
	default:
		return -EINVAL;
	}
}

int64_t linux_set_tid_address(struct linux_frame *f)
{
	thread_current->clear_on_exit = f->rdi;
	return thread_current->number;
}

int64_t linux_set_robust_list(struct linux_frame *f)
{
	(void)f;
	return 0;
}

/* ---- clone and exit ---- */

#define CLONE_NEEDED (CLONE_VM | CLONE_THREAD)

static struct registers child_registers(const struct linux_frame *f)
{
	return (struct registers){
	    .rip = f->rip,
	    .rsp = f->rsi,
	    .rax = 0,
	    .rdi = f->rdi,
	    .rsi = f->rsi,
	    .rdx = f->rdx,
	    .r10 = f->r10,
	    .r8 = f->r8,
	    .r9 = f->r9,
	    .rbx = f->rbx,
	    .rbp = f->rbp,
	    .r12 = f->r12,
	    .r13 = f->r13,
	    .r14 = f->r14,
	    .r15 = f->r15,
	    .fs_base = f->rdi & CLONE_SETTLS ? f->r8 : __builtin_ia32_rdfsbase64(),
	    .gs_base = __builtin_ia32_rdgsbase64(),
	};
}

int64_t linux_clone(struct linux_frame *f)
{
	struct registers child = child_registers(f);
	struct thread *t;
	uint32_t number;
	bool inside;

	if ((f->rdi & CLONE_NEEDED) != CLONE_NEEDED)
		return -ENOSYS;
	t = thread_new(&child);
	if (t == NULL)
		return -EAGAIN;
	number = t->number;
	if (f->rdi & CLONE_CHILD_CLEARTID)
		t->clear_on_exit = f->r10;
	/* Linux starts the thread all the same if these can't be written. */
	if (f->rdi & CLONE_PARENT_SETTID)
		(void)!program_write(f->rdx, &number, sizeof number);
	if (f->rdi & CLONE_CHILD_SETTID)
		(void)!program_write(f->r10, &number, sizeof number);
	inside = dispatcher_enter();
	live_threads++;
	thread_ready(t);
	dispatcher_leave(inside);
	return number;
}

/* Makes up to `count` waiters ready. Inside a section. */
static int64_t wake(uint64_t address, uint64_t count, uint32_t bits)
{
	struct futex_waiter *w;
	int64_t woken = 0;

	while ((uint64_t)woken < count && (w = futex_take(&futexes, address, bits)) != NULL) {
		thread_ready((struct thread *)((char *)w - offsetof(struct thread, futex)));
		woken++;
	}
	return woken;
}

int64_t linux_exit(struct linux_frame *f)
{
	uint64_t word = thread_current->clear_on_exit;
	const uint32_t cleared = 0;

	if (live_threads == 1)
		domain_exit((int64_t)(f->rdi & 0xff));
	if (word != 0)
		(void)!program_write(word, &cleared, sizeof cleared);
	(void)dispatcher_enter();
	live_threads--;
	if (word != 0)
		wake(word, 1, FUTEX_BITSET_MATCH_ANY);
	thread_current->in_service = false;
	thread_end();
}

/* ---- futex ---- */

static int64_t wait(uint64_t address, uint32_t expected, uint64_t deadline, uint32_t bits)
{
	int64_t result = 0;
	uint32_t word;
	bool inside;

	if (!program_read(&word, address, sizeof word))
		return -EFAULT;
	/* The page is there now. */
	inside = dispatcher_enter();
	if (*(volatile uint32_t *)address != expected) {
		result = -EAGAIN;
	} else {
		futex_add(&futexes, &thread_current->futex, address, bits);
		if (!thread_wait(deadline)) {
			futex_remove(&futexes, &thread_current->futex);
			result = -ETIMEDOUT;
		}
	}
	dispatcher_leave(inside);
	return result;
}

/* Wakes some and lets others wait on another word. */
static int64_t requeue(uint64_t address, uint64_t wakes, uint64_t moves, uint64_t target)
{
	bool inside = dispatcher_enter();
	int64_t done = wake(address, wakes, FUTEX_BITSET_MATCH_ANY);
	struct futex_waiter *w;

	for (; moves > 0 && (w = futex_take(&futexes, address, FUTEX_BITSET_MATCH_ANY)) != NULL; moves--) {
		futex_add(&futexes, w, target, w->bits);
		done++;
	}
	dispatcher_leave(inside);
	return done;
}

static int64_t wait_call(const struct linux_frame *f, bool absolute, uint32_t bits)
{
	uint64_t deadline = THREAD_FOREVER;
	struct timespec timeout;

	if (f->r10 != 0) {
		if (!program_read(&timeout, f->r10, sizeof timeout))
			return -EFAULT;
		if (!linux_deadline(&timeout, absolute, &deadline))
			return -EINVAL;
	}
	return wait(f->rdi, (uint32_t)f->rdx, deadline, bits);
}

static int64_t wake_call(const struct linux_frame *f, uint32_t bits)
{
	bool inside = dispatcher_enter();
	int64_t woken = wake(f->rdi, (uint32_t)f->rdx, bits);

	dispatcher_leave(inside);
	return woken;
}

int64_t linux_futex(struct linux_frame *f)
{
	uint32_t bits = (uint32_t)f->r9, word;

	if (f->rdi % 4 != 0)
		return -EINVAL;
	switch (f->rsi & FUTEX_CMD_MASK) {
	case FUTEX_WAIT:
		return wait_call(f, false, FUTEX_BITSET_MATCH_ANY);
	case FUTEX_WAKE:
		return wake_call(f, FUTEX_BITSET_MATCH_ANY);
	case FUTEX_WAIT_BITSET:
		return bits == 0 ? -EINVAL : wait_call(f, true, bits);
	case FUTEX_WAKE_BITSET:
		return bits == 0 ? -EINVAL : wake_call(f, bits);
	case FUTEX_CMP_REQUEUE:
		if (!program_read(&word, f->rdi, sizeof word))
			return -EFAULT;
		if (word != bits)
			return -EAGAIN;
		return requeue(f->rdi, (uint32_t)f->rdx, (uint32_t)f->r10, f->r8);
	case FUTEX_REQUEUE:
		return requeue(f->rdi, (uint32_t)f->rdx, (uint32_t)f->r10, f->r8);
	default:
		return -ENOSYS;
	}
}
