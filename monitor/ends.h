/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Ends of connections on this core: their records, what a domain gets of them, what this monitor holds of the other side. For bind.c,
 * rebind.c and foreign_frame.c. */

#include "monitor/monitor.h"

/* NULL: no such end. */
struct connection *end_find(struct monitor *m, uint32_t number);
/* NULL: there are too many. */
struct connection *end_new(struct monitor *m, uint32_t domain);
void end_free(struct monitor *m, struct connection *c);
/* The same connection's end of a peer on this core. */
struct connection *end_other(struct monitor *m, const struct connection *c);

/* Memory for its ring, cleared. */
MUST_USE err_t end_take_ring(struct monitor *m, struct connection *c);
/* What the peer's monitor told of its side. */
struct face {
	uint64_t ring, doorbell, doorbell_extra;
};
/* Of a peer on another core: copies of its ring and doorbell, which are there; and they go again. */
MUST_USE err_t end_install_face(struct connection *c, const struct face *face);
void end_drop_foreign(struct monitor *m, struct connection *c);
void end_drop(struct monitor *m, cap_t *ring, cap_t *doorbell, uint32_t core, bool lost);
/* Of what another core owns: this core's last copy goes back to it, any other one just goes. */
void end_give_up(struct monitor *m, cap_t cap);

/* Puts a copy into the domain's task CNode, which is open (task_open). */
MUST_USE err_t end_place(struct domain *d, cap_t source, unsigned rights, uint8_t *slot);
MUST_USE err_t end_place_all(struct domain *d, struct connection *c, cap_t ring, cap_t peer_ring, cap_t peer_doorbell);
/* Takes back what the domain has not been told of. Later it may have moved it, and the slots may hold something else. */
void end_unplace_all(struct monitor *m, struct connection *c);
/* Gives the domain its three capabilities. On the same core the peer's ring and doorbell are at hand, else copies are installed. */
MUST_USE err_t end_give_channel(struct monitor *m, struct connection *c, const struct face *face);

#define RIGHTS_READ_WRITE (RIGHT_READ | RIGHT_WRITE)
