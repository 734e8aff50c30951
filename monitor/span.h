/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Domains on several cores. Each member of a span is a domain of its core, made by its monitor; the monitor of member 0, the *home*, keeps
 * the list of them, and what concerns the whole goes through it.
 *
 *   asker's monitor          home                                    new core's monitor                      monitors of the others
 *      grow ─────────────────▶ gives it a number
 *                               enlist ────────────────────────────▶ makes and starts the member
 *                               fellow, for each other member ─────▶ link ─────────────────────────────────▶ event joined
 *                                                                    event joined ◀─────────────── connected (bind.h)
 *                               ◀───────────────────────── enlisted  when all links are bound
 *      event grown ◀─── grown   it is a member
 *
 *   asker's monitor          home                                    member's monitor
 *      shrink ───────────────▶ dismiss ───────────────────────────▶ ends it; the others' links hear `close` with ended 0
 *                               ◀───────────────────────────── gone  when its memory is free
 *      event done ◀─── shrunk   it is no member any more
 *
 *   a member exits, is killed or faults:
 *                               ◀──────────────────────────── falls  ends it
 *      ends member 0, and       dismiss ───────────────────────────▶ the others end
 *                               ◀───────────────────────────── gone  each; then the home tells who waits for the domain, with the cause
 * that it has heard first
 *
 * A record at the home is NONE ─ grow ─▶ WANTED ─ enlist ─▶ JOINING ─ enlisted ─▶ HERE ─ shrink ─▶ LEAVING ─ gone ─▶ NONE. One joins at a
 * time, so that each meets all that are there. If the new member can't even be begun `enlisted` says why; if it can't be completed, or a
 * link can't be bound, it ends, and `gone` says why. When a core dies the home's records of it go (its memory is the agreement's
 * business), and monitors end the members of spans whose home it was. */

#include "monitor/monitor.h"

/* A domain's requests. */
MUST_USE err_t span_ask_grow(struct monitor *m, struct domain *d, uint32_t tag, uint32_t core, uint64_t memory);
MUST_USE err_t span_ask_shrink(struct monitor *m, struct domain *d, uint32_t tag, unsigned member);

/* One of the links that the new member waits for is bound, or can't be. */
void span_link_bound(struct monitor *m, struct domain *d, err_t e);

/* For revocation.h, at the home: how many members there are beside member 0; the last of them is taken; one is being taken. */
unsigned span_others(const struct domain *d);
bool span_take(struct monitor *m, struct domain *d);
bool span_is_taken(const struct domain *d);

/* The domain has begun to end: the other members do too, unless it leaves them. */
void span_member_ends(struct monitor *m, struct domain *d);
/* Nothing is left of the domain. */
void span_member_gone(struct monitor *m, struct domain *d);
/* It is member 0, and others are left. */
bool span_goes_on(const struct domain *d);

void spans_lose_core(struct monitor *m, uint32_t core);
