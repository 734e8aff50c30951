/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include <string.h>

#include <atoll/domain.h>

#include "libos/domain/start.h"
#include "libos/ipc/endpoint.h"
#include "libos/ipc/events.h"
#include "libos/memory/agreement.h"
#include "libos/upcall/dispatcher.h"

static uint32_t last_messages;

static struct monitor_reply request(const struct capability_request *r, uint64_t tag)
{
	uint64_t word[3];

	_Static_assert(sizeof word == sizeof *r, "");
	memcpy(word, r, sizeof word);
	return monitor_request(REQUEST_capability, tag, word[0], word[1], word[2]);
}

static bool is_inside(void)
{
	return atomic_load_explicit(&DISPATCHER->disabled, memory_order_relaxed) != 0;
}

static void wait_alone(struct event_wait *w)
{
	for (events_poll(); !w->done; events_poll())
		(void)!is_ok(endpoint_yield(CAP_NULL, YIELD_NOW));
	events_forget(w);
}

static err_t ask_once(const struct capability_request *r)
{
	struct event_wait w;
	struct monitor_reply reply;

	events_expect(&w);
	reply = request(r, w.tag);
	if (is_err(reply.error) || (reply.word[0] & CAPABILITY_COMPLETED) != 0) {
		events_forget(&w);
		if (is_err(reply.error))
			return reply.error;
		last_messages = (uint32_t)reply.word[2];
		return (err_t){(uint32_t)reply.word[1]};
	}
	if (is_inside())
		wait_alone(&w);
	else
		events_wait(&w, THREAD_FOREVER);
	last_messages = (uint32_t)w.word[3];
	return (err_t){(uint32_t)w.word[1]};
}

/* When a core dies in the middle, the others decide anew whose the object is; then the operation can be repeated. */
#define ATTEMPTS 4

err_t agreement_ask(const struct capability_request *r)
{
	err_t e = start_page == NULL ? ERR(NEEDS_AGREEMENT) : ERR(CORE_DEAD);

	for (unsigned i = 0; i < ATTEMPTS && err_is(e, ERR_NUMBER_CORE_DEAD); i++)
		e = ask_once(r);
	return e;
}

uint32_t cap_last_messages(void)
{
	return last_messages;
}

bool cap_forget(cap_t cap)
{
	struct cap_identity id;
	err_t e;

	do
		e = invoke(cap, OP_Any_delete, 0, 0, 0, 0, 0).error;
	while (err_is(e, ERR_NUMBER_AGAIN));
	if (err_is(e, ERR_NUMBER_NEEDS_AGREEMENT) && start_page != NULL)
		(void)request(&(struct capability_request){.cap = cap.value, .operation = CAPABILITY_DELETE}, 0);
	return is_err(cap_identify(cap, &id)) || id.type == CAP_Null;
}
