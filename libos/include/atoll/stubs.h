/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Typed services: the run-time part of the stubs that libos/stubs/generate.py makes from an interface file.
 *
 * For an interface I of the file apps/x/x.capnp a program lists that file among its sources, includes "generated/apps/x/x.h" and has
 *
 *   client   I_open, I_close             a connection with whoever offers the service, on any core
 *            I_call_M                    a call that waits for its results
 *            I_begin_M, I_end_M          the same in two halves; stub_cancel instead of the second one
 *            I_send_M                    $oneway: no answer. `-> stream`: answered, but waited for only when the
 *                                        credit is used up, and by I_finish
 *            I_open_M, I_next_M, I_close_M
 *                                        $stream: results that come as long as the caller gives credit
 *   server   struct I_service            one function for each method; they answer OK with the results, or an error
 *            I_serve                     offers the service and serves; returns if it can't be offered, or if a
 *                                        thread is in such a loop already: EXISTS. If the struct is a constant of the same
 *                                        file, the functions become part of the loop
 *            I_offer                     for programs with a loop of their own around ipc_serve_once; and for further
 *                                        services, which the loop of I_serve serves as well
 *            I_reply_M                   the answer to a call that was put off (stub_put_off)
 *
 * A deadline is a value of the time-stamp counter, 0 for none. Every function that waits may answer TIMEOUT, PEER_GONE (the server has
 * ended; nothing more will come), CHANNEL_BROKEN, and what the server answers: its own errors, or METHOD, VERSION, MESSAGE, FORMAT,
 * CAP_TYPE if it could make nothing of the call. A call that has timed out is cancelled. A client belongs to the member of the span that
 * has opened it; threads of others that use it go there.
 *
 * On the wire a message is a header word and its payload. The payload of parameters or results without pointers, of at most STUB_LINE_WORDS
 * words, is their bare data section as Cap'n Proto lays it out; of others it is a whole Cap'n Proto message of one segment. A client on the
 * server's core uses the fast call of the CPU driver, if parameters and results fit its registers and nothing else of this client is under
 * way, so that what it asks for happens in the order in which it was asked for. All else goes over a channel. Bulk data stays where it is,
 * in a buffer that both sides have mapped.
 *
 * A fast call runs in the caller's turn. If a thread waits for it in I_serve, that one answers; else it goes through a door, if the service
 * has shuttles (struct stub_events). A call that takes longer than the turn holds only the thread that makes it.
 *
 * Room for answers. A server never waits for a client. So whoever asks makes sure that there is room in its ring for what will be answered:
 * every call, and every credit of a stream, reserves the lines that its answer may have, out of half a ring; who finds none left waits for
 * an answer first. A client that asks for more than it has room for is cut off. */

#include <atoll/ipc.h>
#include <atoll/wire.h>

#include "libos/ipc/endpoint.h"
#include "libos/ipc/late.h"
#include "libos/ipc/server.h"
#include "libos/ipc/wait.h"
#include "libos/span/link.h"
#include "libos/thread/thread.h"
#include "libos/upcall/dispatcher.h"

enum {
	STUB_REGISTER_WORDS = 3, /* of payload in a fast call */
	STUB_LINE_WORDS = 6,     /* in a line */
	STUB_MESSAGE_WORDS = 83, /* in a message of several lines: with its header, STUB_MESSAGE_LINES lines */
	STUB_MESSAGE_LINES = 12,
	STUB_ANSWER_LINES = 32,     /* that a client may have reserved: half a ring, for the other half may not be acknowledged yet */
	STUB_SMALL_LINES = 8,       /* of these, only for answers of one line: what ends a wait must not itself wait for those that wait */
	STUB_ANY_WORDS = 0xff,      /* in place of a number: each message has its own */
	STUB_CREDIT = 8,            /* items of a stream that may be under way, */
	STUB_CREDIT_FLAT = 1,       /* and of one whose items have pointers */
	STUB_BUFFERS = 4,           /* of a client */
	STUB_BUFFER_MOST = 4 << 20, /* bytes of one */
	STUB_LATERS = 64,           /* calls that a server may have put off */
	STUB_SOURCES = 64,          /* streams that a server may have open */
};

/* ---- The header ----
 *
 *   bits  0..15  method
 *        16..31  the client's number for the call, by which the answer finds it; 0 where nobody looks
 *        32..39  words of payload
 *        40..47  enum stub_kind
 *        48..55  the interface's version
 *        56..63  its tag, made of its identifier */

/* What a message is. */
enum stub_kind {
	/* to the server */
	STUB_CALL = 1,
	STUB_ONEWAY,
	STUB_ITEM,         /* of a stream of parameters */
	STUB_OPEN,         /* a stream of results */
	STUB_CREDIT_GIVEN, /* payload: for how many more items */
	STUB_CANCEL,       /* the call or stream of this number */
	STUB_HELLO,        /* over an endpoint; answered with the session's number */
	STUB_JOIN,         /* over a channel: it belongs to that session */
	STUB_BUFFER,       /* payload: number, tag of the frame, bytes; or number, 0, 0: it goes */
	/* to the client */
	STUB_REPLY,
	STUB_FAILURE, /* payload: error number */
	STUB_STREAM_ITEM,
	STUB_STREAM_END, /* payload: error number, END if all went well */
};

/* A header of its parts; with the client's number; with another number of words of payload. */
#define STUB_HEADER(tag, version, kind, method, words)                                                                                     \
	((uint64_t)(tag) << 56 | (uint64_t)(version) << 48 | (uint64_t)(kind) << 40 | (uint64_t)(words) << 32 | (uint64_t)(method))
#define STUB_NUMBER(number)       ((uint64_t)(uint16_t)(number) << 16)
#define STUB_SIZED(header, words) (((header) & ~(UINT64_C(0xff) << 32)) | (uint64_t)(words) << 32)

/* The parts of a header. */
static inline uint16_t stub_method_of(uint64_t header)
{
	return (uint16_t)header;
}
/* The parts of a header. */
static inline uint16_t stub_number_of(uint64_t header)
{
	return (uint16_t)(header >> 16);
}
/* The parts of a header. */
static inline unsigned stub_words_of(uint64_t header)
{
	return header >> 32 & 0xff;
}
/* The parts of a header. */
static inline enum stub_kind stub_kind_of(uint64_t header)
{
	return (enum stub_kind)(header >> 40 & 0xff);
}
/* Tag and version. */
static inline uint64_t stub_identity_of(uint64_t header)
{
	return header & ~((UINT64_C(1) << 48) - 1);
}
static inline uint64_t stub_control(uint64_t identity, enum stub_kind kind, uint16_t number, unsigned words)
{
	return identity | STUB_HEADER(0, 0, kind, 0, words) | STUB_NUMBER(number);
}

/* ---- Errors of a service's own ---- */

/* They lie above the system's: value 1, 2, ... of the interface's enum. */
#define STUB_ERROR_BASE   0x8000u
#define STUB_ERROR(value) ((err_t){STUB_ERROR_BASE + (value)})
/* What a handler answers that has put the call off. */
#define STUB_LATER ((err_t){0xffffffffu})

/* ---- What comes along ---- */

/* A capability. Who gives it sets `cap`; who gets it owns it: cap_delete, cap_slot_free. */
struct stub_cap {
	cap_t cap;
	uint32_t tag; /* on the wire */
};
/* In place of a type: any. */
#define STUB_ANY_CAPABILITY CAP_Null

/* A piece of a buffer. The client sets `at` and `bytes`, and finds them set in what a server answers; a server uses stub_bulk_read and
 * stub_bulk_write. */
struct stub_bulk {
	void *at;
	uint32_t bytes;
	uint64_t place; /* on the wire: libos/interfaces/atoll.capnp */
};

/* ---- The client's side ---- */

struct stub_ticket;
struct stub_stream;

/* A buffer that both sides have mapped, at the client; `at` NULL: none. */
struct stub_buffer {
	void *at;
	uint32_t bytes;
	cap_t frame;
};

/* What was cancelled is still answered, and keeps the room for it. */
struct stub_orphan {
	uint16_t number, lines; /* number 0: none */
	bool told;              /* the server knows */
};

/* The client of an interface: the stubs' own. */
struct stub_client {
	cap_t fast;                      /* the endpoint, while nothing is under way that a fast call would overtake; else CAP_NULL */
	struct channel *quiet;           /* of `lines`, likewise: the next message to come is the answer to the next call */
	uint64_t interface, identity;    /* the latter of every header */
	struct ipc_connection *endpoint; /* NULL: the server is on another core */
	struct ipc_connection *lines;    /* NULL: not needed so far */
	char name[24];

	struct stub_ticket *tickets; /* calls under way */
	struct stub_stream *streams;
	uint32_t deliveries; /* messages that have come */
	uint16_t last_number;
	uint16_t reserved;     /* lines of the answers to come */
	uint16_t items;        /* of streams of parameters, not answered yet */
	err_t item_error;      /* the first of them */
	uint32_t sent, proved; /* one-way messages; and how many of them a later answer has shown to be done */
	uint32_t last_tag;
	struct stub_orphan orphan[STUB_ANSWER_LINES];
	uint16_t untold; /* of them */
	struct stub_buffer buffer[STUB_BUFFERS];
	struct mutex opening; /* of `lines` */
	struct late_owner late;
	uint64_t incoming[1 + STUB_MESSAGE_WORDS];
};

/* Room for results with pointers, which lead into it. */
struct stub_message {
	uint64_t words[STUB_MESSAGE_WORDS];
};

/* A call under way. */
struct stub_ticket {
	struct stub_ticket *next;
	struct stub_client *client;
	uint64_t reply; /* the header that is awaited */
	uint16_t number, lines;
	uint32_t sent; /* the client's, when the call was made */
	bool done;
	err_t error;
	const uint64_t *at; /* the payload of the answer */
	uint32_t count;
	struct stub_message *message;
	uint64_t words[STUB_LINE_WORDS];
};

/* How many words an item of a stream has. */
struct stub_item {
	uint32_t count;
};

/* A stream of results. */
struct stub_stream {
	struct stub_stream *next;
	struct stub_client *client;
	uint64_t reply;
	uint16_t number, lines;
	uint16_t credit;       /* at most */
	uint16_t first, there; /* items that have come, in a ring */
	uint16_t returned;     /* credit that has not been given back yet */
	bool taken;            /* the first item is in the caller's hands */
	bool ended;
	err_t error;
	struct stub_item *item;
	uint64_t *words;
	uint32_t item_words;
};

/* A connection with whoever offers the service; waits until somebody does. Errors: ARGUMENT (the name), INTERFACE, LIMIT, NO_MEMORY.
 * stub_close ends it with all that is under way: threads that wait for something of it return PEER_GONE. *c is theirs as well until they
 * have. */
MUST_USE err_t stub_open(const char *name, uint64_t interface, uint64_t identity, struct stub_client *out);
void stub_close(struct stub_client *c);

/* A call has answered PEER_GONE: the server has ended. The client finds whoever offers the service next, waits for it if need be, and goes
 * on with that one; what was under way is lost, streams and buffers are to be made anew. One thread at a time uses a client that does so.
 * Errors: TIMEOUT (nobody offers it), INTERFACE; then the client is as before. */
MUST_USE err_t stub_reconnect(struct stub_client *c, uint64_t deadline);
/* Behind a call that does no harm if it is made twice: `do e = I_call_M(...); while (stub_again(&c.client, e, deadline));`. The stubs of
 * methods that are $idempotent do so themselves. */
MUST_USE bool stub_again(struct stub_client *c, err_t e, uint64_t deadline);

/* `words[0]` is for the header, the payload lies behind it, and the reply's payload replaces it: there is room for either. */
MUST_USE err_t stub_call_line(struct stub_client *c, uint64_t call, uint64_t reply, uint64_t *words, uint64_t deadline);
/* The same for what fits a fast call's words, if that can't be made right away: the server is on another core; or it is not as simple as
 * that, since something is under way, there is a deadline, or other threads want to run. */
MUST_USE err_t stub_call_across(struct stub_client *c, uint64_t reply, struct endpoint_message *m, uint64_t deadline);
MUST_USE err_t stub_call_otherwise(struct stub_client *c, uint64_t reply, struct endpoint_message *m, uint64_t deadline);
/* A fast call without deadline has returned something else than its results. */
MUST_USE err_t stub_fast_end(struct stub_client *c, uint64_t reply, struct endpoint_message *m, err_t e);

/* Nobody else of this dispatcher has anything to do now, and there are no others of this domain. */
static inline bool stub_is_alone(void)
{
	return !thread_others_ready() && late_has_room() && link_mask == 0;
}

/* The first word is the header; the reply's words replace the others. */
MUST_USE static inline err_t stub_call_registers(struct stub_client *c, uint64_t reply, struct endpoint_message *m, uint64_t deadline)
{
	struct endpoint_message in_memory; /* the address of *m is not to be known outside, so that it stays in registers */
	err_t e;

	if (__builtin_expect(c->fast.value == CAP_NULL.value || deadline != 0 || !stub_is_alone(), 0)) {
		in_memory = *m;
		e = stub_call_across(c, reply, &in_memory, deadline);
		*m = in_memory;
		return e;
	}
	e = endpoint_call_with(c->fast, m, CALL_DETACH);
	if (__builtin_expect(is_err(e) || m->word[0] != reply, 0)) {
		in_memory = *m;
		e = stub_fast_end(c, reply, &in_memory, e);
		*m = in_memory;
	}
	return e;
}

/* The halves of a call. `words` as above; `message` for an answer of several lines, else NULL. */
MUST_USE err_t stub_begin(struct stub_client *c, uint64_t call, uint64_t reply, uint64_t *words, struct stub_message *message,
                          struct stub_ticket *t, uint64_t deadline);
/* TIMEOUT: the call is still under way. */
MUST_USE err_t stub_end(struct stub_ticket *t, uint64_t deadline);
bool stub_is_done(struct stub_ticket *t);
/* Nobody waits for it any more; the server is told. Of a call that has ended: nothing happens. */
void stub_cancel(struct stub_ticket *t);
/* All calls of this client that other threads wait for now return CANCELLED. */
void stub_cancel_all(struct stub_client *c);

/* A message that nobody answers; an item of a stream of parameters. `words` as above. */
MUST_USE err_t stub_send(struct stub_client *c, uint64_t header, uint64_t *words, uint64_t deadline);
MUST_USE err_t stub_send_item(struct stub_client *c, uint64_t header, uint64_t *words, uint64_t deadline);
/* Waits until all items are answered. The first error of any, if there was one. */
MUST_USE err_t stub_finish(struct stub_client *c, uint64_t deadline);

/* Begins a stream of results; all of its credit is given. */
MUST_USE err_t stub_stream_open(struct stub_client *c, uint64_t call, uint64_t reply, uint64_t *words, struct stub_stream *s,
                                uint64_t deadline);
/* The next item; it stays until the next call for this stream. END: there are no more. */
MUST_USE err_t stub_stream_next(struct stub_stream *s, const uint64_t **words, size_t *count, uint64_t deadline);
void stub_stream_close(struct stub_stream *s);

/* Capabilities: gives one, which its message then names; takes one that a reply has named. */
MUST_USE err_t stub_give(struct stub_client *c, struct stub_cap *cap, enum cap_type type, unsigned rights, bool move);
MUST_USE err_t stub_receive(struct stub_client *c, struct stub_cap *cap, enum cap_type type);

/* Buffers: zeroed memory of the client's own which the server may read and write until it is freed, or the client is closed. */
MUST_USE err_t stub_buffer_create(struct stub_client *c, uint32_t bytes, void **at, uint64_t deadline);
MUST_USE err_t stub_buffer_free(struct stub_client *c, void *at, uint64_t deadline);
/* ARGUMENT: the piece does not lie in a buffer. */
MUST_USE err_t stub_bulk_name(const struct stub_client *c, struct stub_bulk *bulk);
MUST_USE err_t stub_bulk_of_client(const struct stub_client *c, struct stub_bulk *bulk);

/* ---- The server's side ---- */

struct stub_session; /* a client */

/* What a handler may know of the call. */
struct stub_call {
	struct stub_session *session;
	uint64_t header;
	uint64_t token;          /* of a fast call; else REPLY_NONE */
	const uint64_t *message; /* the payload, as it came; NULL: in registers */
};

/* A stream that this side fills. */
struct stub_source {
	void *data; /* the handler's own */
	struct stub_session *session;
	uint64_t header;
	uint16_t credit;
	bool busy, again; /* an item is being made; and there is reason to look for more */
	const struct stub_method *method;
	struct stub_server *server;
};

/* A call that has been put off. */
struct stub_later {
	uint32_t index, generation;
};

/* What a server is told beside calls; NULL: it does not want to know. */
struct stub_events {
	void *context;
	/* Not 0: the domain has a door with so many shuttles (ipc_offer_door), and functions of its services are called by several threads.
	 * One of them says so for all: the next one that does can't be offered, EXISTS. */
	unsigned shuttles;
	void (*opened)(void *context, struct stub_session *session);
	void (*closed)(void *context, struct stub_session *session);
	/* The client has taken the call back, or has gone: what was put off is not to be answered any more. */
	void (*cancelled)(void *context, struct stub_session *session, struct stub_later later);
	/* A stream has ended, for whatever reason; `source` is not to be used any more. */
	void (*ended)(void *context, struct stub_source *source);
	/* For clients on other cores that know nothing of stubs: ipc_call (struct ipc_server). */
	void (*call)(void *context, struct ipc_connection *c, const struct ipc_message *request, struct ipc_message *reply);
};

/* Decodes the parameters, calls the handler, encodes the results: `count` words of payload at `out`. Of a stream: `source` is to be filled.
 */
typedef err_t stub_serve_fn(const void *service, struct stub_call *call, struct stub_source *source, uint64_t *out, uint32_t *count);

/* A method, as the server's side knows it. */
struct stub_method {
	const char *name;
	uint64_t call, reply; /* headers */
	stub_serve_fn *serve;
	stub_serve_fn *next; /* a stream's: the next item. WOULD_BLOCK: none now, END: no more */
};

/* Answers a call whose parameters and results fit a fast call, wherever it came from: its words become the reply's. The header is the first
 * word, less the call's number. */
enum stub_outcome {
	STUB_ANSWERED,
	STUB_PUT_OFF,
	STUB_ODD, /* it is no such call */
};
typedef enum stub_outcome stub_answer_fn(const void *service, struct stub_session *session, uint64_t token, uint16_t number,
                                         struct endpoint_message *m);

/* An interface, as the server's side knows it: generated. */
struct stub_interface {
	const char *name;
	uint64_t id, identity;
	unsigned methods;
	const struct stub_method *method;
	stub_answer_fn *answer;
	enum ipc_outcome (*lines)(void *context, struct ipc_connection *c);
};

/* What services of this domain have refused, by reason. */
struct stub_refused {
	uint64_t version, method, length, format, capability;
};

/* The parameters are not what they should be: FORMAT, which is counted. */
MUST_USE err_t stub_malformed(void);
MUST_USE err_t stub_offer(const char *name, const struct stub_interface *interface, const void *service, const struct stub_events *events);
/* ipc_withdraw of a typed service: those who are connected stay, and are served. But a client on this core that has made fast calls only has
 * no channel, and finds none any more: PEER_GONE for what needs one. */
MUST_USE err_t stub_withdraw(const char *name);
struct stub_refused stub_refused(void);

/* The handler of a call: it will be answered later, by I_reply_M or stub_fail; then it answers STUB_LATER. LIMIT: too many are. */
MUST_USE err_t stub_put_off(struct stub_call *call, struct stub_later *out);
/* For functions that take long: whether nobody waits for the answer any more. Of a call that came over a channel: whether the client has
 * gone, for what else it says is looked at after the function has returned. */
bool stub_is_cancelled(const struct stub_call *call);
/* NO_CALLER: nobody waits for it any more. */
MUST_USE err_t stub_fail(struct stub_later later, err_t e);
MUST_USE err_t stub_later_take(struct stub_later later, struct stub_call *call);
/* `out` has room for the header and `count` words, or as many as the reply's header says. */
MUST_USE err_t stub_later_answer(struct stub_call *call, uint64_t reply, uint64_t *out, uint32_t count, err_t e);

/* ---- Fast calls, the server's side ---- */

/* Anything but the fast call of a method; and a handler's answer that is not OK. */
enum stub_outcome stub_answer_odd(const struct stub_session *session, struct endpoint_message *m);
enum stub_outcome stub_answer_error(struct endpoint_message *m, err_t e);

/* Most calls come from whoever has called before, of the service whose loop it is. */
struct stub_caller {
	uint64_t badge;
	struct stub_session *session;
};
extern struct stub_caller stub_last_caller;
/* False: it is no client of that service, or there was no memory for its session. */
bool stub_find_caller(uint64_t badge);
bool stub_answer_stranger(uint64_t badge, uint64_t token, struct endpoint_message *m);

/* False: the reply comes later. */
__attribute__((always_inline)) static inline bool stub_answer_caller(const void *service, stub_answer_fn *answer,
                                                                     const struct endpoint_request *r, struct endpoint_message *m)
{
	enum stub_outcome o;

	if (__builtin_expect(r->badge != stub_last_caller.badge, 0) && !stub_find_caller(r->badge))
		return stub_answer_stranger(r->badge, r->token, m);
	o = answer(service, stub_last_caller.session, r->token, 0, m);
	if (__builtin_expect(o == STUB_ODD, 0))
		o = stub_answer_odd(stub_last_caller.session, m);
	return o == STUB_ANSWERED;
}

/* The loop is that of the service of this name. EXISTS: another thread is in a loop already; then the service is not offered any more. */
MUST_USE err_t stub_begin_loop(const char *name);

/* Serves for ever. All that is not a fast call of this service is served on the way. The dispatcher is disabled but for the handlers
 * (libos/ipc/server.h); what becomes pending meanwhile is seen at once, and by the next reply_wait. */
__attribute__((always_inline)) static inline err_t stub_serve(const char *name, const void *service, stub_answer_fn *answer)
{
	err_t begun = stub_begin_loop(name);

	while (is_ok(begun)) {
		const uint64_t generation = server_fall_asleep();
		struct endpoint_message reply = {{0, 0, 0, 0}};
		struct endpoint_request r;
		uint64_t token = REPLY_NONE;
		err_t e;

		do {
			e = endpoint_reply_wait(token, &reply, REPLY_BLOCK, &r);
			token = REPLY_NONE;
			if (__builtin_expect(is_err(e), 0))
				continue;
			dispatcher_leave(false);
			reply = r.message;
			if (__builtin_expect(stub_answer_caller(service, answer, &r, &reply), 1))
				token = r.token;
			dispatcher_enter_again();
		} while ((is_ok(e) || err_is(e, ERR_NUMBER_NO_CALLER)) && generation == wait_generation && !thread_others_ready());
		server_wake_up(token, &reply);
	}
	return begun;
}

/* There is something for a stream whose `next` has answered WOULD_BLOCK. */
void stub_source_ready(struct stub_source *source);

/* Private data, and who it is (ipc_peer_core, ...). */
void *stub_get_data(const struct stub_session *session);
void stub_set_data(struct stub_session *session, void *data);
const struct ipc_connection *stub_peer(const struct stub_session *session);

/* Capabilities. In parameters: CAP_EMPTY, the client did not give it; CAP_TYPE. */
MUST_USE err_t stub_take(const struct stub_call *call, struct stub_cap *cap, enum cap_type type);
void stub_drop(struct stub_cap *cap);
MUST_USE err_t stub_answer_cap(const struct stub_call *call, struct stub_cap *cap, enum cap_type type, unsigned rights, bool move);

/* Bulk data, copied from and to a piece of a buffer. The client may write there at any time, so what has been copied is what is looked at;
 * it may even take the memory away, which ends the copy. Errors: RANGE, PEER_GONE. */
MUST_USE err_t stub_bulk_find(const struct stub_call *call, struct stub_bulk *bulk);
MUST_USE err_t stub_bulk_read(const struct stub_bulk *bulk, uint32_t offset, void *to, uint32_t bytes);
MUST_USE err_t stub_bulk_write(const struct stub_bulk *bulk, uint32_t offset, const void *from, uint32_t bytes);
/* A piece of the same client's buffer in an answer. */
MUST_USE err_t stub_bulk_answer(const struct stub_call *call, struct stub_bulk *bulk);
