/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* The domains of this core, from spawn.c's hand-over (or another core's: move.h) to the return of the last byte.
 *
 *   RUNNING ── exit, kill, fault ──▶ STOPPING ──▶ REVOKING ──▶ AGREEING ──▶ CLEARING ──▶ LINGERING ──▶ free
 *                                                     ▲───────────── next block ─────┘
 *
 *   STOPPING   its dispatcher is stopped; its services, questions and connections are given up; peers are told
 *   REVOKING   its block is about to be revoked: with it goes everything that was ever made of it, on all cores
 *   AGREEING   it is being revoked, which is the agreement's business (monitor/agreement): what the domain gave to other cores is
 *              taken back there, what it got from others and somebody still needs is kept
 *   CLEARING   the memory is cleared, in slices, then it is free
 *   LINGERING  member 0 of a span, while others are left; whoever waits for the domain is told at the end of it
 *
 * One slice is done between two looks at what the monitor has to serve, so nobody waits for the end of a big domain. */

#include "monitor/monitor.h"

/* NULL: no such domain runs here. */
struct domain *domain_find(struct monitor *m, uint32_t number);
struct domain *domain_new(struct monitor *m); /* NULL: there are too many */

/* One that is on its way: from here; NULL: there is none. */
struct domain *domain_departing(struct monitor *m, uint32_t number);
struct domain *domain_arriving(struct monitor *m, uint32_t number);
bool domain_is_moving(struct monitor *m, uint32_t number);
/* A number that nobody has. */
uint32_t domain_number(struct monitor *m);
/* How a domain has ended, for those that ask later. */
void domain_note_ending(struct monitor *m, uint32_t domain, enum end_cause cause, uint64_t status);

/* Tells the domain something; kept in order if its event ring is full. */
void domain_event(struct monitor *m, struct domain *d, enum monitor_event event, const uint64_t *words, unsigned count);
/* How many of them it has not acknowledged. */
unsigned domain_unread(const struct domain *d);
/* Puts events that were kept into the ring, as far as there is room. */
void domain_events_retry(struct domain *d);
void domain_bound_failed(struct monitor *m, struct domain *d, uint32_t tag, err_t e);

/* Begins the end. */
void domain_end(struct monitor *m, struct domain *d, enum end_cause cause, uint64_t status);
void domain_end_all(struct monitor *m, bool spare_last);
/* A domain of which nothing is left, unless other members of its span are. */
void domain_over(struct monitor *m, struct domain *d);
/* One slice of each ending domain, and events that had to wait. Returns whether there is more to do at once. */
bool domains_step(struct monitor *m);
/* The CPU driver has stopped dispatchers. */
void domains_stopped(struct monitor *m);
/* Everything that was made of the block that was being revoked is gone, or `e` says why not. */
void domain_revoked(struct monitor *m, uint32_t number, err_t e);
/* Whether the memory belongs to a domain of this core. */
bool domain_has_memory(const struct monitor *m, uint64_t base, uint64_t bytes);
/* The running domain with that dispatcher; NULL: there is none. */
struct domain *domain_of_dispatcher(struct monitor *m, uint64_t base);
/* Domains that are not free; with `spare_last` only those that don't end last. */
unsigned domains_left(const struct monitor *m, bool spare_last);

MUST_USE err_t domain_wait_here(struct monitor *m, uint32_t core, uint32_t ticket, uint32_t domain);
MUST_USE err_t domain_more_memory(struct monitor *m, struct domain *d, uint64_t bytes, uint64_t alignment, uint64_t slot, uint64_t *base,
                                  uint64_t *size);

/* While one's task CNode is open, CAP(TASK_WINDOW, n) is its slot n. */
#define TASK_WINDOW 255
MUST_USE err_t task_open(const struct domain *d);
void task_close(void);
