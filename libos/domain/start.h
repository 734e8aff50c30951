/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* How this domain began, and how it ends, inside the library OS. */

#include "cpudriver/abi/core_boot.h"
#include "cpudriver/abi/dispatcher.h"
#include "monitor/abi/messages.h"
#include "monitor/abi/start.h"

/* Exactly one of the two is not NULL: an ordinary domain's start page, or a monitor's. */
extern const struct domain_start *start_page;
extern const struct core_boot *start_boot;

/* The program, of either kind. */
struct program {
	const char *name;
	uint64_t phdr, phdr_count, entry, high;
	uint64_t stack_high;
};
extern struct program program;

/* Makes a request and waits for the event that completes it, whose error it answers. */
struct event_wait;
MUST_USE err_t request_and_wait(enum monitor_request request, uint64_t word1, uint64_t word2, uint64_t word3, struct event_wait *w);

/* The request buffer serves one request at a time. */
char *domain_lock_buffer(void);
void domain_unlock_buffer(void);

/* Listens for who has spawned this domain (spawn.c). */
void spawn_start(void);

/* Moving to another core (leave.c). Listens for it; takes up on the new core what lies there already; then the thread that has left ends,
 * and others run. */
void leave_start(void);
void domain_arrive(void);
_Noreturn void domain_go_on(void);

/* A request that names a service (struct service_request), with its word 1. Errors: ARGUMENT (no name, or a long one), and the request's.
 */
MUST_USE err_t service_request(enum monitor_request request, uint64_t tag_and_flags, const char *name, uint64_t interface, uint64_t word1);

/* Ends the domain without waiting for anything. */
_Noreturn void domain_exit_now(int64_t status);
_Noreturn void domain_exit_now_because(enum end_cause cause, int64_t status);

/* The CPU driver calls this: RDI shared frame, RSI start page; disabled, on the upcall stack. */
_Noreturn void start_domain(struct dispatcher_shared *shared, const void *page);
