/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* The server's side of doors: calls that run here in the turn of the caller, whatever the threads of this dispatcher do.
 *
 * A *shuttle* is a thread made beforehand, with its stack and thread-local storage, that waits for a call. The upcall gives one the call
 * and goes on with it: so the caller's thread goes on in this domain, as in Doors of Spring and Solaris, if one looks at who pays for the
 * time. The thread that the upcall has interrupted is put into the run queue.
 *
 *                 upcall door, or a call while nothing runs here
 *      rests ─────────────────────────────────────────────────────▶ serves ──▶ the program's function, which may wait as any thread
 *        ▲                                                              │
 *        └────────────── replies, and leaves (REPLY_LEAVE) ◀────────────┘
 *
 * Who leaves has nothing to go on with, and the dispatcher neither, until it is entered again: by the next call, which then finds a thread
 * to save no more; or when its turn comes, for those in the run queue. A shuttle that waits in the middle gives the caller's turn back: if
 * other threads can run here they do so in its rest, and else the caller's domain goes on; its call is detached then.
 *
 * The door is open while a shuttle rests. Else callers stand in the CPU driver's queue or send a message, as where there is no door; so
 * they do while the dispatcher is disabled. The queue is emptied by shuttles too (take_calls).
 *
 * While a shuttle serves a client its end of the connection stays (server_hold), so that what a handler knows of the client does not go
 * away under its hands. Whether the caller still waits the handler may ask (stub_is_cancelled); a reply to one who has given up is dropped.
 */

#include "libos/ipc/door.h"

#include <atoll/ipc.h>
#include <atoll/span.h>

#include "libos/ipc/endpoint.h"
#include "libos/ipc/serve.h"
#include "libos/ipc/server.h"
#include "libos/thread/thread.h"
#include "libos/upcall/dispatcher.h"
#include "libos/upcall/door_entry.h"

_Static_assert(CALL_REPLY_WAIT_BIT_63 == (CALL_BIT | CALL_NUMBER_REPLY_WAIT) && FLAG_REPLY_LEAVE == REPLY_LEAVE, "");

struct shuttle {
	struct shuttle *next; /* that rests */
	struct thread *thread;
	bool serves;
	struct endpoint_request request;
};

static struct shuttle shuttles[IPC_SHUTTLES_MOST];
static struct shuttle *resting;
static bool calls_left; /* in the queue, when no shuttle rested any more */

static const struct endpoint_message no_reply;

/* ---- Rest ---- */

static void set_door(void)
{
	DISPATCHER->upcall[UPCALL_DOOR] = resting != NULL ? (uint64_t)upcall_door_entry : 0;
}

static void put_to_rest(struct shuttle *s)
{
	s->serves = false;
	s->next = resting;
	resting = s;
	set_door();
}

/* One that rests gets the call. */
static struct thread *give(const struct endpoint_request *r)
{
	struct shuttle *s = resting;

	resting = s->next;
	set_door();
	s->request = *r;
	s->serves = true;
	return s->thread;
}

/* ---- What comes ---- */

void upcall_door(uint64_t badge, uint64_t w0, uint64_t w1, uint64_t w2, uint64_t w3, uint64_t token)
{
	thread_enter(give(&(struct endpoint_request){badge, token, {{w0, w1, w2, w3}}}));
}

static bool take_calls(void)
{
	struct endpoint_request r;

	calls_left = false;
	while (resting != NULL) {
		if (is_err(endpoint_reply_wait(REPLY_NONE, &no_reply, REPLY_POLL, &r)))
			return true;
		thread_ready(give(&r));
	}
	calls_left = true;
	return false;
}

static void wait(void)
{
	struct endpoint_request r;

	if (resting == NULL)
		(void)!is_ok(endpoint_yield(CAP_NULL, YIELD_WAIT));
	else if (is_ok(endpoint_reply_wait(REPLY_NONE, &no_reply, REPLY_BLOCK, &r)))
		thread_ready(give(&r));
}

/* ---- A shuttle's life, inside a section but for the program's function ---- */

/* The caller goes on, and so does this thread when it is given the next call; or at once, if the caller is not there. */
static void reply_and_leave(uint64_t token, const struct endpoint_message *reply)
{
	struct thread *self = thread_current;

	self->fs_base = __builtin_ia32_rdfsbase64();
	self->gs_base = __builtin_ia32_rdgsbase64();
	self->waiting = true;
	threads_left = true;
	door_leave(&self->sp, token, reply);
	threads_left = false;
}

static void serve(struct shuttle *s)
{
	struct endpoint_message m = s->request.message;
	uint64_t token = s->request.token;
	struct ipc_connection *c = server_hold(s->request.badge);
	bool answered;

	server_owes++;
	dispatcher_leave(false);
	answered = server_answer(c, token, &m);
	(void)dispatcher_enter();
	server_owes--; /* nobody looks before the section ends, and the reply is given in it */
	server_let_go(c);
	put_to_rest(s);
	if (__builtin_expect(calls_left, 0))
		(void)take_calls();
	if (answered && !s->serves)
		reply_and_leave(token, &m);
	else if (answered)
		(void)!is_ok(endpoint_reply(token, &m));
}

/* Nobody waits for its end, nor does the domain. */
static void live(void *argument)
{
	struct shuttle *s = argument;

	(void)dispatcher_enter();
	thread_uncount(thread_current);
	s->thread = thread_current;
	put_to_rest(s);
	for (;;) {
		while (!s->serves)
			thread_wait(THREAD_FOREVER);
		serve(s);
	}
}

/* ---- For programs ---- */

err_t ipc_offer_door(unsigned count)
{
	static const struct door offered = {wait, take_calls};
	struct thread *thread;
	err_t e = OK;

	if (count == 0 || count > IPC_SHUTTLES_MOST)
		return ERR(ARGUMENT);
	if (door != NULL)
		return ERR(EXISTS);
	door = &offered;
	for (unsigned i = 0; i < count && is_ok(e); i++)
		e = thread_create_among(UINT64_C(1) << span_member(), live, &shuttles[i], 0, &thread);
	return e;
}
