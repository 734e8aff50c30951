/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* The messages that any domain may exchange with its monitor. */

#include "cpudriver/abi/errors.h"

enum monitor_request {
#define REQUEST(name, number, privileged) REQUEST_##name = number,
#include "monitor/abi/requests.def"
#undef REQUEST
	REQUESTS
};

enum monitor_event {
#define EVENT(name, number) EVENT_##name = number,
#include "monitor/abi/events.def"
#undef EVENT
	EVENTS
};

/* spawn: the buffer begins with it. Then the strings, each ended by 0: the arguments, of which the first is the program's name, then the
 * environment; nothing behind them. */
enum {
	SPAWN_PINNED = 1, /* it is never moved to another core */
};
#define CORE_SET_WORDS 4 /* a bit for each of CORES_MAX cores */
struct spawn_order {
	uint16_t arguments, environment; /* how many strings */
	uint16_t gifts;                  /* capabilities that the caller is going to hand over */
	uint16_t flags;                  /* SPAWN_* */
	uint64_t quota;                  /* bytes that the domain may have on each core that it is on; 0: as much as there is */
	uint64_t cores[CORE_SET_WORDS];  /* where it grows to before it begins; none: nowhere */
};
_Static_assert(sizeof(struct spawn_order) == 48, "");

#define SERVICE_NAME_BYTES 24
#define SERVICES_EACH      8 /* that one domain may offer at once */

/* offer, bind, withdraw: which service. `interface` says what it speaks, by a number that nobody else uses (of typed stubs: the identifier
 * in its interface file). Who offers 0 speaks what it likes; who binds with 0 takes what there is. */
struct service_request {
	char name[SERVICE_NAME_BYTES]; /* ends with 0 */
	uint64_t interface;
};
_Static_assert(sizeof(struct service_request) == 32, "");

struct service_info {
	char name[SERVICE_NAME_BYTES];
	uint64_t interface;
	uint32_t domain, core; /* its server */
};
_Static_assert(sizeof(struct service_info) == 40, "");
#define SERVICES_PAGE 64 /* in one answer */

#define CORE_HERE UINT64_C(0xffffffff)

/* bind: what the client wants; flags. */
enum {
	BIND_CALL = 0,   /* an endpoint if the server is on this core, else a channel */
	BIND_STREAM = 1, /* a channel in any case */
	BIND_NOW = 2,    /* NOT_FOUND if nobody offers the service, instead of waiting for it */
	BIND_FIND = 4,   /* no connection, only who the server is: peer_domain of `bound` */
};

enum end_cause {
	END_EXIT, /* status is what it returned */
	END_KILLED,
	END_FAULT,   /* status is enum stop_reason; the CPU driver stopped it */
	END_CORE,    /* its core died */
	END_REVOKED, /* something was taken back that it could not do without */
};

/* What a domain can be asked to give back (monitor/revocation.h). */
enum revocation_kind {
	REVOKE_NOTHING,
	REVOKE_MEMORY,   /* bytes of one core's memory: blocks that it has been given beside its first one */
	REVOKE_CORES,    /* members of its span, but for member 0 */
	REVOKE_CHANNELS, /* connections with services and clients, its own end of each */
	REVOCATION_KINDS
};
#define REVOCATION_DEADLINE_MS 60000 /* at most */

enum connection_kind {
	CONNECTION_ENDPOINT, /* the client calls slot `send`; the server sees `connection` as the badge */
	CONNECTION_CHANNEL,
};

/* One side's end of a new connection. Slots are in the receiver's task CNode, filled by the monitor. */
struct bound_event {
	uint64_t tag;
	uint32_t error;
	uint32_t connection; /* this side's number for it */
	uint16_t kind;       /* enum connection_kind */
	uint16_t peer_core;
	uint16_t slot_send;     /* the peer's receive ring (Frame, to write), or the endpoint */
	uint16_t slot_receive;  /* this side's receive ring (Frame) */
	uint16_t slot_doorbell; /* wakes the peer */
	uint16_t ring_slots;    /* of either ring */
	uint32_t peer_domain;   /* its number */
	char name[16]; /* joined: not used; bound: the service; accepted: the program that the client domain runs (first characters, 0 at
	                  the end); introduced: the program that the server runs */
	uint32_t over, over_tag; /* introduced: the connection that it came over, and the giver's tag; joined: the peer's member number, 0;
	                            accepted: 0, and the number under which the domain has offered the service */
};
_Static_assert(sizeof(struct bound_event) <= 56, "one line of a channel");

#define CAPABILITY_COMPLETED UINT64_C(1) /* word 1 of the reply */

/* What a domain may ask about a capability of its own when other cores are concerned: words 1..3 of the request `capability`. */
enum capability_operation {
	CAPABILITY_DELETE = 1, /* done: word 2 is 1 if the slot holds the memory as RAM now */
	CAPABILITY_REVOKE,
	CAPABILITY_RETYPE,
	CAPABILITY_GIVE, /* a copy to the peer of a connection, which hears of it as `given`. Of an Endpoint: a connection of the peer's own
	                    with the server that it leads to, as `introduced` */
	CAPABILITY_MOVE, /* the same, and the caller's own goes */
};

struct capability_request {
	uint16_t cap;          /* its address in the caller's capability space */
	uint8_t operation;     /* enum capability_operation */
	uint8_t type;          /* retype: what to make */
	uint16_t first, count; /* retype: address of the first empty slot, how many objects */
	uint64_t offset;       /* retype: in the object. give, move: connection (this side's number) | tag of the caller's choice << 32 */
	uint64_t bytes;        /* retype: of one object. give, move: the rights that the copy has at most */
};
_Static_assert(sizeof(struct capability_request) == 24, "three words of a call");

struct domain_info {
	uint32_t domain, core;
	uint64_t ram_bytes, tsc_run; /* cycles that it ran */
	uint32_t state, reserved;    /* enum dispatcher_state */
	char name[24];
};
_Static_assert(sizeof(struct domain_info) == 56, "");

struct core_info {
	uint32_t core, apic, node, alive;
	uint64_t ram_free, ram_total; /* bytes in the hands of this core's monitor; 0 for other cores than the caller's */
	uint64_t boot_us;
};
_Static_assert(sizeof(struct core_info) == 40, "");

/* What a core's agreement has in hand, in records. */
enum agreement_info_kind {
	AGREEMENT_INFO_TRAFFIC,   /* base: the view; words 0..2: messages sent, received, refused since the start */
	AGREEMENT_INFO_COST,      /* of what domains of that core asked for: `detail`: enum agreement_operation; words: how many have ended,
	                             their      messages on all cores, their cycles from request to result, those of the longest */
	AGREEMENT_INFO_BALANCE,   /* what domains' coming and going leaves as it was: base: free memory in bytes; words 0, 1: capabilities,
	                             ends of   connections. size: memory that the core serves, free or not, in bytes */
	AGREEMENT_INFO_LOAD,      /* what the core has done since its start (enum core_counter): words: cycles busy, wake-ups, page faults, calls;
	                             base,     size: messages sent and received */
	AGREEMENT_INFO_OPERATION, /* under way, or this core's part of another's: `detail`: enum agreement_operation; `core`: who asked or
	                             is asked; the object; words: messages so far, cores whose answer is awaited, kind that an owner serves,
	                             phase */
	AGREEMENT_INFO_OBJECT,    /* shared: `core`: its owner; `detail`: AGREEMENT_ANCHORED ...; words: the holders, a bit each */
	AGREEMENT_INFO_END,
};

enum agreement_operation {
	/* what a domain may ask for */
	ASKED_COPY = 1,
	ASKED_MOVE,
	ASKED_RETYPE,
	ASKED_DELETE,
	ASKED_REVOKE,
	ASKED_KINDS,
	/* the agreement's own, and this core's part of another core's operation */
	PART_SWEEP = ASKED_KINDS,
	PART_OWNER,
	PART_HOLDER,
	PART_TRANSFER,
};

enum { AGREEMENT_ANCHORED = 1, AGREEMENT_BUSY = 2, AGREEMENT_MOVING = 4 };

struct agreement_info {
	uint32_t reserved;
	uint8_t kind, type, core, detail; /* `type`: of the capability */
	uint64_t base, size;
	uint64_t word[4];
};
_Static_assert(sizeof(struct agreement_info) == 56, "one line of a channel");
#define AGREEMENT_PAGE 64 /* records in one answer */
