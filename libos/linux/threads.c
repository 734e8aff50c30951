/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Threads as the C library wants them: clone, the thread's end, thread-local storage, futex. */

#include <errno.h>
#include <sched.h>

#include <atoll/domain.h>

#include "libos/linux/linux.h"
#include "libos/linux/time.h"
#include "libos/thread/word.h"
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

#define ARCH_SET_GS 0x1001 /* Linux: arch/x86/include/uapi/asm/prctl.h */
#define ARCH_SET_FS 0x1002
#define ARCH_GET_FS 0x1003
#define ARCH_GET_GS 0x1004

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
	if (!thread_count())
		return -EAGAIN;
	t = thread_new(&child);
	if (t == NULL) {
		thread_uncount(thread_current);
		return -EAGAIN;
	}
	number = t->number;
	if (thread_current->creates) {
		t->kept = t->spare = true;
		t->run.members = thread_current->created_members;
		thread_current->created = t;
	}
	if (f->rdi & CLONE_CHILD_CLEARTID)
		t->clear_on_exit = f->r10;
	/* Linux starts the thread all the same if these can't be written. */
	if (f->rdi & CLONE_PARENT_SETTID)
		(void)!program_write(f->rdx, &number, sizeof number);
	if (f->rdi & CLONE_CHILD_SETTID)
		(void)!program_write(f->r10, &number, sizeof number);
	inside = dispatcher_enter();
	thread_ready(t);
	dispatcher_leave(inside);
	return number;
}

int64_t linux_exit(struct linux_frame *f)
{
	uint64_t word = thread_current->clear_on_exit;
	const uint32_t cleared = 0;

	if (thread_is_last())
		domain_exit((int64_t)(f->rdi & 0xff));
	if (word != 0)
		(void)!program_write(word, &cleared, sizeof cleared);
	if (word != 0)
		word_wake(word, 1, WORD_ANYBODY);
	(void)dispatcher_enter();
	thread_uncount(thread_current);
	thread_current->in_service = false;
	thread_end();
}

/* ---- futex ---- */

static int64_t answer(err_t e, uint64_t value)
{
	if (is_ok(e))
		return (int64_t)value;
	return err_is(e, ERR_NUMBER_TIMEOUT) ? -ETIMEDOUT : -EAGAIN;
}

static int64_t wait_call(const struct linux_frame *f, bool absolute, uint32_t bits)
{
	uint64_t deadline = THREAD_FOREVER;
	struct timespec timeout;
	uint32_t word;

	if (f->r10 != 0) {
		if (!program_read(&timeout, f->r10, sizeof timeout))
			return -EFAULT;
		if (!linux_deadline(&timeout, absolute, &deadline))
			return -EINVAL;
	}
	/* Whether there is such a word. */
	if (!program_read(&word, f->rdi, sizeof word))
		return -EFAULT;
	return answer(word_wait(f->rdi, (uint32_t)f->rdx, deadline, bits), 0);
}

static int64_t wake_call(const struct linux_frame *f, uint32_t bits)
{
	return (int64_t)word_wake(f->rdi, (uint32_t)f->rdx, bits);
}

static int64_t requeue_call(const struct linux_frame *f, bool compare)
{
	uint32_t expected = (uint32_t)f->r9, word;
	uint64_t done;
	err_t e;

	if (compare && !program_read(&word, f->rdi, sizeof word))
		return -EFAULT;
	e = word_requeue(f->rdi, compare ? &expected : NULL, (uint32_t)f->rdx, (uint32_t)f->r10, f->r8, &done);
	return answer(e, done);
}

int64_t linux_futex(struct linux_frame *f)
{
	uint32_t bits = (uint32_t)f->r9;

	if (f->rdi % 4 != 0)
		return -EINVAL;
	switch (f->rsi & FUTEX_CMD_MASK) {
	case FUTEX_WAIT:
		return wait_call(f, false, WORD_ANYBODY);
	case FUTEX_WAKE:
		return wake_call(f, WORD_ANYBODY);
	case FUTEX_WAIT_BITSET:
		return bits == 0 ? -EINVAL : wait_call(f, true, bits);
	case FUTEX_WAKE_BITSET:
		return bits == 0 ? -EINVAL : wake_call(f, bits);
	case FUTEX_CMP_REQUEUE:
		return requeue_call(f, true);
	case FUTEX_REQUEUE:
		return requeue_call(f, false);
	default:
		return -ENOSYS;
	}
}
