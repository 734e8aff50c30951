/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include <string.h>

#include <atoll/address_space.h>
#include <atoll/capability.h>
#include <atoll/domain.h>

#include "libos/address_space/address_space.h"
#include "libos/ipc/connection.h"
#include "libos/ipc/events.h"
#include "libos/ipc/gift.h"
#include "libos/ipc/serve.h"
#include "libos/ipc/server.h"
#include "libos/memory/memory.h"
#include "libos/thread/waiters.h"
#include "libos/trace/trace.h"
#include "libos/upcall/dispatcher.h"

#define LOST_LINES       CHANNEL_LINES_MIN
#define YIELDS_IN_A_ROW  64
#define LOOKS_PER_SECOND 1000 /* after that */

struct ipc_connection *connections[CONNECTION_LISTS];
struct ipc_connection connection_nowhere = {.users = 1, .closed = true, .late.closed = true, .source.waiter = &connection_nowhere.waiter};

static void ring_doorbell(void *argument)
{
	const struct ipc_connection *c = argument;

	(void)!is_ok(invoke(c->doorbell, OP_Doorbell_ring, 0, 0, 0, 0, 0).error);
}

static struct ipc_connection **list_of(const struct ipc_connection *c)
{
	return &connections[c->service != NULL ? SERVED : USED];
}

struct ipc_connection *connection_find(uint32_t number)
{
	for (unsigned list = 0; list < CONNECTION_LISTS; list++)
		for (struct ipc_connection *c = connections[list]; c != NULL; c = c->next)
			if (c->number == number)
				return c;
	return NULL;
}

/* The monitor says that the peer has gone. Whoever waits for it learns it now. */
static void peer_closed(const uint64_t word[EVENT_WORDS])
{
	struct ipc_connection *c = connection_find((uint32_t)word[2]);

	if (c == NULL)
		return;
	atomic_store_explicit(&c->closed, true, memory_order_relaxed);
	gifts_wake(c);
	connection_wake(c);
}

void connection_wake(struct ipc_connection *c)
{
	struct thread *t = *c->source.waiter;

	*c->source.waiter = NULL;
	if (t != NULL)
		thread_ready(t);
}

/* The monitor fills slots of the task CNode, which has few: the capability moves to a slot of our own. */
static err_t take_slot(uint16_t slot, cap_t *out)
{
	err_t e = cap_slot_alloc(out);

	if (is_err(e)) {
		*out = CAP_NULL;
		return e;
	}
	e = cap_move(CAP(ROOT_TASK, slot), *out);
	if (is_err(e)) {
		cap_slot_free(*out);
		*out = CAP_NULL;
	}
	return e;
}

/* What the monitor has placed for a connection that comes to nothing, as far as it has not been taken. */
static void drop_placed(const struct bound_event *bound)
{
	const uint16_t slots[] = {bound->slot_send, bound->slot_receive, bound->slot_doorbell};

	for (unsigned i = 0; i < sizeof slots / sizeof slots[0]; i++)
		if (slots[i] != 0)
			(void)!is_ok(cap_delete(CAP(ROOT_TASK, slots[i])));
}

static void drop_slot(cap_t slot)
{
	if (slot.value != CAP_NULL.value)
		cap_slot_drop(slot);
}

/* What is sent goes nowhere, and nothing comes. An endpoint becomes such a channel, too. */
void connection_lose(struct ipc_connection *c)
{
	static _Alignas(LINE_BYTES) struct channel_slot nothing[2][LOST_LINES];

	memset(nothing, 0, sizeof nothing);
	(void)channel_ok(channel_init(&c->channel, nothing[0], nothing[1], LOST_LINES, NULL, NULL));
	if (c->local)
		drop_slot(c->send);
	c->send = c->local ? CAP_NULL : c->send;
	c->local = false;
	atomic_store_explicit(&c->closed, true, memory_order_relaxed);
	gifts_wake(c);
	connection_wake(c);
}

/* The names of the rings in the trace. */
static void identify_rings(struct ipc_connection *c)
{
	struct cap_identity id;

	if (!trace_is_on())
		return;
	c->ring_there = is_ok(cap_identify(c->send, &id)) ? id.base : 0;
	c->ring_here = is_ok(cap_identify(c->receive, &id)) ? id.base : 0;
}

static err_t open_channel(struct ipc_connection *c, const struct bound_event *bound)
{
	const uint64_t bytes = channel_bytes(bound->ring_slots);
	err_t e = take_slot(bound->slot_receive, &c->receive);

	/* A peer that has ended already has no doorbell any more, but what it said is still there to be read. */
	if (is_ok(e) && is_err(e = take_slot(bound->slot_doorbell, &c->doorbell)) && err_is(e, ERR_NUMBER_CAP_EMPTY))
		e = OK;
	if (is_ok(e))
		e = frame_map(c->receive, 0, bytes, RIGHTS(RIGHT_READ | RIGHT_WRITE), &c->receive_at);
	if (is_ok(e))
		e = frame_map(c->send, 0, bytes, RIGHTS(RIGHT_READ | RIGHT_WRITE), &c->send_at);
	if (is_err(e))
		return e;
	if (!channel_ok(channel_init(&c->channel, c->receive_at, c->send_at, bound->ring_slots, ring_doorbell, c)))
		return ERR(FORMAT);
	identify_rings(c);
	c->source = (struct wait_source){.channel = &c->channel, .waiter = &c->waiter};
	wait_add(&c->source);
	return OK;
}

/* As far as it is there. */
static void close_channel(struct ipc_connection *c)
{
	if (c->receive_at != NULL)
		(void)!is_ok(frame_unmap(c->receive_at));
	if (c->send_at != NULL)
		(void)!is_ok(frame_unmap(c->send_at));
	drop_slot(c->receive);
	drop_slot(c->send);
	drop_slot(c->doorbell);
	c->receive_at = c->send_at = NULL;
	c->receive = c->send = c->doorbell = CAP_NULL;
}

/* Inside a section, or nobody else knows the connection. */
static void release(struct ipc_connection *c)
{
	wait_remove(&c->source);
	gifts_drop(c);
	close_channel(c);
	drop_slot(c->was);
	store_free(c, sizeof *c);
}

err_t connection_open(const struct bound_event *bound, struct ipc_service *service, struct ipc_connection **out)
{
	struct ipc_connection *c, **link;
	err_t e;

	store_prepare();
	c = store_alloc(sizeof *c);
	if (c == NULL) {
		drop_placed(bound);
		return ERR(NO_MEMORY);
	}
	c->users = 1;
	c->number = bound->connection;
	c->peer_domain = bound->peer_domain;
	c->peer_core = bound->peer_core;
	c->local = bound->kind == CONNECTION_ENDPOINT;
	c->service = service;
	c->source.waiter = &c->waiter;
	memcpy(c->peer_name, bound->name, sizeof c->peer_name - 1);
	events_handle(EVENT_closed, peer_closed);
	gifts_start();

	e = c->local && service != NULL ? OK : take_slot(bound->slot_send, &c->send);
	if (is_ok(e) && !c->local)
		e = open_channel(c, bound);
	if (is_err(e)) {
		release(c);
		drop_placed(bound);
		return e;
	}
	for (link = list_of(c); *link != NULL; link = &(*link)->next)
		;
	*link = c;
	gifts_claim(c);
	*out = c;
	return OK;
}

/* ---- Moving: this domain's, and that of a peer (monitor/rebind.h) ---- */

void connections_renumber_begin(void)
{
	for (unsigned list = 0; list < CONNECTION_LISTS; list++)
		for (struct ipc_connection *c = connections[list]; c != NULL; c = c->next)
			c->renumbered = false;
}

/* A new number may be the old one of another connection. */
void connections_renumber(uint32_t was, uint32_t number)
{
	for (unsigned list = 0; list < CONNECTION_LISTS; list++)
		for (struct ipc_connection *c = connections[list]; c != NULL; c = c->next)
			if (c->number == was && !c->renumbered) {
				c->number = number;
				identify_rings(c);
				c->renumbered = true;
				return;
			}
}

/* The lines go from the old ring to the new one, which then lies where the old one was: a thread that was interrupted while it wrote goes
 * on there. The same for the doorbell's slot. */
static err_t switch_to(struct ipc_connection *c, cap_t ring, cap_t doorbell, unsigned slots)
{
	void *at;
	err_t e = frame_map(ring, 0, channel_bytes(slots), RIGHTS(RIGHT_READ | RIGHT_WRITE), &at);

	if (is_err(e))
		return e;
	channel_copy_lines(at, c->send_at, slots);
	e = frame_unmap(at);
	if (is_ok(e))
		e = frame_exchange(c->send_at, ring);
	if (is_err(e))
		return e;
	/* It may be gone with the peer's old dispatcher. */
	(void)!is_ok(cap_delete(c->doorbell));
	return cap_move(doorbell, c->doorbell);
}

static void peer_moved(const uint64_t word[EVENT_WORDS])
{
	cap_t ring = CAP_NULL, doorbell = CAP_NULL;
	struct bound_event bound;
	struct ipc_connection *c;
	err_t e;

	memcpy(&bound, word, sizeof bound);
	c = connection_find(bound.connection);
	store_prepare();
	e = take_slot(bound.slot_send, &ring);
	if (is_ok(e))
		e = take_slot(bound.slot_doorbell, &doorbell);
	if (is_ok(e))
		e = c == NULL || c->local || bound.ring_slots != c->channel.mask + 1 ? ERR(STATE)
		                                                                     : switch_to(c, ring, doorbell, bound.ring_slots);
	drop_slot(doorbell);
	if (is_ok(e)) {
		drop_slot(c->send);
		c->send = ring;
		c->peer_core = bound.peer_core;
		identify_rings(c);
		ring_doorbell(c);
	} else {
		drop_slot(ring);
		drop_placed(&bound);
	}
	(void)monitor_request(REQUEST_switched, 0, bound.connection, 0, 0);
	if (is_err(e) && c != NULL) {
		atomic_store_explicit(&c->closed, true, memory_order_relaxed);
		gifts_wake(c);
		connection_wake(c);
	}
}

/* Calls go through a channel from now on. What was called before has been answered: while a call is under way this dispatcher does not
 * run, and the server's end is told when ours has agreed. */
static err_t widen(struct ipc_connection *c, const struct bound_event *bound)
{
	const cap_t endpoint = c->send;
	cap_t ring;
	err_t e = take_slot(bound->slot_send, &ring);

	if (is_err(e))
		return e;
	c->send = ring;
	e = open_channel(c, bound);
	if (is_err(e)) {
		close_channel(c);
		c->send = endpoint;
		return e;
	}
	c->was = endpoint;
	c->local = false;
	if (c->service != NULL) {
		c->source.waiter = &serving_thread;
		c->greeted = true;
		server_wake();
	}
	return OK;
}

static void widened(const uint64_t word[EVENT_WORDS])
{
	struct bound_event bound;
	struct ipc_connection *c;
	bool refused;

	memcpy(&bound, word, sizeof bound);
	c = connection_find(bound.connection);
	refused = c == NULL || !c->local || c->bare || is_err(widen(c, &bound));
	if (refused)
		drop_placed(&bound);
	(void)monitor_request(REQUEST_widened, 0, bound.connection, refused, 0);
}

void connections_start(void)
{
	events_handle(EVENT_switched, peer_moved);
	events_handle(EVENT_widened, widened);
}

void connection_close(struct ipc_connection *c)
{
	bool inside = dispatcher_enter();
	uint32_t number = c->number;

	for (struct ipc_connection **link = list_of(c); *link != NULL; link = &(*link)->next) {
		if (*link == c) {
			*link = c->next;
			break;
		}
	}
	release(c);
	(void)monitor_request(REQUEST_close, 0, number, 0, 0);
	dispatcher_leave(inside);
}

void connection_end(struct ipc_connection *c)
{
	bool inside = dispatcher_enter();

	atomic_store_explicit(&c->closed, true, memory_order_relaxed);
	late_close(&c->late);
	gifts_wake(c);
	connection_wake(c);
	connection_let_go(c);
	dispatcher_leave(inside);
}

/* One thread may wait for room, another for a message. The first is woken for both, and both look again. When it comes to run, yet another
 * one may be the first. */
static void wait_for_channel(struct ipc_connection *c, uint64_t deadline)
{
	if (c->waiter != NULL) {
		(void)waiters_wait(&c->followers, deadline);
		return;
	}
	c->waiter = thread_current;
	if (thread_others_ready())
		wait_listen();
	if (c->waiter != NULL) /* else it came while we began to listen, and who does not wait yet can't be woken */
		thread_wait(deadline);
	if (c->waiter == thread_current)
		c->waiter = NULL;
	waiters_wake(&c->followers);
}

static void wait_until(struct ipc_connection *c, const uint32_t *count, uint32_t seen, uint64_t deadline)
{
	bool inside = dispatcher_enter();

	events_poll();
	if (*count == seen && !c->closed && channel_poll(&c->channel).code == CHANNEL_EMPTY)
		wait_for_channel(c, deadline);
	dispatcher_leave(inside);
}

static const uint32_t constant = 0;

void connection_wait(struct ipc_connection *c)
{
	wait_until(c, &constant, 0, THREAD_FOREVER);
}

uint32_t connection_wait_unless(struct ipc_connection *c, uint32_t looks, const uint32_t *count, uint32_t seen, uint64_t deadline)
{
	if (thread_others_ready()) {
		thread_yield();
		return looks;
	}
	if (looks >= polling_limit && polling_limit != IPC_POLL_ALWAYS) {
		wait_until(c, count, seen, deadline);
		return 0;
	}
	wait_look_on(looks);
	return looks + 1;
}

/* Two that only yielded would keep the processor from a third one of lower priority, which is the one they wait for. */
void connection_let_another(uint32_t looks)
{
	if (looks % YIELDS_IN_A_ROW != YIELDS_IN_A_ROW - 1)
		thread_yield();
	else
		thread_sleep_until(time_tsc() + time_tsc_hz() / LOOKS_PER_SECOND);
}

uint32_t connection_wait_a_little(struct ipc_connection *c, uint32_t looks)
{
	return connection_wait_unless(c, looks, &constant, 0, THREAD_FOREVER);
}
