/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* The Linux personality: what a C library built for Linux asks for by `syscall`, answered inside the domain.
 *
 * A foreign call comes in through upcall_foreign_entry (libos/upcall/entry.S). Calls of the table linux_quick are answered there, inside the
 * upcall: they may not wait and may not touch the program's memory. All others run on the thread's service stack, enabled, so they may
 * wait, be interrupted and take page faults on the program's memory. Each file of this directory answers one group of calls. */

#include <stddef.h>
#include <stdint.h>

#include "libos/upcall/offsets.h"

/* The registers of a call, as the assembly pushes them. */
struct linux_frame {
	uint64_t r15, r14, r13, r12, rbp, rbx;
	uint64_t r9, r8, r10, rdx, rsi, rdi;
	uint64_t rax; /* in: the number, out: the result */
	uint64_t rip, rflags, rsp;
};
_Static_assert(sizeof(struct linux_frame) == 128, "16 pushes");
_Static_assert(offsetof(struct linux_frame, rip) == 104, "where the assembly finds it after 13 pops");

#define LINUX_CALLS 512

typedef int64_t linux_call_fn(struct linux_frame *f);
typedef int64_t linux_quick_fn(void);

extern linux_quick_fn *const linux_quick[QUICK_CALLS];

/* Sets up the personality; the program break begins at `high`. */
void linux_start(uint64_t high);
/* Called by the assembly: disabled before and after. */
void linux_call(struct linux_frame *f);

#define LINUX_CALLS_OF(CALL) \
	/* memory.c */ \
	CALL(9, mmap) CALL(10, mprotect) CALL(11, munmap) CALL(12, brk) CALL(25, mremap) CALL(28, madvise) \
	/* files.c */ \
	CALL(0, read) CALL(1, write) CALL(3, close) CALL(5, fstat) CALL(8, lseek) CALL(16, ioctl) CALL(19, readv) CALL(20, writev) \
	CALL(2, open) CALL(21, access) CALL(72, fcntl) CALL(89, readlink) CALL(257, openat) CALL(262, newfstatat) \
	/* time.c */ \
	CALL(35, nanosleep) CALL(96, gettimeofday) CALL(201, time) CALL(228, clock_gettime) CALL(229, clock_getres) CALL(230, clock_nanosleep) \
	/* process.c */ \
	CALL(13, rt_sigaction) CALL(14, rt_sigprocmask) CALL(63, uname) CALL(131, sigaltstack) CALL(204, sched_getaffinity) CALL(231, exit_group) \
	CALL(302, prlimit64) CALL(318, getrandom) CALL(62, kill) CALL(200, tkill) CALL(234, tgkill) \
	/* threads.c */ \
	CALL(24, sched_yield) CALL(56, clone) CALL(60, exit) CALL(158, arch_prctl) CALL(186, gettid) CALL(202, futex) CALL(218, set_tid_address) \
	CALL(273, set_robust_list)

#define CALL(number, name) linux_call_fn linux_##name;
LINUX_CALLS_OF(CALL)
#undef CALL
