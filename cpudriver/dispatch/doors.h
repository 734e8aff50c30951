/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* What calls.c needs of doors.c. */

#include "cpudriver/dispatch/dispatch.h"
#include "cpudriver/dispatch/words.h"

/* A dispatcher that does not wait for a call may be one that can be entered. Then it is out of the scheduler, and its registers are those
 * of the upcall, but for the message. */
bool door_enter(struct dispatcher *server);
/* The same for one in a call: what that call returns becomes what an interrupted thread has. */
bool door_enter_from_call(struct dispatcher *server);

/* The running dispatcher has answered, and goes on by an upcall; the caller runs. */
NORETURN void door_leave(struct dispatcher *server, struct dispatcher *caller);

/* The place for the reply to a call that was detached; NULL: nobody waits for it there. */
struct late_reply *find_late(struct dispatcher *caller, const struct dispatcher *server, uint64_t token);
void reply_late(struct dispatcher *caller, struct late_reply *late, err_t e, struct words w);
/* The server has ended. */
void end_late(struct dispatcher *caller, const struct dispatcher *server);
