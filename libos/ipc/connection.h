/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* A connection, either side of it. Who may use its channel: a call's channel belongs to the thread that has `busy` (client) or to the
 * thread that serves (server); a stream's is used inside sections only, because one thread may send while another receives. */

#include <stdatomic.h>

#include <atoll/ipc.h>

#include "channels/channel.h"
#include "libos/ipc/late.h"
#include "libos/ipc/wait.h"
#include "libos/span/words.h"
#include "monitor/abi/messages.h"

/* A client's first message tells the server what the channel is for: type GREETING_*, no payload. */
enum greeting { GREETING_CALL = 1, GREETING_STREAM = 2, GREETING_LINES = 3 };

struct ipc_connection {
	/* immutable once bound */
	uint32_t number; /* the monitor's, of this side's end */
	uint32_t peer_domain;
	uint16_t peer_core;
	bool local; /* an endpoint, else a channel; that may change once (event widened) */
	bool bare;  /* somebody has the endpoint, and calls it himself */
	cap_t was;  /* the endpoint, if it is a channel now: a thread may be about to call it */
	cap_t send; /* the endpoint, or the frame of the peer's ring */
	cap_t receive, doorbell;
	void *send_at, *receive_at;
	char peer_name[16];
	struct ipc_service *service; /* NULL: this is the client's side */

	bool renumbered; /* after a move: `number` is the new one */
	bool stream;
	bool lines;             /* the channel is used as it is, by a protocol of the program's */
	bool greeted;           /* server: the greeting has come */
	bool opened, known;     /* server: the program is being told of it, has been */
	uint32_t calls;         /* server: that are being served through a door (server_hold) */
	uint32_t users;         /* whoever has it, and threads that are in the middle of something with it (connection_hold) */
	_Atomic bool closed;    /* the peer has gone, or whoever had it has closed it */
	struct late_owner late; /* client: its calls to the endpoint; `closed`: by who had it */
	_Atomic bool busy;
	struct channel channel;
	uint64_t idle_header;           /* server: what the next line's header was when it was found to be no message */
	struct thread *waiter;          /* client: one that waits, */
	struct queue followers;         /* and the others, which it wakes when it is woken */
	uint64_t ring_there, ring_here; /* for the trace, if there is one: physical addresses */
	struct wait_source source;
	void (*on_gift)(struct ipc_connection *c); /* whoever wants to hear of it at once, inside a section, else NULL */
	struct gift *gifts;                        /* what has come over it and nobody has taken (gift.h), first come first */
	struct queue takers;
	void *data;
	struct ipc_connection *next; /* in its list */

	/* a stream's next message, as far as it has come; `held` when it is complete */
	bool held;
	uint16_t held_label;
	size_t held_bytes;
	uint8_t buffer[IPC_STREAM_BYTES];
};

extern uint64_t link_mask; /* libos/span/link.h, which includes this file */

enum { SERVED, USED, CONNECTION_LISTS };
extern struct ipc_connection *connections[CONNECTION_LISTS];

/* Makes this side's end out of what the monitor said. Inside a section. */
MUST_USE err_t connection_open(const struct bound_event *bound, struct ipc_service *service, struct ipc_connection **out);
/* A client says what its new channel is for. */
MUST_USE err_t connection_greet(struct ipc_connection *c, enum greeting greeting);
/* Binds as `how` says; `flags` are BIND_*. */
MUST_USE err_t connection_bind(const char *name, uint64_t flags, enum greeting greeting, const struct ipc_binding *how,
                               struct ipc_connection **out);
/* Listens for peers that have moved, or are about to. */
void connections_start(void);
/* Whether a call that failed so was not taken, because the server has left its core, and goes through the channel now. */
static inline bool connection_has_widened(const struct ipc_connection *c, err_t e)
{
	return !c->local && (err_is(e, ERR_NUMBER_PEER_GONE) || err_is(e, ERR_NUMBER_CAP_EMPTY));
}
/* This domain has moved, and the monitor of the new core has other numbers: one of them. */
void connections_renumber_begin(void);
void connections_renumber(uint32_t was, uint32_t number);
/* Gives everything back; the monitor is told. Nobody else uses it. */
void connection_close(struct ipc_connection *c);
/* For those who had it, and share it with other threads: these learn that it is closed, and the last one gives everything back. */
void connection_end(struct ipc_connection *c);
struct ipc_connection *connection_find(uint32_t number);
/* The system takes it: to the program it is as if the peer had gone, and its rings are not touched any more. Inside a section. */
void connection_lose(struct ipc_connection *c);

/* A thread uses the connection until it lets go: if another one closes it meanwhile it stays until then. One instruction each, against the
 * other threads of this dispatcher: none of them is interrupted in its middle. */
static inline void connection_hold(struct ipc_connection *c)
{
	__asm__("addl $1, %0" : "+m"(c->users) : : "cc");
}
static inline void connection_let_go(struct ipc_connection *c)
{
	bool last;

	__asm__("subl $1, %0" : "+m"(c->users), "=@ccz"(last));
	if (__builtin_expect(last, 0))
		connection_close(c);
}

static inline bool connection_is_shared(const struct ipc_connection *c)
{
	return c->users > 1;
}

/* What a client that is closed has in place of its connection: to whoever still looks at that it is as if the peer had gone. */
extern struct ipc_connection connection_nowhere;

/* A client waits until the channel has something, or the peer has gone. */
void connection_wait(struct ipc_connection *c);
/* Nothing has come: lets others run, or looks on, or sleeps. Takes how often it was looked, and answers how often that is now. */
uint32_t connection_wait_a_little(struct ipc_connection *c, uint32_t looks);
/* The same, but not asleep if *count is no longer what the caller has seen, and no longer than until the deadline. Another thread that
 * takes what comes counts, and has those who sleep look again: connection_wake. */
uint32_t connection_wait_unless(struct ipc_connection *c, uint32_t looks, const uint32_t *count, uint32_t seen, uint64_t deadline);
/* Those who wait look again. Inside a section. */
void connection_wake(struct ipc_connection *c);

/* For a thread that looks whether another one has come to an end with something, the how-manieth time. Outside of sections. */
void connection_let_another(uint32_t looks);

/* A connection belongs to the member of the span that opened it: a thread of another one goes there. Errors: as thread_move. */
static inline err_t connection_visit(const struct ipc_connection *c)
{
	unsigned home = __builtin_expect(link_mask != 0, 0) ? words_elsewhere((uint64_t)c) : SPAN_MAX;

	return home == SPAN_MAX ? OK : thread_move(home);
}

static inline err_t connection_error(const struct ipc_connection *c)
{
	return atomic_load_explicit(&c->closed, memory_order_relaxed) ? ERR(PEER_GONE) : ERR(CHANNEL_BROKEN);
}

/* Whether nothing has changed since the connection was last found idle: a look that costs a server with many clients little. */
static inline bool connection_is_idle(const struct ipc_connection *c)
{
	const struct channel *ch = &c->channel;

	return channel_load_header(&ch->rx[ch->next_in & ch->mask].line.header) == c->idle_header && !ch->flush_due &&
	       !atomic_load_explicit(&c->closed, memory_order_relaxed);
}

/* The label and the words as they cross an endpoint. */
#define LABEL_SHIFT IPC_LAST_WORD_BITS
static inline uint64_t pack_last(const struct ipc_message *m)
{
	return m->word[3] | (uint64_t)m->label << LABEL_SHIFT;
}
static inline uint64_t unpack_last(uint64_t word)
{
	return word & ((UINT64_C(1) << LABEL_SHIFT) - 1);
}
