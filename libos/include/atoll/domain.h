/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* This domain, and others: who am I, start, wait, end; what the machine looks like. */

#include "cpudriver/abi/dispatcher.h"
#include "monitor/abi/messages.h"
#include "monitor/abi/start.h"
#include "numa/model.h"

/* What this domain was started with; which core the caller's member is on, and the dispatcher there. */
const struct domain_start *domain_self(void);
unsigned domain_core(void);
struct dispatcher_shared *domain_dispatcher(void);
const struct machine *domain_machine(void); /* NULL before discovery */

/* The time-stamp counter, and how often it counts in a second. All cores' counters agree. */
uint64_t time_tsc(void);
uint64_t time_tsc_hz(void);

/* Starts `argv[0]` from the boot archive on `core` (CORE_HERE: this one) with `memory` bytes (0: the default). */
MUST_USE err_t domain_spawn(const char *const argv[], const char *const envp[], uint64_t core, uint64_t memory, uint32_t *domain);

/* The same with more of a say. What is left 0 is the usual: here, with the default memory, as much more as there is, nothing given.
 *
 * A domain that is ordered on several cores begins on the lowest of them, and has grown to the others when its main runs; one that can't be
 * had then is left out (span_members). On a node it begins on the core that has least to do. `quota` bounds what it has on each core that
 * it is on, from its first byte on; what would be more is refused: NO_MEMORY. */
#define DOMAIN_GIFTS_MAX 16
/* Bytes on one core; a domain can't begin with less. */
#define DOMAIN_LEAST_MEMORY (UINT64_C(1) << 20)
/* Where a domain begins: here, on `core`, on all of `cores`, or somewhere on `node`. */
enum domain_where { DOMAIN_HERE, DOMAIN_ON_CORE, DOMAIN_ON_CORES, DOMAIN_ON_NODE };
/* A capability that the new domain gets. */
struct domain_gift {
	cap_t cap;
	rights_t rights; /* that its copy has at most */
	uint32_t tag;    /* under which the program finds it */
};
/* How a domain is to be started. */
struct domain_options {
	const char *const *arguments;   /* the program's name first, NULL last */
	const char *const *environment; /* may be NULL */
	enum domain_where where;
	uint32_t core, node;
	uint64_t cores[CORE_SET_WORDS]; /* a bit for each */
	uint64_t memory, quota;         /* bytes */
	bool pinned;                    /* nobody moves it to another core */
	const struct domain_gift *gift;
	unsigned gifts;
	char *why; /* room for a sentence that says what was wrong; empty if nothing was */
	size_t why_bytes;
};
/* Errors: ARGUMENT, CORE_UNKNOWN (a core, or a node without any), CORE_DEAD, NOT_FOUND (no such program), FORMAT (it is none), RANGE (too
 * long arguments), PERMISSION (it belongs to a certain core), NO_MEMORY, LIMIT, and ipc_give's. */
MUST_USE err_t domain_spawn_with(const struct domain_options *options, uint32_t *domain);
/* What this domain was given; waits for it. The slot is the caller's. Errors: NOT_FOUND (nothing was given under that tag), TIMEOUT
 * (`deadline_tsc` 0: none). An Endpoint comes as a connection. */
struct ipc_connection;
MUST_USE err_t domain_take(uint32_t tag, uint64_t deadline_tsc, cap_t *cap);
MUST_USE err_t domain_take_connection(uint32_t tag, uint64_t deadline_tsc, struct ipc_connection **out);

/* Waits for its end: with what status (END_EXIT) or why (enum end_cause). Errors: NOT_FOUND. domain_kill ends it, with all its members.
 * Errors: NOT_FOUND, PERMISSION. */
MUST_USE err_t domain_wait(uint32_t domain, int64_t *status, enum end_cause *cause);
MUST_USE err_t domain_kill(uint32_t domain);
/* Waits until a domain that the caller has started on that core serves under that name. Errors: PEER_GONE (it has ended without), TIMEOUT
 * (`deadline_tsc` 0: none). */
MUST_USE err_t domain_await(uint32_t domain, uint64_t core, const char *service, uint64_t deadline_tsc);
/* Moves the domain, this one or one that it has spawned (any, with the right), to another core: its threads, its memory, its connections,
 * whose peers go on meanwhile. Returns when it runs there. What was a call to a service on the same core goes through a channel afterwards.
 * Errors: EXISTS (it is there), STAYS (it spans cores, has devices, shares memory
 * with others, or was started to stay), NO_MEMORY (on that core), CORE_UNKNOWN,
 * CORE_DEAD, PERMISSION, NOT_FOUND, TIMEOUT (it does not answer), AGAIN (it was busy all the time). After an error it is where it was. */
MUST_USE err_t domain_move(uint32_t domain, unsigned core);
/* Ends this domain on all of its cores. */
_Noreturn void domain_exit(int64_t status);

/* One request to this core's monitor, for what has no function of its own; words as in monitor/abi/requests.def. */
struct monitor_reply {
	err_t error;
	uint64_t word[3];
};
struct monitor_reply monitor_request(enum monitor_request request, uint64_t tag_or_flags, uint64_t word1, uint64_t word2, uint64_t word3);
MUST_USE err_t domain_list(uint64_t core, struct domain_info *out, unsigned capacity, unsigned *count);
/* All services that have a name. */
MUST_USE err_t service_list(struct service_info *out, unsigned capacity, unsigned *count);
MUST_USE err_t core_list(struct core_info *out, unsigned capacity, unsigned *count);
/* What the core's agreement has in hand, from record `first` on; `total`: how many records there are. Needs the right. */
MUST_USE err_t agreement_list(uint64_t core, uint32_t first, struct agreement_info *out, unsigned capacity, unsigned *count,
                              uint64_t *total);
/* What a core has done since its start, and what it has now; who wants to know what happens looks twice. Cycles are the time-stamp
 * counter's. Needs the right to list the agreement. Errors: PERMISSION, CORE_UNKNOWN, CORE_DEAD. */
struct core_activity {
	uint64_t time;                    /* when it was looked at: of the time-stamp counter, by which `busy` is measured */
	uint64_t busy;                    /* cycles in which a dispatcher had the core */
	uint64_t wake_ups, faults, calls; /* dispatchers made ready, domains' page faults, calls to services on the same core */
	uint64_t sent, received;          /* messages through channels, as the domains on the core count them */
	uint64_t memory, free_memory;     /* bytes that its monitor serves, and those that nobody has */
};
MUST_USE err_t core_activity(uint64_t core, struct core_activity *out);
/* Starts a core that has died or never came up; returns when it is there. Errors: PERMISSION, STATE (it is up), CORE_DEAD (it can't be). */
MUST_USE err_t core_start(uint64_t core);
/* A file of the boot archive. Needs the right. Errors: PERMISSION, NOT_FOUND, LIMIT (it is larger than `capacity`). */
MUST_USE err_t archive_read(const char *name, void *out, size_t capacity, size_t *size);
MUST_USE err_t system_power_off(int64_t status);

/* How many foreign calls had no answer but ENOSYS, by number; for tests and for the curious. */
uint64_t foreign_unknown_count(void);
