/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Which thread runs. All of it happens inside sections.
 *
 * A thread that waits takes the next one from the run queue and switches to it. If there is none it stays where it is and looks, on its
 * own stack, for whatever may make a thread ready: channels, the monitor's events, the clock. It does so for a bounded time, and only
 * while some thread waits for a channel; then it parks the channels and lets the CPU driver take the processor away until something is pending. */

#include <string.h>

#include <atoll/domain.h>

#include "cpudriver/abi/calls.h"
#include "libos/ipc/endpoint.h"
#include "libos/ipc/wait.h"
#include "libos/thread/thread.h"
#include "libos/upcall/dispatcher.h"
#include "libos/upcall/entry.h"

#define TURNS_A_SECOND 100

struct thread *thread_current;
uint32_t polling_limit = 1000;
uint64_t timer_armed;

struct queue threads_ready;
static struct sleeper *sleeping;

static uint64_t now(void)
{
	return __builtin_ia32_rdtsc();
}

void thread_ready(struct thread *t)
{
	if (!t->waiting)
		return;
	t->waiting = false;
	sleepers_remove(&sleeping, &t->sleeper);
	queue_put(&threads_ready, &t->entry);
}

void threads_wake_sleepers(void)
{
	struct sleeper *s;

	if (sleeping == NULL)
		return;
	while ((s = sleepers_take(&sleeping, now())) != NULL) {
		struct thread *t = (struct thread *)((char *)s - offsetof(struct thread, sleeper));

		t->waiting = false;
		t->timed_out = true;
		queue_put(&threads_ready, &t->entry);
	}
}

/* The timer goes off for the first sleeper, and ends a turn if others wait for theirs. A turn that has begun keeps its end. */
void threads_set_timer(void)
{
	uint64_t deadline = sleeping == NULL ? 0 : sleeping->deadline;

	if (!queue_is_empty(&threads_ready)) {
		uint64_t turn_end = now() + time_tsc_hz() / TURNS_A_SECOND;

		if (timer_armed != 0 && timer_armed < turn_end && (deadline == 0 || timer_armed <= deadline))
			return;
		if (deadline == 0 || turn_end < deadline)
			deadline = turn_end;
	}
	if (deadline == timer_armed)
		return;
	timer_armed = deadline;
	(void)!is_ok(invoke(CAP_SELF_DISPATCHER, OP_Dispatcher_set_timer, deadline, 0, 0, 0, 0).error);
}

void threads_stop_timer(void)
{
	if (timer_armed == 0 && sleeping == NULL)
		return;
	timer_armed = 0;
	(void)!is_ok(invoke(CAP_SELF_DISPATCHER, OP_Dispatcher_set_timer, 0, 0, 0, 0, 0).error);
	if (pending_take(PENDING_TIMER & pending_interest) != 0)
		threads_wake_sleepers();
}

/* ---- Switching ---- */

static void save_vector_state(struct thread *t)
{
	__builtin_ia32_xsave64(t->xstate, -1);
}

static void load_vector_state(struct thread *t)
{
	__builtin_ia32_xrstor64(t->xstate, -1);
}

static void switch_to(struct thread *next)
{
	struct thread *self = thread_current;

	if (timer_armed == 0 && !queue_is_empty(&threads_ready))
		threads_set_timer();
	self->fs_base = __builtin_ia32_rdfsbase64();
	self->gs_base = __builtin_ia32_rdgsbase64();
	self->interrupted = false;
	if (self->in_service)
		save_vector_state(self);
	thread_current = next;
	if (next->interrupted) {
		thread_save_and_resume(&self->sp, &next->frame, next->xstate);
	} else {
		__builtin_ia32_wrfsbase64(next->fs_base);
		__builtin_ia32_wrgsbase64(next->gs_base);
		thread_switch_stack(&self->sp, next->sp);
	}
	if (self->in_service)
		load_vector_state(self);
}

/* From a context that is not needed any more. */
static _Noreturn void go_on_with(struct thread *next)
{
	if (timer_armed == 0 && !queue_is_empty(&threads_ready))
		threads_set_timer();
	thread_current = next;
	if (next->interrupted)
		resume_registers(&next->frame, next->xstate);
	__builtin_ia32_wrfsbase64(next->fs_base);
	__builtin_ia32_wrgsbase64(next->gs_base);
	thread_load_stack(next->sp);
}

/* Returns when a thread is ready. */
static void idle(void)
{
	for (uint32_t looks = 0; queue_is_empty(&threads_ready); looks++) {
		bool may_come;

		if ((pending_look() & pending_interest) != 0)
			pending_handle();
		may_come = wait_poll();
		threads_wake_sleepers();
		if (!queue_is_empty(&threads_ready))
			return;
		if (may_come && (looks < polling_limit || polling_limit == UINT32_MAX)) {
			channel_pause();
			continue;
		}
		if (wait_park()) {
			threads_set_timer();
			if ((pending_look() & pending_interest) == 0)
				(void)!is_ok(endpoint_yield(CAP_NULL, YIELD_WAIT));
			wait_unpark();
		}
		looks = 0;
	}
}

static struct thread *next_thread(void)
{
	if (queue_is_empty(&threads_ready))
		idle();
	return thread_of(queue_take(&threads_ready));
}

bool thread_wait(uint64_t deadline)
{
	struct thread *self = thread_current, *next;

	self->waiting = true;
	self->timed_out = false;
	if (deadline != THREAD_FOREVER) {
		sleepers_add(&sleeping, &self->sleeper, deadline);
		threads_set_timer();
	}
	next = next_thread();
	if (next != self)
		switch_to(next);
	return !self->timed_out;
}

void thread_yield(void)
{
	bool inside = dispatcher_enter();
	struct thread *next = thread_of(queue_take(&threads_ready));

	if (next != NULL) {
		queue_put(&threads_ready, &thread_current->entry);
		switch_to(next);
	}
	dispatcher_leave(inside);
}

void thread_interrupted(void)
{
	struct thread *self = thread_current, *next = thread_of(queue_take(&threads_ready));

	if (next == NULL)
		return;
	self->frame = DISPATCHER->enabled;
	memcpy(self->xstate, DISPATCHER->enabled_xstate,
	       DISPATCHER->xstate_bytes <= XSTATE_BYTES ? DISPATCHER->xstate_bytes : XSTATE_BYTES);
	self->interrupted = true;
	queue_put(&threads_ready, &self->entry);
	go_on_with(next);
}

void thread_leave_for_next(void)
{
	go_on_with(next_thread());
}
