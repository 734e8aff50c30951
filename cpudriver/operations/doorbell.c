/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Doorbell.ring: sets PENDING_DOORBELL at the doorbell's dispatcher and makes it runnable. On another core that takes the mailbox
 * (cpudriver/mailbox.h): CORE_UNKNOWN if Kernel.peer has not named that core. */

#include "cpudriver/core.h"
#include "cpudriver/dispatch/dispatch.h"

/* A doorbell has the range of its dispatcher, or one of its pages. */
static bool leads_to(const struct slot *s, const struct dispatcher *d)
{
	return d != NULL && s->base - dispatcher_base(d) < DISPATCHER_BYTES;
}

err_t op_Doorbell_ring(struct invocation *i)
{
	const struct slot *s = i->self;

	if (s->extra == 0 || s->extra >= MAILBOX_DOORBELLS)
		return ERR(ARGUMENT);
	if (s->owner != core.id)
		return mailbox_ring(s->owner, s->extra);

	struct dispatcher *d = core.doorbell[s->extra];

	if (!leads_to(s, d))
		return ERR(PEER_GONE);
	notify(d, PENDING_DOORBELL);
	return OK;
}
