/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* A client whose server has gone finds the next one. The new connection is there before the old one is given up, so a client always has
 * one, if only one that answers PEER_GONE. */

#include <atoll/domain.h>

#include "libos/ipc/events.h"
#include "libos/stubs/client.h"

#define LOOK_AGAIN_PER_SECOND 1000

err_t stub_open(const char *name, uint64_t interface, uint64_t identity, struct stub_client *out)
{
	return client_open(name, interface, identity, 0, out);
}

static bool is_gone(const struct stub_client *c)
{
	bool inside = dispatcher_enter(), gone;

	events_poll();
	gone =
	    (c->endpoint != NULL && c->endpoint->closed) || (c->lines != NULL && (c->lines->closed || channel_broken(&c->lines->channel)));
	dispatcher_leave(inside);
	return gone;
}

err_t stub_reconnect(struct stub_client *c, uint64_t deadline)
{
	struct stub_client fresh;
	err_t e = client_visit(c);

	if (is_err(e))
		return e;
	/* A call may fail before the monitor has said why. */
	if (!is_gone(c)) {
		thread_sleep_until(time_tsc() + time_tsc_hz() / LOOK_AGAIN_PER_SECOND);
		return deadline != 0 && time_tsc() >= deadline ? ERR(TIMEOUT) : OK;
	}
	e = client_open(c->name, c->interface, c->identity, deadline, &fresh);
	if (is_err(e))
		return e;
	stub_close(c);
	*c = fresh;
	return OK;
}

bool stub_again(struct stub_client *c, err_t e, uint64_t deadline)
{
	return err_is(e, ERR_NUMBER_PEER_GONE) && is_ok(stub_reconnect(c, deadline));
}
