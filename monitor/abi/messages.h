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
struct spawn_counts {
	uint16_t arguments, environment;
};
_Static_assert(sizeof(struct spawn_counts) == 4, "");

#define SERVICE_NAME_BYTES 24
#define CORE_HERE          UINT64_C(0xffffffff)

/* bind: what the client wants. */
enum {
	BIND_CALL = 0,   /* an endpoint if the server is on this core, else a channel */
	BIND_STREAM = 1, /* a channel in any case */
};

enum end_cause {
	END_EXIT,    /* status is what it returned */
	END_KILLED,
	END_FAULT,   /* status is enum stop_reason; the CPU driver stopped it */
	END_CORE,    /* its core died */
};

enum connection_kind {
	CONNECTION_ENDPOINT, /* the client calls slot `send`; the server sees `connection` as the badge */
	CONNECTION_CHANNEL,
};

/* One side's end of a new connection. Slots are in the receiver's task CNode, filled by the monitor. */
struct bound_event {
	uint64_t tag;
	uint32_t error;
	uint32_t connection;   /* this side's number for it */
	uint16_t kind;         /* enum connection_kind */
	uint16_t peer_core;
	uint16_t slot_send;    /* the peer's receive ring (Frame, to write), or the endpoint */
	uint16_t slot_receive; /* this side's receive ring (Frame) */
	uint16_t slot_doorbell; /* wakes the peer */
	uint16_t ring_slots;   /* of either ring */
	uint32_t peer_domain;   /* its number */
	char name[16];          /* bound: the service; accepted: the program that the client domain runs (first characters, 0 at the end) */
};
_Static_assert(sizeof(struct bound_event) <= 56, "one line of a channel");

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
	uint64_t boot_us, heartbeats;
};
_Static_assert(sizeof(struct core_info) == 48, "");
