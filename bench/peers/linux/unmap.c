/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include <sys/mman.h>
#include <time.h>

#include "bench/peers/linux/crowd.h"
#include "bench/peers/linux/peers.h"

enum { PAGE_BYTES = 4096, DIVISOR = 10, NAP_NS = 1000000 };

static struct samples samples;
static struct crowd crowd;

static void touch(void *argument, unsigned member)
{
	volatile char *const *page = argument;

	(void)member;
	(void)**page;
}

/* Until those who sleep do sleep: they are through with a page a little before. */
static void let_them_rest(void)
{
	const struct timespec nap = {.tv_nsec = NAP_NS};

	nanosleep(&nap, NULL);
}

static bool unmap_once(volatile char **page, unsigned others, bool rests, uint64_t *took)
{
	uint64_t begin;
	bool ok;

	*page = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (*page == MAP_FAILED)
		return false;
	**page = 1;
	if (others > 0) {
		crowd_begin(&crowd);
		crowd_await(&crowd);
		if (rests)
			let_them_rest();
	}
	begin = sample_now();
	ok = munmap((void *)*page, PAGE_BYTES) == 0;
	*took = sample_now() - begin;
	return ok;
}

static bool measure(const struct plan *p, const char *id, unsigned others, bool rests)
{
	const unsigned rounds = p->rounds / DIVISOR;
	volatile char *page;
	uint64_t took;
	bool ok = true;

	if (!crowd_start(&crowd, others, rests, touch, &page))
		return failed_call(id, "a thread");
	samples_begin(&samples);
	for (unsigned round = 0; round < rounds + WARM_UP && ok; round++) {
		ok = unmap_once(&page, others, rests, &took);
		if (ok && round >= WARM_UP)
			samples_add(&samples, took, 1);
	}
	if (!ok)
		return failed_call(id, "mmap or munmap");
	if (!crowd_end(&crowd))
		return failed(id, "a thread did not end well");
	if (others == 0)
		samples_print(&samples, p->lens, id, 0, 0);
	else
		samples_print_shared(&samples, p->lens, id, 0, others, others, 0);
	return true;
}

bool unmap_measure(const struct plan *p)
{
	bool ok = true;

	for (unsigned others = 0; others < p->cores && ok; others++) {
		ok = measure(p, "unmap", others, true);
		if (others > 0 && others < p->polled)
			ok = measure(p, "unmap.running", others, false) && ok;
	}
	return ok;
}
