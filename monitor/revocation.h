/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Visible revocation, and the abort protocol (Engler, Kaashoek, O'Toole, SOSP '95): what was granted can be asked back. The domain is
 * asked first, because it alone knows what it can do without; it is not believed, because its monitor has books of its own; and it can't
 * prevent anything, because at the deadline what is missing is taken, and it is told what.
 *
 *   asker's monitor         the domain's monitor                              the domain
 *      reclaim ──────────────▶ checks who asks, what, how much
 *                              event revoke {kind, amount, deadline} ────────▶ chooses
 *                              ◀──────────────── give_back {block}, close, shrink   as often as it likes
 *                              ◀──────────────────────────────── given_back   it has done what it could: the deadline is now
 *                           at the deadline, for each thing that is missing:
 *                              event taken {block or connection} ────────────▶ forgets it
 *                              ◀───────────────── give_back {the same}   or GRACE_US have passed since it did the last of these
 *                              revokes it, on all cores; clears it
 *      ◀─────────── reclaimed  {given, taken}, when all of it is back
 *
 * What counts is what has come back, by these books: blocks that were revoked, members that are gone, ends of connections that were there
 * when the domain was asked and are closed. While it is asked for something it gets no more of that kind.
 *
 * A block is HELD ─ give_back, or WARNED ─▶ GIVEN ─▶ REVOKING ─▶ CLEARING ─▶ free; one of a domain is revoked at a time. A domain may
 * give a block back without having been asked.
 *
 * What is taken, if the domain leaves the choice to others:
 *   memory    what was granted last first, whole blocks; but blocks that it has named as vital (keep) after all others. The first block,
 *             in which it was made, is what it is guaranteed as long as it lives: if that is needed, too, the domain ends (END_REVOKED)
 *   cores     the member with the highest number first. The others hear `left`. Member 0 stays
 *   channels  the connection that was bound last first; neither links of its span nor the console's with this monitor. Its peer hears
 * `closed`
 *
 * A domain is asked for one thing at a time: REVOKING to whoever comes second. While it moves to another core it can't be asked: AGAIN. If
 * it ends meanwhile the asker hears PEER_GONE: all is back.
 */

#include "monitor/monitor.h"

/* A domain's request: word 1..3 of `reclaim`. */
MUST_USE err_t revocation_request(struct monitor *m, struct domain *d, uint32_t tag, const uint64_t word[4], bool any);

/* Other requests of a domain. */
MUST_USE err_t revocation_give_back(struct monitor *m, struct domain *d, uint64_t kind, uint64_t what);
MUST_USE err_t revocation_given_back(struct domain *d);
MUST_USE err_t revocation_keep(struct domain *d, uint64_t base);

/* A connection of the domain's is about to be closed by it; a member of its span is gone. */
void revocation_closes(struct domain *d, const struct connection *c);
void revocation_member_gone(struct domain *d, bool taken);
/* The domain begins to end; nothing is left of it. */
void revocation_domain_ends(struct monitor *m, struct domain *d);
void revocation_domain_over(struct monitor *m, struct domain *d);
/* Something is being asked of it, or on its way back: it can't move now. */
bool revocation_under_way(const struct domain *d);
/* Whether the agreement has one of its blocks in hand. */
bool revocation_busy(const struct domain *d);
/* It has no more: all that was made of the block is gone, or `e` says why not. */
void revocation_revoked(struct monitor *m, uint32_t number, err_t e);

/* A slice of what is under way. Answers when to look again at the latest (0: no need); *more: at once. */
uint64_t revocations_step(struct monitor *m, uint64_t now, bool *more);
