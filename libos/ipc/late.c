/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#include "libos/ipc/late.h"

#include <atoll/domain.h>

#include "libos/thread/thread.h"
#include "libos/upcall/dispatcher.h"

#define LOOKS_PER_SECOND 1000 /* for a place */

struct waiting {
	struct thread *thread; /* NULL: nobody, or not yet */
	const void *owner;
	err_t why;      /* it was cancelled, */
	uint64_t token; /* before the thread had come to wait for this */
};

static struct waiting waiting[LATE_REPLIES];
uint32_t late_waiting;

err_t late_wait(struct endpoint_message *m, uint64_t deadline, const void *owner)
{
	uint64_t index = m->word[0] % LATE_REPLIES, until = deadline == 0 ? THREAD_FOREVER : deadline;
	struct late_reply *late = &DISPATCHER->late[index];
	struct waiting *w = &waiting[index];
	bool inside = dispatcher_enter(), in_time = true;
	err_t e;

	if (w->token != late->token || w->owner != owner)
		w->why = OK;
	*w = (struct waiting){thread_current, owner, w->why, 0};
	late_waiting++;
	while (late->server != 0 && is_ok(w->why) && in_time)
		in_time = thread_wait(until);
	if (late->server != 0)
		e = is_err(w->why) ? w->why : ERR(TIMEOUT);
	else
		e = (err_t){late->error};
	*m = (struct endpoint_message){{late->word[0], late->word[1], late->word[2], late->word[3]}};
	late->token = 0;
	w->thread = NULL;
	late_waiting--;
	dispatcher_leave(inside);
	return e;
}

/* If something came while it stood in the queue, others may have become ready. */
err_t late_call(cap_t endpoint, struct endpoint_message *m, const void *owner)
{
	err_t e;

	for (;;) {
		while (__builtin_expect(!late_has_room(), 0))
			thread_sleep_until(time_tsc() + time_tsc_hz() / LOOKS_PER_SECOND);
		e = endpoint_call_with(endpoint, m, CALL_DETACH);
		if (__builtin_expect(!err_is(e, ERR_NUMBER_WOULD_BLOCK), 1))
			break;
		thread_yield();
	}
	return __builtin_expect(err_is(e, ERR_NUMBER_UNDER_WAY), 0) ? late_wait(m, 0, owner) : e;
}

void late_cancel(const void *owner, err_t why)
{
	bool inside = dispatcher_enter();

	for (struct waiting *w = waiting; w < waiting + LATE_REPLIES; w++) {
		if (w->thread == NULL)
			*w = (struct waiting){NULL, owner, why, DISPATCHER->late[w - waiting].token};
		if (w->owner != owner)
			continue;
		w->why = why;
		if (w->thread != NULL)
			thread_ready(w->thread);
	}
	dispatcher_leave(inside);
}

void late_arrived(void)
{
	for (unsigned i = 0; i < LATE_REPLIES; i++)
		if (waiting[i].thread != NULL && DISPATCHER->late[i].server == 0)
			thread_ready(waiting[i].thread);
}
