/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include "libos/revocation/revocation.h"

#include <string.h>

#include <atoll/domain.h>
#include <atoll/revocation.h>
#include <atoll/span.h>

#include "libos/address_space/address_space.h"
#include "libos/address_space/supply.h"
#include "libos/domain/start.h"
#include "libos/ipc/connection.h"
#include "libos/ipc/events.h"
#include "libos/linux/console.h"
#include "libos/memory/memory.h"
#include "libos/span/span.h"
#include "libos/thread/thread.h"
#include "libos/upcall/dispatcher.h"

static struct revocation_handlers handlers; /* member 0's */

/* ---- The program's handlers ----
 *
 * They run on member 0, and what they are told is two words: kind and amount in one, a deadline or a member in the other. */

#define KIND_SHIFT 60

static uint64_t pack(enum revocation_kind kind, uint64_t amount)
{
	return (uint64_t)kind << KIND_SHIFT | amount;
}

static enum revocation_kind kind_of(uint64_t packed)
{
	return (enum revocation_kind)(packed >> KIND_SHIFT);
}

static uint64_t amount_of(uint64_t packed)
{
	return packed & ((UINT64_C(1) << KIND_SHIFT) - 1);
}

/* Deadlines cross the span in milliseconds from now, beside an amount of less than 2^42. */
#define MS_SHIFT 42

static uint64_t call_asked(uint64_t packed)
{
	const uint64_t ms = amount_of(packed) >> MS_SHIFT, amount = packed & ((UINT64_C(1) << MS_SHIFT) - 1);
	const struct revocation_wish wish = {kind_of(packed), amount, time_tsc() + ms * (time_tsc_hz() / 1000)};

	if (handlers.asked != NULL)
		handlers.asked(handlers.argument, &wish);
	return 0;
}

static uint64_t call_lost(uint64_t packed)
{
	const unsigned member = (unsigned)(amount_of(packed) >> MS_SHIFT);
	const struct revocation_loss loss = {kind_of(packed), packed & ((UINT64_C(1) << MS_SHIFT) - 1), member};

	if (handlers.lost != NULL)
		handlers.lost(handlers.argument, &loss);
	return 0;
}

/* Their threads have stacks of their own, of the library OS's memory: what other memory there is may be taken while they run. They are made
 * once. Who does not return keeps his. */
#define HANDLER_STACK (64 * KIB)

struct caller {
	uint64_t (*function)(uint64_t);
	uint64_t argument;
	void *stack;
	bool busy;
};
static struct caller asker, mourner;

static void call(struct caller *c)
{
	(void)c->function(c->argument);
	(void)dispatcher_enter();
	thread_end();
}

/* As if it had been called. */
static struct thread *begin_call(struct caller *c)
{
	struct registers frame = {.rip = (uint64_t)call, .rdi = (uint64_t)c};
	struct thread *t;

	if (c->busy || (c->stack == NULL && is_err(own_memory_map(HANDLER_STACK, &c->stack))))
		return NULL;
	frame.rsp = (uint64_t)c->stack + HANDLER_STACK - 8;
	t = thread_new(&frame);
	if (t == NULL)
		return NULL;
	t->kept = true;
	t->run.members = 1;
	c->busy = true;
	thread_ready(t);
	return t;
}

static void call_here(struct caller *c, uint64_t (*function)(uint64_t), uint64_t argument)
{
	bool inside = dispatcher_enter();
	struct thread *t;

	if (!c->busy) {
		c->function = function;
		c->argument = argument;
	}
	store_prepare();
	t = begin_call(c);
	dispatcher_leave(inside);
	if (t == NULL)
		return;
	(void)!is_ok(thread_join(t));
	c->busy = false;
}

static void call_program(struct caller *c, uint64_t (*function)(uint64_t), uint64_t argument)
{
	uint64_t none;

	if (span_member() == 0)
		call_here(c, function, argument);
	else
		(void)!is_ok(span_call(0, function, argument, &none));
}

static void ask_program(enum revocation_kind kind, uint64_t amount, uint64_t deadline)
{
	const uint64_t now = time_tsc(), ms = deadline <= now ? 0 : (deadline - now) / (time_tsc_hz() / 1000);

	call_program(&asker, call_asked, pack(kind, amount | ms << MS_SHIFT));
}

static void tell_program(enum revocation_kind kind, uint64_t bytes)
{
	call_program(&mourner, call_lost, pack(kind, bytes | (uint64_t)span_member() << MS_SHIFT));
}

err_t revocation_handle(const struct revocation_handlers *new_handlers)
{
	const struct revocation_handlers copy = *new_handlers;
	bool inside;

	if (span_member() != 0)
		return ERR(STATE);
	inside = dispatcher_enter();
	handlers = copy;
	dispatcher_leave(inside);
	return OK;
}

/* ---- Giving ---- */

/* What it costs to vacate a block: the bytes that have to move. */
static uint64_t cost_of(const struct ram_block *b)
{
	uint64_t slabs, taken;

	supply_count(b->base, b->base + b->bytes, &slabs, &taken);
	return taken;
}

/* The block that is the cheapest to vacate of those that have not been tried; the first one stays. 0: there is none. */
static unsigned cheapest(uint64_t tried)
{
	const struct ram_block *found = NULL, *b;
	unsigned best = 0;

	for (unsigned i = 1; i < BLOCKS_MAX; i++) {
		b = memory_block(i);
		if (b == NULL || b->vital || b->closed || tried >> i & 1)
			continue;
		if (found == NULL || cost_of(b) < cost_of(found)) {
			found = b;
			best = i;
		}
	}
	return best;
}
_Static_assert(BLOCKS_MAX <= 64, "a bit each");

static uint64_t give_memory(uint64_t amount)
{
	uint64_t given = 0, tried = 0;
	bool inside = dispatcher_enter();

	supply_shrink();
	for (unsigned block; given < amount && (block = cheapest(tried)) != 0;) {
		const uint64_t base = memory_block(block)->base, bytes = memory_block(block)->bytes;

		tried |= UINT64_C(1) << block;
		if (block_vacate(block) && is_ok(monitor_request(REQUEST_give_back, 0, REVOKE_MEMORY, base, 0).error))
			given += bytes;
	}
	dispatcher_leave(inside);
	return given;
}

static uint64_t give_cores(uint64_t amount)
{
	struct span_place places[SPAN_MAX];
	unsigned count = span_members(places, SPAN_MAX);
	uint64_t given = 0;

	for (unsigned i = count; i-- > 1 && given < amount;)
		given += is_ok(span_shrink(places[i].core));
	return given;
}

static uint64_t give(enum revocation_kind kind, uint64_t amount)
{
	return kind == REVOKE_MEMORY ? give_memory(amount) : kind == REVOKE_CORES ? give_cores(amount) : 0;
}

struct wish {
	enum revocation_kind kind;
	uint64_t amount, deadline;
};

static void answer(void *argument)
{
	const struct wish *w = argument;
	uint64_t given = give(w->kind, w->amount);

	if (given < w->amount) {
		ask_program(w->kind, w->amount - given, w->deadline);
		(void)give(w->kind, w->amount - given);
	}
	(void)monitor_request(REQUEST_given_back, 0, 0, 0, 0);
}

static void revoke(const uint64_t word[EVENT_WORDS])
{
	const struct wish w = {(enum revocation_kind)word[2], word[3], word[4]};

	/* If there is no memory for a thread the deadline passes. */
	(void)!is_ok(service_begin(answer, &w, sizeof w));
}

/* ---- Losing ---- */

static void end_without(void)
{
	static const char line[] = "memory was taken back that the program can't do without: it ends\n";

	console_report(line, sizeof line - 1);
	console_flush();
	domain_exit_now_because(END_REVOKED, 0);
}

static unsigned block_at(uint64_t base)
{
	unsigned block;
	const struct ram_block *b = memory_block_of(base, PAGE_BYTES, &block);

	return b == NULL || b->base != base ? BLOCKS_MAX : block;
}

static void lose_memory(void *argument)
{
	const uint64_t base = *(const uint64_t *)argument;
	bool inside = dispatcher_enter(), ok = true;
	unsigned block = block_at(base);
	uint64_t bytes = 0, cost = 0;

	if (block != BLOCKS_MAX) {
		bytes = memory_block(block)->bytes;
		cost = cost_of(memory_block(block));
		ok = block_lose(block);
	}
	if (ok)
		(void)monitor_request(REQUEST_give_back, 0, REVOKE_MEMORY, base, 0);
	dispatcher_leave(inside);
	if (!ok)
		end_without();
	if (cost > 0)
		tell_program(REVOKE_MEMORY, bytes);
}

static void lose_connection(void *argument)
{
	const uint32_t number = *(const uint32_t *)argument;
	bool inside = dispatcher_enter();
	struct ipc_connection *c = connection_find(number);

	if (c != NULL)
		connection_lose(c);
	(void)monitor_request(REQUEST_give_back, 0, REVOKE_CHANNELS, number, 0);
	dispatcher_leave(inside);
	if (c != NULL)
		tell_program(REVOKE_CHANNELS, 0);
}

static void taken(const uint64_t word[EVENT_WORDS])
{
	const uint64_t what = word[3];
	const uint32_t connection = (uint32_t)what;

	if (word[2] == REVOKE_MEMORY) {
		/* Nothing more is made of it. If there is no memory for a thread it goes when the monitor has waited long enough. */
		if (block_at(what) != BLOCKS_MAX)
			memory_block_close(block_at(what), true);
		(void)!is_ok(service_begin(lose_memory, &what, sizeof what));
	}
	if (word[2] == REVOKE_CHANNELS)
		(void)!is_ok(service_begin(lose_connection, &connection, sizeof connection));
}

void revocation_start(void)
{
	events_handle(EVENT_revoke, revoke);
	events_handle(EVENT_taken, taken);
}

/* ---- Asking others ---- */

err_t revocation_ask(const struct revocation_order *order, struct revocation_result *out)
{
	const uint64_t place = order->core >= CORE_HERE ? 0 : order->core + 1;
	struct event_wait w;
	err_t e;

	if (order->kind >= REVOCATION_KINDS || order->amount >> MS_SHIFT != 0 || place > UINT16_MAX)
		return place > UINT16_MAX ? ERR(CORE_UNKNOWN) : order->kind >= REVOCATION_KINDS ? ERR(ARGUMENT) : ERR(RANGE);
	e = request_and_wait(REQUEST_reclaim, order->domain | (uint64_t)order->kind << 32 | place << 48, order->amount, order->deadline_ms,
	                     &w);
	if (is_ok(e))
		*out = (struct revocation_result){w.word[2], w.word[3]};
	return e;
}
