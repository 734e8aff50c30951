/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Which thread runs. All of it happens inside sections.
 *
 * A thread that waits takes the next one from the run queue and switches to it. If there is none it stays where it is and looks, on its
 * own stack, for whatever may make a thread ready: channels, the monitor's events, the clock. It does so for a bounded time, and only
 * while some thread waits for a channel; then it parks the channels and lets the CPU driver take the processor away until something is
 * pending.
 *
 * As soon as one is ready beside the one that runs, the turn of that has an end, at which the timer goes off (turn_end). Nobody who makes a
 * thread ready has to think of it, nor does who computes for ever keep others from running. The end stays where it is, whoever runs by
 * then and whatever he asks the CPU driver or the monitor for meanwhile. */

#include <string.h>

#include <atoll/domain.h>

#include "cpudriver/abi/calls.h"
#include "libos/ipc/door.h"
#include "libos/ipc/endpoint.h"
#include "libos/ipc/wait.h"
#include "libos/span/link.h"
#include "libos/span/move.h"
#include "libos/thread/thread.h"
#include "libos/trace/trace.h"
#include "libos/upcall/dispatcher.h"
#include "libos/upcall/entry.h"

#define TURNS_A_SECOND 100

struct thread *thread_current;
uint32_t polling_limit = 1000;
static uint64_t timer_armed; /* when it goes off, 0: it doesn't */

struct run_queue threads_ready;
const struct policy *threads_policy = &policy_stealing;
static const struct policy *chosen = &policy_stealing;
static struct sleeper *sleeping;
static uint64_t turn_end; /* 0: whoever runs may run for ever, as nobody else is ready */
static bool turn_is_over; /* and whoever had it goes on still */

static uint64_t now(void)
{
	return __builtin_ia32_rdtsc();
}

bool threads_idle;
bool threads_left;

static void add_ready(struct thread *t)
{
	t->ready = true;
	threads_policy->add(&threads_ready, &t->run);
}

/* Somebody is in the queue. */
static struct thread *take_first(void)
{
	struct thread *t = thread_of_run(threads_policy->take(&threads_ready));

	t->ready = false;
	return t;
}

/* From now on whoever runs has a turn that ends, whatever it does. */
static void bound_turn(void)
{
	if (threads_ready.count != 0 && turn_end == 0)
		threads_set_timer();
}

void thread_ready(struct thread *t)
{
	if (!t->waiting)
		return;
	t->waiting = false;
	sleepers_remove(&sleeping, &t->sleeper);
	add_ready(t);
	if (!threads_idle && !threads_left)
		bound_turn();
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
		add_ready(t);
	}
}

static void set_timer(uint64_t deadline)
{
	timer_armed = deadline;
	(void)!is_ok(invoke(CAP_SELF_DISPATCHER, OP_Dispatcher_set_timer, deadline, 0, 0, 0, 0).error);
}

/* The timer goes off for the first sleeper, and ends a turn if others wait for theirs. A turn that has begun keeps its end. */
void threads_set_timer(void)
{
	uint64_t deadline = sleeping == NULL ? 0 : sleeping->deadline;

	if (threads_ready.count == 0)
		turn_end = 0;
	else if (turn_end == 0)
		turn_end = now() + time_tsc_hz() / TURNS_A_SECOND;
	if (turn_end != 0 && (deadline == 0 || turn_end < deadline))
		deadline = turn_end;
	if (deadline != timer_armed)
		set_timer(deadline);
}

void threads_set_timer_by(uint64_t deadline)
{
	if (timer_armed == 0 || timer_armed > deadline)
		set_timer(deadline);
}

void threads_stop_timer(void)
{
	if (timer_armed == 0 && sleeping == NULL)
		return;
	set_timer(0);
	if (pending_take(PENDING_TIMER & pending_interest) != 0)
		threads_wake_sleepers();
}

void threads_timer_went_off(void)
{
	timer_armed = 0;
	if (turn_end != 0 && now() >= turn_end) {
		turn_end = 0;
		turn_is_over = true;
	}
	threads_wake_sleepers();
	threads_set_timer();
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

/* Inline: its own frame would be a tenth of what a switch costs. */
static inline __attribute__((always_inline)) void switch_to(struct thread *next)
{
	struct thread *self = thread_current;

	self->fs_base = __builtin_ia32_rdfsbase64();
	self->gs_base = __builtin_ia32_rdgsbase64();
	if (self->in_service)
		save_vector_state(self);
	thread_current = next;
	if (next->interrupted) {
		next->interrupted = false;
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
	thread_current = next;
	if (next->interrupted) {
		next->interrupted = false;
		resume_registers(&next->frame, next->xstate);
	}
	__builtin_ia32_wrfsbase64(next->fs_base);
	__builtin_ia32_wrgsbase64(next->gs_base);
	thread_load_stack(next->sp);
}

static void let_go(void)
{
	if (door != NULL)
		door->wait();
	else
		(void)!is_ok(endpoint_yield(CAP_NULL, YIELD_WAIT));
}

/* Returns when a thread is ready. */
static void look_for_work(void)
{
	for (uint32_t looks = 0; threads_ready.count == 0; looks++) {
		bool may_come;

		if ((pending_look() & pending_interest) != 0)
			pending_handle();
		may_come = wait_poll();
		threads_wake_sleepers();
		if (threads_ready.count != 0)
			return;
		if (may_come && (looks < polling_limit || polling_limit == UINT32_MAX)) {
			channel_pause();
			continue;
		}
		if (wait_park()) {
			threads_set_timer();
			if ((pending_look() & pending_interest) == 0)
				let_go();
			wait_unpark();
		}
		looks = 0;
	}
}

static void idle(void)
{
	threads_idle = true;
	if (link_mask != 0)
		move_idle();
	wait_begin_looking();
	look_for_work();
	wait_end_looking();
	threads_idle = false;
}

static struct thread *next_thread(void)
{
	struct thread *t;

	if (threads_ready.count != 0)
		return take_first();
	idle();
	t = take_first();
	bound_turn();
	return t;
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

/* Like switch_to, but when it comes back this may be another member, where `self` is no thread. */
void thread_wait_to_move(void)
{
	struct thread *self = thread_current, *next;

	self->waiting = true;
	next = next_thread();
	if (next == self)
		return;
	self->fs_base = __builtin_ia32_rdfsbase64();
	self->gs_base = __builtin_ia32_rdgsbase64();
	thread_current = next;
	if (next->interrupted) {
		next->interrupted = false;
		thread_save_and_resume(&self->sp, &next->frame, next->xstate);
	} else {
		__builtin_ia32_wrfsbase64(next->fs_base);
		__builtin_ia32_wrgsbase64(next->gs_base);
		thread_switch_stack(&self->sp, next->sp);
	}
}

/* The next one is taken before this one is in the queue, so it is somebody else if there is anybody else: many yield until another thread
 * has done something, and that may be one of lower priority. */
void thread_yield(void)
{
	bool inside = dispatcher_enter();

	if (wait_is_due())
		wait_poll();
	if (threads_ready.count != 0) {
		struct thread *next = take_first();

		add_ready(thread_current);
		switch_to(next);
	}
	dispatcher_leave(inside);
}

err_t thread_yield_to(struct thread *thread)
{
	bool inside;
	err_t e;

	if (thread == NULL || thread == thread_current)
		return ERR(ARGUMENT);
	inside = dispatcher_enter();
	e = thread->ready ? OK : ERR(STATE);
	if (is_ok(e)) {
		threads_policy->remove(&threads_ready, &thread->run);
		thread->ready = false;
		add_ready(thread_current);
		switch_to(thread);
	}
	dispatcher_leave(inside);
	return e;
}

void threads_end_turn(void)
{
	struct thread *next;

	if (!turn_is_over)
		return;
	turn_is_over = false;
	add_ready(thread_current);
	next = take_first();
	if (next != thread_current)
		switch_to(next);
}

static void save_interrupted(struct thread *t)
{
	t->frame = DISPATCHER->enabled;
	memcpy(t->xstate, DISPATCHER->enabled_xstate, DISPATCHER->xstate_bytes <= XSTATE_BYTES ? DISPATCHER->xstate_bytes : XSTATE_BYTES);
	t->interrupted = true;
}

void thread_interrupted(void)
{
	struct thread *self = thread_current, *next;

	turn_is_over = false;
	if (threads_left) {
		threads_left = false;
		next = next_thread();
		bound_turn();
		go_on_with(next);
	}
	if (threads_ready.count == 0)
		return;
	if (link_mask != 0) /* it may go elsewhere at once */
		save_interrupted(self);
	add_ready(self);
	next = take_first();
	if (next == self) {
		self->interrupted = false;
		return;
	}
	if (link_mask == 0)
		save_interrupted(self);
	go_on_with(next);
}

void thread_enter(struct thread *t)
{
	if (!threads_left) {
		save_interrupted(thread_current);
		add_ready(thread_current);
	}
	threads_left = false;
	if (turn_end != 0 && now() >= turn_end) /* another's, which ended while the dispatcher did not run */
		turn_end = 0;
	bound_turn();
	t->waiting = false;
	go_on_with(t);
}

void thread_wait_interrupted(struct queue *list)
{
	struct thread *self = thread_current;

	save_interrupted(self);
	self->waiting = true;
	self->timed_out = false;
	queue_put(list, &self->run.entry);
	go_on_with(next_thread());
}

void thread_leave_for_next(void)
{
	go_on_with(next_thread());
}

/* ---- What the policy goes by ---- */

/* Changes a field of `run` while the thread is in no order that goes by it. */
static void change(struct thread *t, uint8_t priority, uint16_t share)
{
	bool inside = dispatcher_enter();

	if (t->ready)
		threads_policy->remove(&threads_ready, &t->run);
	t->run.priority = priority;
	t->run.share = share;
	if (t->ready)
		threads_policy->add(&threads_ready, &t->run);
	dispatcher_leave(inside);
}

err_t thread_set_priority(struct thread *thread, unsigned priority)
{
	if (thread == NULL)
		return ERR(ARGUMENT);
	if (priority >= PRIORITIES)
		return ERR(RANGE);
	change(thread, (uint8_t)priority, thread->run.share);
	return OK;
}

err_t thread_set_share(struct thread *thread, unsigned share)
{
	if (thread == NULL)
		return ERR(ARGUMENT);
	if (share < SHARE_LEAST || share > SHARE_MOST)
		return ERR(RANGE);
	change(thread, thread->run.priority, (uint16_t)share);
	return OK;
}

void threads_among_others(bool others)
{
	struct run_queue before = threads_ready;
	const struct policy old = *trace_within(threads_policy); /* what it points to may be written anew */
	struct runnable *r;

	threads_ready = (struct run_queue){0};
	threads_policy = trace_policy(others ? move_policy(chosen) : chosen);
	while ((r = old.take(&before)) != NULL)
		threads_policy->add(&threads_ready, r);
}

void thread_set_policy(const struct policy *policy)
{
	bool inside = dispatcher_enter();

	chosen = policy == NULL ? &policy_stealing : policy;
	threads_among_others(link_mask != 0);
	dispatcher_leave(inside);
}
