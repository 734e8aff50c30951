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
 *   each side, when its domain closes or ends:
 *      removes all that is here of the peer's ring, then close ─────────▶ event closed; once this side's domain has closed as well,
 *                                                                        nothing is left of this side's ring anywhere but here:
 *                                                                        its memory is free
 *
 * The rings' frames stay in the hands of the monitors, the domains get copies without the right to control. So a side's end leaves no
 * mapping behind at the other, and a domain that does not close only keeps the peer's monitor from using two pages again. A monitor that
 * does not answer ends by suspicion (mesh.h): then the ring's memory stays out of use, because a core that is only slow may still write to
 * it. */

#include "monitor/monitor.h"

/* The client's wish; the answer is an event. */
MUST_USE err_t bind_request(struct monitor *m, struct domain *d, uint32_t tag, bool stream, const char name[SERVICE_NAME_BYTES]);
MUST_USE err_t bind_close(struct monitor *m, struct domain *d, uint32_t connection);

/* Connects the domain, as a server, with this monitor, which receives in `ring`. Returns the ring of the domain, NULL if it can't be done.
 */
const struct block *bind_monitor(struct monitor *m, struct domain *d, const struct block *ring);

/* A domain has ended: so have its connections. */
void connections_end(struct monitor *m, uint32_t domain);
/* A core is lost. */
void connections_lose_core(struct monitor *m, uint32_t core);
/* The question that the connection waits for will not be answered. */
void connection_abandon(struct monitor *m, uint32_t number);
/* Whether anyone is still connected to the domain, but for `except` and this monitor. */
bool connections_of(const struct monitor *m, uint32_t domain, uint32_t except);
