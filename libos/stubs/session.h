/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* What the parts of the server's side know of each other. */

#include <atoll/stubs.h>

#include "libos/ipc/connection.h"
#include "libos/upcall/dispatcher.h"

#define STUB_LINE 1 /* a line's type: there is only one */

/* A client, as the server knows it: an endpoint's end, a channel's, or both. */
struct stub_session {
	struct stub_session *next;
	struct stub_server *server;
	const void *service; /* the server's, so that a call needs one look less */
	uint32_t id;
	uint32_t held; /* by threads that answer it (session_hold) */
	bool told;     /* the service knows of it */
	bool over;     /* its client has gone */
	struct ipc_connection *endpoint, *lines;
	uint32_t last_tag;
	void *data;
	struct stub_buffer buffer[STUB_BUFFERS];
};

/* A service that this domain offers, or has offered and still has clients of. */
struct stub_server {
	const struct stub_interface *interface; /* NULL: a free record */
	const void *service;
	const struct stub_events *events;
	struct ipc_service *offered;
	struct stub_session *sessions;
	uint32_t last_id;
	char name[SERVICE_NAME_BYTES]; /* empty: it has been withdrawn */
};
extern struct stub_refused stub_refusals;

/* The thread that serves uses the channel. */
static inline void session_begin(struct ipc_connection *c)
{
	atomic_store_explicit(&c->busy, true, memory_order_relaxed);
	atomic_signal_fence(memory_order_seq_cst);
}
static inline void session_end(struct ipc_connection *c)
{
	atomic_signal_fence(memory_order_seq_cst);
	atomic_store_explicit(&c->busy, false, memory_order_relaxed);
}

/* Threads other than the one that serves answer it: until they let go it stays, even if its client goes. The first is for sections. */
void session_hold(struct stub_session *s);
void session_let_go(struct stub_session *s);

/* Sends what is at `words`, a header and its payload. A client that has left no room is cut off. */
void session_send(struct stub_session *s, const uint64_t *words);
void session_fail(struct stub_session *s, uint16_t number, enum stub_kind kind, err_t e);

/* What has come, if anything has, that is not a short message (channels/short.h); and a message that is complete. */
enum ipc_outcome session_take(struct ipc_connection *c);
enum ipc_outcome session_message(struct ipc_connection *c, const uint64_t *message, size_t bytes);

/* Put-off calls and streams of a client, by its number; and of one that has gone. */
bool later_cancel(struct stub_session *s, uint16_t number);
void later_drop(struct stub_session *s);
void source_open(struct stub_call *call, const struct stub_method *method);
void source_credit(struct stub_session *s, uint16_t number, uint64_t more);
bool source_cancel(struct stub_session *s, uint16_t number);
void source_drop(struct stub_session *s);
/* The client's buffers. */
MUST_USE err_t buffer_control(struct stub_session *s, const uint64_t *payload);
void session_buffers_drop(struct stub_session *s);
