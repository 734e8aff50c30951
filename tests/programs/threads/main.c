/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* What threads may count on, tried from inside a program: `threads` runs every check and prints a `@test` fact for each. A check returns
 * NULL or the reason why it failed. */

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

#include <atoll/domain.h>
#include <atoll/policy.h>
#include <atoll/tasks.h>
#include <atoll/thread.h>

#include "tests/programs/check.h"
#include "tests/programs/threads/threads.h"

/* ---- Beginning and end ---- */

static _Thread_local int own = 7;
static _Thread_local int own_zero;
static atomic_uint ran, wrong;

static void touch_own(void *argument)
{
	ran++;
	if (own != 7 || own_zero != 0 || errno != 0)
		wrong++;
	own = (int)(uintptr_t)argument;
	own_zero = 1;
	errno = EDOM;
}

/* Threads are used again, which nobody must be able to tell. */
static const char *check_storage_is_new(void)
{
	ran = wrong = 0;
	for (uintptr_t i = 0; i < 300; i++) {
		struct thread *t[3];

		for (unsigned k = 0; k < 3; k++)
			CHECK(is_ok(thread_create(touch_own, (void *)i, 0, &t[k])));
		for (unsigned k = 0; k < 3; k++)
			CHECK(is_ok(thread_join(t[k])));
	}
	CHECK(ran == 900 && wrong == 0);
	CHECK(own == 7);
	return NULL;
}

static pthread_key_t key;
static atomic_uint destroyed;

static void destroy(void *value)
{
	destroyed += (unsigned)(uintptr_t)value;
}

static void set_key(void *argument)
{
	if (pthread_getspecific(key) != NULL)
		wrong++;
	pthread_setspecific(key, argument);
}

static const char *check_keys_are_destroyed(void)
{
	destroyed = wrong = 0;
	CHECK(pthread_key_create(&key, destroy) == 0);
	for (uintptr_t i = 1; i <= 10; i++) {
		struct thread *t;

		CHECK(is_ok(thread_create(set_key, (void *)i, 0, &t)));
		CHECK(is_ok(thread_join(t)));
	}
	CHECK(destroyed == 55 && wrong == 0);
	CHECK(pthread_key_delete(key) == 0);
	return NULL;
}

static void exit_early(void *argument)
{
	(void)argument;
	ran++;
	thread_exit();
}

static const char *check_many_at_once(void)
{
	static struct thread *t[200];

	ran = 0;
	for (unsigned i = 0; i < 200; i++)
		CHECK(is_ok(thread_create(i % 3 == 0 ? exit_early : touch_own, NULL, 0, &t[i])));
	for (unsigned i = 0; i < 200; i++)
		CHECK(is_ok(thread_join(t[i])));
	CHECK(ran == 200);
	return NULL;
}

static const char *check_bad_arguments(void)
{
	struct thread *t;

	CHECK(err_is(thread_create(NULL, NULL, 0, &t), ERR_NUMBER_ARGUMENT));
	CHECK(err_is(thread_create(touch_own, NULL, 1, &t), ERR_NUMBER_ARGUMENT));
	CHECK(err_is(thread_join(NULL), ERR_NUMBER_ARGUMENT));
	CHECK(err_is(thread_join(thread_self()), ERR_NUMBER_ARGUMENT));
	CHECK(err_is(thread_yield_to(NULL), ERR_NUMBER_ARGUMENT));
	CHECK(err_is(thread_yield_to(thread_self()), ERR_NUMBER_ARGUMENT));
	CHECK(is_ok(thread_create(touch_own, NULL, 0, &t)));
	CHECK(err_is(thread_set_priority(t, PRIORITIES), ERR_NUMBER_RANGE));
	CHECK(err_is(thread_set_share(t, 0), ERR_NUMBER_RANGE));
	CHECK(err_is(thread_set_share(t, SHARE_MOST + 1), ERR_NUMBER_RANGE));
	CHECK(is_ok(thread_join(t)));
	CHECK(err_is(thread_join(t), ERR_NUMBER_ARGUMENT)); /* twice */
	CHECK(err_is(thread_yield_to(t), ERR_NUMBER_STATE));
	return NULL;
}

/* ---- Order ---- */

static char order[64];
static atomic_uint ordered;

static void note(void *argument)
{
	order[ordered++] = (char)(uintptr_t)argument;
}

static const char *check_priorities(void)
{
	static const char names[] = "abcd";
	static const unsigned priority[] = {1, 6, 3, 6};
	struct thread *t[4];

	ordered = 0;
	memset(order, 0, sizeof(order));
	/* None of them begins before all are there, also if this one's turn ends meanwhile. */
	CHECK(is_ok(thread_set_priority(thread_self(), PRIORITIES - 1)));
	for (unsigned i = 0; i < 4; i++) {
		CHECK(is_ok(thread_create(note, (void *)(uintptr_t)names[i], 0, &t[i])));
		CHECK(is_ok(thread_set_priority(t[i], priority[i])));
	}
	for (unsigned i = 0; i < 4; i++)
		CHECK(is_ok(thread_join(t[i])));
	CHECK(is_ok(thread_set_priority(thread_self(), PRIORITY_DEFAULT)));
	CHECK(strcmp(order, "bdca") == 0);
	return NULL;
}

/* Who yields until another one has done something does not wait for ever, whatever their priorities. */
static const char *check_yield_to_lower(void)
{
	uint64_t deadline = time_tsc() + 5 * time_tsc_hz();
	struct thread *t;

	ordered = 0;
	CHECK(is_ok(thread_set_priority(thread_self(), PRIORITIES - 1)));
	CHECK(is_ok(thread_create(note, (void *)(uintptr_t)'l', 0, &t)));
	CHECK(is_ok(thread_set_priority(t, 0)));
	while (ordered == 0 && time_tsc() < deadline)
		thread_yield();
	CHECK(is_ok(thread_set_priority(thread_self(), PRIORITY_DEFAULT)));
	CHECK(ordered == 1);
	CHECK(is_ok(thread_join(t)));
	return NULL;
}

static const char *check_yield_to(void)
{
	struct thread *t[3];

	ordered = 0;
	memset(order, 0, sizeof(order));
	for (unsigned i = 0; i < 3; i++)
		CHECK(is_ok(thread_create(note, (void *)(uintptr_t) "xyz"[i], 0, &t[i])));
	CHECK(is_ok(thread_yield_to(t[2])));
	for (unsigned i = 0; i < 3; i++)
		CHECK(is_ok(thread_join(t[i])));
	CHECK(order[0] == 'z' && strlen(order) == 3);
	return NULL;
}

/* ---- Threads that don't yield ---- */

static atomic_bool over;
static _Atomic uint64_t turns[3];

static void count_for_ever(void *argument)
{
	_Atomic uint64_t *mine = argument;

	while (!over)
		atomic_fetch_add_explicit(mine, 1, memory_order_relaxed);
}

static void sleep_ms(unsigned ms)
{
	thread_sleep_until(time_tsc() + time_tsc_hz() / 1000 * ms);
}

static const char *count_together(unsigned threads, const unsigned *share, unsigned ms)
{
	struct thread *t[3];

	over = false;
	for (unsigned i = 0; i < threads; i++) {
		turns[i] = 0;
		CHECK(is_ok(thread_create(count_for_ever, (void *)&turns[i], 0, &t[i])));
		CHECK(is_ok(thread_set_share(t[i], share[i])));
	}
	sleep_ms(ms);
	over = true;
	for (unsigned i = 0; i < threads; i++)
		CHECK(is_ok(thread_join(t[i])));
	return NULL;
}

static const char *check_preemption(void)
{
	const char *why = count_together(3, (const unsigned[]){100, 100, 100}, 300);

	for (unsigned i = 0; i < 3 && why == NULL; i++)
		CHECK(turns[i] > 0);
	return why;
}

/* Shares 1 to 3: three times as many turns, give or take what the host does to a virtual CPU meanwhile. */
static const char *check_shares(void)
{
	const char *why;

	thread_set_policy(&policy_shares);
	why = count_together(2, (const unsigned[]){100, 300}, 1200);
	thread_set_policy(NULL);
	if (why != NULL)
		return why;
	CHECK(turns[1] > turns[0] * 3 / 2);
	CHECK(turns[1] < turns[0] * 6);
	return NULL;
}

/* A policy of the program's own: the last come first. */
static void add_first(struct run_queue *q, struct runnable *r)
{
	r->entry.next = q->level[0].first;
	q->level[0].first = &r->entry;
	if (r->entry.next == NULL)
		q->level[0].last = &r->entry;
	q->count++;
}

static struct runnable *take_first(struct run_queue *q)
{
	struct runnable *r = runnable_of(queue_take(&q->level[0]));

	q->count -= r != NULL;
	return r;
}

static void take_out(struct run_queue *q, struct runnable *r)
{
	q->count -= queue_remove(&q->level[0], &r->entry);
}

static struct runnable *give_nothing(struct run_queue *q, unsigned thief)
{
	(void)q;
	(void)thief;
	return NULL;
}

static const char *check_own_policy(void)
{
	static const struct policy last_first = {"last come first", add_first, take_first, take_out, give_nothing};
	struct thread *t[3];

	ordered = 0;
	memset(order, 0, sizeof(order));
	thread_set_policy(&last_first);
	for (unsigned i = 0; i < 3; i++)
		CHECK(is_ok(thread_create(note, (void *)(uintptr_t) "pqr"[i], 0, &t[i])));
	for (unsigned i = 0; i < 3; i++)
		CHECK(is_ok(thread_join(t[i])));
	thread_set_policy(NULL);
	CHECK(strcmp(order, "rqp") == 0);
	return NULL;
}

/* ---- Waiting ---- */

static struct mutex lock;
static struct condition changed;
static unsigned stage, guarded;

static void take_stages(void *argument)
{
	unsigned mine = (unsigned)(uintptr_t)argument;

	mutex_lock(&lock);
	for (unsigned round = 0; round < 20; round++) {
		while (stage % 4 != mine)
			condition_wait(&changed, &lock);
		stage++;
		condition_broadcast(&changed);
	}
	mutex_unlock(&lock);
}

static const char *check_conditions(void)
{
	struct thread *t[4];

	stage = 0;
	for (uintptr_t i = 0; i < 4; i++)
		CHECK(is_ok(thread_create(take_stages, (void *)i, 0, &t[i])));
	for (unsigned i = 0; i < 4; i++)
		CHECK(is_ok(thread_join(t[i])));
	CHECK(stage == 80);
	return NULL;
}

static void add_slowly(void *argument)
{
	(void)argument;
	for (unsigned i = 0; i < 500; i++) {
		unsigned before;

		mutex_lock(&lock);
		before = guarded;
		if (i % 16 == 0)
			thread_yield();
		guarded = before + 1;
		mutex_unlock(&lock);
	}
}

static const char *check_mutexes(void)
{
	struct thread *t[8];

	guarded = 0;
	for (unsigned i = 0; i < 8; i++)
		CHECK(is_ok(thread_create(add_slowly, NULL, 0, &t[i])));
	for (unsigned i = 0; i < 8; i++)
		CHECK(is_ok(thread_join(t[i])));
	CHECK(guarded == 4000);
	CHECK(mutex_try_lock(&lock) && !mutex_try_lock(&lock));
	mutex_unlock(&lock);
	return NULL;
}

/* ---- The standard's: <threads.h>, <pthread.h> ---- */

static mtx_t standard_lock;
static cnd_t standard_changed;
static once_flag once = ONCE_FLAG_INIT;
static pthread_barrier_t barrier;
static unsigned once_called, parties;

static void call_once_only(void)
{
	once_called++;
}

static int party(void *argument)
{
	call_once(&once, call_once_only);
	pthread_barrier_wait(&barrier);
	mtx_lock(&standard_lock);
	parties++;
	cnd_broadcast(&standard_changed);
	mtx_unlock(&standard_lock);
	return (int)(uintptr_t)argument;
}

static const char *check_standard_threads(void)
{
	struct timespec soon;
	thrd_t t[4];
	int result;

	CHECK(mtx_init(&standard_lock, mtx_timed) == thrd_success && cnd_init(&standard_changed) == thrd_success);
	CHECK(pthread_barrier_init(&barrier, NULL, 4) == 0);
	for (uintptr_t i = 0; i < 4; i++)
		CHECK(thrd_create(&t[i], party, (void *)i) == thrd_success);
	mtx_lock(&standard_lock);
	while (parties < 4)
		cnd_wait(&standard_changed, &standard_lock);
	timespec_get(&soon, TIME_UTC);
	soon.tv_nsec += 5000000;
	soon.tv_sec += soon.tv_nsec / 1000000000;
	soon.tv_nsec %= 1000000000;
	CHECK(cnd_timedwait(&standard_changed, &standard_lock, &soon) == thrd_timedout);
	mtx_unlock(&standard_lock);
	for (int i = 0; i < 4; i++) {
		CHECK(thrd_join(t[i], &result) == thrd_success);
		CHECK(result == i);
	}
	CHECK(once_called == 1);
	pthread_barrier_destroy(&barrier);
	return NULL;
}

/* ---- Tasks ---- */

static void add_task(void *argument)
{
	*(_Atomic uint64_t *)argument += 1;
}

static const char *check_tasks(void)
{
	static _Atomic uint64_t sum;
	struct tasks *all;
	struct task before = {0}, task;

	sum = 0;
	CHECK(is_ok(tasks_create(4, &all)));
	for (unsigned i = 0; i < 500; i++) {
		CHECK(is_ok(task_submit(all, add_task, (void *)&sum, 1, &before, i > 0, &task)));
		before = task;
	}
	tasks_wait(all);
	CHECK(sum == 500);
	CHECK(err_is(task_submit(all, add_task, NULL, 1, &(struct task){UINT64_MAX}, 1, NULL), ERR_NUMBER_NOT_FOUND));
	tasks_destroy(all);
	return NULL;
}

/* ---- All of them ---- */

static const struct {
	const char *name;
	const char *(*run)(void);
} checks[] = {
    {"storage is new", check_storage_is_new},
    {"keys are destroyed", check_keys_are_destroyed},
    {"many at once", check_many_at_once},
    {"bad arguments", check_bad_arguments},
    {"priorities", check_priorities},
    {"yield to lower", check_yield_to_lower},
    {"yield to", check_yield_to},
    {"preemption", check_preemption},
    {"shares", check_shares},
    {"turns", check_turns_after},
    {"own policy", check_own_policy},
    {"conditions", check_conditions},
    {"mutexes", check_mutexes},
    {"standard threads", check_standard_threads},
    {"tasks", check_tasks},
};

int main(void)
{
	bool ok = true;

	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		const char *why = checks[i].run();

		printf("@test {\"name\":\"threads.%s\",\"ok\":%s%s%s%s}\n", checks[i].name, why == NULL ? "true" : "false",
		       why == NULL ? "" : ",\"why\":\"", why == NULL ? "" : why, why == NULL ? "" : "\"");
		ok = ok && why == NULL;
	}
	return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
