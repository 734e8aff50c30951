/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Doors: a call enters its server although nobody there waits for one (Hamilton and Kougiouris, The Spring nucleus, 1993; Bershad et al.,
 * Lightweight remote procedure call, 1990). And detaching, which is what makes that harmless to the caller.
 *
 *   caller's turn   server's dispatcher                     caller's dispatcher
 *   begins          in the scheduler, its thread's state    runs
 *                   in the shared frame
 *   call            upcall door: it runs, out of turn       WAITING_REPLY
 *   REPLY_LEAVE     in the scheduler again, nothing in      runs
 *                   the shared frame that matters
 *
 * A turn is lent with a call: the server runs in the rest of it and at the caller's expense, and keeps its own place in the scheduler. It
 * need not be idle, only enabled, so that an upcall may come. What its threads do meanwhile is its library's business: the upcall finds
 * the state of the one that was interrupted in the shared frame, and none if the dispatcher has left by REPLY_LEAVE.
 *
 * Lending ends when the turn does, when the server gives the processor away by anything but the reply, and when there is something
 * to tell the caller. Then the call is *detached*: it returns UNDER_WAY, the caller's dispatcher is free for its other threads, and the
 * reply goes to a place in the caller's shared frame. So no server holds a caller's dispatcher, however long it takes. All that the CPU
 * driver knows of a detached call is what is written in that place. The caller's domain may write there as well, and cheats only
 * itself: which server may answer is compared, never followed.
 *
 * Lenders form a chain, for a server may call another one in the turn that it was lent; `served` leads from each to the one before. Nobody
 * is in it twice: all but the first wait for a reply, each for another server. A dispatcher that waits for a reply may be called itself (A
 * calls B, which calls A). Its own call is detached then, and the thread that made it is like one that was interrupted. */

#include "cpudriver/dispatch/doors.h"

#include <string.h>

#include "cpudriver/core.h"
#include "cpudriver/dispatch/switch.h"

/* ---- Detached calls ---- */

struct late_reply *find_late(struct dispatcher *caller, const struct dispatcher *server, uint64_t token)
{
	struct late_reply *late = dispatcher_shared(caller)->late;

	for (unsigned i = 0; i < LATE_REPLIES; i++)
		if (late[i].token == token && late[i].server == dispatcher_base(server))
			return &late[i];
	return NULL;
}

void reply_late(struct dispatcher *caller, struct late_reply *late, err_t e, struct words w)
{
	late->error = e.number;
	late->word[0] = w.w0;
	late->word[1] = w.w1;
	late->word[2] = w.w2;
	late->word[3] = w.w3;
	late->server = 0;
	notify(caller, PENDING_REPLY);
}

void end_late(struct dispatcher *caller, const struct dispatcher *server)
{
	struct late_reply *late = dispatcher_shared(caller)->late;

	for (unsigned i = 0; i < LATE_REPLIES; i++)
		if (late[i].token != 0 && late[i].server == dispatcher_base(server))
			reply_late(caller, &late[i], ERR(PEER_GONE), no_words);
}

static bool detach_from_server(struct dispatcher *caller)
{
	struct late_reply *late = dispatcher_shared(caller)->late;
	unsigned i = 0;

	while (i < LATE_REPLIES && late[i].token != 0)
		i++;
	if (i == LATE_REPLIES)
		return false;

	late[i] = (struct late_reply){.token = caller->token, .server = dispatcher_base(caller->server)};
	leave_call(caller);
	put_reply(caller, ERR(UNDER_WAY), (struct words){.w0 = i});
	make_runnable(caller);
	return true;
}

/* The message still stands in the caller's registers. */
static void detach_from_queue(struct dispatcher *caller)
{
	leave_call(caller);
	caller->saved.rax = ERR_NUMBER_WOULD_BLOCK;
	caller->saved.rdi = caller->saved.r9 = 0;
	make_runnable(caller);
}

bool detach_call(struct dispatcher *caller)
{
	if ((caller->call_flags & CALL_DETACH) == 0)
		return false;
	if (caller->state == DISPATCHER_WAITING_REPLY)
		return detach_from_server(caller);
	detach_from_queue(caller);
	return true;
}

void end_lending(struct dispatcher *server)
{
	while (server->served != 0) {
		struct dispatcher *lender = dispatcher_at(server->served & TOKEN_ADDRESS);

		(void)detach_call(lender);
		server = lender;
	}
}

/* ---- The door ---- */

bool door_enter(struct dispatcher *server)
{
	struct dispatcher_shared *shared = dispatcher_shared(server);
	uint64_t entry = shared->upcall[UPCALL_DOOR], stack = shared->upcall_stack;

	if (!server->turn.queued || server->resume != RESUME_UPCALL) /* it runs, or waits, or its state is not in the shared frame */
		return false;
	if (entry == 0 || entry >= USER_TOP || stack > USER_TOP) /* closed, or none */
		return false;
	if (server->callers_first != NULL) /* others came before */
		return false;

	schedule_remove(&core.schedule, &server->turn);
	atomic_store_explicit(&shared->disabled, 1, memory_order_relaxed);
	server->saved.rip = entry;
	server->saved.rsp = stack;
	server->saved.rflags = RFLAGS_IF | RFLAGS_RESERVED1;
	return true;
}

static void put_into_frame(struct dispatcher *d)
{
	struct dispatcher_shared *shared = dispatcher_shared(d);

	shared->enabled = (struct registers){
	    .rax = d->saved.rax,
	    .rdi = d->saved.rdi,
	    .rsi = d->saved.rsi,
	    .rdx = d->saved.rdx,
	    .r8 = d->saved.r8,
	    .r9 = d->saved.r9,
	    .r10 = d->saved.r10,
	    .rip = d->saved.rip,
	    .rsp = d->saved.rsp,
	    .rflags = d->saved.rflags,
	    .fs_base = d->saved.fs_base,
	    .gs_base = d->saved.gs_base,
	};
	memcpy(shared->enabled_xstate, &xstate_initial, sizeof xstate_initial);
	d->resume = RESUME_UPCALL;
}

bool door_enter_from_call(struct dispatcher *server)
{
	if (server->resume != RESUME_CALL || !is_enabled(server, server->saved.rip))
		return false;
	if (dispatcher_shared(server)->upcall[UPCALL_DOOR] == 0 || server->callers_first != NULL)
		return false;
	if (server->state == DISPATCHER_WAITING_REPLY)
		(void)detach_call(server);
	if (server->state != DISPATCHER_RUNNABLE)
		return false;
	put_into_frame(server);
	return door_enter(server);
}

void door_leave(struct dispatcher *server, struct dispatcher *caller)
{
	server->resume = RESUME_UPCALL;
	caller->state = DISPATCHER_RUNNABLE;
	schedule_add(&core.schedule, &server->turn);
	turn_share();
	switch_to_caller(caller);
	resume_call(&caller->saved);
}
