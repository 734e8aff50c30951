/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Operations on capabilities that may concern other cores: how the domains of this core, and this monitor itself, use the agreement
 * (monitor/agreement).
 *
 *   domain                     its monitor
 *      capability ───────────────▶ takes the capability out of the domain's capability space, or a copy of it, into a slot of its own,
 *                                  and begins the operation; a refusal is answered at once
 *                                      ... agreement_done
 *      ◀──────────────────── done  puts it back where it was, if anything is left of it
 *
 * So the domain can't change its mind half-way: what it does with the slot meanwhile only decides whether the capability finds its place
 * again. If it doesn't, or the domain has ended, nobody has it any more, and it is deleted. */

#include "monitor/monitor.h"

/* A domain's request. With tag 0 it does not want to hear how it went. */
MUST_USE err_t capability_begin(struct monitor *m, struct domain *d, uint32_t tag, const struct capability_request *request);

/* Takes apart everything that was made of one of the domain's blocks, on all cores; domain_revoked is called when that is done. */
MUST_USE err_t capability_revoke_block(struct monitor *m, const struct domain *d, cap_t cap);
/* The same of a domain that goes on; revocation_revoked is called. */
MUST_USE err_t capability_revoke_grant(struct monitor *m, const struct domain *d, cap_t cap);

/* Nobody wants it any more. It is deleted; memory that only it held goes back to this core. The slot is not the caller's any more. */
void capability_discard(struct monitor *m, cap_t cap);

/* A slice of what is left to discard, and to clear. Returns whether there is more to do at once. */
bool capability_step(struct monitor *m);

/* An own slot with a copy of a capability of the domain's, or with it itself; and back. */
MUST_USE err_t capability_fetch(const struct domain *d, uint64_t address, bool move, cap_t *out);
void capability_put_back(struct monitor *m, const struct domain *d, const struct capability_request *r, cap_t cap);

/* What agreement_done is called with for the operation that a domain asked for. */
uint64_t capability_token(const struct monitor *m, const struct capability_work *w);
/* Ends it. */
/* Whether the domain has an operation under way. */
bool capability_busy(const struct monitor *m, const struct domain *d);
void capability_finish(struct monitor *m, struct capability_work *w, err_t e, cap_t cap, uint32_t messages);
