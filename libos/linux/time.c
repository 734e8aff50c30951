/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Time. There is one clock, the time-stamp counter since the loader's first instruction; the wall clock counts from then too. */

#include <errno.h>
#include <sys/time.h>
#include <time.h>

#include <atoll/domain.h>

#include "libos/domain/start.h"
#include "libos/linux/linux.h"
#include "libos/linux/time.h"
#include "libos/thread/thread.h"

#define NANOSECONDS UINT64_C(1000000000)
#define CLOCKS      12 /* Linux has so many */

static uint64_t start_tsc(void)
{
	return start_boot != NULL ? start_boot->start_tsc : start_page->start_tsc;
}

static struct timespec now(void)
{
	uint64_t ticks = time_tsc() - start_tsc(), hz = time_tsc_hz();

	return (struct timespec){(time_t)(ticks / hz), (long)(ticks % hz * NANOSECONDS / hz)};
}

/* A duration in ticks, saturated. */
static uint64_t ticks_of(const struct timespec *t)
{
	uint64_t hz = time_tsc_hz();

	if ((uint64_t)t->tv_sec > UINT64_MAX / 4 / hz)
		return UINT64_MAX / 4;
	return (uint64_t)t->tv_sec * hz + (uint64_t)t->tv_nsec * hz / NANOSECONDS;
}

bool linux_deadline(const struct timespec *t, bool absolute, uint64_t *deadline)
{
	if (t->tv_sec < 0 || t->tv_nsec < 0 || (uint64_t)t->tv_nsec >= NANOSECONDS)
		return false;
	*deadline = (absolute ? start_tsc() : time_tsc()) + ticks_of(t);
	return true;
}

int64_t linux_clock_gettime(struct linux_frame *f)
{
	struct timespec t;

	if (f->rdi >= CLOCKS)
		return -EINVAL;
	t = now();
	return program_write(f->rsi, &t, sizeof t) ? 0 : -EFAULT;
}

int64_t linux_clock_getres(struct linux_frame *f)
{
	const struct timespec t = {0, 1};

	if (f->rdi >= CLOCKS)
		return -EINVAL;
	return f->rsi == 0 || program_write(f->rsi, &t, sizeof t) ? 0 : -EFAULT;
}

int64_t linux_gettimeofday(struct linux_frame *f)
{
	struct timespec t = now();
	struct timeval v = {t.tv_sec, t.tv_nsec / 1000};

	return f->rdi == 0 || program_write(f->rdi, &v, sizeof v) ? 0 : -EFAULT;
}

int64_t linux_time(struct linux_frame *f)
{
	struct timespec t = now();

	return f->rdi == 0 || program_write(f->rdi, &t.tv_sec, sizeof t.tv_sec) ? t.tv_sec : -EFAULT;
}

static int64_t sleep_for(uint64_t time, bool absolute)
{
	struct timespec t;
	uint64_t deadline;

	if (!program_read(&t, time, sizeof t))
		return -EFAULT;
	if (!linux_deadline(&t, absolute, &deadline))
		return -EINVAL;
	thread_sleep_until(deadline);
	return 0;
}

int64_t linux_nanosleep(struct linux_frame *f)
{
	return sleep_for(f->rdi, false);
}

int64_t linux_clock_nanosleep(struct linux_frame *f)
{
	return f->rdi >= CLOCKS ? -EINVAL : sleep_for(f->rdx, (f->rsi & TIMER_ABSTIME) != 0);
}
