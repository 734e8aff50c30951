/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Calls to endpoints that were detached (cpudriver/abi/calls.h): the thread that made one waits here, and the others run. A place in the
 * shared frame is given free by whoever waited, so a reply that nobody wants any more finds nobody there, and its server is told so. If the
 * call takes long, the timer, which ends the caller's turn if other threads are ready, detaches it.
 *
 *      e = endpoint_call_with(endpoint, &m, CALL_DETACH);
 *      if (err_is(e, ERR_NUMBER_UNDER_WAY))
 *              e = late_wait(&m, deadline, &owner); */

#include "cpudriver/abi/dispatcher.h"
#include "libos/ipc/endpoint.h"

/* Places in which somebody waits. Beyond the last one a call holds the dispatcher. */
extern uint32_t late_waiting;
static inline bool late_has_room(void)
{
	return *(volatile uint32_t *)&late_waiting < LATE_REPLIES;
}

/* On whose behalf calls are made. */
struct late_owner {
	/* In each place: the how-manieth wait there is cancelled, should it be one for this owner, and why. Its thread has not come yet. */
	uint32_t cancelled[LATE_REPLIES];
	err_t why;
	bool closed; /* and makes no more calls */
};
/* Waits for the reply to what returned UNDER_WAY with *m, which is replaced by it. Errors: PEER_GONE, TIMEOUT (`deadline` 0: none), or what
 * late_cancel says. */
MUST_USE err_t late_wait(struct endpoint_message *m, uint64_t deadline, const struct late_owner *owner);
/* A call that holds only the calling thread, from its beginning to its end. */
MUST_USE err_t late_call(cap_t endpoint, struct endpoint_message *m, const struct late_owner *owner);
/* Those who wait on behalf of that owner, or are about to, wait no longer, and get that error. */
void late_cancel(struct late_owner *owner, err_t why);
/* The same, PEER_GONE, and none of its calls begins any more. */
void late_close(struct late_owner *owner);
/* Some call has been detached, whether its thread has come to wait or not. */
bool late_is_under_way(void);
/* Replies have come. Inside a section. */
void late_arrived(void);
