/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#include "libos/ipc/late.h"

#include <atoll/domain.h>

#include "libos/thread/thread.h"
#include "libos/upcall/dispatcher.h"

#define LOOKS_PER_SECOND 1000 /* for a place */

struct waiting {
	struct thread *thread; /* NULL: nobody, or not yet */
	const struct late_owner *owner;
	err_t why;      /* it was cancelled */
	uint32_t waits; /* how often somebody has come to wait in this place */
};

static struct waiting waiting[LATE_REPLIES];
uint32_t late_waiting;

/* Between the end of its turn and its coming here other threads have run, and may have cancelled the call. */
static err_t cancelled_before(const struct late_owner *owner, const struct waiting *w)
{
	return owner->cancelled[w - waiting] == w->waits ? owner->why : OK;
}

err_t late_wait(struct endpoint_message *m, uint64_t deadline, const struct late_owner *owner)
{
	uint64_t index = m->word[0] % LATE_REPLIES, until = deadline == 0 ? THREAD_FOREVER : deadline;
	struct late_reply *late = &DISPATCHER->late[index];
	struct waiting *w = &waiting[index];
	bool inside, in_time = true;
	err_t e;

	(void)*(volatile const uint32_t *)&owner->cancelled[index]; /* the program's memory, perhaps */
	inside = dispatcher_enter();
	*w = (struct waiting){thread_current, owner, OK, w->waits + 1};
	w->why = cancelled_before(owner, w);
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
err_t late_call(cap_t endpoint, struct endpoint_message *m, const struct late_owner *owner)
{
	err_t e;

	for (;;) {
		while (__builtin_expect(!late_has_room(), 0)) {
			thread_sleep_until(time_tsc() + time_tsc_hz() / LOOKS_PER_SECOND);
			if (owner->closed)
				return ERR(PEER_GONE);
		}
		e = endpoint_call_with(endpoint, m, CALL_DETACH);
		if (__builtin_expect(!err_is(e, ERR_NUMBER_WOULD_BLOCK), 1))
			break;
		thread_yield();
		if (owner->closed)
			return ERR(PEER_GONE);
	}
	return __builtin_expect(err_is(e, ERR_NUMBER_UNDER_WAY), 0) ? late_wait(m, 0, owner) : e;
}

/* Whose call it is that nobody waits for yet only its thread knows. Each owner notes by itself what is said to it. */
void late_cancel(struct late_owner *owner, err_t why)
{
	bool inside;

	owner->why = why;
	inside = dispatcher_enter();
	for (unsigned i = 0; i < LATE_REPLIES; i++) {
		struct waiting *w = &waiting[i];

		if (w->thread == NULL && DISPATCHER->late[i].token != 0)
			owner->cancelled[i] = w->waits + 1;
		if (w->thread == NULL || w->owner != owner)
			continue;
		w->why = why;
		thread_ready(w->thread);
	}
	dispatcher_leave(inside);
}

void late_close(struct late_owner *owner)
{
	owner->closed = true;
	late_cancel(owner, ERR(PEER_GONE));
}

bool late_is_under_way(void)
{
	for (unsigned i = 0; i < LATE_REPLIES; i++)
		if (DISPATCHER->late[i].token != 0)
			return true;
	return false;
}

void late_arrived(void)
{
	for (unsigned i = 0; i < LATE_REPLIES; i++)
		if (waiting[i].thread != NULL && DISPATCHER->late[i].server == 0)
			thread_ready(waiting[i].thread);
}
