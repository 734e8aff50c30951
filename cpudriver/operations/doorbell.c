/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Doorbell.ring: sets PENDING_DOORBELL at the doorbell's dispatcher and makes it runnable. On another core that takes the mailbox
 * (cpudriver/mailbox.h): CORE_UNKNOWN if Kernel.peer has not named that core. */

#include "cpudriver/core.h"
#include "cpudriver/dispatch/dispatch.h"

err_t op_Doorbell_ring(struct invocation *i)
{
	const struct slot *s = i->self;

	if (s->extra == 0 || s->extra >= MAILBOX_DOORBELLS)
		return ERR(ARGUMENT);
	if (s->owner != core.id)
		return mailbox_ring(s->owner, s->extra);

	struct dispatcher *d = dispatcher_at(s->base);

	if (core.doorbell[s->extra] != d)
		return ERR(PEER_GONE);
	notify(d, PENDING_DOORBELL);
	return OK;
}
