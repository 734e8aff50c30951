/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* IPC, one interface over endpoints (same core) and channels (any core).
 *
 * A *call* carries IPC_WORDS words and a label of 16 bits there and back. An endpoint has room for four words, so the label rides in the
 * last one: word[3] has IPC_LAST_WORD_BITS, whatever the way. A *stream* carries messages of up to IPC_STREAM_BYTES either way, always over
 * a channel. A server handles calls and streams of all its clients in one loop or in threads of its own.
 *
 * Waiting. Functions that wait poll for a bounded time, let other threads run meanwhile, then park: the channel announces it and the
 * dispatcher sleeps until the peer rings. ipc_set_polling says how long to poll; IPC_POLL_ALWAYS never parks (benchmarks). */

#include "cpudriver/abi/capabilities.h"
#include "cpudriver/abi/errors.h"

/* Of a call, in words and bits; of a message of a stream, in bytes; and for ipc_set_polling. */
#define IPC_WORDS          4
#define IPC_LAST_WORD_BITS 48 /* a larger word[3] is refused: RANGE */
#define IPC_STREAM_BYTES   1024
#define IPC_POLL_ALWAYS    UINT32_MAX

/* A call's request or reply. */
struct ipc_message {
	uint64_t word[IPC_WORDS];
	uint16_t label;
};

struct ipc_connection;
struct ipc_service;

/* Client. `name` is at most 23 characters. ipc_bind waits until the service is there and has accepted; ipc_bind_with can tell what the
 * service must speak, and when it is no use to wait any longer; ipc_find only says which domain it is. Errors: ARGUMENT (the name),
 * INTERFACE (that service has another one), NOT_FOUND, TIMEOUT, LIMIT, NO_MEMORY. */
struct ipc_binding {
	uint64_t interface;    /* 0: any */
	uint64_t deadline_tsc; /* 0: none */
	bool now;              /* NOT_FOUND instead of waiting for a service that nobody offers */
	bool stream;
};
MUST_USE err_t ipc_bind(const char *name, bool stream, struct ipc_connection **out);
MUST_USE err_t ipc_bind_with(const char *name, const struct ipc_binding *how, struct ipc_connection **out);
MUST_USE err_t ipc_find(const char *name, const struct ipc_binding *how, uint32_t *domain);
MUST_USE err_t ipc_call(struct ipc_connection *c, const struct ipc_message *request, struct ipc_message *reply);
/* Threads that are in the middle of something with the connection, or wait for something of it, return PEER_GONE; what they had sent may
 * have arrived. None may begin anything with it any more. */
void ipc_close(struct ipc_connection *c);
bool ipc_is_local(const struct ipc_connection *c); /* served on this core, by an endpoint */

/* Either side of a stream. Errors: CHANNEL_BROKEN, PEER_GONE. A client that sends into a full channel waits until there is room; a server
 * gets CHANNEL_FULL. Only a client receives by these functions, a server is told of messages (below). */
MUST_USE err_t ipc_send(struct ipc_connection *c, uint16_t label, const void *data, size_t bytes);
MUST_USE err_t ipc_receive(struct ipc_connection *c, uint16_t *label, void *data, size_t capacity, size_t *bytes);
MUST_USE err_t ipc_try_receive(struct ipc_connection *c, uint16_t *label, void *data, size_t capacity, size_t *bytes); /* WOULD_BLOCK */

/* Capabilities, either side of a connection, with another domain on any core. What is given is a copy with at most these rights, or moves
 * there; the receiver finds it under the giver's tag. An Endpoint can't leave its core: who gives one gives a new connection with the
 * server that it leads to, which serves it like any other client. A capability that is given can be taken back by cap_revoke. Errors:
 * PEER_GONE, NO_SLOT (the receiver's), CAP_TYPE (it belongs to its core), PERMISSION (it is the monitor's: rings), LIMIT. */
MUST_USE err_t ipc_give(struct ipc_connection *c, cap_t cap, rights_t rights, uint32_t tag);
MUST_USE err_t ipc_move(struct ipc_connection *c, cap_t cap, rights_t rights, uint32_t tag);
/* Waits until it has come. The slot is the caller's, to be deleted and freed; the connection is closed like any other. What nobody takes
 * goes when the connection is closed. Errors: TIMEOUT (`deadline_tsc` 0: none), PEER_GONE. */
MUST_USE err_t ipc_take(struct ipc_connection *c, uint32_t tag, uint64_t deadline_tsc, cap_t *cap);
MUST_USE err_t ipc_take_connection(struct ipc_connection *c, uint32_t tag, uint64_t deadline_tsc, struct ipc_connection **out);

/* What a handler of lines has found (struct ipc_server): nothing, something, or what no honest client sends. */
enum ipc_outcome { IPC_NOTHING, IPC_SOMETHING, IPC_CUT_OFF };

/* Server. The handler of a call fills the reply. For streams it is told of each message. With `given` it is told of what clients give: a
 * capability, or a connection (then `cap` is CAP_NULL), which it may keep; without, handlers take it (ipc_take). */
struct ipc_server {
	void (*call)(void *context, struct ipc_connection *c, const struct ipc_message *request, struct ipc_message *reply);
	void (*message)(void *context, struct ipc_connection *c, uint16_t label, const void *data, size_t bytes);
	void (*opened)(void *context, struct ipc_connection *c);
	void (*closed)(void *context, struct ipc_connection *c);
	void (*given)(void *context, struct ipc_connection *c, uint32_t tag, cap_t cap, struct ipc_connection *connection);
	/* For protocols with messages of their own (<atoll/stubs.h>): a call's four whole words, to be replaced by the reply's; false if
	 * the reply comes later, by endpoint_reply to that token. And: something may have come over a channel that is the handler's own. */
	bool (*words)(void *context, struct ipc_connection *c, uint64_t token, uint64_t word[IPC_WORDS]);
	enum ipc_outcome (*lines)(void *context, struct ipc_connection *c);
	/* It has been withdrawn, and its last client has gone: it uses `context` no more, and *service is not the program's any more. */
	void (*over)(void *context);
	void *context;
};
/* A domain may offer several services, each with handlers of its own; of a span, each member. One loop serves them all: only one thread of
 * a member may be in it. `interface` says what the service speaks, 0: nothing in particular. Errors: EXISTS (that name), ARGUMENT (the
 * name), LIMIT (that would be more than IPC_SERVICES_MOST, those counted that were withdrawn and still have clients; or all the machine's
 * names are in use). */
#define IPC_SERVICES_MOST 8
MUST_USE err_t ipc_offer(const char *name, const struct ipc_server *server, struct ipc_service **out);
MUST_USE err_t ipc_offer_interface(const char *name, uint64_t interface, const struct ipc_server *server, struct ipc_service **out);
/* Calls of clients on this core need no thread here that waits for them: they run at once, in the caller's turn and on its time, whatever
 * this domain's threads do at the moment. `shuttles` threads are made for them, so as many calls may be under way at once; callers beyond
 * that wait their turn. So functions of all services are called by several threads, and must be ready for that, `opened` included. Errors:
 * ARGUMENT (more than IPC_SHUTTLES_MOST, or none), EXISTS (there is one: it is the domain's), NO_MEMORY. */
#define IPC_SHUTTLES_MOST 16
MUST_USE err_t ipc_offer_door(unsigned shuttles);
/* Nobody finds the service any more; those who are connected stay, and are served; other services are not concerned. Errors: NOT_FOUND (it
 * has been withdrawn). */
MUST_USE err_t ipc_withdraw(struct ipc_service *service);
/* Handles what has arrived; if nothing has, waits until something does or `deadline_tsc` (0: none) passes. Never returns an error for what
 * a client did: such a client is cut off. */
void ipc_serve_once(uint64_t deadline_tsc);
/* ipc_serve_once for ever. */
_Noreturn void ipc_serve(void);

/* How many looks a wait takes before the dispatcher sleeps, on the caller's member. */
void ipc_set_polling(uint32_t iterations);
/* The peer's core, domain number and (at a server) program name, as the monitors say; and private data for handlers. */
unsigned ipc_peer_core(const struct ipc_connection *c);
uint32_t ipc_peer_domain(const struct ipc_connection *c);
const char *ipc_peer_name(const struct ipc_connection *c);
void *ipc_get_data(const struct ipc_connection *c);
void ipc_set_data(struct ipc_connection *c, void *data);

/* A stream's channel itself (channels/channel.h), for protocols and benchmarks that want it bare; ipc_send and ipc_receive may be used in
 * between. A trace shows what goes over it if trace_channel_send and trace_channel_receive (trace.h) are told. */
struct channel;
struct channel *ipc_channel(struct ipc_connection *c);

/* A local connection's endpoint (libos/ipc/endpoint.h has the bare calls); CAP_NULL if the server is on another core.
 * As long as the connection lasts, neither side can move to another core. */
cap_t ipc_endpoint(struct ipc_connection *c);
