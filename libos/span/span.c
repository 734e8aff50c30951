/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include <string.h>

#include <atoll/domain.h>

#include "libos/heap/malloc.h"
#include "libos/ipc/events.h"
#include "libos/linux/console.h"
#include "libos/span/link.h"
#include "libos/span/move.h"
#include "libos/span/span.h"
#include "libos/upcall/dispatcher.h"
#include "libos/upcall/text.h"

static bool leaving;          /* this member: it has promised to run nothing more */
static uint64_t loss_handler; /* member 0's */
static bool (*may_leave)(void);

unsigned span_member(void)
{
	return start_page == NULL ? 0 : start_page->member;
}

static unsigned node_of(unsigned core)
{
	const struct machine *machine = domain_machine();

	return machine == NULL ? 0 : machine->cores[core].node;
}

unsigned span_members(struct span_place *out, unsigned capacity)
{
	struct span_place found;
	unsigned count = 0;

	for (unsigned i = 0; i < SPAN_MAX; i++) {
		if (i == span_member())
			found = (struct span_place){i, domain_core(), node_of(domain_core()), start_page == NULL ? 0 : start_page->domain};
		else if (link_mask >> i & 1)
			found = (struct span_place){i, links[i].core, node_of(links[i].core), links[i].domain};
		else
			continue;
		if (count < capacity)
			out[count] = found;
		count++;
	}
	return count;
}

void span_member_main(void)
{
	(void)dispatcher_enter();
	for (;;)
		thread_wait(THREAD_FOREVER);
}

/* ---- Growing and shrinking ---- */

err_t span_grow(uint64_t core, uint64_t memory, unsigned *member)
{
	struct event_wait w;
	err_t e = request_and_wait(REQUEST_grow, core, memory, 0, &w);

	if (is_ok(e))
		*member = (unsigned)w.word[2];
	return e;
}

void span_when_may_leave(bool (*may)(void))
{
	may_leave = may;
}

bool span_leaves(void)
{
	return leaving;
}

void link_handle_leave(unsigned from, const struct link_leave *m)
{
	bool empty = span_workers() == 0 && threads_alive == 0 && move_visitors == 0;
	bool may = empty && (may_leave == NULL || may_leave());

	leaving |= may;
	(void)!is_ok(LINK_SEND(from, leaves, .token = m->token, .error = may ? ERR_NUMBER_OK : ERR_NUMBER_STATE));
}

static err_t ask_to_leave(unsigned member)
{
	struct link_leave question = {0};
	union link_message m;
	err_t e = link_ask(member, LINK_leave, &question, &m);

	return is_ok(e) ? (err_t){(uint32_t)m.leaves.error} : e;
}

err_t span_shrink(uint64_t core)
{
	struct event_wait w;
	unsigned member = 0;
	bool inside;
	err_t e;

	if (core == domain_core() || (span_member() != 0 && core == links[0].core))
		return ERR(STATE);
	while (member < SPAN_MAX && !((link_mask >> member & 1) && links[member].core == core))
		member++;
	if (member == SPAN_MAX)
		return ERR(NOT_FOUND);
	inside = dispatcher_enter();
	malloc_send_home(member);
	dispatcher_leave(inside);
	e = ask_to_leave(member);
	return is_ok(e) ? request_and_wait(REQUEST_shrink, member, 0, 0, &w) : e;
}

/* ---- Growing as ordered ---- */

bool span_is_ordered(void)
{
	uint64_t any = 0;

	for (unsigned word = 0; word < CORE_SET_WORDS; word++)
		any |= start_page->cores[word];
	return any != 0;
}

void span_begin(uint64_t stack)
{
	unsigned member;

	/* The monitors say why a core can't be had; the program sees that it has not. */
	for (unsigned core = 0; core < 64 * CORE_SET_WORDS; core++)
		if (start_page->cores[core / 64] >> core % 64 & 1)
			(void)!is_ok(span_grow(core, 0, &member));
	__asm__ volatile("mov %0, %%rsp\n\txor %%ebp, %%ebp\n\tjmp _start" : : "r"(stack) : "memory");
	__builtin_unreachable();
}

/* ---- Losing a member ---- */

struct loss {
	unsigned member, core;
	enum end_cause why;
};

static _Noreturn void end_without(unsigned core, enum end_cause why)
{
	struct text line = {.length = 0};

	text_add(&line, "core ");
	text_add_number(&line, core);
	text_add(&line, why == END_CORE ? " has died" : " was taken back");
	text_add(&line, ", and the program can't do without it: it ends\n");
	console_report(line.bytes, line.length);
	console_flush();
	domain_exit_now_because(why, core);
}

static void tell_program(void *argument)
{
	const struct loss *l = argument;
	struct worker *worker;
	struct thread *thread;
	void *stack;

	if (loss_handler == 0 || is_err(span_worker_begin(loss_handler, l->member, l->core, &worker, &thread, &stack)))
		end_without(l->core, l->why);
	(void)span_worker_end(worker, thread, stack);
}

void span_lost(unsigned member, unsigned core, enum end_cause why)
{
	const struct loss l = {member, core, why};

	if (span_member() == 0 && is_err(service_begin(tell_program, &l, sizeof l)))
		domain_exit_now_because(why, core);
}

void link_handle_on_loss(unsigned from, const struct link_on_loss *m)
{
	loss_handler = m->handler;
	(void)!is_ok(LINK_SEND(from, noted, .token = m->token));
}

err_t span_on_loss(void (*handler)(unsigned member, unsigned core))
{
	struct link_on_loss question = {.handler = (uint64_t)handler};
	union link_message m;

	if (span_member() != 0)
		return link_ask(0, LINK_on_loss, &question, &m);
	loss_handler = (uint64_t)handler;
	return OK;
}
