/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* What a connection stands on, for tests in which threads share one: a pair of rings in place of frames that are mapped, capabilities that
 * can always be had, the heap for a store, so that whoever uses what has gone is found out, and a monitor that says nothing. */

#include <stdlib.h>

#include "libos/ipc/connection.h"
#include "libos/ipc/events.h"
#include "libos/ipc/server.h"
#include "libos/memory/memory.h"
#include "tests/hosted/channel_pair.h"

struct thread *serving_thread;
uint64_t link_mask;
uint32_t polling_limit;

static struct channel_pair pair;
static unsigned stored; /* and not given back */

void *store_alloc(size_t bytes)
{
	stored++;
	return calloc(1, bytes);
}

void store_free(void *at, size_t bytes)
{
	stored--;
	free(at);
}

err_t cap_slot_alloc(cap_t *out)
{
	*out = CAP(1, 1);
	return OK;
}

err_t cap_move(cap_t from, cap_t to)
{
	return OK;
}

err_t frame_map(cap_t frame, uint64_t offset, uint64_t bytes, rights_t rights, void **out)
{
	static unsigned side;

	*out = pair.inbox[side++ % 2];
	return OK;
}

err_t frame_unmap(void *address)
{
	return OK;
}

void cap_slot_drop(cap_t slot) {}
void store_prepare(void) {}
void events_handle(enum monitor_event event, void (*handler)(const uint64_t word[EVENT_WORDS])) {}
void events_poll(void) {}
void events_listen(void) {}
