/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* The connections of a domain that moves (move.h). A is the monitor that it leaves, B the one that it comes to, C the peer's, which may be
 * A or B; P is the peer.
 *
 * The ring in which P receives stays where it is: B gets copies of it and of P's doorbell, as A had them. The ring in which the domain
 * receives is new, on B's node, and P, who writes to it, has to change over. Nobody waits for that: what P writes to the old ring meanwhile
 * stays there, and the library OS of P copies the old ring's lines to the new one in a section, maps the new one in its place and rings
 * once (libos/ipc/connection.c). So no message is lost or twice there, and no pointer changes; even a thread that was interrupted while it
 * wrote a line ends it in the new ring. The new ring begins as a copy of the old one, because a line's sequence says whether it is new.
 *
 *   hold       C promises that P stays until the connection is settled, or the move is off (release)
 *   reconnect  B tells C where the domain is now: P gets the new ring and doorbell
 *   settled    P has changed over: to B, whose domain may move again, and as `left` to A, which takes the old ring back */

#include "monitor/bind.h"

/* Calls to an endpoint become messages in a channel before one of the two moves: both get rings, first the client, who may refuse (somebody
 * may have the bare endpoint), then the server. */
MUST_USE err_t rebind_widened(struct monitor *m, struct domain *d, uint32_t number, bool refused);

/* At A: every connection is held, or AGAIN (some are asked about, or between two states), STAYS. */
MUST_USE err_t rebind_hold(struct monitor *m, struct domain *d);
void rebind_release(struct monitor *m, struct domain *d);
/* The domain stays, and hears of what has been closed meanwhile. */
void rebind_tell_closed(struct monitor *m, struct domain *d);
/* What the new core has to know of them. */
void rebind_tell(struct monitor *m, const struct domain *d, uint32_t to);
/* Which connection of the domain's a capability belongs to. */
bool rebind_find_ring(struct monitor *m, const struct domain *d, const struct platform_remote *what, uint64_t *number);
bool rebind_find_peer_ring(struct monitor *m, const struct domain *d, const struct platform_remote *what, uint64_t *number);
bool rebind_find_doorbell(struct monitor *m, const struct domain *d, const struct platform_remote *what, uint64_t *number);
/* The domain is gone. */
void rebind_depart(struct monitor *m, struct domain *d, uint32_t to);

/* At B: makes this core's end. */
MUST_USE err_t rebind_arrive(struct monitor *m, struct domain *d, const struct message_arrive_connection *was, uint32_t from,
                             uint32_t *number);
/* The capabilities that the domain has of it; CAP_NULL: none. */
struct rebound {
	cap_t ring, peer_ring, doorbell;
};
struct rebound rebind_caps(struct monitor *m, uint32_t number);
/* The peers hear of it. */
void rebind_commit(struct monitor *m, struct domain *d);
/* The domain has another number now. */
void rebind_rename(struct monitor *m, struct domain *d, uint32_t number);
/* The move is off: nobody has heard of these ends. */
void rebind_drop(struct monitor *m, struct domain *d);

/* At C: P has changed over. */
MUST_USE err_t rebind_switched(struct monitor *m, struct domain *d, uint32_t number);
/* Nothing is left to change over to or from. */
void rebind_finish(struct monitor *m, struct connection *c);

void rebind_lose_core(struct monitor *m, uint32_t core);
