/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Connections between domains, bound by the monitors of both.
 *
 *   client's monitor (C)                 first monitor              server's monitor (S)
 *      resolve ────────────────────────────▶ names
 *      ◀──────────────────────────── resolved
 *   same core, and a call will do: an endpoint of the server with the connection's number as its badge. Else a channel:
 *      takes memory for the client's ring
 *      connect (ring, doorbell) ───────────────────────────────────────▶ takes memory for the server's ring, gives the server its
 *                                                                        three capabilities, event accepted
 *      ◀──────────────────────────────────────── connected (ring, doorbell)
 *      gives the client its three, event bound
 *
 *   Links between members of a span are bound in the same way from `connect` on, which is called `link`; both sides hear `joined`. So is the
 *   channel of a domain with one that it has spawned, which hears `adopted`.
 *
 *   each side, when its domain closes or ends:
 *      removes all that is here of the peer's ring, then close ─────────▶ event closed; once this side's domain has closed as well,
 *                                                                        nothing is left of this side's ring anywhere but here:
 *                                                                        its memory is free
 *
 * A domain may give another one a connection with a server on the giver's core (gift.c): then that one's monitor binds as if it had asked.
 *
 * The rings' frames stay in the hands of the monitors, the domains get copies without the right to control. So a side's end leaves no
 * mapping behind at the other, and a domain that does not close only keeps the peer's monitor from using two pages again. The agreement
 * knows nothing of rings, and need not: nobody can give one on (gift.c refuses), take one apart, or delete a core's last copy of one but
 * these two monitors, who have agreed on its whole life by the messages above. If a core dies, what its domains could write to stays out of
 * use until the core is known to have stopped (fence.h). */

#include "monitor/monitor.h"

/* The client's wish; the answer is an event. */
MUST_USE err_t bind_request(struct monitor *m, struct domain *d, uint32_t tag, uint64_t flags, const struct service_request *service);
/* A channel with a domain that this one has spawned; the answer is an event. */
MUST_USE err_t bind_adopt(struct monitor *m, struct domain *d, uint32_t tag, uint32_t child);
/* It does not wait for the service any more. Errors: NOT_FOUND (it has the answer, or will have it soon). */
MUST_USE err_t bind_cancel(struct monitor *m, struct domain *d, uint32_t tag);
MUST_USE err_t bind_close(struct monitor *m, struct domain *d, uint32_t connection);

/* Connects the domain, as the server of that service, with this monitor, which receives in `ring`. Returns the ring of the domain, NULL if
 * it can't be done.
 */
const struct block *bind_monitor(struct monitor *m, struct domain *d, uint32_t service, const struct block *ring);

/* The domain's open connection of that number, with another domain; NULL: there is none. */
struct connection *connection_of(struct monitor *m, const struct domain *d, uint32_t number);

/* Whether the address, of another core's memory, is in the ring of a peer. */
bool connection_has_ring(const struct monitor *m, uint64_t base);

/* Something for the domain at this end, from the peer's: a copy with at most `rights` goes into its task CNode, and it hears of it. */
MUST_USE err_t connection_give(struct monitor *m, struct connection *c, cap_t cap, unsigned rights, uint32_t tag);
/* The same, from the peer's core: `number` is this end's. */
MUST_USE err_t connection_deliver(struct monitor *m, uint32_t from, uint32_t number, cap_t cap, uint32_t tag);

/* The peer gets a connection of its own with the server, and the service that an endpoint of that badge (its low bits) leads to; the answer
 * is the event `done`. Errors: PEER_GONE (also: the endpoint is of no connection). */
MUST_USE err_t connection_introduce(struct monitor *m, struct domain *giver, uint32_t asked, const struct connection *c,
                                    const struct domain *server, uint16_t badge, uint32_t tag);
/* If the ticket is for an introduction, whoever waits to hear how it went is told, and the answer is true. */
bool introduction_failed(struct monitor *m, const struct ticket *t, err_t e);

/* A further member of a span and another one of it; the answer goes to span_link_bound. */
MUST_USE err_t bind_link(struct monitor *m, struct domain *d, unsigned member, uint32_t fellow);

/* A domain has ended: so have its connections. */
void connections_end(struct monitor *m, const struct domain *d);
/* A core is lost. */
void connections_lose_core(struct monitor *m, uint32_t core);
/* The question that the connection waits for will not be answered. */
void connection_abandon(struct monitor *m, uint32_t number);
/* Whether anyone is still connected to the domain, but for `except` and this monitor. */
bool connections_of(const struct monitor *m, uint32_t domain, uint32_t except);
