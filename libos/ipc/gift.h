/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Capabilities that have come over a connection, until somebody takes them. The monitor says of each over which connection it came; it may
 * say so before the thread that binds has made the connection of what it was told: such gifts wait for it, a few. Inside sections. */

#include "libos/ipc/connection.h"

struct gift {
	struct gift *next;
	uint32_t number; /* of the connection */
	uint32_t tag;
	cap_t cap;                         /* in a slot of our own, or */
	struct ipc_connection *connection; /* new, of this domain with some server */
};

/* From now on this file hears of gifts. */
void gifts_start(void);
/* A new connection gets what has come for it already. */
void gifts_claim(struct ipc_connection *c);
/* Who waits for one looks again. */
void gifts_wake(struct ipc_connection *c);
/* The connection ends. */
void gifts_drop(struct ipc_connection *c);
/* Outside of sections: takes the first one. */
bool gifts_next(struct ipc_connection *c, struct gift *out);
