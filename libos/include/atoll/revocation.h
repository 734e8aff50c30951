/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Visible revocation: the system, or who has started a domain, asks for something back that the domain was granted. A program may have a
 * say in which; if it has none, does not answer in time, or gives less than was asked for, the rest is taken.
 *
 * What the library OS does by itself when it is asked:
 *
 *   memory    moves pages together, and gives back the blocks that are empty then. A domain's memory comes in blocks: the one that it began
 *             with stays its own as long as it lives, the others it got when it needed more
 *   cores     gives up members at which nothing is at home, the highest number first
 *   channels  nothing
 *
 * For what is missing after that it asks the program's handler, and then tries again. So a handler that is asked for memory frees some, or
 * takes pages away from a pager of its own (<atoll/pager.h>); for cores, has the threads there end or move; for channels, closes some.
 *
 * What was taken. Memory: its pages are lost. A touch of one ends the program with a line that says so, unless a system call touches, which
 * fails; memory_where answers REVOKED; what is unmapped and mapped anew is good again. A core: as if it had died (span_on_loss). A
 * connection: as if the peer had ended. If something is taken that the library OS itself can't do without, the domain ends with the cause
 * END_REVOKED. */

#include "cpudriver/abi/errors.h"
#include "monitor/abi/messages.h"

/* What the program is asked for. */
struct revocation_wish {
	enum revocation_kind kind; /* of what */
	uint64_t amount;           /* that is missing: bytes, members, connections */
	uint64_t deadline_tsc;     /* from then on it is taken */
};

/* What has been taken. */
struct revocation_loss {
	enum revocation_kind kind; /* memory or channels: lost cores are span_on_loss's */
	uint64_t bytes;            /* memory: how much; all of it was this member's */
	unsigned member;           /* that has lost it */
};

/* Both functions may be NULL. They are called on member 0, by threads such as span_run's: with a stack (of 64 KiB), but without what the C
 * library has for each thread (errno, stdio). */
struct revocation_handlers {
	void (*asked)(void *argument, const struct revocation_wish *wish); /* returns when it has done what it can */
	void (*lost)(void *argument, const struct revocation_loss *loss);  /* something has been taken */
	void *argument;                                                    /* handed to both */
};
/* Member 0's threads install them: STATE elsewhere. */
MUST_USE err_t revocation_handle(const struct revocation_handlers *handlers);

/* ---- Asking ---- */

/* What another domain is to give back. */
struct revocation_order {
	uint32_t domain;           /* its number */
	enum revocation_kind kind; /* of what */
	uint64_t amount;           /* bytes, members, connections */
	uint64_t core;             /* memory: of its member there; CORE_HERE: of member 0 */
	uint64_t deadline_ms;      /* at most REVOCATION_DEADLINE_MS; 0: what it does not give at once is taken */
};
/* What came back: memory is given by the block, so it may be more than was asked for. */
struct revocation_result {
	uint64_t given; /* by the domain */
	uint64_t taken; /* from it */
};
/* Asks a domain that the caller has started, or any if it has the right; returns when all of it is back. Errors: PERMISSION, NOT_FOUND (no
 * such domain, or no member there), CORE_UNKNOWN, ARGUMENT (no such kind, an amount of 0, a deadline too far), RANGE (it has not so much),
 * REVOKING (it is being asked already), AGAIN (it is on its way to another core), PEER_GONE (it has ended meanwhile), LIMIT. */
MUST_USE err_t revocation_ask(const struct revocation_order *order, struct revocation_result *out);
