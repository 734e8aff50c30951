/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* A thread that has become ready runs soon, although the one that made it ready, or was running when it became so, only computes from then
 * on: each way in which the first thread beside a running one becomes ready, and each way to go on after it. */

#include "tests/programs/threads/threads.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <threads.h>

#include <atoll/domain.h>
#include <atoll/ipc.h>
#include <atoll/policy.h>
#include <atoll/thread.h>

#include "tests/programs/check.h"

#define SOON_MS 3000 /* some hundred turns, for a busy host */
#define FAR_MS  60000
#define NAP_MS  30

static atomic_bool ran;

static void run(void *argument)
{
	(void)argument;
	ran = true;
}

/* Without a call of the library. */
static bool runs_while_this_computes(void)
{
	uint64_t end = in_ms(SOON_MS);

	while (!ran && time_tsc() < end)
		;
	return ran;
}

static const char *after_creation(void)
{
	struct thread *t;
	bool soon;

	CHECK_OK(thread_create(run, NULL, 0, &t));
	soon = runs_while_this_computes();
	CHECK_OK(thread_join(t));
	CHECK(soon);
	return NULL;
}

static void wait_for(void *argument)
{
	pthread_mutex_lock(argument);
	pthread_mutex_unlock(argument);
	ran = true;
}

/* The one that unlocks the mutex makes it ready. */
static const char *after_wake_up(void)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	struct thread *t;
	bool soon;

	pthread_mutex_lock(&lock);
	CHECK_OK(thread_create(wait_for, &lock, 0, &t));
	thread_sleep_until(in_ms(NAP_MS));
	pthread_mutex_unlock(&lock);
	soon = runs_while_this_computes();
	CHECK_OK(thread_join(t));
	CHECK(soon);
	return NULL;
}

static void nap(void *argument)
{
	(void)argument;
	thread_sleep_until(in_ms(NAP_MS));
	ran = true;
}

/* The timer makes it ready. */
static const char *after_sleep(void)
{
	struct thread *t;
	bool soon;

	CHECK_OK(thread_create(nap, NULL, 0, &t));
	thread_sleep_until(in_ms(NAP_MS / 3));
	soon = runs_while_this_computes();
	CHECK_OK(thread_join(t));
	CHECK(soon);
	return NULL;
}

static mtx_t far_lock;
static cnd_t far_end;
static bool is_over;

static void sleep_far(void *argument)
{
	struct timespec until;

	(void)argument;
	timespec_get(&until, TIME_UTC);
	until.tv_sec += FAR_MS / 1000;
	mtx_lock(&far_lock);
	while (!is_over && cnd_timedwait(&far_end, &far_lock, &until) == thrd_success)
		;
	mtx_unlock(&far_lock);
}

/* A third thread sleeps, for whom the timer is set already. */
static const char *beside_a_sleeper(const char *(*check)(void))
{
	struct thread *sleeper;
	const char *why;

	is_over = false;
	CHECK(mtx_init(&far_lock, mtx_plain) == thrd_success && cnd_init(&far_end) == thrd_success);
	CHECK_OK(thread_create(sleep_far, NULL, 0, &sleeper));
	thread_sleep_until(in_ms(NAP_MS));
	why = check();
	mtx_lock(&far_lock);
	is_over = true;
	cnd_signal(&far_end);
	mtx_unlock(&far_lock);
	CHECK_OK(thread_join(sleeper));
	return why;
}

/* Who asks the monitor again and again has turns that end as well. */
static const char *beside_requests(void)
{
	uint64_t end = in_ms(SOON_MS);
	struct thread *t;
	uint32_t found;
	bool soon;

	CHECK_OK(thread_create(run, NULL, 0, &t));
	while (!ran && time_tsc() < end)
		CHECK_ERROR(ipc_find("nobody", &(struct ipc_binding){.now = true}, &found), NOT_FOUND);
	soon = ran;
	CHECK_OK(thread_join(t));
	CHECK(soon);
	return NULL;
}

const char *check_turns_after(void)
{
	static const char *(*const checks[])(void) = {after_creation, after_wake_up, after_sleep, beside_requests};
	static const struct policy *const policies[] = {&policy_stealing, &policy_shares};

	for (size_t p = 0; p < sizeof policies / sizeof policies[0]; p++) {
		for (size_t i = 0; i < 2 * sizeof checks / sizeof checks[0]; i++) {
			const char *why;

			ran = false;
			thread_set_policy(policies[p]);
			why = i % 2 == 0 ? checks[i / 2]() : beside_a_sleeper(checks[i / 2]);
			thread_set_policy(NULL);
			if (why != NULL)
				return why;
		}
	}
	return NULL;
}
