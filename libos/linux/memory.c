/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Memory: brk, mmap and their like, for anonymous private memory. Pages come at the first touch. */

#include <errno.h>
#include <sys/mman.h>

#include "libos/address_space/address_space.h"
#include "libos/linux/linux.h"
#include "libos/linux/process.h"
#include "libos/span/span.h"
#include "libos/upcall/dispatcher.h"

#define BREAK_BYTES (64 * MIB)

static uint64_t break_base, break_now, break_mapped, break_end;

static int64_t answer(err_t e)
{
	if (is_ok(e))
		return 0;
	return err_is(e, ERR_NUMBER_ARGUMENT) || err_is(e, ERR_NUMBER_ALIGNMENT) ? -EINVAL : -ENOMEM;
}

static rights_t rights_of(uint64_t protection)
{
	return RIGHTS((protection & (PROT_READ | PROT_WRITE) ? RIGHT_READ : 0) | (protection & PROT_WRITE ? RIGHT_WRITE : 0) |
	              (protection & PROT_EXEC ? RIGHT_EXECUTE | RIGHT_READ : 0));
}

void linux_break_start(uint64_t base)
{
	break_base = break_now = break_mapped = pages_of(base);
	break_end = base < USER_PRIVATE && base > USER_PRIVATE - BREAK_BYTES ? USER_PRIVATE : base + BREAK_BYTES;
}

/* Answers the break as it is afterwards; that is also how a refusal looks. */
int64_t linux_brk(struct linux_frame *f)
{
	uint64_t wanted = f->rdi, end = pages_of(wanted);
	bool inside = dispatcher_enter();
	err_t e = OK;

	/* The break is member 0's; elsewhere the C library is refused, and maps memory instead. */
	if (span_member() == 0 && wanted >= break_base && wanted <= break_end) {
		if (end > break_mapped)
			e = memory_map_at(break_mapped, end - break_mapped, RIGHTS(RIGHT_READ | RIGHT_WRITE), PLACE_TOUCH);
		else if (end < break_mapped)
			e = memory_unmap_range(end, break_mapped - end);
		if (is_ok(e)) {
			break_mapped = end;
			break_now = wanted;
		}
	}
	dispatcher_leave(inside);
	return (int64_t)break_now;
}

static int64_t map_fixed(uint64_t address, uint64_t bytes, rights_t rights)
{
	err_t e = memory_map_over(address, bytes, rights);

	return is_ok(e) ? (int64_t)address : answer(e);
}

int64_t linux_mmap(struct linux_frame *f)
{
	uint64_t flags = f->r10, bytes = pages_of(f->rsi);
	void *out;
	err_t e;

	if (f->rsi == 0 || bytes < f->rsi)
		return -EINVAL;
	if ((flags & MAP_ANONYMOUS) == 0)
		return -ENODEV;
	if ((flags & MAP_TYPE) != MAP_PRIVATE)
		return -EINVAL;
	if (flags & MAP_FIXED)
		return map_fixed(f->rdi, bytes, rights_of(f->rdx));
	e = memory_map(bytes, rights_of(f->rdx), PLACE_TOUCH, &out);
	return is_ok(e) ? (int64_t)out : -ENOMEM;
}

int64_t linux_munmap(struct linux_frame *f)
{
	return answer(memory_unmap_range(f->rdi, f->rsi));
}

int64_t linux_mprotect(struct linux_frame *f)
{
	return answer(memory_protect_range(f->rdi, f->rsi, rights_of(f->rdx)));
}

/* The C library copies instead. */
int64_t linux_mremap(struct linux_frame *f)
{
	(void)f;
	return -ENOMEM;
}

/* MADV_FREE may as well keep the pages. */
int64_t linux_madvise(struct linux_frame *f)
{
	if (f->rdi % PAGE_BYTES != 0)
		return -EINVAL;
	return f->rdx == MADV_DONTNEED && f->rsi != 0 ? answer(memory_forget_range(f->rdi, f->rsi)) : 0;
}
