/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include "libos/thread/word.h"
#include "libos/span/words.h"
#include "libos/upcall/dispatcher.h"

struct futex_table word_waiters;

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

uint64_t word_wake_here(uint64_t address, uint64_t count, uint32_t bits)
{
	struct futex_waiter *w;
	uint64_t woken = 0;

	while (woken < count && (w = futex_take(&word_waiters, address, bits)) != NULL) {
		if (w->guest)
			words_wake_guest(w);
		else
			thread_ready((struct thread *)((char *)w - offsetof(struct thread, futex)));
		woken++;
	}
	return woken;
}

err_t word_wait(uint64_t address, uint32_t expected, uint64_t deadline, uint32_t bits)
{
	unsigned home = words_elsewhere(address);
	bool inside;
	err_t e;

	if (home != SPAN_MAX)
		return words_wait(home, address, expected, deadline, bits);
	inside = enter_with(address);
	e = is_still(address, expected) ? OK : ERR(WOULD_BLOCK);
	if (is_ok(e)) {
		futex_add(&word_waiters, &thread_current->futex, address, bits);
		if (!thread_wait(deadline)) {
			futex_remove(&word_waiters, &thread_current->futex);
			e = ERR(TIMEOUT);
		}
	}
	dispatcher_leave(inside);
	return e;
}

uint64_t word_wake(uint64_t address, uint64_t count, uint32_t bits)
{
	unsigned home = words_elsewhere(address);
	uint64_t woken;
	bool inside;

	if (home != SPAN_MAX)
		return words_wake(home, address, count, bits);
	inside = dispatcher_enter();
	woken = word_wake_here(address, count, bits);
	dispatcher_leave(inside);
	return woken;
}

/* Whom to move from one member's list to another's is woken instead: he looks at his word again, which he has to expect anyway. */
static err_t requeue_by_waking(uint64_t address, const uint32_t *expected, uint64_t count, uint64_t *done)
{
	if (expected != NULL && !is_still(address, *expected))
		return ERR(WOULD_BLOCK);
	*done = word_wake(address, count, WORD_ANYBODY);
	return OK;
}

err_t word_requeue(uint64_t address, const uint32_t *expected, uint64_t wakes, uint64_t moves, uint64_t target, uint64_t *done)
{
	struct futex_waiter *w;
	bool inside;
	err_t e;

	*done = 0;
	if (words_elsewhere(address) != SPAN_MAX || words_elsewhere(target) != SPAN_MAX)
		return requeue_by_waking(address, expected, wakes + moves < wakes ? UINT64_MAX : wakes + moves, done);
	inside = expected == NULL ? dispatcher_enter() : enter_with(address);
	e = expected == NULL || is_still(address, *expected) ? OK : ERR(WOULD_BLOCK);
	if (is_ok(e))
		*done = word_wake_here(address, wakes, WORD_ANYBODY);
	for (; is_ok(e) && moves > 0 && (w = futex_take(&word_waiters, address, WORD_ANYBODY)) != NULL; moves--) {
		futex_add(&word_waiters, w, target, w->bits);
		++*done;
	}
	dispatcher_leave(inside);
	return e;
}
