/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include "libos/thread/word.h"
#include "libos/upcall/dispatcher.h"

static struct futex_table words;

/* The page is there when the section begins. */
static bool enter_with(uint64_t address)
{
	(void)*(volatile uint32_t *)address;
	return dispatcher_enter();
}

static bool is_still(uint64_t address, uint32_t expected)
{
	return *(volatile uint32_t *)address == expected;
}

/* Inside a section. */
static uint64_t wake(uint64_t address, uint64_t count, uint32_t bits)
{
	struct futex_waiter *w;
	uint64_t woken = 0;

	while (woken < count && (w = futex_take(&words, address, bits)) != NULL) {
		thread_ready((struct thread *)((char *)w - offsetof(struct thread, futex)));
		woken++;
	}
	return woken;
}

err_t word_wait(uint64_t address, uint32_t expected, uint64_t deadline, uint32_t bits)
{
	bool inside = enter_with(address);
	err_t e = is_still(address, expected) ? OK : ERR(WOULD_BLOCK);

	if (is_ok(e)) {
		futex_add(&words, &thread_current->futex, address, bits);
		if (!thread_wait(deadline)) {
			futex_remove(&words, &thread_current->futex);
			e = ERR(TIMEOUT);
		}
	}
	dispatcher_leave(inside);
	return e;
}

uint64_t word_wake(uint64_t address, uint64_t count, uint32_t bits)
{
	bool inside = dispatcher_enter();
	uint64_t woken = wake(address, count, bits);

	dispatcher_leave(inside);
	return woken;
}

err_t word_requeue(uint64_t address, const uint32_t *expected, uint64_t wakes, uint64_t moves, uint64_t target, uint64_t *done)
{
	bool inside = expected == NULL ? dispatcher_enter() : enter_with(address);
	err_t e = expected == NULL || is_still(address, *expected) ? OK : ERR(WOULD_BLOCK);
	struct futex_waiter *w;

	*done = is_ok(e) ? wake(address, wakes, WORD_ANYBODY) : 0;
	for (; is_ok(e) && moves > 0 && (w = futex_take(&words, address, WORD_ANYBODY)) != NULL; moves--) {
		futex_add(&words, w, target, w->bits);
		++*done;
	}
	dispatcher_leave(inside);
	return e;
}
