/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include "libos/span/move.h"

#include <string.h>

#include <atoll/domain.h>

#include "libos/span/link.h"
#include "libos/span/span.h"
#include "libos/span/words.h"
#include "libos/thread/thread.h"
#include "libos/upcall/dispatcher.h"
#include "libos/upcall/guarded.h"

#define PART_BYTES (6 * sizeof(uint64_t))

/* Intel SDM vol. 1, 13.4: the legacy region and the header; which components are there says XSTATE_BV, the header's first word. */
#define XSAVE_HEADER   512
#define XSAVE_PLAIN    576
#define XSTATE_X87_SSE UINT64_C(3)

enum { THREAD_INTERRUPTED = 1, THREAD_SPARE = 2 }; /* flags of the message `thread` */

uint64_t move_hungry;
unsigned move_visitors;

/* What has arrived of a thread from that member so far. */
static struct arrival {
	struct thread *thread;
	uint64_t token; /* the giver's */
	uint32_t bytes;
	bool interrupted;
} arrivals[SPAN_MAX];

static uint8_t order[SPAN_MAX]; /* the other members, the nearest first */
static unsigned others;
static uint64_t told; /* those that know that there is nothing to do here, and have not given anything since */
static bool asking;   /* one has been asked, and has not answered yet */

/* ---- Who may move ---- */

extern const char libos_text_begin[], libos_text_end[];

static bool is_movable(const struct thread *t)
{
	bool inside =
	    t->frame.rip >= (uint64_t)libos_text_begin && t->frame.rip < (uint64_t)libos_text_end && t->frame.rip != (uint64_t)thread_again;

	return t->interrupted && !t->in_service && t->below == 0 && !inside;
}

/* ---- Giving ---- */

/* How much of the vector registers' area says anything. */
static uint64_t vector_bytes(const struct thread *t)
{
	uint64_t there;

	memcpy(&there, t->xstate + XSAVE_HEADER, sizeof there);
	if ((there & ~XSTATE_X87_SSE) == 0)
		return XSAVE_PLAIN;
	return DISPATCHER->xstate_bytes <= XSTATE_BYTES ? DISPATCHER->xstate_bytes : XSTATE_BYTES;
}

/* `frame` and `xstate` lie one behind the other, but for the alignment. */
static const uint8_t *state_at(const struct thread *t, uint64_t at)
{
	return at < sizeof t->frame ? (const uint8_t *)&t->frame + at : t->xstate + (at - sizeof t->frame);
}

static err_t send_parts(unsigned member, const struct thread *t, uint64_t bytes)
{
	err_t e = OK;

	for (uint64_t at = 0; at < bytes && is_ok(e);) {
		uint64_t end = at < sizeof t->frame ? sizeof t->frame : bytes;
		uint64_t count = end - at < PART_BYTES ? end - at : PART_BYTES;
		struct link_part part = {.at = at};

		memcpy(&part.word0, state_at(t, at), count);
		e = link_send(member, LINK_part, &part);
		at += count;
	}
	return e;
}

/* Where it is waited for at its end. */
static struct thread *origin_of(struct thread *t)
{
	if (!t->kept)
		return NULL;
	return t->origin != NULL ? t->origin : t;
}

static struct queue leaving; /* sent, and not heard of yet */

static void stay(struct thread *t)
{
	(void)queue_remove(&leaving, &t->run.entry);
	t->away = 0;
	thread_ready(t);
}

/* The thread stands in no list, and waits to hear that it was taken. */
static void send_thread(unsigned member, struct thread *t)
{
	uint64_t bytes = sizeof t->frame + (t->interrupted ? vector_bytes(t) : 0);
	err_t e;

	t->waiting = true;
	t->away = (uint8_t)(member + 1);
	t->moves++;
	queue_put(&leaving, &t->run.entry);
	if (!t->interrupted) {
		t->frame.fs_base = t->fs_base;
		t->frame.gs_base = t->gs_base;
	}
	e = LINK_SEND(member, thread, .thread = (uint64_t)t, .origin = (uint64_t)origin_of(t), .sp = t->sp,
	              .clear_on_exit = t->clear_on_exit, .members = t->run.members, .number = t->number, .bytes = (uint32_t)bytes,
	              .share = t->run.share, .priority = t->run.priority, .birth = t->birth, .moves = t->moves,
	              .flags = (uint8_t)((t->interrupted ? THREAD_INTERRUPTED : 0) | (t->spare ? THREAD_SPARE : 0)));
	if (is_ok(e))
		e = send_parts(member, t, bytes);
	if (is_err(e))
		stay(t);
}

static void give(unsigned member)
{
	struct runnable *r = threads_policy->give(&threads_ready, member);

	if (r == NULL)
		return;
	move_hungry &= ~(UINT64_C(1) << member);
	thread_of_run(r)->ready = false;
	send_thread(member, thread_of_run(r));
}

/* There is something in the run queue, and somebody is hungry: the nearest first. Who has nothing running keeps one. */
static void feed(void)
{
	for (unsigned i = 0; i < others && move_hungry != 0 && threads_ready.count > threads_idle; i++)
		if (move_hungry >> order[i] & 1)
			give(order[i]);
}

/* It may not run here, but there. */
static bool send_where_it_may(struct thread *t)
{
	if (t->run.bound || (t->run.members >> span_member() & 1) != 0)
		return false;
	for (unsigned i = 0; i < others; i++)
		if (t->run.members >> order[i] & 1) {
			t->ready = false;
			send_thread(order[i], t);
			return true;
		}
	return false;
}

static const struct policy *inner_policy;

/* If it was the running one, nothing runs until another is taken. */
static void add(struct run_queue *q, struct runnable *r)
{
	struct thread *t = thread_of_run(r);
	bool idle = threads_idle;

	t->run.bound = !is_movable(t);
	if (send_where_it_may(t))
		return;
	inner_policy->add(q, r);
	if (move_hungry == 0)
		return;
	threads_idle = idle || t == thread_current;
	feed();
	threads_idle = idle;
}

const struct policy *move_policy(const struct policy *inner)
{
	static struct policy among_others;

	inner_policy = inner;
	among_others = *inner;
	among_others.add = add;
	return &among_others;
}

void link_handle_hungry(unsigned from, const struct link_hungry *m)
{
	(void)m;
	move_hungry |= UINT64_C(1) << from;
	feed();
	if (move_hungry >> from & 1)
		(void)!is_ok(LINK_SEND(from, nothing, .reserved = 0));
}

static struct thread *leaving_one(uint64_t thread, uint32_t number)
{
	for (struct queue_entry *e = leaving.first; e != NULL; e = e->next)
		if ((uint64_t)thread_of(e) == thread && thread_of(e)->number == number)
			return thread_of(e);
	return NULL;
}

/* Heard of last at that member. */
static void set_away(struct thread *stub, unsigned member, uint16_t moves)
{
	if ((int16_t)(moves - stub->moves) <= 0)
		return;
	stub->away = (uint8_t)(member + 1);
	stub->moves = moves;
}

static void let_go(struct thread *t)
{
	if (t->birth == span_member() && t->origin != NULL) /* for the second time */
		set_away(t->origin, t->away - 1u, t->moves);
	(void)queue_remove(&leaving, &t->run.entry);
	move_visitors -= t->birth != span_member();
	thread_gone(t);
}

void link_handle_taken(unsigned from, const struct link_taken *m)
{
	struct thread *t = leaving_one(m->thread, m->number);

	(void)from;
	if (t != NULL && m->error != ERR_NUMBER_OK)
		stay(t);
	else if (t != NULL)
		let_go(t);
}

/* News of a thread that goes from one member to the next come on different links, and may overtake each other: what a third member says
 * comes perhaps before `taken`, or when who joined it has taken it for lost and is gone. NULL: that. */
static struct thread *stub_of(uint64_t thread, uint32_t number)
{
	struct thread *t = leaving_one(thread, number);

	if (t != NULL)
		let_go(t);
	return thread_stub(thread, number);
}

/* ---- Taking ---- */

static void answer(unsigned from, uint64_t token, uint32_t number, err_t e)
{
	(void)!is_ok(LINK_SEND(from, taken, .thread = token, .number = number, .error = e.number));
}

void link_handle_thread(unsigned from, const struct link_thread *m)
{
	struct arrival *a = &arrivals[from];
	struct thread *t = span_leaves() ? NULL : a->thread != NULL ? a->thread : thread_new(&(struct registers){0});

	asking = false;
	told &= ~(UINT64_C(1) << from);
	*a = (struct arrival){t, m->thread, m->bytes, (m->flags & THREAD_INTERRUPTED) != 0};
	if (t == NULL || m->bytes > sizeof t->frame + XSTATE_BYTES) {
		answer(from, m->thread, m->number, ERR(NO_MEMORY));
		return;
	}
	t->number = m->number;
	t->sp = m->sp;
	t->clear_on_exit = m->clear_on_exit;
	t->origin = (struct thread *)m->origin;
	t->kept = m->origin != 0;
	t->spare = (m->flags & THREAD_SPARE) != 0;
	t->run.members = m->members;
	t->run.share = m->share;
	t->run.priority = m->priority;
	t->birth = m->birth;
	t->moves = m->moves;
}

/* A thread that moved by itself goes on in the middle of a section, where there are no page faults; its registers are on its stack. */

static void fetch_stack(void *argument)
{
	struct thread *t = *(struct thread **)argument;
	bool inside;
	char byte;

	/* Where the stack ends there is nothing, and nothing is needed. */
	for (uint64_t at = t->sp - DISABLED_STACK_BYTES; at <= t->sp + PAGE_BYTES; at += PAGE_BYTES)
		(void)!guarded_copy(&byte, (const void *)at, sizeof byte);
	inside = dispatcher_enter();
	thread_ready(t);
	dispatcher_leave(inside);
}

/* The giver knows, if it was born there. */
static void tell_birth(unsigned from, const struct thread *t)
{
	if (t->birth == span_member())
		set_away(t->origin, t->birth, t->moves);
	else if (t->birth != from)
		(void)!is_ok(LINK_SEND(t->birth, settled, .thread = (uint64_t)t->origin, .number = t->number, .moves = t->moves));
}

static void arrived(unsigned from, struct arrival *a)
{
	struct thread *t = a->thread;
	uint32_t number = t->number;
	err_t e = OK;

	a->thread = NULL;
	t->interrupted = a->interrupted;
	t->fs_base = t->frame.fs_base;
	t->gs_base = t->frame.gs_base;
	if (t->interrupted)
		thread_ready(t);
	else
		e = service_begin(fetch_stack, &t, sizeof t);
	if (is_ok(e) && t->origin != NULL)
		tell_birth(from, t);
	if (is_err(e))
		thread_forget(t);
	else
		move_visitors += t->birth != span_member();
	answer(from, a->token, number, e);
}

void link_handle_settled(unsigned from, const struct link_settled *m)
{
	struct thread *stub = stub_of(m->thread, m->number);

	if (stub != NULL)
		set_away(stub, from, m->moves);
}

void link_handle_part(unsigned from, const struct link_part *m)
{
	struct arrival *a = &arrivals[from];
	uint64_t end;

	if (a->thread == NULL || m->at >= a->bytes)
		return;
	end = m->at < sizeof a->thread->frame ? sizeof a->thread->frame : a->bytes;
	end = m->at + PART_BYTES < end ? m->at + PART_BYTES : end;
	memcpy((uint8_t *)state_at(a->thread, m->at), &m->word0, end - m->at);
	if (end == a->bytes)
		arrived(from, a);
}

/* ---- Having nothing to do ---- */

void move_idle(void)
{
	for (unsigned i = 0; i < others && !asking && !span_leaves(); i++) {
		uint64_t bit = UINT64_C(1) << order[i];

		if ((told & bit) != 0 || is_err(LINK_SEND(order[i], hungry, .reserved = 0)))
			continue;
		told |= bit;
		asking = true;
	}
}

void link_handle_nothing(unsigned from, const struct link_nothing *m)
{
	(void)from;
	(void)m;
	asking = false;
	if (threads_ready.count == 0 && threads_idle)
		move_idle();
}

/* ---- Ends ---- */

static uint64_t alive_elsewhere; /* at member 0: members that have threads of their own */

static void end_domain(void *argument)
{
	(void)argument;
	domain_exit(0);
}

static void end_if_nobody_is_left(void)
{
	if (threads_alive == 0 && alive_elsewhere == 0 && span_member() == 0)
		(void)!is_ok(service_begin(end_domain, NULL, 0));
}

static void one_less(void)
{
	if (--threads_alive > 0)
		return;
	if (span_member() != 0)
		(void)!is_ok(LINK_SEND(0, alive, .token = 0, .any = 0));
	else
		end_if_nobody_is_left();
}

/* What is left here of a thread that was born here and has moved. */
static void end_stub(struct thread *t, bool lost)
{
	t->away = 0;
	t->lost = lost;
	t->ended = true;
	thread_joiners_ready(t);
}

/* It has ended here, or is lost. */
static void end_of(struct thread *t, bool lost)
{
	if (t->birth != span_member()) {
		move_visitors--;
		(void)!is_ok(LINK_SEND(t->birth, over, .thread = (uint64_t)t->origin, .number = t->number, .lost = lost));
		return;
	}
	if (t->origin != NULL)
		end_stub(t->origin, lost);
	else if (t->away != 0)
		end_stub(t, lost);
	one_less();
}

void move_ended(struct thread *t)
{
	end_of(t, false);
}

void link_handle_over(unsigned from, const struct link_over *m)
{
	struct thread *stub = stub_of(m->thread, m->number);

	(void)from;
	if (m->thread != 0 && (stub == NULL || stub->ended))
		return; /* taken for lost with a core that it had left: who joined it has heard so, and it counts no more */
	if (stub != NULL)
		end_stub(stub, m->lost);
	one_less();
}

void link_handle_alive(unsigned from, const struct link_alive *m)
{
	uint64_t bit = UINT64_C(1) << from;

	alive_elsewhere = m->any ? alive_elsewhere | bit : alive_elsewhere & ~bit;
	if (m->token != 0)
		(void)!is_ok(LINK_SEND(from, noted, .token = m->token, .error = ERR_NUMBER_OK));
	end_if_nobody_is_left();
}
bool move_born(void)
{
	struct link_alive first = {.any = 1};
	union link_message noted;

	if (threads_alive++ > 0 || span_member() == 0)
		return true;
	if (is_ok(link_ask(0, LINK_alive, &first, &noted)))
		return true;
	threads_alive--;
	return false;
}

/* ---- Who is there, and how far away ---- */

static unsigned distance_to(unsigned member)
{
	const struct machine *machine = domain_machine();
	unsigned here = domain_core(), there = links[member].core;

	if (machine == NULL || here >= machine->core_count || there >= machine->core_count)
		return 0;
	return machine_distance(machine, machine->cores[here].node, machine->cores[there].node);
}

static void sort_others(void)
{
	others = 0;
	told &= link_mask;
	asking = false;
	for (unsigned m = 0; m < SPAN_MAX; m++) {
		unsigned at = others;

		if ((link_mask >> m & 1) == 0)
			continue;
		for (; at > 0 && distance_to(order[at - 1]) > distance_to(m); at--)
			order[at] = order[at - 1];
		order[at] = (uint8_t)m;
		others++;
	}
}

static void joined(unsigned member)
{
	(void)member;
	sort_others();
	threads_among_others(true);
	if (threads_idle)
		move_idle();
}

/* Those that were born here and are there, and those of anybody that were sent there. */
static void lose_threads(unsigned member)
{
	struct queue sent = leaving;
	struct thread *t;

	leaving = (struct queue){NULL, NULL};
	while ((t = thread_of(queue_take(&sent))) != NULL) {
		if (t->away != member + 1) {
			queue_put(&leaving, &t->run.entry);
			continue;
		}
		end_of(t, true);
		thread_gone(t);
	}
	while ((t = thread_away_at(member)) != NULL)
		end_of(t, true);
}

/* Its threads are gone with it, and so are those that were on their way. */
static void left(unsigned member)
{
	move_hungry &= ~(UINT64_C(1) << member);
	alive_elsewhere &= ~(UINT64_C(1) << member);
	if (arrivals[member].thread != NULL)
		thread_forget(arrivals[member].thread);
	arrivals[member] = (struct arrival){0};
	lose_threads(member);
	sort_others();
	threads_among_others(link_mask != 0);
}

void move_start(void)
{
	if (span_member() != 0)
		threads_alive = 0; /* what begins there waits for messages */
	link_on_change(joined, left);
}

/* ---- Moving by oneself ---- */

struct departure {
	struct thread *thread;
	unsigned member;
};

static void depart(void *argument)
{
	const struct departure *d = argument;
	bool inside = dispatcher_enter();

	send_thread(d->member, d->thread);
	dispatcher_leave(inside);
}

err_t thread_move(unsigned member)
{
	struct departure departure = {thread_current, member};
	bool inside;
	err_t e;

	if (member == span_member())
		return OK;
	if (member >= SPAN_MAX || (link_mask >> member & 1) == 0)
		return ERR(PEER_GONE);
	if (thread_current->below != 0 || (thread_current->run.members >> member & 1) == 0)
		return ERR(STATE);
	inside = dispatcher_enter();
	e = service_begin(depart, &departure, sizeof departure);
	if (is_ok(e))
		thread_wait_to_move();
	dispatcher_leave(inside);
	if (is_err(e))
		return e;
	return span_member() == member ? OK : ERR(NO_MEMORY);
}

static void set_members(struct thread *t, uint64_t members)
{
	bool inside = dispatcher_enter();

	t->run.members = members;
	if (t->ready && move_hungry != 0)
		feed();
	dispatcher_leave(inside);
}

err_t thread_set_members(struct thread *thread, uint64_t members)
{
	if (thread == NULL || members == 0)
		return ERR(ARGUMENT);
	if (words_elsewhere((uint64_t)thread) != SPAN_MAX || thread->away != 0)
		return ERR(STATE);
	set_members(thread, members);
	if (thread == thread_current && (members >> span_member() & 1) == 0)
		return thread_move((unsigned)__builtin_ctzll(members));
	return OK;
}

void thread_pin(void)
{
	set_members(thread_current, UINT64_C(1) << span_member());
}
