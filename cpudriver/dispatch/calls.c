/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* call and reply_wait: messages of four words between two dispatchers of this core, and yield (cpudriver/abi/calls.h).
 *
 * A call to a server that waits, and a reply by a server that has nothing else to do, switch to the other side directly: no queue, no
 * scheduler, no timer. The other side runs in the rest of the caller's turn and at its expense. Each fast path is a row of tests, and each
 * test's other outcome is the slow path, which does the same for all cases.
 *
 *   caller                                              server
 *   RUNNABLE ── call ──▶ CALLING ── server takes it ──▶ WAITING_REPLY ── server replies ──▶ RUNNABLE
 *                 └───── server waits: at once ───────────▲
 *
 * A message travels in the saved registers: in the caller's own while it stands in the queue, in the receiver's once delivered. A token is
 * the caller's physical address plus a count of its calls in the bits above; `served` of the server is the token of the call that it
 * took last, and is put to 0 when that caller no longer waits. So an equal token needs no further check; any other one is looked up. */

#include "cpudriver/abi/calls.h"
#include "cpudriver/capability/database.h"
#include "cpudriver/core.h"
#include "cpudriver/dispatch/doors.h"
#include "cpudriver/dispatch/switch.h"
#include "cpudriver/entry/calls.h"

/* ---- call ------------------------------------------------------------------------------------------------------------------------- */

static NORETURN void refuse_with(struct dispatcher *d, err_t e, struct words w)
{
	put_reply(d, e, w);
	resume_call(&d->saved);
}
static NORETURN void refuse(struct dispatcher *d, err_t e)
{
	refuse_with(d, e, no_words);
}

static err_t find_server(struct dispatcher *caller, uint64_t cap, struct slot **endpoint)
{
	struct slot *s = cap_slot(caller->root, (cap_t){(uint16_t)cap});

	if (s == NULL)
		return ERR(CAP_ADDRESS);
	if (s->type != CAP_Endpoint)
		return s->type == CAP_Null ? ERR(CAP_EMPTY) : ERR(CAP_TYPE);
	if ((s->rights & RIGHT_WRITE) == 0)
		return ERR(CAP_RIGHTS);
	*endpoint = s;
	return OK;
}

static void enqueue(struct dispatcher *caller, struct dispatcher *server)
{
	caller->state = DISPATCHER_CALLING;
	caller->caller_next = NULL;
	*(server->callers_first != NULL ? &server->callers_last->caller_next : &server->callers_first) = caller;
	server->callers_last = caller;
	core.counter[COUNTER_CALLS]++;
	TRACE(queue, 0, 0, dispatcher_base(server), caller->token + TOKEN_COUNT);
	notify(server, PENDING_CALL);
}

static void dequeue(struct dispatcher *caller, struct dispatcher *server)
{
	struct dispatcher *before = NULL;

	for (struct dispatcher *d = server->callers_first; d != caller; d = d->caller_next)
		before = d;
	*(before != NULL ? &before->caller_next : &server->callers_first) = caller->caller_next;
	if (server->callers_last == caller)
		server->callers_last = before;
}

/* The server runs in the caller's turn. */
__attribute__((always_inline)) static inline NORETURN void enter_server(struct dispatcher *caller, struct dispatcher *server,
                                                                        uint64_t badge, struct words w)
{
	core.counter[COUNTER_CALLS]++;
	caller->state = DISPATCHER_WAITING_REPLY;
	caller->server = server;
	caller->token += TOKEN_COUNT;
	server->state = DISPATCHER_RUNNABLE;
	put_call(server, badge, caller->token, w);
	switch_to_server(server);
	resume_call(&server->saved);
}

static NORETURN void call_slowly(uint64_t cap, struct words w, uint64_t flags)
{
	struct dispatcher *caller = core.current;
	struct slot *endpoint = NULL;
	err_t e = find_server(caller, cap, &endpoint);

	save_call(caller);
	if (is_err(e))
		refuse(caller, e);

	struct dispatcher *server = dispatcher_at(endpoint->base);

	if (!server->alive || server->state == DISPATCHER_STOPPED)
		refuse(caller, ERR(PEER_GONE));
	if (server == caller)
		refuse(caller, ERR(STATE));
	if (flags > CALL_FLAGS)
		refuse(caller, ERR(ARGUMENT));
	if ((pending(caller) & PENDING_TIMER) != 0)
		refuse_with(caller, (flags & CALL_DETACH) != 0 ? ERR(WOULD_BLOCK) : ERR(TIMEOUT), w);

	caller->call_flags = (uint8_t)flags;
	if (door_enter_from_call(server))
		enter_server(caller, server, endpoint->extra, w);
	if ((flags & CALL_AT_ONCE) != 0)
		refuse_with(caller, ERR(WOULD_BLOCK), w);
	end_lending(caller);
	caller->server = server;
	caller->saved.rdi = endpoint->extra;
	put_words(caller, w);
	enqueue(caller, server);
	dispatch();
}

NORETURN void call_entry(uint64_t cap, uint64_t w0, uint64_t w1, uint64_t w2, uint64_t w3, uint64_t flags)
{
	struct dispatcher *caller = core.current;
	struct slot *endpoint = cap_slot(caller->root, (cap_t){(uint16_t)cap});
	struct words w = {w0, w1, w2, w3};

	if (endpoint == NULL || endpoint->type != CAP_Endpoint) /* not an endpoint */
		call_slowly(cap, w, flags);
	if ((endpoint->rights & RIGHT_WRITE) == 0) /* not allowed */
		call_slowly(cap, w, flags);

	struct dispatcher *server = dispatcher_at(endpoint->base);

	if ((pending(caller) & PENDING_TIMER) != 0) /* the deadline has passed already */
		call_slowly(cap, w, flags);
	if (flags > CALL_FLAGS) /* no flags */
		call_slowly(cap, w, flags);
	if (server->state != DISPATCHER_WAITING_CALL && !door_enter(server)) /* busy and closed, or gone */
		call_slowly(cap, w, flags);

	save_call(caller);
	caller->call_flags = (uint8_t)flags;
	enter_server(caller, server, endpoint->extra, w);
}

/* ---- reply_wait ------------------------------------------------------------------------------------------------------------------- */

/* Any address may be in a token, so only the database can say whether a dispatcher is there. */
static struct dispatcher *find_caller(uint64_t token)
{
	const struct slot wanted = {.base = token & TOKEN_ADDRESS, .size = DISPATCHER_BYTES, .type = CAP_Dispatcher};
	const struct slot *s = database_not_before(&core.capabilities, &wanted);

	if (s == NULL || !same_object(s, &wanted))
		return NULL;

	struct dispatcher *caller = dispatcher_at(s->base);

	return caller->state != DISPATCHER_NEW && caller->state != DISPATCHER_STOPPED ? caller : NULL;
}

static bool waits_for(const struct dispatcher *caller, const struct dispatcher *server, uint64_t token)
{
	return caller->state == DISPATCHER_WAITING_REPLY && caller->server == server && caller->token == token;
}

/* The reply to the token: into the registers of the caller that waits for it, or where a detached call's belongs. False: it is nobody's. */
static bool reply_to(struct dispatcher *server, uint64_t token, struct words w, struct dispatcher **waiting)
{
	struct dispatcher *caller = find_caller(token);
	struct late_reply *late;

	if (caller == NULL)
		return false;
	if (waits_for(caller, server, token)) {
		put_reply(caller, OK, w);
		server->served = server->served == token ? 0 : server->served;
		*waiting = caller;
		return true;
	}
	late = find_late(caller, server, token);
	if (late != NULL)
		reply_late(caller, late, OK, w);
	return late != NULL;
}

static bool is_awaited(const struct dispatcher *server, uint64_t token)
{
	struct dispatcher *caller = find_caller(token);

	return caller != NULL && (waits_for(caller, server, token) || find_late(caller, server, token) != NULL);
}

/* The first caller's message becomes the result of the server's reply_wait. */
static void take_call(struct dispatcher *server)
{
	struct dispatcher *caller = server->callers_first;

	server->callers_first = caller->caller_next;
	caller->state = DISPATCHER_WAITING_REPLY;
	caller->token += TOKEN_COUNT;
	put_call(server, caller->saved.rdi, caller->token,
	         (struct words){caller->saved.rsi, caller->saved.rdx, caller->saved.r10, caller->saved.r8});
	TRACE(enter, false, 0, dispatcher_base(server), caller->token);
}

/* The replied-to caller runs at once if the server waits now; else it gets into the queue. */
static NORETURN void wait_for_call(struct dispatcher *server, struct dispatcher *caller, bool until_idle)
{
	server->state = DISPATCHER_WAITING_CALL;
	server->until_idle = until_idle;
	if (caller == NULL) {
		end_lending(server);
		dispatch();
	}
	caller->state = DISPATCHER_RUNNABLE;
	switch_to(caller);
	resume_call(&caller->saved);
}

static NORETURN void reply_wait_slowly(uint64_t token, struct words w, uint64_t flags)
{
	struct dispatcher *server = core.current, *caller = NULL;

	save_call(server);
	if (flags > REPLY_ASK)
		refuse(server, ERR(ARGUMENT));
	if (flags == REPLY_ASK)
		refuse(server, is_awaited(server, token) ? OK : ERR(NO_CALLER));
	if (token != REPLY_NONE && !reply_to(server, token, w, &caller))
		refuse(server, ERR(NO_CALLER));
	if (token != REPLY_NONE)
		TRACE(leave, false, 0, token & TOKEN_ADDRESS, token);
	put_reply(server, OK, no_words);

	if (flags == REPLY_LEAVE && caller != NULL)
		door_leave(server, caller);
	if ((flags == REPLY_BLOCK || flags == REPLY_UNTIL_IDLE) && server->callers_first == NULL && pending(server) == 0)
		wait_for_call(server, caller, flags == REPLY_UNTIL_IDLE);
	if (caller != NULL)
		make_runnable(caller);
	if (flags == REPLY_ONLY || flags == REPLY_LEAVE)
		return_to_caller(server, OK);
	if (server->callers_first == NULL)
		return_to_caller(server, pending(server) != 0 ? ERR(NOTIFIED) : ERR(WOULD_BLOCK));
	take_call(server);
	return_to_caller(server, OK);
}

/* To the call that it took last. */
static NORETURN void reply_and_go_on(uint64_t token, struct words w, uint64_t flags)
{
	struct dispatcher *server = core.current, *caller = dispatcher_at(token & TOKEN_ADDRESS);

	if (flags != REPLY_LEAVE) /* stays */
		reply_wait_slowly(token, w, flags);

	save_call(server);
	server->served = 0;
	put_reply(caller, OK, w);
	door_leave(server, caller);
}

NORETURN void reply_wait_entry(uint64_t token, uint64_t w0, uint64_t w1, uint64_t w2, uint64_t w3, uint64_t flags)
{
	struct dispatcher *server = core.current;
	struct words w = {w0, w1, w2, w3};

	if (token != server->served || token == REPLY_NONE) /* not the call that it took last */
		reply_wait_slowly(token, w, flags);
	if (flags != REPLY_BLOCK) /* goes on without waiting */
		reply_and_go_on(token, w, flags);
	if (server->callers_first != NULL || pending(server) != 0) /* has more to do */
		reply_wait_slowly(token, w, flags);

	struct dispatcher *caller = dispatcher_at(token & TOKEN_ADDRESS);

	save_call(server);
	server->state = DISPATCHER_WAITING_CALL;
	server->served = 0;
	caller->state = DISPATCHER_RUNNABLE;
	put_reply(caller, OK, w);
	switch_to_caller(caller);
	resume_call(&caller->saved);
}

/* ---- the end of a call without a reply -------------------------------------------------------------------------------------------- */

void leave_call(struct dispatcher *caller)
{
	struct dispatcher *server = caller->server;

	if (caller->state == DISPATCHER_CALLING)
		dequeue(caller, server);
	else if (caller->state == DISPATCHER_WAITING_REPLY && server->served == caller->token)
		server->served = 0;
}

void end_call(struct dispatcher *caller, err_t e)
{
	leave_call(caller);
	put_reply(caller, e, no_words);
	make_runnable(caller);
}

void end_callers(struct dispatcher *server)
{
	for (struct dispatcher *d = core.dispatchers; d != NULL; d = d->next) {
		if ((d->state == DISPATCHER_CALLING || d->state == DISPATCHER_WAITING_REPLY) && d->server == server)
			end_call(d, ERR(PEER_GONE));
		if (d->state != DISPATCHER_NEW && d->state != DISPATCHER_STOPPED)
			end_late(d, server);
	}
}

/* ---- yield ------------------------------------------------------------------------------------------------------------------------ */

static err_t find_target(struct dispatcher *self, uint64_t cap, struct dispatcher **target)
{
	*target = NULL;
	if (cap == 0)
		return OK;

	struct slot *s = cap_slot(self->root, (cap_t){(uint16_t)cap});

	if (s == NULL)
		return ERR(CAP_ADDRESS);
	if (s->type != CAP_Dispatcher)
		return s->type == CAP_Null ? ERR(CAP_EMPTY) : ERR(CAP_TYPE);
	if ((s->rights & RIGHT_WRITE) == 0)
		return ERR(CAP_RIGHTS);
	*target = dispatcher_at(s->base);
	return OK;
}

/* The next is taken before the yielding one queues again, so it is somebody else if there is anybody else. */
NORETURN void yield_entry(uint64_t cap, uint64_t how)
{
	struct dispatcher *self = core.current, *target;
	err_t e = find_target(self, cap, &target);

	save_call(self);
	if (is_err(e))
		refuse(self, e);
	if (how > YIELD_WAIT)
		refuse(self, ERR(ARGUMENT));
	put_reply(self, OK, no_words);

	if (how == YIELD_WAIT && pending(self) != 0)
		return_to_caller(self, OK);
	end_lending(self);
	if (target != NULL && target->turn.queued)
		schedule_take_this(&core.schedule, &target->turn);
	else
		target = next_dispatcher();
	if (how == YIELD_WAIT)
		self->state = DISPATCHER_WAITING;
	else
		schedule_add(&core.schedule, &self->turn);
	if (target == NULL)
		dispatch();
	run(target);
}
