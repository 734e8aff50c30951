/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* The little that every domain has of a server: where notifications wait for the thread that serves. */

#include "libos/ipc/server.h"
#include "libos/ipc/door.h"
#include "libos/ipc/serve.h"
#include "libos/upcall/dispatcher.h"

struct thread *serving_thread;
bool server_answers;
unsigned server_owes;
uint64_t server_notices;
const struct door *door;

void server_wake(void)
{
	struct thread *t = serving_thread;

	serving_thread = NULL;
	if (t != NULL)
		thread_ready(t);
}

void server_notified(uint64_t bits)
{
	server_notices |= bits;
	server_wake();
}

uint64_t server_take(uint64_t mask)
{
	bool inside = dispatcher_enter();
	uint64_t bits = server_notices & mask;

	server_notices &= ~mask;
	dispatcher_leave(inside);
	return bits;
}
