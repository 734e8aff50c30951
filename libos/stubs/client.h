/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* What the parts of the client's side know of each other. */

#include <atoll/stubs.h>

#include "libos/ipc/connection.h"
#include "libos/upcall/dispatcher.h"

#define STUB_LINE      1 /* a line's type: there is only one */
#define LOOKS_IN_A_ROW 32

/* A client of the service as soon as it is there. */
MUST_USE err_t client_open(const char *name, uint64_t interface, uint64_t identity, uint64_t deadline, struct stub_client *out);
/* The caller goes to the member of the span that has the connection. */
MUST_USE err_t client_visit(const struct stub_client *c);
/* The same, and there is a channel to the server; makes it if need be. */
MUST_USE err_t client_need_lines(struct stub_client *c);
/* What the answer to a fast call means that is not its results. */
MUST_USE err_t client_failure(err_t e, const struct endpoint_message *m);

/* Sends a message; the header is the first word, and says how many follow. Waits for room. */
MUST_USE err_t client_send(struct stub_client *c, const uint64_t *words, bool ring, uint64_t deadline);

/* Reserves room for an answer and finds a number for it; waits if need be. */
MUST_USE err_t client_reserve(struct stub_client *c, uint16_t lines, uint64_t deadline, uint16_t *number);
/* It has come, or never will. Inside a section. */
void client_release(struct stub_client *c, uint16_t lines);
/* Whoever waited is not there any more, but the answer still comes. */
void client_orphan(struct stub_client *c, uint16_t number, uint16_t lines);

/* Something is under way from now on: the short ways (calls.c) are closed until all is answered. Inside a section. */
static inline void client_unsettle(struct stub_client *c)
{
	c->fast = CAP_NULL;
	c->quiet = NULL;
}

/* A message has come: to whom it belongs. Inside a section. */
void client_deliver(struct stub_client *c, const uint64_t *message, size_t bytes);
/* Takes what has come and gives it to those who wait for it, then waits until more has come. Answers with an error if there will be none.
 */
struct client_wait {
	uint32_t looks, seen;
};
MUST_USE err_t client_wait(struct stub_client *c, struct client_wait *w, uint64_t deadline);
void client_look(struct stub_client *c, struct client_wait *w);

/* Streams: something has come for one. Inside a section; `words` are in memory of the library OS or the client's. */
void stream_deliver(struct stub_client *c, uint64_t header, const uint64_t *payload);
/* There will be nothing more. */
void streams_fail(struct stub_client *c, err_t e);
void buffers_drop(struct stub_client *c);
