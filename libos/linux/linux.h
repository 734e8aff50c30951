/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* The Linux personality: what a C library built for Linux asks for by `syscall`, answered inside the domain.
 *
 * A foreign call comes in through upcall_foreign_entry (libos/upcall/entry.S). Calls of the table linux_quick are answered there, inside
 * the upcall: they may not wait and may not touch the program's memory. All others run on the thread's service stack, enabled, so they may
 * wait, be interrupted and take page faults on the program's memory. What a program passes by address is read and written only through
 * program_read and program_write: an address that is not the program's is answered with EFAULT. Each file of this directory answers one
 * group of calls. */

#include <stddef.h>
#include <stdint.h>

#include "libos/upcall/guarded.h"
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

/* False: EFAULT. */
MUST_USE static inline bool program_read(void *to, uint64_t address, size_t bytes)
{
	return guarded_copy(to, (const void *)address, bytes);
}
MUST_USE static inline bool program_write(uint64_t address, const void *from, size_t bytes)
{
	return guarded_copy((void *)address, from, bytes);
}

/* Sets up the personality; the program break begins at `high`. */
void linux_start(uint64_t high);
/* Called by the assembly: disabled before and after. */
void linux_call(struct linux_frame *f);

#define LINUX_CALL(number, name) linux_call_fn linux_##name;
#include "libos/linux/calls.def"
#undef LINUX_CALL
