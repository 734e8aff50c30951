/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* The operations of Dispatcher.
 *
 *   configure  W0 root CNode, W1 level-4 table, W2 virtual address of the shared frame, W3 name: 8 characters
 *   start      W0 RIP, W1 RSP, W2 argument in RSI; starts disabled, with RDI = address of the shared frame
 *   stop
 *   set_timer  W0 time-stamp counter, 0: never
 *   set_share  W0 share of the core's time, 1..SHARE_MAX
 *   inspect    -> V0 state, V1 time-stamp counter cycles run, V2 name
 *
 * A dispatcher may be configured and started while it does not run: before the first start, or after a stop. */

#include <string.h>

#include "cpudriver/core.h"
#include "cpudriver/dispatch/dispatch.h"

static struct dispatcher *dispatcher_of(const struct invocation *i)
{
	return dispatcher_at(i->self->base);
}
static bool is_at_rest(const struct dispatcher *d)
{
	return d->state == DISPATCHER_NEW || d->state == DISPATCHER_STOPPED;
}

/* Reports carry the name, so it holds nothing that needs quoting. */
static void put_name(struct dispatcher *d, uint64_t name)
{
	memcpy(d->name, &name, sizeof(name));
	d->name[sizeof(name)] = 0;
	for (char *c = d->name; *c != 0; c++)
		if (*c < ' ' || *c > '~' || *c == '"' || *c == '\\')
			*c = '?';
}

/* What was there before goes; both slots are empty afterwards, or the call has to be repeated. */
static err_t unbind(struct invocation *i, struct dispatcher *d)
{
	if (d->root_cnode.type != CAP_Null) {
		d->root = NULL;
		err_t e = slot_delete_internal(i->caps, &d->root_cnode);
		if (is_err(e))
			return e;
	}
	if (d->address_space.type != CAP_Null) {
		d->page_table4 = 0;
		return slot_delete_internal(i->caps, &d->address_space);
	}
	return OK;
}

err_t op_Dispatcher_configure(struct invocation *i)
{
	struct dispatcher *d = dispatcher_of(i);
	struct slot *root, *table;
	uint64_t shared = i->word[2];
	err_t e = cap_argument(i, i->word[0], CAP_CNode, RIGHTS(RIGHT_READ | RIGHT_WRITE), &root);

	if (is_ok(e))
		e = cap_argument(i, i->word[1], CAP_PageTable4, RIGHTS(RIGHT_WRITE), &table);
	if (is_err(e))
		return e;
	if (shared % PAGE_BYTES != 0)
		return ERR(ALIGNMENT);
	if (shared > USER_TOP - DISPATCHER_SHARED_BYTES)
		return ERR(ARGUMENT);
	if (!is_at_rest(d))
		return ERR(STATE);
	e = unbind(i, d);
	if (is_err(e))
		return e;

	slot_copy_internal(i->caps, root, &d->root_cnode);
	slot_copy_internal(i->caps, table, &d->address_space);
	d->root = cnode_slots(root);
	d->page_table4 = table->base;
	d->shared_address = shared;
	put_name(d, i->word[3]);
	return OK;
}

err_t op_Dispatcher_start(struct invocation *i)
{
	struct dispatcher *d = dispatcher_of(i);

	if (!is_at_rest(d))
		return ERR(STATE);
	if (d->root == NULL || d->page_table4 == 0)
		return ERR(NOT_CONFIGURED);
	if (i->word[0] >= USER_TOP || i->word[1] > USER_TOP)
		return ERR(ARGUMENT);

	d->saved = (struct registers){
	    .rip = i->word[0],
	    .rsp = i->word[1],
	    .rsi = i->word[2],
	    .rdi = d->shared_address,
	    .rflags = RFLAGS_IF | RFLAGS_RESERVED1,
	};
	d->resume = RESUME_CALL;
	atomic_store_explicit(&dispatcher_shared(d)->disabled, 1, memory_order_relaxed);
	make_runnable(d);
	return OK;
}

err_t op_Dispatcher_stop(struct invocation *i)
{
	struct dispatcher *d = dispatcher_of(i);

	if (is_at_rest(d))
		return ERR(STATE);
	stop(d, STOP_REQUESTED);
	return OK;
}

err_t op_Dispatcher_set_timer(struct invocation *i)
{
	set_deadline(dispatcher_of(i), i->word[0]);
	return OK;
}

err_t op_Dispatcher_set_share(struct invocation *i)
{
	if (i->word[0] == 0 || i->word[0] > SHARE_MAX)
		return ERR(ARGUMENT);
	schedule_set_share(&core.schedule, &dispatcher_of(i)->turn, (uint32_t)i->word[0]);
	return OK;
}

err_t op_Dispatcher_inspect(struct invocation *i)
{
	const struct dispatcher *d = dispatcher_of(i);

	i->value[0] = d->state;
	i->value[1] = cycles_run(d);
	memcpy(&i->value[2], d->name, sizeof(i->value[2]));
	return OK;
}
