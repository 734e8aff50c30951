/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Where threads come from and where they go. */

#include <string.h>

#include "libos/address_space/address_space.h"
#include "libos/memory/memory.h"
#include "libos/span/link.h"
#include "libos/span/move.h"
#include "libos/span/span.h"
#include "libos/span/words.h"
#include "libos/thread/thread.h"
#include "libos/upcall/dispatcher.h"
#include "libos/upcall/entry.h"

#define MXCSR_INITIAL      0x1f80 /* Intel SDM vol. 1, 10.2.3: all exceptions masked */
#define XSAVE_FCW          0      /* offsets in the legacy region: Intel SDM vol. 1, 10.5.1 */
#define XSAVE_MXCSR        24
#define XSAVE_HEADER       512 /* Intel SDM vol. 1, 13.4.2 */
#define XSAVE_HEADER_BYTES 64
#define FCW_INITIAL        0x37f
#define RFLAGS_INITIAL     0x202 /* interrupts on, and the bit that is always 1: Intel SDM vol. 1, 3.4.3 */

static _Alignas(PAGE_BYTES) uint8_t first_block[THREAD_BYTES];
static struct queue unused;   /* blocks of threads that are gone */
static struct thread *corpse; /* ended, but the dispatcher may still be on its service stack */
static uint32_t next_number = 1;

unsigned threads_alive = 1;
struct thread *threads_known;

/* A block as new; the number tells threads apart for as long as the domain lives. */
static struct thread *prepare(struct thread *t)
{
	struct thread *known_next = t->known_next;

	memset(t, 0, sizeof *t);
	t->known_next = known_next;
	t->service_top = (uint64_t)t + THREAD_BYTES;
	t->birth = (uint8_t)span_member();
	t->number = (uint32_t)t->birth << THREAD_NUMBER_BITS | (next_number++ & ((1u << THREAD_NUMBER_BITS) - 1));
	t->run = (struct runnable){.members = MEMBERS_ALL, .share = SHARE_USUAL, .priority = PRIORITY_DEFAULT};
	return t;
}

void thread_set(struct thread *t, const struct registers *frame)
{
	t->frame = *frame;
	t->frame.rflags = RFLAGS_INITIAL;
	memset(t->xstate + XSAVE_HEADER, 0, XSAVE_HEADER_BYTES); /* all components as at reset, but for: */
	memcpy(t->xstate + XSAVE_FCW, &(uint16_t){FCW_INITIAL}, 2);
	memcpy(t->xstate + XSAVE_MXCSR, &(uint32_t){MXCSR_INITIAL}, 4);
	t->interrupted = true;
	t->waiting = true;
}

/* A block that was nobody's before. */
static void make_known(struct thread *t)
{
	t->known_next = threads_known;
	threads_known = t;
}

static void put_unused(struct thread *t)
{
	t->number = 0;
	queue_put(&unused, &t->run.entry);
}

void threads_start(void)
{
	thread_current = (struct thread *)first_block;
	make_known(thread_current);
	prepare(thread_current);
	thread_current->run.members = 1;
}

static void bury(void)
{
	if (corpse != NULL && corpse != thread_current)
		put_unused(corpse);
	if (corpse != thread_current)
		corpse = NULL;
}

struct thread *thread_new(const struct registers *frame)
{
	bool inside = dispatcher_enter();
	struct thread *t;
	void *block;

	bury();
	t = thread_of(queue_take(&unused));
	if (t == NULL && is_ok(own_memory_map(THREAD_BYTES, &block))) {
		t = block;
		make_known(t);
	}
	if (t != NULL)
		thread_set(prepare(t), frame);
	dispatcher_leave(inside);
	return t;
}

void thread_joiners_ready(struct thread *t)
{
	struct thread *joiner;

	while ((joiner = thread_of(queue_take(&t->joiners))) != NULL)
		thread_ready(joiner);
}

bool thread_count(void)
{
	if (link_mask != 0)
		return move_born();
	threads_alive++;
	return true;
}

void thread_uncount(struct thread *t)
{
	if (link_mask != 0)
		move_ended(t);
	else
		threads_alive--;
}

bool thread_is_last(void)
{
	return link_mask == 0 && threads_alive == 1;
}

static struct queue stubs; /* of threads that have moved, and are joined here */

void thread_gone(struct thread *t)
{
	if (t->kept && t->origin == NULL) {
		t->spare = false;
		queue_put(&stubs, &t->run.entry);
	} else {
		thread_forget(t);
	}
}

void thread_forget(struct thread *t)
{
	put_unused(t);
}

struct thread *thread_away_at(unsigned member)
{
	for (struct queue_entry *e = stubs.first; e != NULL; e = e->next)
		if (thread_of(e)->away == member + 1)
			return thread_of(e);
	return NULL;
}

struct thread *thread_stub(uint64_t thread, uint32_t number)
{
	for (struct queue_entry *e = stubs.first; e != NULL; e = e->next)
		if ((uint64_t)thread_of(e) == thread && thread_of(e)->number == number)
			return thread_of(e);
	return NULL;
}

void thread_end(void)
{
	struct thread *self = thread_current;

	bury();
	self->ended = true;
	thread_joiners_ready(self);
	if (!self->kept || self->origin != NULL)
		corpse = self;
	thread_leave_for_next();
}

err_t thread_join(struct thread *thread)
{
	unsigned home = words_elsewhere((uint64_t)thread);
	bool inside;
	err_t e = thread == NULL ? ERR(ARGUMENT) : home != SPAN_MAX ? thread_move(home) : OK;

	if (is_err(e))
		return e;
	if (thread == thread_current || !thread->kept)
		return ERR(ARGUMENT);
	inside = dispatcher_enter();
	while (!thread->ended) {
		queue_put(&thread->joiners, &thread_current->run.entry);
		thread_wait(THREAD_FOREVER);
	}
	e = thread->lost ? ERR(PEER_GONE) : OK;
	thread->kept = false;
	(void)queue_remove(&stubs, &thread->run.entry);
	if (thread->spare)
		thread_put_spare(thread);
	else
		put_unused(thread);
	dispatcher_leave(inside);
	return e;
}

struct thread *thread_self(void)
{
	return thread_current;
}

void thread_sleep_until(uint64_t tsc)
{
	bool inside = dispatcher_enter();

	thread_wait(tsc);
	dispatcher_leave(inside);
}

err_t thread_start_service(void (*function)(void *), void *argument)
{
	struct registers frame = {.rip = (uint64_t)function, .rdi = (uint64_t)argument};
	bool inside = dispatcher_enter();
	struct thread *t = thread_new(&frame);

	if (t != NULL) {
		t->frame.rsp = t->service_top - 8; /* as if it had been called */
		t->run.members = UINT64_C(1) << span_member();
		thread_ready(t);
	}
	dispatcher_leave(inside);
	return t == NULL ? ERR(NO_MEMORY) : OK;
}
